"""Claims and members end in the same state whatever the order of arrival and however often a fact is told."""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, timedelta
from functools import partial
from typing import Any

import pymongo
import pytest
from hypothesis import Phase, example, given, settings
from hypothesis import strategies as st

from services.claims import rules
from services.claims.main import ALL_COLLECTIONS
from services.claims.member_rules import merge_member, nir_place
from services.claims.models import Claim, Member, Status
from services.claims.rebuild.fence import Fence
from services.claims.service import Claims, Limits
from services.claims.statements import Statements
from services.claims.store import ClaimsStore
from services.claims.store.queries import Filter
from shared import inbox, jobs
from shared.events.base import Event
from shared.events.claims_payment import ClaimPaid, ClaimReceived, ClaimRefused, ClaimReversed
from shared.events.membership import CoverageChanged, MemberEnrolled, MembershipEnded, MembershipEvent, MemberUpdated
from shared.jobs import Jobs
from shared.live import key
from shared.mongo import Mongo, Transaction
from shared.sealing import Keyring
from tests.services.claims import examples
from tests.services.claims.any_facts import CLAIM_FACTS, MEMBER_FACTS, MEMBERS, OVERPAID, Batches, Case, cases
from tests.services.claims.examples import CHILDS_NIR, enrolled, event, line, paid, received, refused, reversed_
from tests.services.claims.test_rules import Shelf
from tests.stack import RealServers

# Without servers


def seal(nir: str, place: str) -> str:
    return f"sealed({nir}, {place})"


def shelf_after(batches: Batches) -> Shelf:
    shelf = Shelf()
    for batch in batches:
        shelf.take(batch)
    return shelf


def members_after(batches: Batches) -> dict[str, Member]:
    members = {number: Member(number) for number in MEMBERS}
    for told in (one for batch in batches for one in batch):
        number = told.data.member_number
        members[number] = merge_member(members[number], told.data, told.order, seal)
    return members


KINDS: Mapping[Any, str] = {ClaimReceived: "received", ClaimRefused: "refused", ClaimPaid: "paid"}


def claims_expected(events: Sequence[Event[Any]]) -> dict[str, Claim]:
    """The contract once more, the other way about: sorted by (`ce_time`, `ce_id`), the last of each kind stands."""
    claims: dict[str, Claim] = {}
    for told in sorted(events, key=lambda one: one.order):
        data = told.data
        if isinstance(data, ClaimReversed):
            places = [(data.claim_id, "reversal"), (data.reverses, "reversed_by")]
        else:
            places = [(data.claim_id, KINDS[type(data)])]
        for claim_id, kind in places:
            place = key(data.member_number, claim_id)
            claim = claims.get(place) or Claim(data.member_number, claim_id)
            fact: Any = rules.told(told)
            claims[place] = claim._replace(**{kind: fact})
    return claims


PERSON = ("title", "first_name", "last_name", "birth_date")


def facts_expected(events: Sequence[Event[Any]]) -> dict[str, dict[Any, Any]]:
    """The same of members, as far as it can be said in a few lines: plain fields, and each period's `csr`."""
    members: dict[str, dict[Any, Any]] = {number: {} for number in MEMBERS}
    for told in sorted(events, key=lambda one: one.order):
        data, known = told.data, members[told.data.member_number]
        match data:
            case MemberEnrolled():
                known |= {name: getattr(data, name) for name in PERSON} | {"ended_on": None}
            case MemberUpdated():
                known |= {name: value for name, value in data.changes.items() if name in PERSON}
            case MembershipEnded():
                known["ended_on"] = data.ended_on
        if isinstance(data, MemberEnrolled | CoverageChanged):
            known[data.coverage.contract_number, data.coverage.valid_from.isoformat()] = data.coverage.csr
    return members


def facts_of(member: Member) -> dict[Any, Any]:
    plain = {name: fact.value for name, fact in member.facts.items() if name in (*PERSON, "ended_on")}
    days = {name: date.fromisoformat(plain[name]) for name in ("birth_date", "ended_on") if plain.get(name)}
    return plain | days | {period: fact.value.csr for period, fact in member.coverages.items()}


@given(cases(CLAIM_FACTS))
def test_claims_end_the_same_in_any_order_with_any_repetition(case: Case) -> None:
    """Claims with their status, day, figures and words; and they are what the newest facts make of them."""
    claims = claims_expected(case.events)
    expected = {
        place: (claim, rules.listing(claim, claims.get(rules.original_key(claim) or "")))
        for place, claim in claims.items()
    }
    assert shelf_after(case.batches).rows == shelf_after([case.events]).rows == expected


@given(cases(MEMBER_FACTS))
def test_members_end_the_same_in_any_order_with_any_repetition(case: Case) -> None:
    members = members_after(case.batches)
    assert members == members_after([case.events])
    assert {number: facts_of(member) for number, member in members.items()} == facts_expected(case.events)


# In the real database


