"""The end of a session: how long is left, staying, and coming back to what was typed."""

from typing import Annotated

from fastapi import APIRouter, Form, Request
from starlette.responses import JSONResponse, Response

from services.gateway.pages.home import AFTER_SIGN_IN
from services.gateway.pages.keeping import KeptRoute, keeper
from services.gateway.pages.web import LONGEST_PATH, CheckedForm, SignedIn, WebPages, local_path, see

router = APIRouter(route_class=KeptRoute, dependencies=[CheckedForm], include_in_schema=False)


@router.get("/session/reste")
async def left(request: Request, web: WebPages) -> Response:
    """`seconds` until the session ends for want of activity, 0 without one, null if it does not end so. No activity."""
    await web.sessions.end_if_over(request)
    session = web.sessions.peek(request)
    return JSONResponse({"seconds": web.sessions.left_s(session) if session else 0})


@router.post("/session/prolonger")
async def stay(
    request: Request, web: WebPages, session: SignedIn, suite: Annotated[str, Form(max_length=LONGEST_PATH)] = ""
) -> Response:
    """The member is still there. `suite`: the page to go back to; our script stays on it."""
    web.sessions.prolong(request, session)
    return Response(status_code=204) if "x-script" in request.headers else see(local_path(suite, AFTER_SIGN_IN))


@router.post("/reprendre")
async def resume(request: Request, session: SignedIn, garde: Annotated[str, Form()] = "") -> Response:
    """A form that was kept, tried again."""
    draft = keeper(request).open(garde)
    if draft is None or draft.member != session.member:
        return see(AFTER_SIGN_IN)
    return await keeper(request).show(request, session, draft, "retried")
