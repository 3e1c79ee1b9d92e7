"""Composition root of claims: settings in, running application out."""

from datetime import timedelta

from fastapi import FastAPI

from services.claims import api, share_api, share_store
from services.claims.papers import Papers
from services.claims.rebuild import orders
from services.claims.rebuild.fence import Fence
from services.claims.rebuild.rebuilder import Rebuilder
from services.claims.service import Claims, Limits
from services.claims.settings import ClaimsSettings
from services.claims.share_store import ShareStore
from services.claims.shares import Shares
from services.claims.statements import Statements
from services.claims.store import CLAIMS, COLLECTIONS, ClaimsStore
from services.claims.subscribers import subscriptions
from shared.app import serve
from shared.backbone import Backbone
from shared.live import Live, LiveLimits
from shared.live import router as live_router
from shared.settings import load
from shared.typesetting import Typesetter
from shared.worker import Worker

SERVICE = "claims"
ALL_COLLECTIONS = {**COLLECTIONS, **share_store.COLLECTIONS, **orders.COLLECTIONS}
LIVE_EVENTS = {CLAIMS: "claim"}


def build(settings: ClaimsSettings) -> FastAPI:
    """The application with all its parts, nothing started."""
    backbone = Backbone(SERVICE, settings, ALL_COLLECTIONS)
    store = ClaimsStore(backbone.mongo.db)
    statements = Statements(
        backbone.mongo,
        store,
        backbone.jobs,
        quiet=timedelta(seconds=settings.statement_quiet_seconds),
        at_most=timedelta(seconds=settings.statement_at_most_seconds),
    )
    limits = Limits(settings.statement_max_lines, settings.export_max_claims)
    passing = Fence(backbone.mongo)
    claims = Claims(store, backbone.at_rest, statements, limits, passing)
    shared = ShareStore(backbone.mongo.db, backbone.at_rest)
    shares = Shares(backbone.mongo, store, shared, settings.card_shares_max_open)
    typesetter = Typesetter(settings)
    live = Live(
        backbone.mongo,
        LIVE_EVENTS,
        is_closed=backbone.tokens.is_closed,
        limits=LiveLimits(settings.live_max_streams, settings.live_max_changes),
    )
    followed = subscriptions(
        claims,
        shares,
        backbone.closures,
        max_records=settings.consumer_max_records,
        lanes=settings.consumer_lanes,
    )
    announcers = Worker("statements", backbone.jobs, statements.handlers(), concurrency=settings.statement_workers)
    rebuilder = Rebuilder(backbone.mongo, passing, settings.rebuild_max_records)
    routers = [api.router, share_api.router, live_router]
    app = backbone.app(followed, routers, [live, typesetter, announcers, rebuilder])
    app.state.claims, app.state.live, app.state.papers = claims, live, Papers(settings, typesetter)
    app.state.shares, app.state.portal_url = shares, settings.portal_url
    return app


def main() -> None:
    """Run the service."""
    settings = load(ClaimsSettings, SERVICE)
    serve(build(settings), settings)
