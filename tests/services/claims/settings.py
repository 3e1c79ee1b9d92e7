"""Settings for tests that need none of the servers."""

from typing import Any

from services.claims.settings import ClaimsSettings

_KEY = "A" * 43


def some_settings(**changes: Any) -> ClaimsSettings:
    """Complete settings that point nowhere, with `changes`."""
    values: dict[str, Any] = {
        "http_port": 8082,
        "mongo_url": "mongodb://127.0.0.1:1/claims",
        "mongo_database": "claims",
        "kafka_bootstrap_servers": "127.0.0.1:1",
        "kafka_username": "claims",
        "kafka_password": "x",
        "jwks_url": "http://127.0.0.1:1/.well-known/jwks.json",
        "at_rest_keys": f"claims/1:{_KEY}",
        "portal_url": "http://localhost:8080",
    }
    return ClaimsSettings(**(values | changes))
