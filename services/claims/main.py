"""Composition root of claims: settings in, running application out."""

from fastapi import FastAPI

from services.claims import api
from services.claims.service import Claims
from services.claims.settings import ClaimsSettings
from services.claims.store import CLAIMS, COLLECTIONS, ClaimsStore
from services.claims.subscribers import subscriptions
from shared.app import serve
from shared.backbone import Backbone
from shared.live import Live, LiveLimits
from shared.settings import load

SERVICE = "claims"
LIVE_EVENTS = {CLAIMS: "claim"}


def build(settings: ClaimsSettings) -> FastAPI:
    """The application with all its parts, nothing started."""
    backbone = Backbone(SERVICE, settings, COLLECTIONS)
    claims = Claims(ClaimsStore(backbone.mongo.db), backbone.at_rest)
    live = Live(
        backbone.mongo,
        LIVE_EVENTS,
        is_closed=backbone.tokens.is_closed,
        limits=LiveLimits(settings.live_max_streams, settings.live_max_changes),
    )
    followed = subscriptions(claims, backbone.closures, settings.consumer_max_records)
    app = backbone.app(followed, [api.router], [live])
    app.state.claims, app.state.live = claims, live
    return app


def main() -> None:
    """Run the service."""
    settings = load(ClaimsSettings, SERVICE)
    serve(build(settings), settings)
