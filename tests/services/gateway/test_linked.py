"""A reimbursement and its documents lead to each other, as far as the services that keep them know both."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Iterator, Mapping
from contextlib import AsyncExitStack
from html import unescape
from typing import Any
from urllib.parse import parse_qsl, unquote

import pytest

from services.gateway.pages.linked import SHOWN
from tests.services.gateway.members import KEYS, Answered, Browser
from tests.services.gateway.running import Answer, Gateway, Seen, say

pytestmark = pytest.mark.servers

CLAIM = {
    "claim_id": "R/1", "status": "paid", "date": "2026-11-20", "label": "Lunettes", "amount_cents": 700,
    "payment": {"payment_id": "P-1", "paid_on": "2026-11-20", "payee": "member", "payee_name": None},
}  # fmt: skip
DOCUMENT = {
    "document_id": "d/1", "kind": "invoice", "status": "accepted", "received_at": "2026-11-12T10:00:00Z",
    "file_name": "facture.pdf", "beneficiary": {"rank": 2, "first_name": "Hugo"}, "history": [],
}  # fmt: skip
AWAY = "Cette partie n’est pas disponible pour l’instant."


@pytest.fixture(scope="module")
def gateway() -> Iterator[Gateway]:
    """With a key that the tests seal with."""
    with Gateway(COOKIE_KEYS=KEYS) as gateway:
        yield gateway


def keeps(records: Mapping[str, Mapping[str, Any]]) -> Answer:
    """A service with these records, by the end of their path or the document they name; any other is a 404."""

    async def answer(seen: Seen, writer: asyncio.StreamWriter) -> None:
        path, _, query = seen.target.partition("?")
        named = dict(parse_qsl(query)).get("document_id")
        listed = [one for one in records.values() if named in one.get("document_ids", ())]
        found: Mapping[str, Any] | None = {"items": listed} if named else records.get(unquote(path.rpartition("/")[2]))
        status, body = ("200 OK", found) if found else ("404 Not Found", {"code": "not_found"})
        await say(writer, status, json.dumps(body).encode(), "Content-Type: application/json")

    return answer


async def shown(gateway: Gateway, path: str, **services: Answer) -> Answered:
    async with AsyncExitStack() as playing:
        for service, answer in services.items():
            await playing.enter_async_context(gateway.origin(service, answer))
        page = await Browser(gateway).get(path)
    assert page.status == 200
    return page


def links(page: Answered, to: str) -> list[tuple[str, str]]:
    """(address, text) of the links of the page's own part that lead there."""
    main = page.page.partition("<main")[2]
    found = re.findall(rf'href="(/{to}/[^"]*)">(.*?)</a>', main, re.DOTALL)
    return [(address, unescape(re.sub(r"<[^>]*>", "", text)).strip()) for address, text in found]


async def test_a_reimbursement_leads_to_the_documents_it_names(gateway: Gateway) -> None:
    named = CLAIM | {"document_ids": ["d/1", "somebody-elses", "d-2"]}
    title = {"document_id": "d-2", "status": "delivered", "title": "Attestation de soins", "beneficiary": None}
    documents = keeps({"d/1": DOCUMENT, "d-2": DOCUMENT | title})
    page = await shown(gateway, "/remboursements/R%2F1", claims=keeps({"R/1": named}), documents=documents)
    assert links(page, "documents") == [
        ("/documents/d%2F1", "Facture, Hugo"),
        ("/documents/d-2", "Attestation de soins"),
    ]
    assert "reçu le 12 novembre 2026" in page.page
    assert "Un document que ce remboursement cite n’est pas, ou n’est plus, dans « Mes documents »." in (
        page.page.replace("\N{NO-BREAK SPACE}", " ")
    )
    assert "somebody-elses" not in page.page


async def test_a_reimbursement_that_names_none_asks_for_none(gateway: Gateway) -> None:
    page = await shown(gateway, "/remboursements/R%2F1", claims=keeps({"R/1": CLAIM | {"document_ids": []}}))
    assert "Documents joints" not in page.page


async def test_of_very_many_the_first_are_asked_for_and_the_others_counted(gateway: Gateway) -> None:
    ids = [f"d-{n}" for n in range(SHOWN + 3)]
    claims, documents = keeps({"R/1": CLAIM | {"document_ids": ids}}), keeps(dict.fromkeys(ids, DOCUMENT))
    page = await shown(gateway, "/remboursements/R%2F1", claims=claims, documents=documents)
    assert len(links(page, "documents")) == SHOWN
    assert "3 autres documents, dans" in page.page


async def test_without_the_documents_service_a_reimbursement_is_still_shown(gateway: Gateway) -> None:
    page = await shown(gateway, "/remboursements/R%2F1", claims=keeps({"R/1": CLAIM | {"document_ids": ["d/1"]}}))
    assert AWAY in page.page
    assert "Lunettes" in page.page


@pytest.mark.parametrize("claims", [{"R/1": CLAIM}, {"R/1": CLAIM | {"document_ids": ["d/1"]}}])
async def test_a_document_leads_to_the_reimbursement_it_names(
    gateway: Gateway, claims: dict[str, dict[str, Any]]
) -> None:
    documents = keeps({"d/1": DOCUMENT | {"claim_id": "R/1"}})
    page = await shown(gateway, "/documents/d%2F1", documents=documents, claims=keeps(claims))
    assert links(page, "remboursements") == [("/remboursements/R%2F1", "Lunettes, 20 novembre 2026")]


async def test_a_document_leads_to_the_reimbursements_that_name_it(gateway: Gateway) -> None:
    later = CLAIM | {"claim_id": "R-2", "date": "2026-12-01", "document_ids": ["d/1"]}
    claims, documents = keeps({"R/1": CLAIM, "R-2": later}), keeps({"d/1": DOCUMENT | {"claim_id": "R/1"}})
    page = await shown(gateway, "/documents/d%2F1", documents=documents, claims=claims)
    assert [address for address, _ in links(page, "remboursements")] == [
        "/remboursements/R-2",
        "/remboursements/R%2F1",
    ]
    page = await shown(gateway, "/documents/d%2F1", documents=keeps({"d/1": DOCUMENT}), claims=claims)
    assert [address for address, _ in links(page, "remboursements")] == ["/remboursements/R-2"]


async def test_a_document_without_a_reimbursement_or_with_one_that_is_not_there_says_so(gateway: Gateway) -> None:
    documents = keeps({"d/1": DOCUMENT | {"claim_id": "R/1"}})
    unknown = await shown(gateway, "/documents/d%2F1", documents=documents, claims=keeps({}))
    assert links(unknown, "remboursements") == []
    assert "Il n’est pas encore dans" in unknown.page
    away = await shown(gateway, "/documents/d%2F1", documents=documents)
    assert links(away, "remboursements") == [("/remboursements/R%2F1", "Voir le remboursement")]
    none = await shown(gateway, "/documents/d%2F1", documents=keeps({"d/1": DOCUMENT}), claims=keeps({"R/1": CLAIM}))
    assert "Le remboursement de ce document" not in none.page
