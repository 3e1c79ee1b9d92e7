"""Mails: their words come from one template per mail and language, their form (text and HTML) from one layout."""

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
from services.notifications.rules import Language
from services.notifications.settings import NotificationsSettings

_TEMPLATES = Path(__file__).parent / "templates" / "mails"

MailKind = Literal["activation", "address_in_use", "identifier_confirmed"]


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
        message["X-Request-Id"] = mail.event_id
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
            "button": "",
            "after": [],
        }
        if mail.link_expires_at is not None:
            facts["expires_day"] = rules.day(mail.link_expires_at, mail.language)
            facts["expires_time"] = rules.minute(mail.link_expires_at, mail.language)
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
