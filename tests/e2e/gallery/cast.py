"""The members that the pages are looked at with, prepared by real events and forms, once a module."""

from __future__ import annotations

import io
import json
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Final

from minio import Minio
from playwright.sync_api import Browser, FilePayload, StorageState

from deploy.topology import REGION
from shared import clock, nir
from tests.e2e.gallery import events
from tests.e2e.gallery.visitor import Visitor
from tests.e2e.outside import PASSWORD, Newcomer, Outside, answered, coverage_of, enrolment, eventually
from tests.services.auth.authenticator import Authenticator
from tests.services.auth.factoring import App
from tests.services.documents.conftest import PDF, sha256
from tests.stack import RunningPortal

FULL, EMPTY, NEW, WAITING, LETTER, ENDED = "full", "empty", "new", "waiting", "letter", "ended"
GUARDED, HALF = "guarded", "half"
"""One member with a second factor: signed in, and with the code still to be shown."""
SHORT = "loup9bis"
"""Enough for that member."""
NEXT = "cinq moutons bleus au loin"
COOKIES_SERVE_S: Final = 100.0
"""With `visits.LASTS_S` less than an access token lives (5 minutes): browsers share a session, none may renew it."""
_QUESTIONS = {"unread": "Ma carte à Lyon", "read": "Remboursement de mes lunettes", "closed": "Ma nouvelle adresse"}
_KINDS = {"submitted": "invoice", "accepted": "quote", "refused": "prescription"}


@dataclass
class Cast:
    """`ids`: what has no name until it is there (documents, threads, links), by the name `states` uses."""

    browser: Browser
    origin: str
    credentials: dict[str, tuple[str, str]] = field(default_factory=dict)
    members: dict[str, Newcomer] = field(default_factory=dict)
    ids: dict[str, str] = field(default_factory=dict)
    _cookies: dict[str, tuple[float, StorageState]] = field(default_factory=dict)

    def visitor(self, who: str = "") -> Visitor:
        """A browser, signed in as `who`."""
        visitor = Visitor(self.browser, self.origin)
        if who:
            visitor.sign_in(*self.credentials[who])
        if who == GUARDED:
            visitor.send("/connexion/code", {"code": self.app().code()})
        return visitor

    def app(self) -> App:
        """The authenticator app of the member who has one."""
        return App(self.ids["secret"], [])

    def cookies(self, who: str) -> StorageState | None:
        """Those of `who`'s session, opened once for all the browsers of the next minutes; none for nobody."""
        at, cookies = self._cookies.get(who, (0.0, None))
        if who and (cookies is None or time.monotonic() - at > COOKIES_SERVE_S):
            visitor = self.visitor(who)
            cookies = visitor.cookies()
            visitor.close()
            self._cookies[who] = time.monotonic(), cookies
        return cookies


def prepared(browser: Browser, portal: RunningPortal, outside: Outside) -> Cast:
    """Everybody at once: what one waits for, another fills with work."""
    cast = Cast(browser, portal.gateway_url)
    _enrol(cast, outside)
    outside.publish_all(events.claims(cast.members[FULL].member_number))
    _first_sign_ins(cast, outside)
    _end_of_membership(cast, outside)
    _unlock_link(cast, outside)
    _reset_links(cast, outside)
    _closed_device(cast, outside)
    _second_factor(cast)
    full = cast.visitor(FULL)
    _passkey(cast, full)
    _documents(cast, portal, outside, full)
    _messages(cast, outside, full)
    _until(full, "/remboursements/R-last", lambda text: "R-last" in text)
    older = re.search(r"/remboursements\?suite=([^\"]+)", full.read("/remboursements"))
    assert older, "one page only"
    cast.ids["older"] = older[1]
    _until(full, f"/documents/{cast.ids['delivered']}", lambda text: cast.ids["title"] in text)
    _until(full, "/remboursements/R-paid", lambda text: cast.ids["accepted"] in text)
    _until(full, "/documents", lambda text: text.count("En cours de traitement") == 1)  # the two others are decided
    _until(full, f"/messages/{cast.ids['closed']}", lambda text: 'name="once"' not in text)
    _until(full, "/carte", lambda text: "/carte?le=" in text)
    _shared_card(cast, full)
    full.close()
    eventually(lambda: "pris fin" in _read_anew(cast, ENDED, "/messages") or None, "the end of a membership never came")
    return cast


def _enrol(cast: Cast, outside: Outside) -> None:
    told = {who: enrolment() for who in (FULL, EMPTY, NEW, WAITING, LETTER, HALF, ENDED)}
    year = clock.now().year
    told[EMPTY]["coverage"] = coverage_of(told[EMPTY]["member_number"], year - 1)
    renewal = {"member_number": told[FULL]["member_number"], "coverage": coverage_of("later", year + 1)}
    outside.publish_all([("MemberEnrolled", data) for data in told.values()] + [("CoverageChanged", renewal)])
    passwords = outside.letter_passwords([data["member_number"] for data in told.values()])
    for who, data in told.items():
        number = data["member_number"]
        cast.members[who] = Newcomer(number, data["nir"], data["email"], passwords[number])
        cast.credentials[who] = data["nir"], passwords[number]
    cast.ids["next"] = f"{year + 1}-01-01"


