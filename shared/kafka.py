"""How every process of ours connects to Kafka: SASL/PLAIN users, and a producer that neither loses nor doubles."""

from dataclasses import dataclass
from typing import Any

from aiokafka import AIOKafkaProducer
from pydantic import SecretStr

REQUEST_TIMEOUT_MS = 10_000


@dataclass(frozen=True, slots=True)
class KafkaAccess:
    """Where Kafka is and who we are there."""

    bootstrap_servers: str
    username: str
    password: SecretStr

    def client_arguments(self) -> dict[str, Any]:
        """Keyword arguments of aiokafka's clients."""
        return {
            "bootstrap_servers": self.bootstrap_servers,
            "security_protocol": "SASL_PLAINTEXT",
            "sasl_mechanism": "PLAIN",
            "sasl_plain_username": self.username,
            "sasl_plain_password": self.password.get_secret_value(),
        }

    def producer(self, client_id: str) -> AIOKafkaProducer:
        """An idempotent producer with acks=all; not started. Never transactional: its writes are repeatable."""
        return AIOKafkaProducer(
            **self.client_arguments(),
            client_id=client_id,
            acks="all",
            enable_idempotence=True,
            request_timeout_ms=REQUEST_TIMEOUT_MS,
            linger_ms=2,
            max_request_size=1_048_576,
        )
