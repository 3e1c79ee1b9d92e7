"""What stands outside the portal: the internal systems that publish, the printing house, the member's mailbox."""

from __future__ import annotations

import asyncio
import json
import re
import secrets
import time
import urllib.parse
import urllib.request
from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, TypeVar

from deploy.cli.envelope import contract_of
from deploy.cli.environment import kafka_access
from deploy.cli.publisher import Publisher
from deploy.local import letters, topics
from deploy.simulator.people import coverage
from shared import clock, ids, nir
from shared.events.base import Event, EventData
from shared.events.notifications import LetterReady, MessageSent, NotificationsEvent
from tests.stack import RunningPortal

WITHIN_S = 60.0
PASSWORD = "quatre mots tranquilles bleus"

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Newcomer:
    """A member who was just enrolled and has not signed in yet."""

    member_number: str
    nir13: str
    email: str | None
    temporary_password: str

    @property
    def nir_on_the_card(self) -> str:
        """In groups, with its key."""
        return nir.grouped(nir.normalise(self.nir13))


class Outside:
    """One installation's surroundings."""

    def __init__(self, operators: Mapping[str, str], mailpit_url: str) -> None:
        self._operators, self._mailpit_url = dict(operators), mailpit_url

    @classmethod
    def of(cls, portal: RunningPortal) -> Outside:
        """Around the portal under test."""
        return cls(portal.infra.operators(), portal.infra.mailpit_url)

    # The internal systems

    def publish(self, event_type: str, data: Mapping[str, Any]) -> None:
        """One event, as `portal publish` sends it."""
        self.publish_all([(event_type, data)])

    def enrol(self, *, email: bool = True) -> Newcomer:
        """A new member, up to the letter in the printing house's hands."""
        data = enrolment(email=email)
        self.publish("MemberEnrolled", data)
        password = self.letter_password(data["member_number"])
        return Newcomer(data["member_number"], data["nir"], data.get("email"), password)

    def pay(self, newcomer: Newcomer, **changes: Any) -> dict[str, Any]:
        """A `ClaimPaid`; answers its data. `changes` replaces fields."""
        data = claim_paid(newcomer.member_number) | changes
        self.publish("ClaimPaid", data)
        return data

    def pay_many(self, newcomer: Newcomer, count: int) -> list[str]:
        """That many `ClaimPaid` at once, `R-00`, `R-01`, …; answers their ids."""
        told = [claim_paid(newcomer.member_number) | {"claim_id": f"R-{n:02d}"} for n in range(count)]
        self.publish_all([("ClaimPaid", data) for data in told])
        return [str(data["claim_id"]) for data in told]

    def publish_all(self, told: Sequence[tuple[str, Mapping[str, Any]]]) -> None:
        """Many events at once, each its type and its data, in this order."""
        events: list[Event[EventData]] = [
            Event.of(contract_of(name).model_validate_json(json.dumps(data))) for name, data in told
        ]
        with ThreadPoolExecutor(1) as elsewhere:  # Playwright's own event loop runs in this thread
            elsewhere.submit(asyncio.run, self._hand_over(events)).result(WITHIN_S)

    def answer(self, message: MessageSent, text: str, *, closes: bool = False) -> None:
        """The management centre answers a member's message."""
        self.publish("MessageAnswered", answered(message, text, closes=closes))

    def messages(self, newcomer: Newcomer, count: int) -> list[MessageSent]:
        """What the management centre was sent by this member, once it is `count` messages."""
        found: list[MessageSent] = []
        for event in topics.follow(self._operators, [NotificationsEvent.topic], {}, WITHIN_S):
            if event and isinstance(event.data, MessageSent) and event.data.member_number == newcomer.member_number:
                found.append(event.data)
            if len(found) == count:
                return found
        raise AssertionError(f"{len(found)} messages instead of {count}")

    async def _hand_over(self, events: Sequence[Event[EventData]]) -> None:
        async with Publisher(kafka_access(self._operators)) as publisher:
            for event in events:
                await publisher.publish(event)

    # The printing house

    def letter_password(self, member_number: str, kind: str = "welcome") -> str:
        """What is printed in the member's first letter of that kind."""
        return self.letter_passwords([member_number], kind)[member_number]

    def letter_passwords(self, member_numbers: Collection[str], kind: str = "welcome") -> dict[str, str]:
        """The same for many, by member number."""
        found: dict[str, str] = {}
        for event in topics.follow(self._operators, [NotificationsEvent.topic], {}, WITHIN_S):
            letter = event.data if event and isinstance(event.data, LetterReady) else None
            if letter and letter.kind == kind and letter.member_number in set(member_numbers) - set(found):
                pdf = letters.fetch(self._operators, letter.bucket, letter.object)
                assert pdf, "the letter is announced before it is there"
                found[letter.member_number] = letters.temporary_password(pdf)
            if len(found) == len(member_numbers):
                return found
        raise AssertionError("no LetterReady for a member")

    # The mailbox

    def mails(self, address: str) -> list[dict[str, Any]]:
        """Everything sent to `address`, newest first."""
        found = self._mailpit("/api/v1/search?" + urllib.parse.urlencode({"query": f'to:"{address}"'}))
        return [self._mailpit(f"/api/v1/message/{message['ID']}") for message in found["messages"]]

    def mail_path(self, address: str, page: str, *, nth: int = 1) -> str:
        """Path and query of the link to that page in the newest of `nth` mails that have one."""

        def paths() -> list[str]:
            texts = [str(mail["Text"]) for mail in self.mails(address)]
            return [found[0] for text in texts if (found := re.search(page + r"\?token=[\w.~-]+", text))]

        return eventually(lambda: found[0] if len(found := paths()) >= nth else None, f"no mail with a link to {page}")

    def activation_path(self, address: str, *, nth: int = 1) -> str:
        """The same of an activation mail."""
        return self.mail_path(address, "/activation", nth=nth)

    def request_ids(self, address: str) -> list[str]:
        """`X-Request-Id` of the mails to `address`."""
        ids = [mail["ID"] for mail in self.mails(address)]
        return [str(self._mailpit(f"/api/v1/message/{found}/headers")["X-Request-Id"][0]) for found in ids]

    def _mailpit(self, path: str) -> Any:
        with urllib.request.urlopen(self._mailpit_url + path, timeout=10) as answer:
            return json.load(answer)


