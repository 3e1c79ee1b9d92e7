"""What every stateful service stands on, wired once: database, event backbone, token check, jobs."""

from collections.abc import Mapping, Sequence

from fastapi import APIRouter, FastAPI
from pymongo import IndexModel

from shared import at_rest_keys, closures, consumer, jobs
from shared.app import create_app
from shared.at_rest_keys import AtRestKeys
from shared.closures import Closures
from shared.consumer import Consumer, Subscription
from shared.jobs import Jobs
from shared.kafka import KafkaAccess
from shared.mongo import Mongo
from shared.parts import Part
from shared.relay import Relay
from shared.resealing import Resealing
from shared.sealing import Keyring
from shared.settings import StatefulSettings
from shared.tokens import KeySource, RemoteKeys, TokenVerifier


class Backbone:
    """Made first in a service's composition root; its `app` is made last.

    `keys` is where access tokens' public keys come from: auth gives its own, the others leave it out and read auth's.
    """

    def __init__(
        self,
        service: str,
        settings: StatefulSettings,
        collections: Mapping[str, Sequence[IndexModel]],
        *,
        keys: KeySource | None = None,
    ) -> None:
        self._service, self._settings = service, settings
        self.mongo = Mongo(
            settings.mongo_url.get_secret_value(),
            settings.mongo_database,
            collections={
                **consumer.collections(settings.inbox_days),
                **closures.collections(),
                **jobs.collections(),
                **at_rest_keys.collections(),
                **collections,
            },
            wait_s=settings.mongo_wait_seconds,
            pool_connections=settings.mongo_pool_connections,
        )
        self.at_rest = Keyring.from_setting(settings.at_rest_keys.get_secret_value())
        self.closures = Closures(self.mongo)
        self.jobs = Jobs(self.mongo)
        self._key_parts: list[Part] = []
        if keys is None:
            keys = remote = RemoteKeys(settings.required_jwks_url())
            self._key_parts.append(remote)
        self.tokens = TokenVerifier(keys, settings.token_issuer, self.closures)
        self._access = KafkaAccess(settings.kafka_bootstrap_servers, settings.kafka_username, settings.kafka_password)

    def app(
        self, subscriptions: Sequence[Subscription], routers: Sequence[APIRouter], own_parts: Sequence[Part] = ()
    ) -> FastAPI:
        """The service's HTTP application, with every part in the order in which they start."""
        subscribed = Consumer(
            self._service,
            self._access,
            self.mongo,
            self.at_rest,
            subscriptions,
        )
        relay = Relay(self._service, self._access, self.mongo)
        keys = AtRestKeys(self.mongo, self.at_rest)
        resealing = Resealing(self.mongo, self.at_rest, keys)
        parts: list[Part] = [
            self.mongo,
            keys,
            self.closures,
            *own_parts,
            relay,
            subscribed,
            *self._key_parts,
            resealing,
        ]
        app = create_app(self._service, parts=parts, routers=routers, max_body_bytes=self._settings.http_max_body_bytes)
        app.state.tokens = self.tokens
        return app
