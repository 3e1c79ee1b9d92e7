"""The order of provisioning: the three servers do not depend on each other."""

from __future__ import annotations

from deploy.provision import kafka, minio, mongo
from deploy.provision.settings import Servers


def apply(servers: Servers) -> None:
    """Make topics, rights, users, buckets and accounts as listed. Raises ProvisioningError on the first refusal."""
    kafka.apply(servers.kafka)
    mongo.apply(servers.mongo)
    minio.apply(servers.minio)
