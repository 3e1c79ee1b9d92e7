"""The pure rules of notifications: which fact wins, where a member can be reached, how an envelope is addressed."""

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from enum import Enum
from typing import Any, Literal, TypeVar
from uuid import NAMESPACE_URL, uuid5

from babel import Locale
from babel.dates import format_date, format_time

from services.notifications.models import Address, Consents, Fact, Identity, Member, Order
from shared.clock import PARIS, day_in_france
from shared.typesetting import printable

V = TypeVar("V")

Language = Literal["fr", "en"]

MEMBERSHIP_FIELDS = ("title", "first_name", "last_name", "postal_address", "email")
KEPT_LANGUAGES = 8
"""More changes of language than this before a first sign-in: the oldest are forgotten."""


@dataclass(frozen=True, slots=True)
class Preferences:
    """What a member changes: a language, single consents by name."""

    language: Language | None = None
    consents: Mapping[str, bool] = field(default_factory=dict)


UNKNOWN = Member()
"""A member of whom nothing is known yet."""


class NoAddress(Enum):
    """Why a mail has nobody to go to: that is not known yet, or will not change by waiting."""

    UNKNOWN = "unknown"
    UNWANTED = "unwanted"


STATEMENT_NEWS = timedelta(days=31)
_LOCALES: Mapping[Language, str] = {"fr": "fr_FR", "en": "en_GB"}

# Territories that La Poste serves as domestic mail: no country line on the envelope.
_DOMESTIC = frozenset({"FR", "GP", "MQ", "GF", "RE", "YT", "PM", "BL", "MF", "WF", "PF", "NC"})

_UNACCENTED = str.maketrans({"Œ": "OE", "Æ": "AE", "’": " ", "'": " ", ",": " ", ".": " ", ";": " ", ":": " "})


def newer(known: Fact[V] | None, new: Fact[V]) -> Fact[V]:
    """The fact with the larger (`ce_time`, `ce_id`)."""
    return new if known is None or new.order > known.order else known


def told_by_membership(member: Member, changes: Mapping[str, Any], order: Order) -> Member:
    """`member` after contract management said `changes` (field → value, None = removed) at `order`."""
    update: dict[str, Any] = {}
    for name in MEMBERSHIP_FIELDS:
        if name in changes:
            update[name] = newer(getattr(member, name), Fact[Any](value=changes[name], order=order))
    if "language" in changes:
        said = Fact[str | None](value=changes["language"], order=order)
        update["languages"] = _languages((*member.languages, said), member.owned_since)
    return member.model_copy(update=update)


def told_by_auth(member: Member, identity: Identity, consents: Consents | None, order: Order) -> Member:
    """`member` after auth announced a change of identifier. From the first one on, language and consents are ours."""
    owned_since = min(member.owned_since or order, order)
    update: dict[str, Any] = {
        "identity": newer(member.identity, Fact[Identity](value=identity, order=order)),
        "owned_since": owned_since,
        "languages": _languages(member.languages, owned_since),
    }
    if consents is not None:
        update["consents"] = newer(member.consents, Fact[Consents](value=consents, order=order))
    return member.model_copy(update=update)


def told_by_member(member: Member, changes: Preferences, order: Order) -> Member:
    """`member` after they chose for themselves; what `changes` leaves out stays."""
    update: dict[str, Any] = {}
    if changes.language is not None:
        update["chosen_language"] = newer(member.chosen_language, Fact[str](value=changes.language, order=order))
    known = consents(member)
    wanted = known.model_copy(update=changes.consents)
    if wanted != known:
        update["consents"] = newer(member.consents, Fact[Consents](value=wanted, order=order))
    return member.model_copy(update=update)


def consents(member: Member) -> Consents:
    """What the address may be used for: nothing, until the member said so."""
    return member.consents.value if member.consents else Consents(statements=False, management_information=False)


