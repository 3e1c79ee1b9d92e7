"""Which servers the native stack installs.

What comes from PyPI is pinned with hashes in ``pins/*.txt``; jars are checked against
``pins/*-jars.sha256`` whoever fetched them; Go checks its modules against its checksum database.
"""

from pathlib import Path
from typing import Final

PINS: Final = Path(__file__).parent / "pins"

KAFKA: Final = "4.2.1"
KAFKA_JARS: Final = {
    "kafka": f"org.apache.kafka:kafka_2.13:{KAFKA}",
    # Kafka logs through slf4j 1.7 and brings no binding; without one a broker dies in silence.
    "slf4j-simple": "org.slf4j:slf4j-simple:1.7.36",
}
MONGO_SINK: Final = "2.0.1"
CONNECT: Final = f"{KAFKA}-{MONGO_SINK}"
CONNECT_JARS: Final = {
    # MongoDB's driver is named since the sink's pom names a range, Jackson's core since Avro's names an older one.
    "connect": "+".join(
        (
            f"org.apache.kafka:connect-runtime:{KAFKA}",
            f"org.mongodb.kafka:mongo-kafka-connect:{MONGO_SINK}",
            "org.mongodb:mongodb-driver-sync:4.7.2",
            "com.fasterxml.jackson.core:jackson-core:2.21.2",
        )
    ),
    "slf4j-simple": KAFKA_JARS["slf4j-simple"],
}
"""Kafka Connect with MongoDB's sink; for a benchmark alone."""
VERAPDF: Final = "1.28.2"
VERAPDF_JARS: Final = {
    # Its own poms name ranges: each part is named here so that none is newer than the rest.
    "verapdf": "+".join(
        [f"org.verapdf.apps:greenfield-apps:{VERAPDF}"]
        + [
            f"org.verapdf:{part}:{VERAPDF}"
            for part in (
                "core",
                "feature-reporting",
                "metadata-fixer",
                "parser",
                "pdf-model",
                "validation-model",
                "verapdf-xmp-core",
            )
        ]
    )
}
"""Proves that a PDF is PDF/UA; for tests alone."""

MINIO: Final = "github.com/minio/minio@v0.0.0-20260212201848-7aac2a2c5b7c"
"""The newest; the project publishes source only and is no longer maintained."""
MAILPIT: Final = "github.com/axllent/mailpit@v1.27.11"

JAVA_AT_LEAST: Final = 17
GO_AT_LEAST: Final = (1, 25)


def pinned(name: str) -> str:
    """The version that ``pins/<name>.txt`` fixes for its first requirement in ``pins/<name>.in``."""
    wanted = (PINS / f"{name}.in").read_text().split("=")[0].split("[")[0].strip()
    for line in (PINS / f"{name}.txt").read_text().splitlines():
        if line.startswith(f"{wanted}=="):
            return line.split("==")[1].split()[0]
    raise LookupError(name)