def eventually(look: Callable[[], T | None], otherwise: str) -> T:
    """What `look` finds within a minute."""
    deadline = time.monotonic() + WITHIN_S
    while time.monotonic() < deadline:
        found = look()
        if found:
            return found
        time.sleep(0.2)
    raise AssertionError(otherwise)


def claim_paid(member_number: str) -> dict[str, Any]:
    """Pharmacy for Hugo, 20 € of which 13 € and 7 € came back, and a consultation with 2 € left to pay."""
    number = secrets.randbelow(10**9)
    return {
        "member_number": member_number,
        "claim_id": f"R-2026-{number}",
        "beneficiary_rank": 2,
        "amount_cents": 1450,
        "payment": {"payment_id": f"P-2026-{number}", "paid_on": "2026-11-20", "payee": "member"},
        "lines": [
            line(1, "PH7", "Pharmacie 65 %", "PHAR", spent=2000, statutory=1300, complementary=700),
            line(2, "G", "Consultation généraliste", "MED", spent=3000, statutory=2050, complementary=750),
        ],
    }


def answered(message: MessageSent, text: str, *, closes: bool = False) -> dict[str, Any]:
    """A `MessageAnswered` from the management centre."""
    return {
        "member_number": message.member_number,
        "thread_id": message.thread_id,
        "message_id": message.message_id,
        "answer_id": ids.new_id(),
        "text": text,
        "answered_at": clock.rfc3339(clock.now()),
        "closes": closes,
    }


def line(number: int, code: str, label: str, domain: str, *, spent: int, statutory: int, complementary: int) -> Any:
    """One act of a `ClaimPaid`; amounts in cents."""
    return {
        "line": number,
        "care_date": "2026-11-12",
        "act_code": code,
        "act_label": label,
        "domain": domain,
        "quantity": 1,
        "spent_cents": spent,
        "base_cents": spent,
        "statutory_cents": statutory,
        "complementary_cents": complementary,
        "other_cents": 0,
    }


def coverage_of(member_number: str, year: int) -> dict[str, Any]:
    """The contract in one year, with the grid of the insurer's user guide."""
    return coverage(f"C-{member_number}", "Confort", year).model_dump(mode="json")


def enrolment(*, email: bool = True) -> dict[str, Any]:
    """A `MemberEnrolled` of Laure Dupont and her son Hugo, with numbers that nobody else has."""
    member_number = f"{10_000_000 + secrets.randbelow(90_000_000)}"
    nir13 = str(nir.normalise(f"2840575{1 + secrets.randbelow(900):03d}{1 + secrets.randbelow(999):03d}"))
    people = [
        {"rank": 1, "first_name": "Laure", "birth_date": "1984-05-12", "relation": "insured"},
        {"rank": 2, "first_name": "Hugo", "birth_date": "2015-03-02", "relation": "child"},
    ]
    data: dict[str, Any] = {
        "member_number": member_number,
        "nir": nir13,
        "title": "MME",
        "first_name": "Laure",
        "last_name": "Dupont",
        "birth_date": "1984-05-12",
        "postal_address": {"lines": ["12 RUE DES LILAS"], "postal_code": "69003", "city": "LYON", "country": "FR"},
        "beneficiaries": [{**person, "last_name": "Dupont", "nir": nir13} for person in people],
        "coverage": coverage_of(member_number, clock.now().year),
    }
    return data | ({"email": f"laure.{member_number}@example.org"} if email else {})
