"""An installation by docker compose as internal systems see it: by its published ports."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from deploy.local.ports import HOST, Ports
from deploy.topology import OPERATORS, PRINTING_HOUSE, REGION

_PORTS: Final = Ports()


def operators(env: Mapping[str, str]) -> dict[str, str]:
    """What the operators' command line, the simulator and the printing house need, from the values of `.env`."""
    return {
        "KAFKA_BOOTSTRAP_SERVERS": f"{HOST}:{env.get('KAFKA_PORT') or _PORTS.kafka}",
        "KAFKA_USERNAME": OPERATORS,
        "KAFKA_PASSWORD": env["KAFKA_PASSWORD_PORTAL"],
        "MINIO_ENDPOINT": f"{HOST}:{env.get('MINIO_PORT') or _PORTS.minio}",
        "MINIO_ACCESS_KEY": PRINTING_HOUSE,
        "MINIO_SECRET_KEY": env["MINIO_SECRET_KEY_PRINTING_HOUSE"],
        "MINIO_REGION": REGION,
        "MINIO_SECURE": "false",
        "PORTAL_URL": env["PORTAL_URL"],
        "MAIL_READER_URL": f"http://{HOST}:{env.get('MAIL_READER_PORT') or _PORTS.mail_reader}",
    }
