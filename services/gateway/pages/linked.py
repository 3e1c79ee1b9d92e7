"""What a reimbursement and a document say of each other, asked of the services that know: the id alone is no name."""

import asyncio
from dataclasses import dataclass
from functools import partial
from typing import Final
from urllib.parse import quote

from fastapi import Request

from services.gateway.pages.web import Web
from services.gateway.schemas.documents import DocumentDetail
from services.gateway.schemas.reimbursements import ReimbursementDetail
from services.gateway.web_session import WebSession
from shared.errors import Unavailable

SHOWN: Final = 12
"""Documents of one reimbursement that are asked for; a claim may name a hundred."""


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
    """The reimbursement that a document belongs to; `claim` is None where the member has none of that id, or `away`."""

    claim_id: str
    claim: ReimbursementDetail | None = None
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


async def claim_of(web: Web, request: Request, session: WebSession, document: DocumentDetail) -> Settled | None:
    """The reimbursement that `document` names; None where it names none."""
    if document.claim_id is None:
        return None
    try:
        path = f"/reimbursements/{quote(document.claim_id, safe='')}"
        answer = await web.sessions.call(request, session, "GET", "claims", path)
    except Unavailable:
        return Settled(document.claim_id, away=True)
    return Settled(document.claim_id, ReimbursementDetail.model_validate(answer.body) if answer.ok else None)
