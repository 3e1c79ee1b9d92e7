"""Mails: which there are, and how they are written.

Their words come from one template per mail and language, their form (text and HTML) from one layout.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from pathlib import Path
from typing import Any, Literal

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from services.notifications import rules
from services.notifications.letters import site
from services.notifications.models import Member
from services.notifications.rules import Language, NoAddress
from services.notifications.settings import NotificationsSettings
from shared.tracing import current_traceparent, trace_id

_TEMPLATES = Path(__file__).parent / "templates" / "mails"

MailKind = Literal[
    "activation",
    "address_in_use",
    "identifier_confirmed",
    "address_changed",
    "address_change_undone",
    "password_reset",
    "password_reset_done",
    "password_changed",
    "new_device",
    "account_locked",
    "passkey_added",
    "second_factor",
    "statement",
    "answer",
]


@dataclass(frozen=True, slots=True)
class MailRule:
    """To whom a kind of mail goes, and what its link opens."""

    to: Callable[[Member, datetime | None], str | NoAddress] | None = None
    """Looked up when the mail is written; without this rule the event says it in its sealed field `email_field`.

    The instant: only who had asked for such mails by then is to get it; none: that was settled before.
    """
    page: str | None = None
    """The portal's page that the link opens; without it the mail has no link."""
    secret: str | None = None
    """The event's sealed field with the single-use secret of the link. Such a mail lives until the link expires."""
    repeats: str | None = None
    """The event's field that the mail's words repeat."""
    until: str | None = None
    """The event's field with the end of what the mail tells of."""
    expiry: str = "expires_at"
    """The event's field that says until when such a link is good."""
    email_field: str = "email"
    masked: str | None = None
    """The event's sealed field with another address, which the mail shows in part."""


RULES: Mapping[MailKind, MailRule] = {
    "activation": MailRule(None, "/activation", "activation_token"),
    "address_in_use": MailRule(),
    "identifier_confirmed": MailRule(None, "/"),
    "address_changed": MailRule(
        None,
        "/annuler-changement",
        "undo_token",
        expiry="undo_expires_at",
        email_field="previous_email",
        masked="email",
    ),
    "address_change_undone": MailRule(email_field="previous_email"),
    "password_reset": MailRule(rules.activated_address, "/nouveau-mot-de-passe", "reset_token"),
    "password_reset_done": MailRule(rules.activated_address),
    "password_changed": MailRule(rules.warnings_address, "/mot-de-passe-perdu"),
    "new_device": MailRule(rules.warnings_address, "/fermer-session", "close_token", repeats="device"),
    "account_locked": MailRule(rules.warnings_address, "/deblocage", "unlock_token", until="until"),
    "passkey_added": MailRule(rules.contact_address, "/compte/cles-d-acces"),
    "second_factor": MailRule(rules.warnings_address, repeats="change"),
    "statement": MailRule(rules.statements_address, "/decomptes"),
    "answer": MailRule(rules.contact_address, "/messages"),
}
"""Every kind of mail; its words are in `templates/mails/<language>/<kind>.jinja`."""


class BadAddress(ValueError):
    """The address cannot stand in a mail's header."""


@dataclass(frozen=True, slots=True)
class Mail:
    """One mail to one address. `event_id` names the event that causes it: a repetition has the same Message-ID."""

    kind: MailKind
    event_id: str
    to: str
    language: Language
    link: str | None = None
    link_expires_at: datetime | None = None
    name: str = ""
    happened_at: datetime | None = None
    repeated: str = ""
    """What the rule's `repeats` names."""
    until: datetime | None = None
    """The end of what it tells of."""
    masked: str = ""
    """Another address, shown in part."""


class MailRoom:
    """Writes mails with the brand and the management centre of these settings."""

    def __init__(self, settings: NotificationsSettings) -> None:
        self._from = settings.mail_from
        self._brand = settings.brand_name
        self._common = {
            "brand": settings.brand_name,
            "centre": settings.centre_name,
            "phone": settings.centre_phone,
            "phone_link": "".join(c for c in settings.centre_phone if c.isdigit() or c == "+"),
            "site": site(settings.portal_url),
        }
        self._templates = Environment(
            loader=FileSystemLoader(_TEMPLATES),
            undefined=StrictUndefined,
            autoescape=select_autoescape(["html"], default=False),
            trim_blocks=True,
            lstrip_blocks=True,
        )

    def write(self, mail: Mail, *, now: datetime) -> EmailMessage:
        """The message, multipart text and HTML. `now`: its Date. Raises BadAddress."""
        words = self._words(mail)
        message = EmailMessage(policy=SMTP)
        message["From"] = _address(self._from, display_name=self._brand)
        message["To"] = _address(mail.to)
        message["Subject"] = words["subject"]
        message["Date"] = format_datetime(now)
        message["Message-ID"] = f"<{rules.stable_id(mail.kind, mail.event_id)}@{self._from.rpartition('@')[2]}>"
        trace = current_traceparent.get()
        message["X-Request-Id"] = trace_id(trace) if trace else mail.event_id
        if trace:
            message["traceparent"] = trace
        message["Auto-Submitted"] = "auto-generated"  # RFC 3834: no out-of-office answers
        message["X-Auto-Response-Suppress"] = "All"  # the same for Exchange
        message.set_content(self._render("layout.txt", words), cte="quoted-printable")
        message.add_alternative(self._render("layout.html", words), subtype="html", cte="quoted-printable")
        message["Content-Language"] = mail.language
        return message

    def _words(self, mail: Mail) -> dict[str, Any]:
        facts: dict[str, Any] = {
            **self._common,
            "language": mail.language,
            "link": mail.link,
            "name": mail.name,
            "repeated": mail.repeated,
            "masked": mail.masked,
            "button": "",
            "after": [],
        }
        instants = {"expires": mail.link_expires_at, "happened": mail.happened_at, "until": mail.until}
        for name, instant in instants.items():
            if instant is not None:
                facts[f"{name}_day"] = rules.day(instant, mail.language)
                facts[f"{name}_time"] = rules.minute(instant, mail.language)
        for template in (f"{mail.language}/frame.jinja", f"{mail.language}/{mail.kind}.jinja"):
            facts |= vars(self._templates.get_template(template).make_module(facts))
        return {name: value for name, value in facts.items() if not name.startswith("_")}

    def _render(self, layout: str, words: dict[str, Any]) -> str:
        return self._templates.get_template(layout).render(words)


def _address(address: str, display_name: str = "") -> Address:
    """`address` for a header; a domain with accents in its ASCII form (IDNA)."""
    local, _, domain = address.rpartition("@")
    if not local:
        raise BadAddress
    try:
        return Address(display_name, local, domain.encode("idna").decode())
    except (ValueError, IndexError):
        raise BadAddress from None
