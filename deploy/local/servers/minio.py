"""MinIO: one folder as an object store, with a root user of its own."""

from __future__ import annotations

from pathlib import Path

from deploy.local.ports import HOST, Ports
from deploy.local.secrets import MINIO_ROOT, Secrets
from deploy.local.servers.program import Program, http_ok
from deploy.local.tools import Tools
from deploy.topology import REGION


def program(folder: Path, ports: Ports, tools: Tools, secrets: Secrets) -> Program:
    """The server. ``folder`` is its own."""
    data, certificates = folder / "data", folder / "certificates"
    for path in (data, certificates):
        path.mkdir(parents=True, exist_ok=True)
    addresses = ["--address", f"{HOST}:{ports.minio}", "--console-address", f"{HOST}:{ports.minio_console}"]
    return Program(
        "minio",
        [str(tools.minio), "server", *addresses, "--certs-dir", str(certificates), str(data)],
        lambda: http_ok(ports.minio, "/minio/health/ready"),
        {
            "MINIO_ROOT_USER": MINIO_ROOT,
            "MINIO_ROOT_PASSWORD": secrets[f"minio/{MINIO_ROOT}"],
            "MINIO_SITE_REGION": REGION,
            "MINIO_UPDATE": "off",
        },
        folder,
    )
