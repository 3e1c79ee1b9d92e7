"""What a reimbursement and a document say of each other, asked of the services that know: the id alone is no name."""

import asyncio
from dataclasses import dataclass
from functools import partial
from typing import Final
from urllib.parse import quote

from fastapi import Request

from services.gateway.pages.web import Web
from services.gateway.schemas.documents import DocumentDetail
from services.gateway.schemas.reimbursements import Reimbursement, ReimbursementDetail, ReimbursementPage
from services.gateway.web_session import WebSession
from shared.errors import Unavailable

SHOWN: Final = 12
"""Of one record, that are asked for; a claim may name a hundred documents."""


@dataclass(frozen=True, slots=True)
class Named:
    """The documents that a reimbursement names, as far as the member has them.

    `unknown`: how many they have not, or not any more; `not_asked`: how many there are beyond those. `away`: the
    documents cannot be asked for now.
    """

    known: tuple[DocumentDetail, ...] = ()
    unknown: int = 0
    not_asked: int = 0
    away: bool = False


@dataclass(frozen=True, slots=True)
class Settled:
    """The reimbursements that a document belongs to, newest first: those that name it, and the one that it names.

    `unknown`: the id of that one, where the member has none of it. `away`: they cannot be asked for now.
    """

    claims: tuple[Reimbursement, ...] = ()
    unknown: str = ""
    away: bool = False


async def documents_of(web: Web, request: Request, session: WebSession, claim: ReimbursementDetail) -> Named:
    """The documents that `claim` names, in its order."""
    asked = claim.document_ids[:SHOWN]
    ask = partial(web.sessions.call, request, session, "GET", "documents")
    try:
        answers = await asyncio.gather(*(ask(f"/documents/{quote(one, safe='')}") for one in asked))
    except Unavailable:
        return Named(away=True)
    known = tuple(DocumentDetail.model_validate(answer.body) for answer in answers if answer.ok)
    return Named(known, len(asked) - len(known), len(claim.document_ids) - len(asked))


async def claims_of(web: Web, request: Request, session: WebSession, document: DocumentDetail) -> Settled:
    """The reimbursements of `document`."""
    ask = partial(web.sessions.call, request, session, "GET", "claims")
    try:
        answer = await ask("/reimbursements", query={"document_id": document.document_id, "limit": str(SHOWN)})
        claims = ReimbursementPage.model_validate(answer.body).items if answer.ok else ()
        if document.claim_id is None or document.claim_id in {one.claim_id for one in claims}:
            return Settled(claims)
        answer = await ask(f"/reimbursements/{quote(document.claim_id, safe='')}")
    except Unavailable:
        return Settled(away=True)
    if not answer.ok:
        return Settled(claims, unknown=document.claim_id)
    also = ReimbursementDetail.model_validate(answer.body)
    return Settled(tuple(sorted((*claims, also), key=lambda one: one.date, reverse=True)))
