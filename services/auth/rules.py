"""Pure rules: identifiers, required actions, facts, refresh tokens, networks. No clock, no store, no secrets."""

import ipaddress
import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum

from pydantic import JsonValue

from services.auth.models import (
    Account,
    Device,
    Fact,
    IdentifierKind,
    PasswordKind,
    RequiredActionName,
    Session,
)
from services.auth.passwords import HashedPassword, canonical_temporary
from shared import clock, nir

REFRESH_OVERLAP = timedelta(seconds=10)
"""How long a refresh token lives on once its successor was first used (two tabs, a lost answer)."""
MAX_DEVICES = 10
DEVICE_NAME_CHARACTERS, PASSKEY_NAME_CHARACTERS = 100, 60
_NOT_IN_DEVICE_NAME = re.compile(r"[^\w .,’'()+-]|_|(?<!\d)\.|\.(?!\d)")
MAX_LOCKS_TOLD, LOCKS_TOLD_WITHIN = 3, timedelta(hours=24)
"""Strangers can have blocks told of, by failing: no more mails than these to one member."""
MEMBER_NUMBER = re.compile(r"[0-9]{8}")
EMAIL = re.compile(
    r"[a-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[a-z0-9!#$%&'*+/=?^_`{|}~-]+)*"
    r"@(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z](?:[a-z0-9-]{0,61}[a-z0-9])"
)
MAX_EMAIL, MAX_LOCAL_PART = 254, 64
NIR_WITH_KEY = 15


@dataclass(frozen=True, slots=True)
class Identifier:
    """What a member signs in with, normalised. `unknown`: a text of no known form; it never matches an account."""

    kind: IdentifierKind | None
    value: str


def recognise(text: str) -> Identifier:
    """The identifier meant by what was typed, by its form alone; spaces and dots inside numbers are allowed.

    A NIR may come with its key, as the carte Vitale shows it.
    """
    if "@" in text:
        return Identifier("email", normalise_email(text))
    compact = _compact(text)
    if MEMBER_NUMBER.fullmatch(compact):
        return Identifier("member_number", compact)
    with suppress(nir.InvalidNir):
        return Identifier("nir", nir.normalise(compact))
    return Identifier(None, compact)


def nir_with_key(text: str) -> Identifier:
    """The NIR that 15 characters with its key mean; of no kind, so that it matches nobody, if they are not one."""
    compact = _compact(text)
    with suppress(nir.InvalidNir):
        if len(compact) == NIR_WITH_KEY:
            return Identifier("nir", nir.normalise(compact))
    return Identifier(None, compact)


def _compact(text: str) -> str:
    return re.sub(r"[\s.]", "", text).upper()


def normalise_email(text: str) -> str:
    """The form in which addresses are compared: NFKC, lower case, international domains in their ASCII form."""
    local, _, domain = unicodedata.normalize("NFKC", text).strip().lower().rpartition("@")
    with suppress(UnicodeError):
        domain = domain.encode("idna").decode("ascii")
    return f"{local}@{domain}"


def is_email(normalised: str) -> bool:
    """Whether a normalised address can be mailed to (RFC 5321 lengths, a domain with a dot)."""
    local, _, _ = normalised.rpartition("@")
    fits = len(local) <= MAX_LOCAL_PART and len(normalised) <= MAX_EMAIL
    return fits and EMAIL.fullmatch(normalised) is not None


def network_of(address: str) -> str:
    """The network a client is counted under: /24 for IPv4, /64 for IPv6, `unknown` for what is neither."""
    try:
        ip = ipaddress.ip_address(address.strip().strip("[]").split("%")[0])
    except ValueError:
        return "unknown"
    if isinstance(ip, ipaddress.IPv6Address) and ip.ipv4_mapped:
        ip = ip.ipv4_mapped
    return str(ipaddress.ip_network((ip, 24 if ip.version == 4 else 64), strict=False))


def order_of(time: datetime, event_id: str) -> str:
    """The pair that decides which write of a field wins, as text that sorts like it."""
    return f"{clock.rfc3339(time)} {event_id}"


def with_facts(account: Account, told: Mapping[str, JsonValue], order: str) -> Account:
    """`account` with each fact told, unless a later event set that fact already."""
    newer = {
        name: Fact(value=value, order=order)
        for name, value in told.items()
        if name not in account.facts or account.facts[name].order < order
    }
    return account.model_copy(update={"facts": {**account.facts, **newer}}) if newer else account


def required_actions(
    account: Account, password: PasswordKind, *, second_factor_due: bool = False
) -> list[RequiredActionName]:
    """What the member must do before anything else, in a session opened with that password."""
    actions: list[RequiredActionName] = ["second_factor"] if second_factor_due else []
    if not account.identifier_chosen:
        actions.append("confirm_identifier" if account.pending else "choose_identifier")
    if password == "temporary":  # noqa: S105 - a kind
        actions.append("choose_password")
    return actions


def password_slot(account: Account | None, password: str, now: datetime) -> tuple[PasswordKind, str | None, str]:
    """Which password a typed one can be: its kind, the hash to compare with (None: there is none), what to hash."""
    canonical = canonical_temporary(password)
    if canonical is None:
        return "own", account.own_password if account else None, password
    good = account.temporary_passwords if account else []
    hashes = (known.hash for known in good if known.first == canonical[0] and known.expires_at > now)
    return "temporary", next(hashes, None), canonical


def signed_in_with(account: Account, stored: str) -> Account:
    """`account` after the password of that hash opened a session: the temporary ones older than it end."""
    hashes = [known.hash for known in account.temporary_passwords]
    if stored not in hashes:
        return account
    return account.model_copy(update={"temporary_passwords": account.temporary_passwords[hashes.index(stored) :]})


