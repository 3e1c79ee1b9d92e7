"""Composition root of auth: settings in, running application out."""

from fastapi import FastAPI

from services.auth import store as auth_store
from services.auth.api import keys_router, router
from services.auth.factor_api import router as factor_router
from services.auth.passkey_api import router as passkey_router
from services.auth.service.account_life import CLOSE, ERASURE, OPEN
from services.auth.service.enrolment import TEMPORARY_PASSWORD, Enrolment
from services.auth.service.lost_second_factor import REMOVE
from services.auth.service.password_resets import PASSWORD_RESET
from services.auth.service.unlocks import SIGN_IN_BLOCKED
from services.auth.settings import AuthSettings, signing_seeds
from services.auth.subscribers import subscriptions
from services.auth.tokens import AccessTokens, LocalKeys
from services.auth.wiring import Wiring
from shared import operator_orders
from shared.app import serve
from shared.backbone import Backbone
from shared.operator_orders import Orders
from shared.settings import load
from shared.worker import Worker

SERVICE = "auth"


def build(settings: AuthSettings) -> FastAPI:
    """The application with all its parts, nothing started."""
    access_tokens = AccessTokens(
        signing_seeds(settings.signing_keys.get_secret_value()),
        issuer=settings.token_issuer,
        lifetime_s=settings.access_token_seconds,
    )
    backbone = Backbone(
        SERVICE,
        settings,
        {**auth_store.collections(), **operator_orders.collections()},
        keys=LocalKeys(access_tokens.jwks),
    )
    wiring = Wiring(settings, backbone, access_tokens)
    use_cases = wiring.use_cases()
    workers = [
        Worker("temporary_passwords", backbone.jobs, {TEMPORARY_PASSWORD: wiring.temporary_passwords().issue}),
        # Apart from the letters: nobody's mail waits behind a wave of enrolments.
        Worker("password_resets", backbone.jobs, {PASSWORD_RESET: use_cases.password_resets.look_into}),
        Worker("unlocks", backbone.jobs, {SIGN_IN_BLOCKED: use_cases.unlocks.look_into}),
    ]
    life = wiring.account_life(use_cases.sessions)
    workers.append(Worker("erasures", backbone.jobs, {ERASURE: life.erase}))
    orders = Orders(backbone.mongo, {CLOSE: life.close, OPEN: life.open, REMOVE: use_cases.factors.lost.remove})
    enrolment = Enrolment(
        wiring.store, wiring.vault, backbone.jobs, kept_months_after_end=settings.kept_months_after_end
    )
    followed = subscriptions(enrolment, settings.consumer_max_records)
    routers = [router, factor_router, passkey_router, keys_router]
    app = backbone.app(followed, routers, [wiring.passwords, *workers, orders])
    app.state.auth = use_cases
    return app


def main() -> None:
    """Run the service."""
    settings = load(AuthSettings, SERVICE)
    serve(build(settings), settings)
