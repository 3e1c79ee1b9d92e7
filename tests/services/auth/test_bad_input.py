"""What is not what it should be: every answer is a problem with its code, none a 500, none says again what was sent."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from fastapi.routing import APIRoute
from joserfc.jwk import OKPKey

from deploy.api_docs.openapi import ROUTERS
from deploy.local.servers.program import Supervised
from services.auth.settings import signing_seeds
from tests.services.auth.counting import HASHES
from tests.services.auth.driver import AuthApi, Backbone
from tests.services.auth.living import Lived, live
from tests.services.auth.resetting import OWN, solved, with_key
from tests.services.auth.rough import FORGED, MARK, Rough, base64url, by_hand, encoded, part_of, refused
from tests.stack import RealServers

pytestmark = pytest.mark.servers

WRITES = [
    route
    for router in ROUTERS["auth"]
    for route in router.routes
    if isinstance(route, APIRoute) and "GET" not in (route.methods or ())
]
"""Every one there is, so that a new one is tried too."""
NOT_OBJECTS = {
    "nothing": b"",
    "an array": b'["%b"]' % MARK.encode(),
    "a number": b"1e400",
    "a text": b'"%b"' % MARK.encode(),
    "null": b"null",
    "cut off": b'{"token": "%b' % MARK.encode(),
    "no JSON": b"%b" % MARK.encode(),
    "NaN": b"NaN",
    "a byte order mark": b"\xef\xbb\xbf{}",
    "UTF-16": '{"token": "x"}'.encode("utf-16"),
    "not UTF-8": b'{"token": "\xff\xfe"}',
    "deep": b'{"token":' * 50_000 + b"1" + b"}" * 50_000,
    "deep array": b"[" * 200_000,
    "long": b'{"token": "' + b"x" * 1_100_000 + b'"}',
}
NOT_TEXTS: list[object] = [5, True, None, [MARK], {"token": MARK}, "", float("nan"), 10**400]
TEXTS = [f"\0{MARK}", f"{MARK}\ud800", f"\u202e{MARK}", f"{MARK}@" + "x" * 10_000, "\uff11\uff12" * 6 + MARK]
LINKS = {
    "activation": "/account/identifier/activation",
    "undo": "/account/identifier/undo",
    "reset": "/password-resets/confirmation",
    "unlock": "/unlocks",
    "close": "/sessions/closures",
}


@pytest.fixture(scope="module")
def settings() -> dict[str, str]:
    return {"SIGN_IN_MAX_FAILURES_PER_DAY": "1000"}


@pytest.fixture(scope="module")
def rough(process: Supervised) -> Rough:
    environment = process.program.environment
    return Rough(f"http://{environment['HTTP_HOST']}:{environment['HTTP_PORT']}")


@pytest.fixture(scope="module")
def lived(process: Supervised, infra: RealServers) -> Lived:
    """One member for all of this."""
    environment = process.program.environment

    async def once() -> Lived:
        async with Backbone(infra) as backbone:
            api = AuthApi(f"http://{environment['HTTP_HOST']}:{environment['HTTP_PORT']}")
            lived = await live(api, backbone)
            here = await api.sign_in(lived.email, OWN)
            lived.access.append(here.body["access_token"])
            return lived

    return asyncio.run(once())


@pytest.fixture(scope="module", autouse=True)
def quiet_log(process: Supervised) -> Iterator[None]:
    """Nothing that was sent is in the log, and nothing went wrong inside."""
    yield
    log = process.process.log.read_text()
    assert MARK not in log
    assert "request_failed" not in log
    assert "Traceback" not in log


def name_of(route: APIRoute) -> str:
    return f"{' '.join(sorted(route.methods or ()))} {route.path.removeprefix('/api/v1')}"


@pytest.mark.parametrize("route", WRITES, ids=name_of)
def test_a_body_of_the_wrong_shape(rough: Rough, lived: Lived, route: APIRoute) -> None:
    """Routes without a body look at none: they are asked by nobody here."""
    token = lived.access[-1] if route.body_field else ""
    method = next(iter(route.methods or ()))
    path = route.path.format(**dict.fromkeys(route.param_convertors, MARK))
    takes_none = not route.body_field or not route.body_field.field_info.is_required()
    for what, body in NOT_OBJECTS.items():
        said = rough.send(method, path, body, token=token)
        assert said.status < 500, what
        if said.status >= 400 or not takes_none:
            refused(said)
    for kind in ("text/plain", "multipart/form-data; boundary=x", "application/x-www-form-urlencoded", "", "é/\xff"):
        said = rough.send(method, path, b'{"token": "x"}', kind=kind, token=token)
        assert said.status < 500, kind
        if said.status >= 400 or not takes_none:
            refused(said)


@pytest.mark.parametrize("route", [route for route in WRITES if route.body_field], ids=name_of)
def test_a_field_that_is_not_what_it_should_be(rough: Rough, lived: Lived, route: APIRoute) -> None:
    assert route.body_field
    method = next(iter(route.methods or ()))
    path = route.path.format(**dict.fromkeys(route.param_convertors, MARK))
    fields = getattr(route.body_field.field_info.annotation, "model_fields", {})
    required = [name for name, info in fields.items() if info.is_required()]
    good = {name: "member_number" if name == "kind" else "x" for name in required}
    for name in fields:
        for wrong in [*NOT_TEXTS, *TEXTS]:
            body = json.dumps({**good, name: wrong}).encode()
            said = rough.send(method, path, body, token=lived.access[-1])
            assert said.status < 500, (name, wrong)
            assert MARK not in said.text
            if said.status >= 400 or (name in required and wrong is None):
                refused(said)


def test_a_field_twice_counts_as_its_last(rough: Rough, lived: Lived) -> None:
    body = f'{{"identifier": "{lived.email}", "password": "{OWN}", "password": "{MARK}"}}'
    refused(rough.send("POST", "/api/v1/session", body.encode()), "invalid_credentials")


@pytest.mark.parametrize(
    "identifier",
    [
        "28405751170012",  # one too many, no key
        "284057511700129",  # a wrong key
        "2841357511700",  # no such month
        "2841957511700",
        "2840575117OO1",  # letters
        "2840575117001\0",
        "２８４０５７５１１７００１",  # full-width digits
        "²84057511700128",
        "x" * 254,
        "\u202e284057511700128",
        "l\u0430ure@example.org",  # a Cyrillic letter
        "@",
        "a@b@c",
        "xn--@example.org",
        f"{MARK}@{'é' * 60}.fr",
        f"{MARK}@exam\u200bple.org",
        "\ufeff",
        " ",
    ],
)
async def test_an_identifier_that_is_nobodys_is_refused_like_any(api: AuthApi, rough: Rough, identifier: str) -> None:
    before = await api.metric(HASHES)
    said = await asyncio.to_thread(rough.post, "/session", {"identifier": identifier, "password": MARK})
    refused(said, "invalid_credentials")
    assert await api.metric(HASHES) - before == 1  # as much work as for anybody


async def test_lookalikes_of_a_members_address_do_not_sign_in_and_other_ways_to_type_it_do(
    rough: Rough, lived: Lived
) -> None:
    for old, other in (
        ("a", "\u0430"),
        ("e", "\u0435"),
        ("@", "\u200b@"),
        ("@", "\uff20"),
        ("@", "@\0"),
        ("@", "\u202e@"),
    ):
        identifier = lived.email.replace(old, other, 1)
        refused(rough.post("/session", {"identifier": identifier, "password": OWN}), "invalid_credentials")
    for same in (lived.email.upper(), f" {lived.email} ", lived.email.replace("a", "\uff41", 1)):
        assert rough.post("/session", {"identifier": same, "password": OWN}).status == 200


@pytest.mark.parametrize("size", [513, 10_000, 1_000_000, 2_000_000])
async def test_a_password_or_identifier_too_long_is_refused_before_it_costs_anything(
    api: AuthApi, rough: Rough, lived: Lived, size: int
) -> None:
    before = await api.metric(HASHES)
    long = MARK + "x" * (size - len(MARK))
    token = lived.access[-1]
    for path, body in {
        "/session": {"identifier": lived.email, "password": long},
        "/session/step-up": {"password": long},
        "/account/password": {"current_password": long, "new_password": long},
        "/password-resets": {"identifier": long, "nir": long},
        "/password-resets/confirmation": {"token": long, "new_password": long},
    }.items():
        refused(await asyncio.to_thread(rough.post, path, body, token=token), "validation", "too_large")
    assert await api.metric(HASHES) == before


@pytest.mark.parametrize(
    "change",
    [
        lambda nir: nir[:-1],
        lambda nir: f"{nir}1",
        lambda nir: nir[:-2] + f"{(int(nir[-2:]) % 97) + 1:02d}",
        lambda nir: f"{nir[:3]}13{nir[5:]}",
        lambda nir: nir[:13],
        lambda nir: f"{nir[:-1]}O",
        lambda nir: f"{nir}\0",
        lambda nir: nir.replace("2", "\uff12"),
        lambda _: MARK,
    ],
    ids=["short", "long", "wrong key", "month 13", "no key", "letter", "null byte", "full width", "words"],
)
async def test_a_wrong_nir_is_answered_like_a_right_one(api: AuthApi, rough: Rough, lived: Lived, change: Any) -> None:
    nir = change(with_key(lived.member.nir).replace(" ", ""))
    body = {"identifier": lived.email, "nir": nir, "altcha": await solved(api)}
    said = await asyncio.to_thread(rough.post, "/password-resets", body)
    assert (said.status, json.loads(said.text)) == (202, {"status": "received"})


@pytest.mark.parametrize("kind", LINKS)
def test_a_token_of_another_kind_opens_nothing(rough: Rough, lived: Lived, kind: str) -> None:
    others = [token for other, token in lived.links.items() if other != kind]
    for token in [*others, lived.access[-1], *lived.refresh, *lived.devices]:
        body = {"token": token[:512], "new_password": "six canards jaunes"}
        refused(rough.post(LINKS[kind], body), "link_expired")
    for token in (*lived.links.values(), lived.access[-1], *lived.devices):
        refused(rough.post("/session/refresh", {"refresh_token": token[:512]}), "unauthenticated")
    for token in (*lived.links.values(), lived.access[-1], *lived.refresh):
        device = {"identifier": lived.email, "password": MARK, "device_token": token[:512]}
        refused(rough.post("/session", device), "invalid_credentials")
    for token in (*lived.links.values(), *lived.refresh, *lived.devices):
        refused(rough.send("GET", "/api/v1/account", b"", token=token), "unauthenticated")


@pytest.mark.parametrize("change", FORGED.values(), ids=FORGED)
def test_a_well_signed_token_that_says_anything_else_is_refused(
    process: Supervised, rough: Rough, lived: Lived, change: Callable[[dict[str, Any], dict[str, Any]], None]
) -> None:
    kid, seed = next(iter(signing_seeds(process.program.environment["SIGNING_KEYS"]).items()))
    key = OKPKey.import_key(Ed25519PrivateKey.from_private_bytes(seed), {"kid": kid})
    header, claims = (part_of(lived.access[-1], number) for number in (0, 1))
    assert rough.send("GET", "/api/v1/account", b"", token=encoded(header, claims, key)).status == 200
    change(header, claims)
    for path in ("/api/v1/account", "/api/v1/sessions"):
        refused(rough.send("GET", path, b"", token=encoded(header, claims, key)), "unauthenticated")


def test_a_token_signed_with_what_everybody_knows_or_with_nothing_is_refused(rough: Rough, lived: Lived) -> None:
    header, claims = (part_of(lived.access[-1], number) for number in (0, 1))
    (public,) = json.loads(rough.send("GET", "/.well-known/jwks.json", b"").text)["keys"]
    pem = OKPKey.import_key(public).as_pem(private=False)
    forged = [by_hand({**header, "alg": "HS256"}, claims, known) for known in (public["x"].encode(), pem)]
    stranger = OKPKey.generate_key("Ed25519", {"kid": public["kid"]})
    forged += [
        encoded(header, claims, stranger),
        encoded({**header, "jwk": stranger.as_dict(private=False)}, claims, stranger),
    ]
    signed = lived.access[-1].split(".")
    for alg in ("none", "None", ""):
        unsigned = base64url(json.dumps({**header, "alg": alg}).encode())
        forged += [f"{unsigned}.{signed[1]}.", f"{unsigned}.{signed[1]}.{signed[2]}"]
    forged += [f"{signed[0]}.{signed[1]}", f"{lived.access[-1]}.", f"{signed[0]}.e30.{signed[2]}", "é", "a" * 9000, "."]
    for token in forged:
        refused(rough.send("GET", "/api/v1/account", b"", token=token), "unauthenticated", "malformed")


def test_after_all_that_the_members_own_links_still_open(rough: Rough, lived: Lived) -> None:
    """No wrong use has used one up. (The last of this file: they do what they are for.)"""
    assert rough.post(LINKS["unlock"], {"token": lived.links["unlock"]}).status == 200
    assert rough.post(LINKS["close"], {"token": lived.links["close"]}).status == 204
    assert rough.post(LINKS["undo"], {"token": lived.links["undo"]}).status == 200