def with_own_password(account: Account, new: HashedPassword) -> Account:
    """`account` with that password alone; every temporary one ends, and so does every reset link."""
    own = {"own_password": new.hash, "own_password_short": new.short}
    return account.model_copy(update={**own, "passwords_set": account.passwords_set + 1, "temporary_passwords": []})


def is_confirmed(session: Session, now: datetime) -> bool:
    """Whether whoever holds the session proved a moment ago that they are the member."""
    return session.confirmed_until is not None and now < session.confirmed_until


def wait_for_mail(
    mailed: Sequence[datetime], limits: Sequence[tuple[timedelta, int]], now: datetime
) -> timedelta | None:
    """How long until one more mail may go after those `mailed` (oldest first); None: at once.

    `limits`: windows of time, and how many mails each may hold.
    """
    ends = [
        recent[-most] + window
        for window, most in limits
        if len(recent := [at for at in mailed if at > now - window]) >= most
    ]
    return max(ends) - now if ends else None


def is_too_soon(last: datetime | None, pause: timedelta, now: datetime) -> bool:
    """Whether less than `pause` has passed since `last`."""
    return last is not None and now < last + pause


def lock_told(account: Account, now: datetime) -> Account | None:
    """`account` with one more block told of now; none if there were three in the last 24 hours."""
    lately = [at for at in account.locks_told_at if now < at + LOCKS_TOLD_WITHIN]
    if len(lately) >= MAX_LOCKS_TOLD:
        return None
    return account.model_copy(update={"locks_told_at": [*lately, now]})


class RefreshStep(Enum):
    """What a presented refresh token means."""

    ADVANCE = "advance"  # the newest one, for the first time
    REPEAT = "repeat"  # asked again: the same successor
    CLOSE = "close"  # superseded: somebody holds a copy


def refresh_step(presented: int, used: int, used_at: datetime | None, now: datetime) -> RefreshStep:
    """Judge token number `presented` in a session whose newest used token is `used`, first used at `used_at`.

    Token n's successor is n + 1. A token lives until its successor is first used, then 10 s more.
    """
    if presented == used + 1:
        return RefreshStep.ADVANCE
    if presented == used:
        return RefreshStep.REPEAT
    if presented == used - 1 and used_at is not None and now <= used_at + REFRESH_OVERLAP:
        return RefreshStep.REPEAT
    return RefreshStep.CLOSE


def all_before(now: datetime) -> datetime:
    """The instant before which every token is closed at `now`: the next whole second, as tokens carry whole seconds.

    What is signed later gets at least that time (`Sessions.tokens`), so no token falls on the wrong side.
    """
    return now.replace(microsecond=0) + timedelta(seconds=1)


def known_device(account: Account | None, token_hashes: Iterable[str]) -> str | None:
    """The first of those devices that the account knows."""
    known = {device.token_hash for device in account.devices} if account else set()
    return next((shown for shown in token_hashes if shown in known), None)


def with_device(account: Account, token_hash: str, now: datetime, *, trusted: bool) -> Account:
    """`account` with that device seen now. Of more than ten the one unseen longest goes, the member's own ones last.

    Each sign-in of a browser that forgets, or of an app that shows no token, is one more: they push out each other.
    """
    known = {device.token_hash: device for device in account.devices}
    before = known.pop(token_hash, None)
    seen = Device(
        token_hash=token_hash,
        known_since=before.known_since if before else now,
        seen_at=now,
        trusted=trusted or bool(before and before.trusted),
    )
    others = sorted(known.values(), key=lambda device: (device.trusted, device.seen_at))[1 - MAX_DEVICES :]
    return account.model_copy(update={"devices": [*others, seen]})


def without_device(account: Account, token_hash: str) -> Account:
    """`account`, to which that device is unknown again."""
    return account.model_copy(update={"devices": [d for d in account.devices if d.token_hash != token_hash]})


def with_only_device(account: Account, token_hash: str | None) -> Account:
    """`account`, to which of all its devices that one is known: whoever had the old password made theirs known."""
    return account.model_copy(update={"devices": [d for d in account.devices if d.token_hash == token_hash]})


def is_new_device(account: Account, token_hash: str) -> bool:
    """Whether a sign-in with that device is news to a member who has had another one before."""
    has_had_one = bool(account.devices) or account.signed_in_at is not None
    return has_had_one and token_hash not in {device.token_hash for device in account.devices}


def plain_device_name(told: str | None) -> str | None:
    """What a client calls itself, as it may stand in a list and in a mail: words, and nothing like an address.

    Whoever signs in chooses it, and the mail that warns of them repeats it.
    """
    return _words(told, DEVICE_NAME_CHARACTERS)


def plain_passkey_name(told: str | None) -> str | None:
    """The same for what a member calls a passkey."""
    return _words(told, PASSKEY_NAME_CHARACTERS)


def _words(told: str | None, longest: int) -> str | None:
    words = _NOT_IN_DEVICE_NAME.sub(" ", unicodedata.normalize("NFKC", told or ""))
    return " ".join(words.split())[:longest].strip() or None


def personal_data(account: Account, email: str | None) -> list[str]:
    """What a password must not be made of: names, birth date in its usual spellings, address, member number."""
    names = [str(account.fact(name) or "") for name in ("first_name", "last_name")]
    born = str(account.fact("birth_date") or "")  # YYYY-MM-DD
    year, month, day = born[:4], born[5:7], born[8:]
    dates = [f"{day}{month}{year}", f"{year}{month}{day}", f"{day}{month}{year[2:]}"]
    return [*names, *dates, account.member_number, *(re.split(r"[@.]", email)[:2] if email else [])]