def _first_sign_ins(cast: Cast, outside: Outside) -> None:
    """The address for those who get mails, the member number for the others."""
    by_address = dict.fromkeys((FULL, WAITING), "email")
    by_number = dict.fromkeys((EMPTY, LETTER, HALF, ENDED), "member_number")
    for who, choice in {**by_address, **by_number}.items():
        visitor, member = cast.visitor(who), cast.members[who]
        password = {"nouveau_mot_de_passe": PASSWORD, "confirmation": PASSWORD}
        visitor.send("/premiere-connexion", {"choix": choice, **password})
        visitor.close()
        cast.credentials[who] = member.nir13 if who == WAITING else member.member_number, PASSWORD
    _ask_for_an_address(cast)
    member, visitor = cast.members[FULL], cast.visitor()
    address = str(member.email)
    cast.credentials[FULL] = address, PASSWORD
    path = outside.activation_path(address)
    cast.ids["used_activation"] = path.partition("token=")[2]
    visitor.send(path, {"token": cast.ids["used_activation"]})
    visitor.close()


def _end_of_membership(cast: Cast, outside: Outside) -> None:
    """Some weeks ago, with a conversation that went on."""
    visitor = cast.visitor(ENDED)
    typed = {"category": "contract", "subject": "Ma résiliation", "text": "Bonjour,\nquand prend-elle effet ?"}
    place = visitor.send("/messages/nouveau", typed).headers["location"]
    cast.ids["ended"] = place.removeprefix("/messages/").partition("?")[0]
    visitor.close()
    day = clock.day_in_france(clock.now()) - timedelta(days=30)
    told = {"member_number": cast.members[ENDED].member_number, "ended_on": day.isoformat()}
    outside.publish("MembershipEnded", told)


def _unlock_link(cast: Cast, outside: Outside) -> None:
    """A link that has served, after two wrong passwords."""
    visitor, (address, _) = cast.visitor(), cast.credentials[FULL]
    for _ in range(2):
        visitor.send("/", {"identifiant": address, "mot_de_passe": "pas le bon mot"}, status=422)
    path = outside.mail_path(address, "/deblocage")
    cast.ids["used_unlock"] = path.partition("token=")[2]
    visitor.send(path, {})


def _ask_for_an_address(cast: Cast) -> None:
    """One who signs in with the member number awaits the mail that confirms an address."""
    visitor = cast.visitor(EMPTY)
    visitor.send("/compte/confirmer", {"mot_de_passe": PASSWORD})
    visitor.send("/compte/identifiant", {"choix": "email"})
    visitor.close()


def _reset_links(cast: Cast, outside: Outside) -> None:
    """A link that has served, and a letter whose password waits to be replaced."""
    visitor = cast.visitor()
    for who in (FULL, LETTER):
        number = nir.grouped(nir.normalise(cast.members[who].nir13))
        asked = {"identifiant": cast.credentials[who][0], "securite_sociale": number}
        visitor.send("/mot-de-passe-perdu", {**asked, "robot": "true", "altcha": visitor.solved()})
    path = outside.mail_path(str(cast.members[FULL].email), "/nouveau-mot-de-passe")
    cast.ids["used_reset"] = path.partition("token=")[2]
    visitor.send(path, {"nouveau_mot_de_passe": NEXT, "confirmation": NEXT})
    visitor.close()
    cast.credentials[FULL] = cast.credentials[FULL][0], NEXT
    printed = outside.letter_password(cast.members[LETTER].member_number, "temporary_password")
    cast.credentials[LETTER] = cast.credentials[LETTER][0], printed


def _closed_device(cast: Cast, outside: Outside) -> None:
    """A sign-in on a new device, taken back by the mailed link."""
    visitor = cast.visitor(FULL)
    path = outside.mail_path(str(cast.members[FULL].email), "/fermer-session")
    cast.ids["used_closure"] = path.partition("token=")[2]
    visitor.send(path, {"token": cast.ids["used_closure"]})
    visitor.close()


def _passkey(cast: Cast, full: Visitor) -> None:
    """One, on a device in software."""
    full.send("/compte/confirmer", {"mot_de_passe": cast.credentials[FULL][1]})
    options = json.loads(full.read("/compte/cles-d-acces/options"))["public_key"]
    made = json.dumps(Authenticator(cast.origin, backed_up=True, counts=False).make(options))
    full.send("/compte/cles-d-acces/ajouter", {"nom": "iPhone de Laure", "cle": made})
    listed = re.search(r"/compte/cles-d-acces/([0-9a-f-]{36})", full.read("/compte/cles-d-acces"))
    assert listed, "no passkey"
    cast.ids["passkey"] = listed[1]


