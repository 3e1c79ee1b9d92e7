"""Facts about claims and members for hypothesis: few of everything, so that they meet, and in any order of arrival."""

from dataclasses import dataclass
from datetime import date
from itertools import pairwise
from typing import Any

from hypothesis import strategies as st

from shared.events.base import Event
from shared.events.claims_payment import ClaimPaid
from tests.services.claims import examples
from tests.services.claims.examples import CHILDS_NIR, enrolled, event, line, paid, received, refused, reversed_

MEMBERS = ("12345678", "12345679")
Batches = list[list[Event[Any]]]

# The same ids with two members, claims that are reversals too, payments shared by claims.
WHOSE = st.sampled_from(MEMBERS)
CLAIM_IDS = st.sampled_from(["R-1", "R-2", "V-1", "V-2"])
RANKS = st.integers(1, 2)
DOCUMENTS = st.sampled_from([(), ("d-1",), ("d-2", "d-1")])
DAYS = st.sampled_from([date(2026, 11, 20), date(2027, 1, 2)])
OVERPAID = line(2, act_label="Franchise", spent_cents=0, base_cents=0, statutory_cents=-100, complementary_cents=-900)
LINES = st.sampled_from([(line(),), (line(domain="OPTI", act_label="Verres"), OVERPAID), (OVERPAID,)])


def with_documents(data: ClaimPaid, document_ids: tuple[str, ...]) -> ClaimPaid:
    return data.model_copy(update={"document_ids": document_ids})


CLAIM_FACTS: st.SearchStrategy[Any] = st.one_of(
    st.builds(
        received,
        CLAIM_IDS,
        member=WHOSE,
        rank=RANKS,
        label=st.sampled_from([None, "Optique"]),
        received_on=DAYS,
        document_ids=DOCUMENTS,
    ),
    st.builds(
        refused,
        CLAIM_IDS,
        member=WHOSE,
        rank=RANKS,
        refused_on=DAYS,
        reason=st.sampled_from(["Doublon", "Ordonnance manquante"]),
        what_to_do=st.sampled_from([None, "Envoyez l’ordonnance"]),
        document_ids=DOCUMENTS,
    ),
    st.builds(
        lambda claim_id, lines, documents, **told: with_documents(paid(claim_id, *lines, **told), documents),
        CLAIM_IDS,
        LINES,
        DOCUMENTS,
        member=WHOSE,
        rank=RANKS,
        paid_on=DAYS,
        payment_id=st.sampled_from(["P-1", "P-2"]),
        payee_name=st.sampled_from([None, "PHARMACIE"]),
    ),
    st.builds(
        lambda ids, **told: reversed_(*ids, **told),
        st.tuples(CLAIM_IDS, CLAIM_IDS).filter(lambda ids: ids[0] != ids[1]),
        member=WHOSE,
        reversed_on=DAYS,
        amount_cents=st.sampled_from([-700, -1]),
    ),
)
FAMILIES = st.sampled_from(
    [
        (examples.beneficiary(1, "Laure"),),
        (examples.beneficiary(1, "Léa"), examples.beneficiary(2, "Hugo", nir=CHILDS_NIR, relation="child")),
    ]
)
COVERAGES = st.builds(
    examples.coverage,
    st.sampled_from(["C-1", "C-2"]),
    st.sampled_from([2026, 2027]),
    csr=st.sampled_from(["01", "02"]),
)
MEMBER_FACTS: st.SearchStrategy[Any] = st.one_of(
    st.builds(enrolled, WHOSE, st.sampled_from(["Laure", "Léa"]), beneficiaries=FAMILIES, coverage=COVERAGES),
    st.builds(examples.updated, WHOSE, last_name=st.sampled_from(["Durand", "Martin"])),
    st.builds(examples.updated, WHOSE, title=st.sampled_from([None, "M."]), birth_date=st.just(date(1984, 5, 13))),
    st.builds(examples.updated, WHOSE, nir=st.just(CHILDS_NIR), beneficiaries=FAMILIES),
    st.builds(examples.coverage_changed, COVERAGES, WHOSE),
    st.builds(examples.ended, st.sampled_from([date(2026, 6, 30), date(2026, 12, 31)]), WHOSE),
)


@dataclass(frozen=True)
class Case:
    """Some events, and the same in another order, some of them repeated, cut into batches."""

    events: list[Event[Any]]
    batches: Batches


@st.composite
def cases(draw: st.DrawFn, facts: st.SearchStrategy[Any], most: int = 10) -> Case:
    """Any order, cut anywhere; times often tie, so that the ids decide."""
    drawn = draw(st.lists(st.tuples(facts, st.integers(0, 3)), min_size=1, max_size=most))
    events = [event(data, second, f"event-{i}") for i, (data, second) in enumerate(drawn)]
    repeats = draw(st.lists(st.sampled_from(events), max_size=most))
    shuffled = draw(st.permutations(events + repeats))
    cuts = sorted(draw(st.sets(st.integers(0, len(shuffled)))))
    bounds = [0, *cuts, len(shuffled)]
    return Case(events, [list(shuffled[a:b]) for a, b in pairwise(bounds)])
