"""What surrounds `docker-compose.yml`: its settings and secrets in `.env`, and the demo's way in."""