class Stored:
    """The use cases of claims on a database of their own; nothing else runs, and no Kafka is read."""

    def __init__(self, url: str, database: str) -> None:
        collections = {**ALL_COLLECTIONS, **jobs.collections(), **inbox.collections(1)}
        self.mongo = Mongo(url, database, collections=collections)
        self.store = ClaimsStore(self.mongo.db)
        wait = timedelta(hours=1)
        statements = Statements(self.mongo, self.store, Jobs(self.mongo), quiet=wait, at_most=wait)
        ring = Keyring.from_setting(f"claims/1:{'A' * 43}")
        self.claims = Claims(self.store, ring, statements, Limits(5_000, 20_000), Fence(self.mongo))

    async def after(self, batches: Batches) -> list[Any]:
        """All that members are shown once these batches were taken in; then forgotten."""
        for batch in batches:
            await self.mongo.transaction(partial(self._take, batch))
        shown = [await self._shown(number) for number in MEMBERS]
        await self.mongo.transaction(lambda tx: self.claims.erase(MEMBERS, tx))
        return shown

    async def _take(self, batch: Sequence[Event[Any]], tx: Transaction) -> None:
        await self.claims.take_memberships([told for told in batch if isinstance(told.data, MembershipEvent)], tx)
        await self.claims.take_claims([told for told in batch if isinstance(told.data, rules.ClaimEvent)], tx)

    async def _shown(self, number: str) -> list[Any]:
        lists = [await self.claims.reimbursements(number, which, None, 100) for which in LISTS]
        return [
            *lists,
            await self.claims.payments(number, None, None, 100),
            [await self.claims.summary(number, year) for year in (2026, 2027)],
            self._opened(await self.store.find_member(number)),
        ]

    def _opened(self, member: Member | None) -> Any:
        """The member with NIRs to compare: the same is sealed otherwise each time."""
        if member is None:
            return None
        facts = {name: (fact.order, fact.value) for name, fact in member.facts.items()}
        if "nir" in facts:
            order, sealed = facts["nir"]
            facts["nir"] = order, self.claims.open_nir(sealed, f"members/{member.member_number}/nir")
        if "beneficiaries" in facts:
            order, people = facts["beneficiaries"]
            facts["beneficiaries"] = order, [self._person(member.member_number, person) for person in people]
        return facts, member.coverages

    def _person(self, number: str, person: dict[str, Any]) -> dict[str, Any]:
        return person | {"nir": self.claims.open_nir(person["nir"], nir_place(number, person["rank"]))}


LISTS = (
    Filter(),
    Filter(status=Status.PAID),
    Filter(first_day="2027-01-01", beneficiary_rank=2),
    Filter(domain="OPTI"),
    Filter(text="verres"),
    Filter(text="doublon p-1"),
)


@pytest.fixture(scope="module")
def stored(infra: RealServers) -> Iterator[tuple[asyncio.Runner, Stored]]:
    """One connection for all examples, and the loop it belongs to."""
    with asyncio.Runner() as runner, pymongo.MongoClient[dict[str, Any]](infra.mongo_admin_url) as admin:
        stored = Stored(infra.mongo_admin_url, "claims_any_order")
        runner.run(stored.mongo.start())
        yield runner, stored
        runner.run(stored.mongo.stop())
        admin.drop_database("claims_any_order")


MINE, OTHERS = MEMBERS
TOLD = [
    event(data, second, f"told-{n:02}")
    for n, (data, second) in enumerate(
        [
            (reversed_("V-1", "R-1", member=MINE), 5),
            (refused("R-1", member=MINE, document_ids=("d-1",)), 1),
            (paid("R-1", line(domain="OPTI", act_label="Verres"), OVERPAID, member=MINE), 2),
            (paid("R-1", member=MINE, rank=2), 3),
            (paid("R-1", member=MINE, rank=1, payment_id="P-2"), 3),  # the same instant: the id decides
            (received("R-1", member=MINE, label="Optique", document_ids=("d-2",)), 0),
            (paid("R-1", OVERPAID, member=OTHERS, rank=2), 4),
            (refused("R-2", member=MINE, reason="Doublon"), 4),
            (paid("R-2", member=MINE), 1),
            (reversed_("V-2", "V-1", member=MINE), 6),
            (reversed_("V-3", "R-3", member=MINE), 1),
            (examples.ended(date(2026, 12, 31), MINE), 1),
            (enrolled(MINE), 2),
            (examples.updated(MINE, title=None, nir=CHILDS_NIR), 2),
            (examples.coverage_changed(examples.coverage("C-1", csr="02"), MINE), 2),
            (examples.coverage_changed(examples.coverage("C-1", 2027), MINE), 0),
            (examples.updated(OTHERS, beneficiaries=(examples.beneficiary(2, "Zoé"),)), 0),
        ]
    )
]
"""What is hard, at once, and told in the wrong order."""
FEW = settings(max_examples=6, phases=[Phase.explicit, Phase.reuse, Phase.generate])


@pytest.mark.servers
@FEW
@example(Case(TOLD, [[told] for told in TOLD]))
@example(Case(TOLD, [[told] for told in reversed(TOLD)]))
@example(Case(TOLD, [TOLD[::-2], TOLD[::3], TOLD[1::2], TOLD]))
@given(cases(st.one_of(CLAIM_FACTS, CLAIM_FACTS, MEMBER_FACTS)))
def test_what_members_are_shown_is_the_same_in_any_order_with_any_repetition(
    stored: tuple[asyncio.Runner, Stored], case: Case
) -> None:
    """Lists with their sums, payments, the year and the member: through the store, a transaction a batch.

    Memberships skip their inbox, which would keep repetitions away: what is merged twice changes nothing either.
    """
    runner, claims = stored
    assert runner.run(claims.after(case.batches)) == runner.run(claims.after([case.events]))
