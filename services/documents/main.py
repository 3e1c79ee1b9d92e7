"""Composition root of documents: settings in, running service out."""

from fastapi import FastAPI

from services.documents import api
from services.documents.models import ACCEPTED
from services.documents.service import deliveries, intake
from services.documents.service.deliveries import Deliveries
from services.documents.service.erasure import Erasure
from services.documents.service.intake import Intake
from services.documents.service.reception import Reception
from services.documents.service.shelf import Shelf
from services.documents.settings import DocumentsSettings
from services.documents.store import COLLECTIONS, DOCUMENTS, DocumentsStore
from services.documents.subscribers import subscriptions
from shared.app import serve
from shared.backbone import Backbone
from shared.live import Live, LiveLimits
from shared.live import router as live_router
from shared.objects import ObjectStore
from shared.settings import load
from shared.worker import Worker

SERVICE = "documents"
LIVE_EVENTS = {DOCUMENTS: "document"}


def build(settings: DocumentsSettings) -> FastAPI:
    """Wire the service; production and tests call this alike."""
    backbone = Backbone(SERVICE, settings, COLLECTIONS)
    mongo, jobs = backbone.mongo, backbone.jobs
    store = DocumentsStore(mongo.db, backbone.at_rest)
    objects = ObjectStore(settings, probe_bucket=ACCEPTED)
    shelf = Shelf(store, objects)
    checked = Intake(mongo, store, jobs, objects, settings)
    delivered = Deliveries(
        mongo=mongo, store=store, jobs=jobs, objects=objects, at_rest=backbone.at_rest, settings=settings
    )
    live = Live(
        mongo,
        LIVE_EVENTS,
        is_closed=backbone.tokens.is_closed,
        limits=LiveLimits(settings.live_max_streams, settings.live_max_changes),
    )
    parts = (
        live,
        objects,
        Worker("intake", jobs, {intake.CHECK: checked.check}, concurrency=settings.intake_workers),
        Worker("housekeeping", jobs, {**checked.housekeeping(), deliveries.DELIVER: delivered.deliver}),
    )
    followed = subscriptions(
        shelf, delivered, Erasure(store, jobs, delivered), backbone.closures, settings.consumer_max_records
    )
    app = backbone.app(followed, [api.router, live_router], parts)
    app.state.reception = Reception(mongo, store, jobs, objects, settings)
    app.state.shelf, app.state.live = shelf, live
    return app


def main() -> None:
    """Run until told to stop."""
    settings = load(DocumentsSettings, SERVICE)
    serve(build(settings), settings)
