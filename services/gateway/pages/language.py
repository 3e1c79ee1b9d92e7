"""The choice of a language: kept by the browser as long as its session cookies, signed in or not."""

from typing import Annotated

from fastapi import APIRouter, Form, Request
from starlette.responses import Response

from services.gateway.pages import words
from services.gateway.pages.web import CheckedForm, PageRoute, WebPages, local_path, see
from services.gateway.pages.words import Language

router = APIRouter(route_class=PageRoute, dependencies=[CheckedForm], include_in_schema=False)


@router.post("/langue")
async def choose(
    request: Request, web: WebPages, langue: Annotated[Language, Form()], page: Annotated[str, Form()] = "/"
) -> Response:
    """The same page in another language."""
    web.cookies.set(request, words.COOKIE, langue)
    return see(local_path(page, "/"))
