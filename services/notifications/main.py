"""Composition root of notifications: settings in, running service out."""

from fastapi import FastAPI

from services.notifications import store
from services.notifications.letters import LetterPress
from services.notifications.mailer import Mailer
from services.notifications.mails import MailRoom
from services.notifications.service import letters
from services.notifications.service.letters import Letters
from services.notifications.service.mails import Mails
from services.notifications.service.members import Members
from services.notifications.settings import NotificationsSettings
from services.notifications.store import Store
from services.notifications.subscribers import Subscribers
from shared.app import serve
from shared.backbone import Backbone
from shared.jobs import Worker
from shared.objects import ObjectStore
from shared.sealing import Keyring
from shared.settings import load

SERVICE = "notifications"


def build(settings: NotificationsSettings) -> FastAPI:
    """Wire the service; production and tests call this alike."""
    backbone = Backbone(SERVICE, settings, store.collections())
    keyring = Keyring.from_setting(settings.sealing_keys.get_secret_value())
    kept = Store(backbone.mongo.db, backbone.at_rest)
    objects = ObjectStore(settings, probe_bucket=letters.BUCKET)
    mailer = Mailer(settings)
    to_post = Letters(
        backbone.mongo, kept, backbone.jobs, objects, LetterPress(settings), keyring, settings.letter_kept_days
    )
    to_mail = Mails(
        backbone.mongo,
        kept,
        backbone.jobs,
        MailRoom(settings),
        mailer,
        keyring,
        settings.portal_url,
        settings.mail_retry_hours,
    )
    subscribers = Subscribers(Members(kept, to_post, to_mail), to_post, to_mail, keyring)
    parts = (
        objects,
        mailer,
        Worker("letters", backbone.jobs, to_post.handlers(), concurrency=settings.letter_workers),
        Worker("mails", backbone.jobs, to_mail.handlers(), concurrency=settings.smtp_connections),
    )
    return backbone.app(subscribers.subscriptions(), [], parts)


def main() -> None:
    """Run until told to stop."""
    settings = load(NotificationsSettings, SERVICE)
    serve(build(settings), settings)
