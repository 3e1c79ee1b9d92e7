"""The third-party-payment card: over HTTP, on paper, and the announcement that there is a new one."""

import json
from datetime import date, timedelta
from typing import Any

import pytest

from services.claims import card
from shared import nir
from shared.events.claims import CardRenewed
from tests.services.claims.conftest import ClaimsService
from tests.services.claims.examples import CHILDS_NIR, NIR, coverage, coverage_changed, ended, enrolled, event, grid

pytestmark = pytest.mark.servers

DAY = "2026-11-24"


async def card_of(service: ClaimsService, member: str, **query: str) -> dict[str, Any]:
    answer = await service.get("/card", member, **query)
    assert answer.status == 200, await answer.text()
    assert answer.get_header("cache-control") == "no-store"
    found: dict[str, Any] = await answer.json()
    return found


async def problem(service: ClaimsService, path: str, member: str, **query: str) -> dict[str, Any]:
    answer = await service.get(path, member, **query)
    assert answer.status == 404
    found: dict[str, Any] = await answer.json()
    return found


async def test_the_card_on_screen_and_on_paper_say_the_same(service: ClaimsService, member: str) -> None:
    await service.publish(event(enrolled(member, coverage=grid())))
    await service.until_known(member)
    shown = await card_of(service, member, on=DAY)
    assert shown["insurer"] == {
        "name": "Plansanté",
        "centre": "Centre de gestion Plansanté",
        "phone": "04 65 71 00 00",
        "address": ["TSA 10001", "69303 LYON CEDEX 07"],
    }
    labels = ("amc_number", "agreement_type", "csr", "member_number", "valid_from", "valid_until")
    assert [shown[name] for name in labels] == ["0123456789", "SP", "01", member, "2026-01-01", "2026-12-31"]
    assert (shown["contract_name"], shown["responsible_contract"], shown["next_valid_from"]) == ("Confort", True, None)
    assert shown["footnotes"] == [
        {"mark": "1", "text": "Prise en charge sur demande"},
        {"mark": "2", "text": "Selon devis"},
    ]
    laure, hugo = shown["beneficiaries"]
    assert (laure["rank"], laure["first_name"], laure["last_name"]) == (1, "Laure", "Dupont")
    assert shown["operators"] == [cell["operator"] for cell in laure["cells"]]
    assert (hugo["birth_date"], hugo["nir"]) == ("1984-05-12", CHILDS_NIR + nir.key(CHILDS_NIR))
    assert dict(zip(shown["domains"], laure["cells"], strict=True))["HOSP"] == {
        "operator": "OC",
        "level": "(1)",
        "notes": ["1"],
    }

    paper = await service.pdf("/card.pdf", member, on=DAY)
    assert paper.disposition == 'attachment; filename="carte-tiers-payant.pdf"'
    paper.expect_accessible()
    [text] = paper.pages()
    for value in (
        member,
        "0123456789",
        "du 1er janvier 2026 au 31 décembre 2026",
        "Confort",
        "R (contrat responsable)",
    ):
        assert value in text
    for person in (laure, hugo):
        number = nir.grouped(nir.normalise(person["nir"]))
        row = " ".join(cell["level"] for cell in person["cells"])
        assert f"DUPONT {person['first_name']} {person['rank']} 12/05/1984 {number} {row}" in text
    heads = zip(shown["domains"], shown["operators"], strict=True)
    assert " ".join(f"{domain} {operator}" for domain, operator in heads) in text
    assert "(1) Prise en charge sur demande (2) Selon devis" in text


async def test_today_in_france_is_the_default_and_the_next_card_is_told(service: ClaimsService, member: str) -> None:
    today = card.today()
    begun = coverage(valid_from=today - timedelta(days=300), valid_until=today)
    following = coverage(valid_from=today + timedelta(days=1), valid_until=today + timedelta(days=365))
    await service.publish(event(enrolled(member, coverage=begun)), event(coverage_changed(following, member), 1))
    await service.until_known(member, periods=2)
    shown = await card_of(service, member)
    assert shown["valid_until"] == today.isoformat()
    assert shown["next_valid_from"] == following.valid_from.isoformat()
    later = await card_of(service, member, on=following.valid_from.isoformat())
    assert (later["valid_from"], later["next_valid_from"]) == (following.valid_from.isoformat(), None)


async def test_without_a_card_in_force_the_answer_says_what_is_known(service: ClaimsService, member: str) -> None:
    for path in ("/card", "/card.pdf"):
        unknown = await problem(service, path, member)
        assert unknown["code"] == "no_card"
        assert "next_valid_from" not in unknown
    await service.publish(event(enrolled(member)))
    await service.until_known(member)
    before = await problem(service, "/card", member, on="2025-12-31")
    assert (before["code"], before["next_valid_from"]) == ("no_card", "2026-01-01")
    await service.publish(event(ended(date(2026, 6, 30), member), 1), event(coverage_changed(coverage("C-2"), member)))
    await service.until_known(member, periods=2)
    over = await problem(service, "/card", member, on="2026-07-01")
    assert (over["code"], over["ended_on"]) == ("no_card", "2026-06-30")
    assert (await card_of(service, member, on="2026-06-30"))["valid_until"] == "2026-06-30"
    assert (await service.get("/card", member, on="yesterday")).status == 422


async def test_a_renewed_card_is_announced_once(service: ClaimsService, member: str) -> None:
    year = card.today().year
    following = coverage(year=year + 1)
    renewal = event(coverage_changed(following, member), 1)
    await service.publish(event(enrolled(member, coverage=coverage(year=year))), renewal)
    await service.until_known(member, periods=2)
    correction = coverage_changed(following.model_copy(update={"csr": "02"}), member)
    await service.publish(renewal, event(correction, 2), event(enrolled(member, coverage=following), 3))
    announced = await service.announced(CardRenewed, member, 1)
    assert [told.valid_from for told in announced] == [date(year + 1, 1, 1)]


async def test_of_periods_that_overlap_the_newest_is_shown_and_the_log_says_so(
    service: ClaimsService, member: str
) -> None:
    clash = event(coverage_changed(coverage("C-2", valid_from=date(2026, 7, 1)), member), 1)
    await service.publish(event(enrolled(member)), clash, clash)
    await service.until_known(member, periods=2)
    assert (await card_of(service, member, on=DAY))["contract_number"] == "C-2"
    assert (await card_of(service, member, on="2026-06-30"))["contract_number"] == "C-1"
    told = [json.loads(line) for line in service.portal.log("claims").splitlines() if clash.id in line]
    assert {(line["event"], line["level"], line["periods"]) for line in told} == {
        ("coverage_periods_overlap", "warning", 1)
    }
    assert not any(secret in str(told) for secret in (member, NIR, "Laure", "C-2"))


async def test_the_nirs_of_the_card_are_sealed_where_they_are_kept(service: ClaimsService, member: str) -> None:
    await service.publish(event(enrolled(member)))
    await service.until_known(member)
    kept = str(service.db["members"].find_one({"_id": member}))
    assert NIR not in kept
    assert CHILDS_NIR not in kept
