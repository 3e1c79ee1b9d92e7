"""Letters on paper, as PDF/UA-1 (ISO 14289-1) of one page for a window envelope. Their words are in the template."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from urllib.parse import urlsplit

from services.notifications import rules
from services.notifications.models import Address, Member
from services.notifications.settings import NotificationsSettings
from shared import typesetting

_TEMPLATES = Path(__file__).parent / "templates" / "letters"


@dataclass(frozen=True, slots=True)
class TemporaryPassword:
    """What the letter with a temporary password says, besides who gets it."""

    member_number: str
    reason: str
    identifier_kind: str
    password: str
    issued_at: datetime
    expires_at: datetime


class LetterPress:
    """Renders letters with the brand and the management centre of these settings."""

    def __init__(self, settings: NotificationsSettings) -> None:
        self._site = site(settings.portal_url)
        self._sender = {
            "brand": settings.brand_name,
            "centre": settings.centre_name,
            "phone": settings.centre_phone,
            "address": [line.strip() for line in settings.centre_address.split(",")],
        }

    def temporary_password(self, letter: TemporaryPassword, member: Member, to: Address) -> bytes:
        """The letter as PDF; equal arguments give equal bytes. CPU-bound, some 10 ms.

        Holds the line `Votre mot de passe provisoire : <password>` as text in one piece.
        """
        data = {
            "sender": self._sender,
            "addressee": rules.envelope_lines(member, to),
            "date": rules.day(letter.issued_at),
            "member_number": letter.member_number,
            "title": (member.title.value or "") if member.title else "",
            "reason": letter.reason,
            "identifier_kind": letter.identifier_kind,
            "site": self._site,
            "password": letter.password,
            "expires_on": rules.day(letter.expires_at),
        }
        return typesetting.pdf(_TEMPLATES / "temporary_password.typ", {"letter": data}, letter.issued_at)


def site(portal_url: str) -> str:
    """The portal's address as one types it: without `https://`, which browsers add by themselves."""
    parts = urlsplit(portal_url)
    return parts.netloc if parts.scheme == "https" else portal_url
