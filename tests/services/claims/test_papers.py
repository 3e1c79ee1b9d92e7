"""The card and the statement as files: on paper, for every reader, proved by veraPDF."""

import asyncio
import subprocess
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from deploy.local.paths import cache_folder
from deploy.local.processes import Processes
from deploy.local.tools import Toolbox
from services.claims import card, rules
from services.claims.member_rules import merge_member
from services.claims.models import Claim, Member, Payee, PaymentSum, Reimbursement, Statement
from services.claims.papers import Papers
from services.claims.schemas.card import CardDetail
from services.claims.schemas.payments import StatementDetail
from services.claims.store.queries import Filter
from services.notifications.letters import LetterPress, TemporaryPassword
from services.notifications.models import Address
from services.notifications.rules import UNKNOWN, told_by_membership
from shared.events.membership import Guarantee
from shared.nir import Nir
from shared.typesetting import Typesetter
from tests.services.claims.examples import (
    MEMBER,
    beneficiary,
    coverage,
    coverage_changed,
    enrolled,
    event,
    grid,
    line,
    paid,
    reversed_,
)
from tests.services.claims.paper import Paper
from tests.services.claims.settings import some_settings
from tests.services.claims.test_card_rules import known
from tests.services.notifications.settings import some_settings as notifications_settings

STRANGE = "#panic() *x* $y$ \\ _z_ [ 漢😀"


def papers(**changes: Any) -> Papers:
    settings = some_settings(**changes)
    return Papers(settings, Typesetter(settings))


def member(**changes: Any) -> Member:
    told = event(enrolled(**changes))
    return merge_member(Member(MEMBER), told.data, told.order, lambda nir, place: nir)


async def card_of(whose: Member, press: Papers) -> Paper:
    found = card.card_on(whose, date(2026, 11, 24))
    assert found is not None
    return Paper(await press.card(CardDetail.of(found, press.insurer, lambda sealed, place: Nir(sealed))))


async def statement_of(whose: Member, press: Papers, *claims: Claim) -> Paper:
    shown = tuple(Reimbursement(claim, listing, "Hugo") for claim in claims if (listing := rules.listing(claim, None)))
    amount = sum(claim.listing.figures.amount_cents for claim in shown if claim.listing.figures)
    payment = PaymentSum("P-1", "2026-11-20", amount, -700, len(claims), (Payee("provider", STRANGE),))
    return Paper(await press.statement(StatementDetail.of(Statement(whose, payment, shown))))


async def list_of(whose: Member, press: Papers, *claims: Claim) -> bytes:
    shown = [Reimbursement(claim, listing, "Hugo") for claim in claims if (listing := rules.listing(claim, None))]
    return await press.reimbursements(whose, Filter("2026-01-01", None, 2, text=STRANGE), shown)


def claim(claim_id: str, *facts: Any) -> Claim:
    held = Claim(MEMBER, claim_id)
    for second, fact in enumerate(facts):
        held, _ = rules.merge(held, event(fact, second))
    return held


def claims_of_every_kind() -> list[Claim]:
    nothing = {"spent_cents": 0, "base_cents": 0, "complementary_cents": 0}
    shared = line(act_label=STRANGE, spent_cents=2**62, other_cents=100)
    return [
        claim(
            "R-1", paid("R-1", line(), line(2, act_code="FR", act_label="Franchise", statutory_cents=-50, **nothing))
        ),
        claim("R-2", paid("R-2", shared, payee_name=STRANGE), reversed_("V-2", "R-2", reason="Payé\ndeux fois")),
        *(claim(f"R-{n}", paid(f"R-{n}", line(), line(2))) for n in range(3, 30)),
    ]


async def test_a_family_of_six_has_its_card_on_one_sheet() -> None:
    family = tuple(beneficiary(rank, f"Marie-Antoinette {rank}") for rank in range(1, 7))
    pages = (await card_of(member(coverage=grid(), beneficiaries=family), papers())).pages()
    assert len(pages) == 1
    assert "Selon devis" in pages[0]


async def test_the_card_to_fold_has_the_size_of_a_bank_card_and_says_the_same() -> None:
    """ISO/IEC 7810 ID-1: two halves of 85.6 × 54 mm, with the labels, and with everybody's row of the grid."""
    paper = await card_of(member(coverage=grid()), papers())
    halves = paper.text_in((14, 125, 14 + 2 * 85.6, 197))  # mm from the left and from the top of the sheet
    assert "Votre carte à plier Découpez le long du trait plein, puis pliez" in paper.text()
    assert halves.count("Laure") == halves.count("Hugo") == 1
    for words in (
        "Confort · R",
        "du 1er janvier 2026 au 31 décembre 2026",
        "DUPONT Hugo · rang 2 · 12/05/1984 · N° INSEE 1 15 03 75 117 002",
        "100/100/100 100% 100% 100% 100% 100% (1) (1) (2) (1) (1) (2)",
        "(1) Prise en charge sur demande (2) Selon devis",
    ):
        assert words in halves
    left, top, right, bottom = paper.frame()
    assert (right - left, bottom - top) == pytest.approx((2 * 85.6, 54.0), abs=0.5)  # with the line's own width


