"""Composition root of notifications: settings in, running service out."""

from fastapi import FastAPI

from services.notifications import api, store
from services.notifications.letters import LetterPress
from services.notifications.mailer import Mailer
from services.notifications.mails import MailRoom
from services.notifications.service import letters
from services.notifications.service.erasure import Erasure
from services.notifications.service.letters import Letters
from services.notifications.service.mails import Mails
from services.notifications.service.members import Members
from services.notifications.service.messages import Messages
from services.notifications.service.preferences import Choices
from services.notifications.settings import NotificationsSettings
from services.notifications.store import THREADS, MessageStore, Store
from services.notifications.subscribers import Subscribers
from shared.app import serve
from shared.backbone import Backbone
from shared.live import Live, LiveLimits
from shared.live import router as live_router
from shared.objects import ObjectStore
from shared.sealing import Keyring
from shared.settings import load
from shared.worker import Worker

SERVICE = "notifications"
LIVE_EVENTS = {THREADS: "message"}


def build(settings: NotificationsSettings) -> FastAPI:
    """Wire the service; production and tests call this alike."""
    backbone = Backbone(SERVICE, settings, store.collections())
    keyring = Keyring.from_setting(settings.sealing_keys.get_secret_value())
    kept, threads = Store(backbone.mongo.db, backbone.at_rest), MessageStore(backbone.mongo.db, backbone.at_rest)
    objects = ObjectStore(settings, probe_bucket=letters.BUCKET)
    to_post = Letters(
        backbone.mongo, kept, backbone.jobs, objects, LetterPress(settings), keyring, settings.letter_kept_days
    )
    to_mail = _mails(settings, backbone, kept, keyring)
    messages = Messages(backbone.mongo, threads, to_mail)
    live = Live(
        backbone.mongo,
        LIVE_EVENTS,
        is_closed=backbone.tokens.is_closed,
        limits=LiveLimits(settings.live_max_streams, settings.live_max_changes),
    )
    subscribers = Subscribers(
        members=Members(kept, to_post, to_mail),
        letters=to_post,
        mails=to_mail,
        messages=messages,
        erasure=Erasure(kept, threads, to_post, to_mail),
        closures=backbone.closures,
        keyring=keyring,
    )
    parts = (
        live,
        objects,
        to_mail.mailer,
        Worker("letters", backbone.jobs, to_post.handlers(), concurrency=settings.letter_workers),
        Worker("mails", backbone.jobs, to_mail.handlers(), concurrency=settings.smtp_connections),
    )
    app = backbone.app(subscribers.subscriptions(), [api.router, live_router], parts)
    app.state.choices = Choices(backbone.mongo, kept, to_mail)
    app.state.messages, app.state.live = messages, live
    return app


def _mails(settings: NotificationsSettings, backbone: Backbone, kept: Store, keyring: Keyring) -> Mails:
    return Mails(
        backbone.mongo,
        kept,
        backbone.jobs,
        MailRoom(settings),
        Mailer(settings),
        keyring,
        settings.portal_url,
        settings.mail_retry_hours,
    )


def main() -> None:
    """Run until told to stop."""
    settings = load(NotificationsSettings, SERVICE)
    serve(build(settings), settings)
