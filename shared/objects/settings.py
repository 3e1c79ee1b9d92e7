"""Where the object store is, and the bounds of what a process asks of it."""

from pydantic import Field, SecretStr

from shared.settings import ServiceSettings


class ObjectStoreSettings(ServiceSettings):
    """What a process with an object store has besides. The region is always set: without it each client asks first."""

    minio_endpoint: str
    minio_access_key: str
    minio_secret_key: SecretStr
    minio_region: str = "eu-west-3"
    minio_secure: bool = False
    minio_threads: int = Field(default=8, ge=1, le=64)
    minio_connect_seconds: float = Field(default=2.0, gt=0)
    minio_read_seconds: float = Field(default=10.0, gt=0)
    minio_wait_seconds: float = Field(default=5.0, gt=0)
    """How long a call waits for a free thread before the store counts as unavailable."""
    minio_max_object_bytes: int = Field(default=33_554_432, ge=1024)
    """Of an object that is held in memory whole; streams have a limit of their own."""
