"""The settings of each process of the stack, from its ports and secrets."""

from __future__ import annotations

from typing import Final

from deploy.local.ports import HOST, Ports
from deploy.local.secrets import MINIO_ROOT, Secrets
from deploy.local.servers import mongo
from deploy.local.servers.program import base_environment
from deploy.provision import KafkaServer, MinioServer, MongoServer, Servers
from deploy.topology import ACCOUNTS, GATEWAY, KAFKA_ADMIN, MONGO_USERS, OPERATORS, PRINTING_HOUSE, REGION, SERVICES

PROCESSES: Final = (*SERVICES, GATEWAY)
"""The five services, in the order in which they are started."""


class Environments:
    """Complete environments by process name, and what provisioning needs."""

    def __init__(self, ports: Ports, secrets: Secrets) -> None:
        self._ports = ports
        self._secrets = secrets

    @property
    def portal_url(self) -> str:
        """The public origin. ``localhost``, not its number: browsers give it what they give HTTPS."""
        return f"http://localhost:{self._ports.gateway}"

    def of(self, service: str) -> dict[str, str]:
        """Everything the service's settings ask for, and the few variables any process needs."""
        parts = [self._http(service)]
        if service == GATEWAY:
            parts.append(self._gateway())
        else:
            parts.append(self._stateful(service))
        if service == "auth":
            parts.append(self._auth())
        if service in {"auth", "notifications"}:
            parts.append({"SEALING_KEYS": self._key("sealing", "notifications")})
        if service in {"documents", "notifications"}:
            parts.append(self._objects(service))
        if service == "notifications":
            parts.append(self._mail())
        if service in {"auth", "claims"}:
            parts.append({"PORTAL_URL": self.portal_url})
        return {name: value for part in (base_environment(), *parts) for name, value in part.items()}

    def operators(self) -> dict[str, str]:
        """What the operators' command line and the simulator need."""
        return {
            **self._kafka(OPERATORS),
            **self._objects(PRINTING_HOUSE),
            "MONGO_URL": mongo.url(self._ports, OPERATORS, self._secrets[f"mongo/{OPERATORS}"]),
            "PORTAL_URL": self.portal_url,
            "MAIL_READER_URL": f"http://{HOST}:{self._ports.mail_reader}",
        }

    def servers(self) -> Servers:
        """The administrators' side, for provisioning."""
        ports, secrets = self._ports, self._secrets
        return Servers(
            KafkaServer(f"{HOST}:{ports.kafka}", secrets[f"kafka/{KAFKA_ADMIN}"]),
            MongoServer(
                mongo.url(ports, mongo.ROOT, secrets["mongo/root"]),
                {user: secrets[f"mongo/{user}"] for user in MONGO_USERS},
            ),
            MinioServer(
                f"{HOST}:{ports.minio}",
                MINIO_ROOT,
                secrets[f"minio/{MINIO_ROOT}"],
                {account.name: secrets[f"minio/{account.name}"] for account in ACCOUNTS},
            ),
        )

    def _http(self, service: str) -> dict[str, str]:
        return {"HTTP_HOST": HOST, "HTTP_PORT": str(self._ports.of(service)), "LOG_LEVEL": "INFO"}

    def _stateful(self, service: str) -> dict[str, str]:
        return {
            "MONGO_URL": mongo.url(self._ports, service, self._secrets[f"mongo/{service}"], service),
            "MONGO_DATABASE": service,
            **self._kafka(service),
            "AT_REST_KEYS": self._key("at-rest", service),
            "TOKEN_ISSUER": "espace-assure",
            **({} if service == "auth" else {"JWKS_URL": f"{self._url('auth')}/.well-known/jwks.json"}),
        }

    def _kafka(self, principal: str) -> dict[str, str]:
        return {
            "KAFKA_BOOTSTRAP_SERVERS": f"{HOST}:{self._ports.kafka}",
            "KAFKA_USERNAME": principal,
            "KAFKA_PASSWORD": self._secrets[f"kafka/{principal}"],
        }

    def _objects(self, account: str) -> dict[str, str]:
        return {
            "MINIO_ENDPOINT": f"{HOST}:{self._ports.minio}",
            "MINIO_ACCESS_KEY": account,
            "MINIO_SECRET_KEY": self._secrets[f"minio/{account}"],
            "MINIO_REGION": REGION,
            "MINIO_SECURE": "false",
        }

    def _auth(self) -> dict[str, str]:
        return {
            "SIGNING_KEYS": f"auth-1:{self._secrets['signing/auth']}",
            "LOOKUP_KEY": self._secrets["lookup/auth"],
            "REFRESH_KEY": self._secrets["refresh/auth"],
            "ALTCHA_KEY": self._secrets["altcha/auth"],
        }

    def _mail(self) -> dict[str, str]:
        return {
            "SMTP_HOST": HOST,
            "SMTP_PORT": str(self._ports.smtp),
            "SMTP_STARTTLS": "false",
            "MAIL_FROM": "espace-assure@plansante.example",
            "PORTAL_URL": self.portal_url,
        }

    def _gateway(self) -> dict[str, str]:
        return {
            **{f"{service.upper()}_URL": self._url(service) for service in SERVICES},
            "METRICS_PORT": str(self._ports.gateway_metrics),
            "COOKIE_KEYS": self._key("cookie", GATEWAY),
            "PORTAL_URL": self.portal_url,
        }

    def _url(self, service: str) -> str:
        return f"http://{HOST}:{self._ports.of(service)}"

    def _key(self, use: str, audience: str) -> str:
        return f"{audience}/1:{self._secrets[f'{use}/{audience}']}"
