"""Mes documents: the list, one document with what became of it, and sending one."""

import re
from collections.abc import Mapping
from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Path, Request
from starlette.responses import Response

from services.gateway import csrf
from services.gateway.drafts import Draft
from services.gateway.file_form import FileForm
from services.gateway.pages.keeping import KeptRoute
from services.gateway.pages.linked import claims_of
from services.gateway.pages.web import CheckedForm, Cursor, PageRoute, Sender, SignedIn, WebPages, see, still_sends
from services.gateway.routes import FILE_FORM_BYTES
from services.gateway.schemas.documents import DocumentDetail, DocumentPage
from services.gateway.upstream import Answer
from services.gateway.vector import vector_now
from services.gateway.web_session import WebSession
from shared.errors import FileTooLarge, NotFound, Unavailable
from shared.ids import new_id

HERE = "/documents"
SEND = f"{HERE}/envoyer"
PAGE_SIZE = 20
MAX_FIELDS_BYTES = 65_536
_KEY = re.compile(r"[0-9a-f-]{36}")

router = APIRouter(prefix=HERE, route_class=PageRoute, dependencies=[CheckedForm], include_in_schema=False)
sending = APIRouter(route_class=KeptRoute, include_in_schema=False)
"""The one form that is not read whole before it is checked: it checks its token itself."""

DocumentId = Annotated[str, Path(max_length=200)]


@router.get("")
async def documents(
    request: Request, web: WebPages, session: SignedIn, suite: Cursor = "", envoye: str = ""
) -> Response:
    """A page of the list, newest first. `envoye`: the kind of the document that was just sent."""
    after = vector_now()
    query = {"limit": str(PAGE_SIZE)} | ({"cursor": suite} if suite else {})
    answer = await web.sessions.call(request, session, "GET", "documents", "/documents", query=query)
    if not answer.ok:
        raise NotFound  # a cursor that was never ours
    page = DocumentPage.model_validate(answer.body)
    return web.page(request, "documents.html", page=page, first_page=not suite, sent=envoye, after=after)


@router.get("/envoyer")
async def send_page(request: Request, web: WebPages, session: Sender) -> Response:
    """The form."""
    return await _form(web, request, session, {"envoi": new_id()}, {})


@router.get("/{document_id:path}/fichier")  # publishers may put a slash into an id
async def download(request: Request, web: WebPages, session: SignedIn, document_id: DocumentId) -> Response:
    """The file, as it was sent or delivered."""
    return await web.sessions.download(request, session, "documents", f"{_path(document_id)}/content")


@router.get("/{document_id:path}")
async def document(request: Request, web: WebPages, session: SignedIn, document_id: DocumentId) -> Response:
    """One document: where it stands, what to do, what was sent."""
    after = vector_now()
    answer = await web.sessions.call(request, session, "GET", "documents", _path(document_id))
    if not answer.ok:
        raise NotFound
    found = DocumentDetail.model_validate(answer.body)
    settled = await claims_of(web, request, session, found)
    return web.page(request, "document.html", document=found, settled=settled, after=after)


@sending.post(SEND)
async def send(request: Request, web: WebPages) -> Response:
    """Pass the form on while it comes in; what was typed survives a refusal, the file cannot."""
    form = FileForm(request, max_bytes=FILE_FORM_BYTES, max_fields_bytes=MAX_FIELDS_BYTES)
    request.state.fields = form.fields  # known before the session is asked for: they outlive its end
    await form.read_fields()
    held = web.sessions.peek(request)
    web.csrf.check_token(request, form.fields.get(csrf.FIELD), held.member if held else None)
    session = still_sends(await web.sessions.current(request))
    typed = form.fields | {"envoi": _once(form.fields.get("envoi", ""))}
    try:
        form.check_length()
        answer = await web.sessions.send_form(
            request, session, "documents", "/documents", form=form, idempotency_key=typed["envoi"]
        )
    except FileTooLarge:
        return await _form(web, request, session, typed, {"file": FileTooLarge.code})
    except Unavailable:
        return await _form(web, request, session, typed, {"form": Unavailable.code})
    if answer.ok:
        return see(f"{HERE}?envoye={quote(str(answer.body.get('kind', '')), safe='')}")
    return await _form(web, request, session, typed, _refusals(answer))


async def show(web: WebPages, request: Request, session: WebSession, draft: Draft) -> Response:
    """The form with what was kept; the file must be chosen again."""
    still_sends(session)
    return await _form(web, request, session, draft.typed | {"envoi": _once(draft.typed.get("envoi", ""))}, {})


async def _form(
    web: WebPages, request: Request, session: WebSession, typed: Mapping[str, str], errors: Mapping[str, str]
) -> Response:
    answer = await web.sessions.call(request, session, "GET", "documents", "/documents", query={"limit": "1"})
    people = DocumentPage.model_validate(answer.body).beneficiaries
    return web.page(request, "document_send.html", 422 if errors else 200, people=people, typed=typed, errors=errors)


def _refusals(answer: Answer) -> dict[str, str]:
    """documents' errors by field of the form; the first of each field is shown."""
    errors: dict[str, str] = {}
    for error in answer.body.get("errors", []):
        errors.setdefault(str(error.get("field")), str(error.get("code")))
    return errors or {"file": answer.code}


def _once(sent: str) -> str:
    """The form's own key: pressing the button twice sends one document."""
    return sent if _KEY.fullmatch(sent) else new_id()


def _path(document_id: str) -> str:
    return f"/documents/{quote(document_id, safe='')}"
