"""A copy of the databases, all four, gives no NIR, no address, no password, and no way to sign in."""

from __future__ import annotations

import asyncio
import binascii
import re
from base64 import b64decode, b64encode, urlsafe_b64encode
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import bson
import pytest
from bson.codec_options import CodecOptions
from bson.raw_bson import RawBSONDocument
from pymongo import MongoClient

from deploy.topology import SERVICES
from services.auth import tokens
from services.auth.passwords import canonical_temporary
from services.auth.settings import decoded_key
from services.auth.tokens import RefreshTokens
from shared import nir
from shared.events.base import Event
from shared.events.casework import DocumentDelivered
from shared.sealing import kid_at_rest
from tests.processes import until
from tests.services.auth.driver import AuthApi, Backbone, some_network
from tests.services.auth.living import Lived, live
from tests.services.auth.resetting import OWN
from tests.stack import RealServers, RunningPortal

pytestmark = pytest.mark.servers

SEALED_AT_REST = {
    "auth.accounts",
    "auth.undo_links",
    "claims.members",
    "documents.members",
    "documents.jobs",
    "notifications.members",
    "notifications.threads",
    "notifications.messages",
    *(f"{service}.dead_letters" for service in SERVICES),
}
TOKEN = 30
"""Characters from which on a secret is no number, address or password."""
PRINTED = "K7KD-9YQ3-PWRT-C4ME"
WORDS = "Bonjour, mes lunettes de Laure Dupont"
_BASE64 = re.compile(rb"[A-Za-z0-9+/_-]{8,}={0,2}")
_HEX = re.compile(rb"(?:[0-9a-fA-F]{2}){6,}")
Row = Mapping[str, Any]


@pytest.fixture(scope="module")
def services(infra: RealServers) -> Iterator[RunningPortal]:
    """The four that hold state."""
    running = RunningPortal(infra, {"ALTCHA_MAX_NUMBER": "20"})
    try:
        for name in SERVICES:
            running.start(name)
        yield running
    finally:
        for name in reversed(SERVICES):
            running.stop(name)


@pytest.mark.parametrize(
    "kept",
    [
        lambda secret: secret,
        lambda secret: secret.lower(),
        lambda secret: secret.replace("-", " "),
        lambda secret: secret.replace("-", ""),
        lambda secret: f"before {secret} after".encode(),
        lambda secret: secret.encode().hex(),
        lambda secret: b64encode(secret.encode()),
        lambda secret: b64encode(f"a{secret}b".encode()).decode(),
        lambda secret: urlsafe_b64encode(f"ab{secret}c".encode()).decode().rstrip("="),
        lambda secret: {"deep": [{"er": f"x.{b64encode(f'{{{secret}}}'.encode()).decode()}.y"}]},
    ],
)
def test_what_would_be_in_the_copy_would_be_found(kept: Callable[[str], object]) -> None:
    raw = bson.encode({"_id": 1, "field": kept(PRINTED)})
    assert list(_shown(raw, dict.fromkeys(_forms(PRINTED), "password")))


async def test_a_copy_of_every_database_shows_nobody_and_signs_nobody_in(
    services: RunningPortal, backbone: Backbone, infra: RealServers
) -> None:
    api = AuthApi(services.url("auth"))
    before = await asyncio.to_thread(_copied, infra)
    lived = await live(api, backbone)
    await _leave_traces_elsewhere(services, backbone, lived, infra, before)
    after = await asyncio.to_thread(_copied, infra)
    copy = {name: raws - before.get(name, set()) for name, raws in after.items()}  # what came with this member
    rows = [(name, raw) for name, raws in copy.items() for raw in raws]
    # What waits in the outbox is gone in a moment: here is what it was.
    rows += [
        ("auth.outbox", bson.encode({"value": event.data.to_json()})) for event in backbone.of(lived.member.number)
    ]
    _is_filled(copy, lived.member.number)

    # What `shared.resealing` says is sealed is, and tells its key.
    sealed = {name for name, raw in rows for text in _texts(bson.decode(raw)) if kid_at_rest(text)}
    assert sealed >= SEALED_AT_REST

    forms = {form: what for what, secret in _secrets(lived) for form in _forms(secret)}
    found = {(forms[form], name) for name, raw in rows for form in _shown(raw, forms)}
    assert found == set()

    texts = {text for _, raw in rows for text in _texts(bson.decode(raw))}
    refresh = RefreshTokens(decoded_key(infra.environment("auth")["REFRESH_KEY"]))
    assert [text for text in texts if refresh.read(text)] == []
    assert {tokens.digest(text) for text in texts} & texts == set()  # of links and devices only that is kept
    await _come_in_with(api, lived, [raw for name, raw in rows if name.startswith("auth.")])


