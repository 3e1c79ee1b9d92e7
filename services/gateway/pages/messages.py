"""Mes messages: the threads with the management centre, one thread, and writing."""

import re
from collections.abc import Mapping
from typing import Annotated, Any
from urllib.parse import quote, unquote

from fastapi import APIRouter, Form, Path, Request
from pydantic import BaseModel, Field
from starlette.responses import Response

from services.gateway.drafts import Draft
from services.gateway.pages.keeping import KeptRoute
from services.gateway.pages.web import CheckedForm, Cursor, Sender, SignedIn, WebPages, see, still_sends
from services.gateway.schemas.messages import ThreadDetail, ThreadPage
from services.gateway.upstream import Answer, Json
from services.gateway.vector import vector_now
from services.gateway.web_session import WebSession
from shared.errors import Conflict, Invalid, NotFound, TooManyRequests, Unavailable
from shared.ids import new_id

HERE = "/messages"
PAGE_SIZE = 20
CATEGORIES = ("reimbursement", "card", "contract", "quote", "personal_details", "other")
_KEY = re.compile(r"[0-9a-f-]{36}")

router = APIRouter(prefix=HERE, route_class=KeptRoute, dependencies=[CheckedForm], include_in_schema=False)

ThreadId = Annotated[str, Path(max_length=128)]


class Typed(BaseModel):
    """The form as typed. `once` is the form's own key: pressing the button twice sends one message."""

    category: str = ""
    subject: str = ""
    text: str = ""
    once: str = Field(default_factory=new_id)

    @property
    def key(self) -> str:
        """`once`, unless somebody changed it into something else."""
        return self.once if _KEY.fullmatch(self.once) else new_id()


@router.get("")
async def threads(request: Request, web: WebPages, session: SignedIn, suite: Cursor = "") -> Response:
    """A page of the list, newest activity first. `suite` is the cursor of the page before."""
    after = vector_now()
    query = {"limit": str(PAGE_SIZE)} | ({"cursor": suite} if suite else {})
    answer = await web.sessions.call(request, session, "GET", "notifications", "/messages", query=query)
    if not answer.ok:
        raise NotFound  # a cursor that was never ours
    page = ThreadPage.model_validate(answer.body)
    return web.page(request, "messages.html", page=page, first_page=not suite, after=after)


@router.get("/nouveau")
async def new(request: Request, web: WebPages, _session: Sender) -> Response:
    """The form of a first message."""
    return _form(web, request, Typed())


@router.post("/nouveau")
async def write(request: Request, web: WebPages, session: Sender, typed: Annotated[Typed, Form()]) -> Response:
    """Send a first message; what was typed survives a refusal."""
    answer, errors = await _send(web, request, session, "/messages", typed, with_topic=True)
    if errors:
        return _form(web, request, typed, errors)
    return see(f"{HERE}/{quote(str(answer.body['thread_id']), safe='')}?envoye=1")


@router.get("/{thread_id}")
async def thread(
    request: Request, web: WebPages, session: SignedIn, thread_id: ThreadId, envoye: bool = False
) -> Response:
    """One thread, which grows while it is open, and the form to reply. `envoye`: a message has just left."""
    return await _thread(web, request, session, thread_id, typed=Typed(), sent=envoye)


@router.post("/{thread_id}")
async def reply(
    request: Request, web: WebPages, session: Sender, thread_id: ThreadId, typed: Annotated[Typed, Form()]
) -> Response:
    """Send a reply. To a thread that was closed meanwhile: the same text, ready to go as a new message."""
    answer, errors = await _send(web, request, session, f"{_path(thread_id)}/replies", typed, with_topic=False)
    if not errors:
        return see(f"{HERE}/{quote(thread_id, safe='')}?envoye=1")
    if answer.status == Conflict.status:
        closed = await _read(web, request, session, thread_id)
        again = Typed(category=closed.category, subject=closed.subject, text=typed.text)
        return _form(web, request, again, errors)
    return await _thread(web, request, session, thread_id, typed=typed, errors=errors)


async def show_new(web: WebPages, request: Request, session: WebSession, draft: Draft) -> Response:
    """The form of a first message with a text that was kept."""
    still_sends(session)
    return _form(web, request, Typed.model_validate(draft.typed))


async def show_reply(web: WebPages, request: Request, session: WebSession, draft: Draft) -> Response:
    """The thread with a reply that was kept; the form of a new message if it was closed meanwhile."""
    still_sends(session)
    thread_id = unquote(draft.action.removeprefix(f"{HERE}/"))
    found, typed = await _read(web, request, session, thread_id), Typed.model_validate(draft.typed)
    if found.can_reply:
        return await _thread(web, request, session, thread_id, typed=typed)
    again = Typed(category=found.category, subject=found.subject, text=typed.text)
    return _form(web, request, again, {"form": "thread_closed"})


async def _send(
    web: WebPages, request: Request, session: WebSession, path: str, typed: Typed, *, with_topic: bool
) -> tuple[Answer, dict[str, str]]:
    """The answer, and what was refused: field of the form (or `form`) → code. Raises `NotFound`."""
    body: Json = typed.model_dump(include={"text", "category", "subject"} if with_topic else {"text"})
    try:
        answer = await web.sessions.call(
            request, session, "POST", "notifications", path, body=body, idempotency_key=typed.key
        )
    except Unavailable as error:
        return Answer(error.status, {}), {"form": error.code}
    if answer.status == NotFound.status:
        raise NotFound
    return answer, {} if answer.ok else _refusals(answer)


def _refusals(answer: Answer) -> dict[str, str]:
    """The first error of each field; without any, the problem's own code."""
    errors: dict[str, str] = {}
    for error in answer.body.get("errors", []):
        errors.setdefault(str(error.get("field")), str(error.get("code")))
    return errors or {"form": answer.code}


async def _thread(
    web: WebPages,
    request: Request,
    session: WebSession,
    thread_id: str,
    *,
    typed: Typed,
    errors: Mapping[str, str] | None = None,
    sent: bool = False,
) -> Response:
    after = vector_now()
    found = await _read(web, request, session, thread_id)
    context: dict[str, Any] = {"thread": found, "typed": typed, "errors": errors or {}, "sent": sent, "after": after}
    return web.page(request, "message_thread.html", _status(errors), **context)


async def _read(web: WebPages, request: Request, session: WebSession, thread_id: str) -> ThreadDetail:
    answer = await web.sessions.call(request, session, "GET", "notifications", _path(thread_id))
    if not answer.ok:
        raise NotFound
    return ThreadDetail.model_validate(answer.body)


def _form(web: WebPages, request: Request, typed: Typed, errors: Mapping[str, str] | None = None) -> Response:
    return web.page(
        request, "message_new.html", _status(errors), typed=typed, errors=errors or {}, categories=CATEGORIES
    )


def _status(errors: Mapping[str, str] | None) -> int:
    """Of the page that shows `errors`."""
    by_code = {problem.code: problem.status for problem in (Unavailable, TooManyRequests)}
    return by_code.get((errors or {}).get("form", ""), Invalid.status) if errors else 200


def _path(thread_id: str) -> str:
    return f"/messages/{quote(thread_id, safe='')}"
