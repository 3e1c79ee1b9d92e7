"""Settings for tests that need none of the servers."""

from typing import Any

from services.notifications.settings import NotificationsSettings

_KEY = "A" * 43


def some_settings(**changes: Any) -> NotificationsSettings:
    """Complete settings that point nowhere, with `changes`."""
    values: dict[str, Any] = {
        "http_port": 8084,
        "mongo_url": "mongodb://127.0.0.1:1/notifications",
        "mongo_database": "notifications",
        "kafka_bootstrap_servers": "127.0.0.1:1",
        "kafka_username": "notifications",
        "kafka_password": "x",
        "jwks_url": "http://127.0.0.1:1/.well-known/jwks.json",
        "at_rest_keys": f"notifications/1:{_KEY}",
        "sealing_keys": f"notifications/1:{_KEY}",
        "minio_endpoint": "127.0.0.1:1",
        "minio_access_key": "notifications",
        "minio_secret_key": "x",
        "smtp_host": "127.0.0.1",
        "smtp_port": 1,
        "mail_from": "espace-assure@plansante.example",
        "portal_url": "http://localhost:8080",
    }
    return NotificationsSettings(**(values | changes))