async def _leave_traces_elsewhere(
    services: RunningPortal, backbone: Backbone, lived: Lived, infra: RealServers, before: Mapping[str, set[bytes]]
) -> None:
    """A message, a delivery that waits for its object, dead letters in every service that reads the topic."""
    number = lived.member.number
    message = {"subject": "Remboursement", "category": "reimbursement", "text": WORDS}
    sent = await AuthApi(services.url("notifications")).call("POST", "/messages", message, token=lived.access[-1])
    assert sent.status == 201
    delivered = DocumentDelivered(
        member_number=number,
        document_id="d-copy",
        kind="other",
        title=WORDS,
        bucket="deliveries",
        object=f"{number}/x",
        sha256="0" * 64,
    )
    await backbone.publish(Event.of(delivered))
    enrolled = Event.of(lived.member.enrolled)
    await backbone.publish_instead(enrolled, enrolled.data.to_json().replace(b'"birth_date":"19', b'"birth_date":"x'))

    def arrived() -> bool:
        with MongoClient[dict[str, Any]](infra.mongo_admin_url) as client:
            waits = client["documents"]["jobs"].count_documents({"member_number": number})
            dead = {name: client[name]["dead_letters"].count_documents({}) for name in SERVICES}
            return bool(waits) and all(dead[name] > len(before[f"{name}.dead_letters"]) for name in SERVICES)

    await asyncio.to_thread(until, "a delivery that waits, and dead letters", arrived)


def _copied(infra: RealServers) -> dict[str, set[bytes]]:
    """Every row of every service as MongoDB holds it, by database and collection."""
    raw = CodecOptions(document_class=RawBSONDocument)
    with MongoClient[dict[str, Any]](infra.mongo_admin_url) as client:
        return {
            f"{service}.{name}": {bytes(row.raw) for row in client[service].get_collection(name, raw).find()}  # type: ignore[attr-defined]
            for service in SERVICES
            for name in client[service].list_collection_names()
        }


def _is_filled(copy: Mapping[str, set[bytes]], number: str) -> None:
    """Where the member must have left something, there is something: else nothing would be proved."""
    theirs = {name for name, rows in copy.items() if any(number.encode() in row for row in rows)}
    links = ("reset_links", "unlock_links", "close_links", "undo_links", "activation_links")
    assert {f"auth.{kind}" for kind in (*links, "accounts", "sessions", "identifiers", "security_events")} <= theirs
    others = {
        "claims.members",
        "documents.members",
        "documents.jobs",
        "notifications.members",
        "notifications.messages",
    }
    assert others <= theirs
    assert all(copy[f"{service}.dead_letters"] for service in SERVICES)


def _secrets(lived: Lived) -> Iterator[tuple[str, str]]:
    for number in {lived.member.nir, *(str(person.nir) for person in lived.member.enrolled.beneficiaries)}:
        yield "NIR", number
        yield "NIR", nir.grouped(nir.normalise(number))
        yield "NIR", nir.grouped(nir.normalise(number)).removesuffix(nir.key(nir.normalise(number))).strip()
    for address in lived.addresses:
        yield "address", address
    for password in lived.passwords:
        yield "password", password
        yield "password", canonical_temporary(password) or password
    for token in lived.tokens:
        yield "token", token
    yield "message", WORDS


def _forms(secret: str) -> Iterator[bytes]:
    """As it is, in either case, however its parts are separated, in hexadecimal, in base64 wherever it begins there."""
    texts = {secret, secret.lower(), secret.upper()}
    if len(secret) < TOKEN:
        texts |= {re.sub(r"[\s.-]", between, text) for text in texts for between in ("", " ")}
    for text in texts:
        plain = text.encode()
        yield plain
        yield plain.hex().encode()
        for before in range(3):
            inner = b64encode(b"\0" * before + plain)[4 if before else 0 : -4]
            yield inner
            yield inner.replace(b"+", b"-").replace(b"/", b"_")


def _shown(raw: bytes, forms: Mapping[bytes, str]) -> Iterator[bytes]:
    """Which of them occur in a row, or in what a text of it means if it is base64 or hexadecimal."""
    for content in (raw, *_meanings(raw)):
        yield from (form for form in forms if form in content)


def _meanings(raw: bytes) -> Iterator[bytes]:
    for text in _BASE64.findall(raw):
        standard = text.rstrip(b"=").replace(b"-", b"+").replace(b"_", b"/")
        try:
            yield b64decode(standard + b"=" * (-len(standard) % 4))
        except binascii.Error:
            continue
    for text in _HEX.findall(raw):
        yield bytes.fromhex(text.decode())


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, bytes):
        yield value.decode(errors="replace")
    parts: Iterable[Any] = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    for part in parts:
        yield from _texts(part)


async def _come_in_with(api: AuthApi, lived: Lived, raws: Iterable[bytes]) -> None:
    """Whoever tries the member's own rows, text by text, in every place that takes a secret, stays outside."""
    number = lived.member.number.encode()
    texts = {t for raw in raws if number in raw for t in _texts(bson.decode(raw)) if t.isascii()}
    texts = {text for text in texts if 16 <= len(text) <= 512}
    assert len(texts) > 20
    places = ("/unlocks", "/sessions/closures", "/account/identifier/activation", "/account/identifier/undo")
    for text in texts:
        assert (await api.refresh(text)).status == 401
        assert (await api.call("GET", "/account", token=text)).status == 401
        assert {(await api.call("POST", place, {"token": text})).status for place in places} == {410}
    hashes = [text for text in texts if text.startswith("$argon2")]
    assert hashes
    for text in hashes:
        body = {"identifier": lived.email, "password": text[:128]}
        assert (await api.call("POST", "/session", body, client=some_network())).status == 401
    assert (await api.sign_in(lived.email, OWN, client=some_network())).status == 200