@pytest.mark.parametrize(("people", "sheets"), [(0, 1), (9, 1), (30, 3)])
async def test_the_card_to_fold_of_a_large_family_is_whole_or_sends_to_the_sheet(people: int, sheets: int) -> None:
    family = tuple(beneficiary(rank, f"Marie-Antoinette {rank}") for rank in range(1, people + 1))
    whose = member(coverage=grid(), beneficiaries=family) if family else known(coverage_changed(grid()))
    paper = await card_of(whose, papers())
    assert len(paper.pages()) == sheets
    text = paper.text()
    named = [text.count(f"Marie-Antoinette {rank} · rang") for rank in range(1, people + 1)]
    assert named == [1] * people or (named == [0] * people and "Bénéficiaires et garanties : voir la feuille." in text)


async def test_people_with_different_operators_have_them_in_their_own_cells() -> None:
    guarantees = (
        Guarantee(domain="HOSP", operator="OC", level="10%", ranks=(1,)),
        Guarantee(domain="HOSP", operator="IS", level="20%", ranks=(2,)),
    )
    text = (await card_of(member(coverage=coverage(guarantees=guarantees)), papers())).text()
    assert (text.count("OC 10%"), text.count("IS 20%")) == (2, 2)


async def test_a_grid_says_what_its_star_means_only_where_it_has_one() -> None:
    for footnotes, star in ((None, False), ({"*": "Hors chambre particulière"}, True)):
        text = (await card_of(member(coverage=coverage(footnotes=footnotes)), papers())).text()
        assert ("concernées par le tiers payant(*)" in text) is star
        assert ("(*) Hors chambre particulière" in text) is star


async def test_whatever_a_text_holds_is_printed_as_text() -> None:
    whose = member(
        first_name=STRANGE, beneficiaries=(beneficiary(1, STRANGE),), coverage=coverage(footnotes={"1": STRANGE})
    )
    press = papers(brand_name=STRANGE)
    printed = "#panic() *x* $y$ \\ _z_ [ ??"
    assert (await card_of(whose, press)).text().count(printed) >= 3
    assert printed in (await statement_of(whose, press, *claims_of_every_kind())).text()
    listed = Paper(await list_of(whose, press, *claims_of_every_kind())).text()
    assert f"Recherche : {printed}" in listed
    assert f"payé à {printed}" in listed


async def test_a_part_of_somebody_elses_has_a_column_only_where_there_is_one() -> None:
    alone, both = claims_of_every_kind()[:1], claims_of_every_kind()[:2]
    assert "Autres" not in (await statement_of(member(), papers(), *alone)).text()
    assert "Autres" in (await statement_of(member(), papers(), *both)).text()


@pytest.mark.slow
@pytest.mark.processes
async def test_verapdf_finds_every_paper_accessible(tmp_path: Path) -> None:
    """PDF/UA-1, ISO 14289-1: the card, a statement and a list of several pages, the welcome letter."""
    press = papers()
    files = {
        "card": (await card_of(member(coverage=grid()), press)).content,
        "statement": (await statement_of(member(), press, *claims_of_every_kind())).content,
        "list": await list_of(member(), press, *claims_of_every_kind()),
        "letter": _letter(),
    }
    for name, content in files.items():
        (tmp_path / f"{name}.pdf").write_bytes(content)
    found = await asyncio.to_thread(_verapdf, tmp_path, [f"{tmp_path}/{name}.pdf" for name in files])
    assert sorted(found) == [f"PASS {tmp_path}/{name}.pdf ua1" for name in sorted(files)]


def _verapdf(folder: Path, files: list[str]) -> list[str]:
    """What veraPDF says of each file."""
    with Processes(folder / "logs") as processes:
        tools = Toolbox(cache_folder(), processes)
        verapdf = [str(tools.java()), "-cp", tools.verapdf_jars(), "org.verapdf.apps.GreenfieldCliWrapper"]
    command = [*verapdf, "--flavour", "ua1", "--format", "text", *files]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    return done.stdout.strip().split("\n") or [done.stderr]


def _letter() -> bytes:
    issued = datetime(2026, 11, 23, 10, tzinfo=UTC)
    content = TemporaryPassword(
        MEMBER, "enrolment", "nir", "K7MP-4RTX-92VD", issued, datetime(2026, 12, 23, tzinfo=UTC)
    )
    laure = told_by_membership(UNKNOWN, {"first_name": "Laure", "last_name": "Dupont"}, (issued, "e"))
    to = Address(lines=("12 rue des Lilas",), postal_code="69003", city="Lyon", country="FR")
    return LetterPress(notifications_settings()).temporary_password(content, laure, to)