def _languages(facts: tuple[Fact[str | None], ...], owned_since: Order | None) -> tuple[Fact[str | None], ...]:
    """What may still be the last word before `owned_since`, whichever topic arrives first."""
    by_order = {fact.order: fact for fact in facts if owned_since is None or fact.order < owned_since}
    return tuple(by_order[order] for order in sorted(by_order)[-KEPT_LANGUAGES:])


def language(member: Member) -> Language:
    """The language of a member's mails; any but English is served in French."""
    said = member.chosen_language or (member.languages[-1] if member.languages else None)
    return "en" if said and said.value == "en" else "fr"


def full_name(member: Member) -> str:
    """First and last name, empty if not known yet."""
    names = [fact.value for fact in (member.first_name, member.last_name) if fact and fact.value]
    return " ".join(names)


def address(member: Member) -> Address | None:
    """The postal address, if there is one."""
    return member.postal_address.value if member.postal_address else None


def activated_address(member: Member, _since: datetime | None = None) -> str | NoAddress:
    """The address that the member activated: the only one for mails with a link of power."""
    identity = member.identity.value if member.identity else None
    return identity.email if identity and identity.activated and identity.email else NoAddress.UNKNOWN


def warnings_address(member: Member, _since: datetime | None = None) -> str | NoAddress:
    """The activated address or nobody, at once: auth told of the address before what it warns of, on the same topic."""
    known = activated_address(member)
    return NoAddress.UNWANTED if known is NoAddress.UNKNOWN else known


def contact_address(member: Member, _since: datetime | None = None) -> str | NoAddress:
    """The activated address, else the last one that auth or contract management named: for mails without power."""
    if isinstance(activated := activated_address(member), str):
        return activated
    said = [(member.email.order, member.email.value)] if member.email else []
    if member.identity:
        said.append((member.identity.order, member.identity.value.email))
    if not said:
        return NoAddress.UNKNOWN
    return max(said, key=lambda word: word[0])[1] or NoAddress.UNWANTED


def statements_address(member: Member, since: datetime | None = None) -> str | NoAddress:
    """Where the member asked to be told of each statement. With `since`: of those after they asked, no older ones."""
    if member.consents is None:
        return NoAddress.UNKNOWN
    asked_at, _ = member.consents.order
    wanted = member.consents.value.statements and (since is None or asked_at <= since)
    return contact_address(member) if wanted else NoAddress.UNWANTED


def is_news(paid_on: date, told_at: datetime) -> bool:
    """Whether a statement is worth a mail: an insurer that loads years of payments fills nobody's mailbox."""
    return day_in_france(told_at) - paid_on <= STATEMENT_NEWS


def envelope_lines(member: Member, to: Address) -> list[str]:
    """The addressee in capitals, without accents or punctuation below the name (NF Z10-011)."""
    title = member.title.value if member.title and member.title.value else ""
    lines = [printable(f"{title} {full_name(member)}".strip().upper())]
    lines += [_postal(line) for line in to.lines]
    lines.append(_postal(f"{to.postal_code} {to.city}"))
    if to.country not in _DOMESTIC:
        lines.append(_postal(str(Locale("fr").territories.get(to.country, to.country))))
    return [line for line in lines if line]


def _postal(text: str) -> str:
    bare = unicodedata.normalize("NFKD", text.upper().translate(_UNACCENTED))
    return " ".join(printable("".join(c for c in bare if not unicodedata.combining(c))).split())


def day(instant: datetime, lang: Language = "fr") -> str:
    """The day in France as people read it: 20 novembre 2026."""
    return format_date(day_in_france(instant), "long", locale=_LOCALES[lang])


def minute(instant: datetime, lang: Language = "fr") -> str:
    """The time of day in France: 14 h 30, 14:30."""
    pattern = "H 'h' mm" if lang == "fr" else "HH:mm"
    return format_time(instant.astimezone(PARIS).time(), pattern, locale=_LOCALES[lang])


def stable_id(source: str, event_id: str) -> str:
    """An opaque id that follows from an event, so that each try at its effect has the same one."""
    return str(uuid5(NAMESPACE_URL, f"{source}#{event_id}"))