def _second_factor(cast: Cast) -> None:
    """Turned on with an app's first code, then a password as short as that allows."""
    visitor, setup = cast.visitor(HALF), "/compte/deux-etapes/activer"
    visitor.send("/compte/confirmer", {"mot_de_passe": PASSWORD})
    shown = re.search(r'class="secret-key"[^>]*>(.*?)</p>', visitor.read(setup), re.DOTALL)
    assert shown, "no secret"
    cast.ids["secret"] = re.sub(r"<[^>]+>|\s", "", shown[1])
    visitor.send(setup, {"code": cast.app().code_before()}, status=200)
    short = {"mot_de_passe_actuel": PASSWORD, "nouveau_mot_de_passe": SHORT, "confirmation": SHORT}
    visitor.send("/compte/mot-de-passe", short)
    visitor.close()
    cast.credentials[HALF] = cast.credentials[GUARDED] = cast.credentials[HALF][0], SHORT


def _documents(cast: Cast, portal: RunningPortal, outside: Outside, full: Visitor) -> None:
    """One in each state: three sent, two of them decided, and one delivered."""
    number = cast.members[FULL].member_number
    file = FilePayload(name="Facture opticien été.pdf", mimeType="application/pdf", buffer=PDF)
    said = {"amount": "123,50", "care_date": "2026-11-12", "comment": "Bonjour, voici la facture de mes lunettes."}
    for kind in _KINDS.values():
        full.send("/documents/envoyer", {"kind": kind, "beneficiary_rank": "2", **said, "file": file}, with_file=True)
    text = _until(full, "/documents", lambda text: text.count("En cours de traitement") == len(_KINDS))
    newest_first = re.findall(r'href="/documents/([0-9a-f-]{36})"', text)
    cast.ids.update(zip(reversed(_KINDS), newest_first, strict=True))
    cast.ids.update(delivered="a-1", title="Attestation de droits 2027")
    minio = portal.infra.servers.minio
    casework = Minio(minio.endpoint, "casework", minio.secret_keys["casework"], secure=False, region=REGION)
    casework.put_object("deliveries", f"{number}.pdf", io.BytesIO(PDF), len(PDF))
    place = {"bucket": "deliveries", "object": f"{number}.pdf", "sha256": sha256(PDF)}
    what = {"document_id": "a-1", "kind": "attestation", "title": cast.ids["title"]}
    refused = {"outcome": "refused", "reason": "La date des soins est illisible."}
    decided: Mapping[str, Mapping[str, Any]] = {
        "accepted": {"outcome": "accepted", "claim_id": "R-paid"},
        "refused": refused,
    }
    decisions = [{"document_id": cast.ids[name], **outcome} for name, outcome in decided.items()]
    settled_from = {"document_ids": [cast.ids["accepted"], "d-elsewhere"]}
    outside.publish_all(
        [("DocumentProcessed", {"member_number": number, **decision}) for decision in decisions]
        + [("ClaimPaid", events.paid(number, "R-paid", **settled_from))]
        + [("DocumentDelivered", {"member_number": number, **what, **place})]
    )


def _messages(cast: Cast, outside: Outside, full: Visitor) -> None:
    """Three conversations, each with an answer: one nobody opens, one that is open, one that is over."""
    for name, subject in _QUESTIONS.items():
        typed = {"category": "reimbursement", "subject": subject, "text": "Bonjour,\nqu’en est-il ?\n\nMerci."}
        place = full.send("/messages/nouveau", typed).headers["location"]
        cast.ids[name] = place.removeprefix("/messages/").partition("?")[0]
    sent = {message.thread_id: message for message in outside.messages(cast.members[FULL], len(_QUESTIONS))}
    text = "Bonjour,\noui, c’est fait.\n\nBonne journée."
    answers = {name: answered(sent[cast.ids[name]], text, closes=name == "closed") for name in _QUESTIONS}
    outside.publish_all([("MessageAnswered", data) for data in answers.values()])


def _read_anew(cast: Cast, who: str, path: str) -> str:
    """The page there, in a session that is new: what a session says of its membership is minutes old."""
    visitor = cast.visitor(who)
    text = visitor.read(path)
    visitor.close()
    return text


def _shared_card(cast: Cast, full: Visitor) -> None:
    """A link to the card that somebody looked at."""
    full.send("/carte/partages", {})
    found = re.search(r'value="[^"]+/carte-partagee/([^"]+)"', full.read("/carte/partages"))
    assert found, "no link"
    cast.ids["shared"] = found[1]


def _until(visitor: Visitor, path: str, there: Callable[[str], bool]) -> str:
    def look() -> str | None:
        text = visitor.read(path)
        return text if there(text) else None

    return eventually(look, f"{path} never showed what was told")
