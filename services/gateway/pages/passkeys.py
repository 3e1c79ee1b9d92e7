"""Mes clés d'accès: the list, a new one, another name, removing one; and what a sign-in with one begins with."""

from datetime import timedelta
from typing import Annotated, Any, Final
from uuid import UUID

from fastapi import APIRouter, Form, Request
from pydantic import BaseModel, Field
from starlette.responses import JSONResponse, Response

from services.gateway.device_names import device_name
from services.gateway.drafts import Draft
from services.gateway.pages.home import AFTER_SIGN_IN
from services.gateway.pages.keeping import KeptRoute
from services.gateway.pages.passwords import field_errors
from services.gateway.pages.web import CONFIRM, CheckedForm, PageRoute, SignedIn, Web, WebPages, see
from services.gateway.passkeys import credential
from services.gateway.schemas.account import Account, Passkey, Passkeys
from services.gateway.upstream import Answer, Json
from services.gateway.web_session import WebSession
from shared import clock
from shared.errors import Conflict, Malformed, NotFound, RequiredAction, StepUpRequired

HERE: Final = "/compte/cles-d-acces"
ADD: Final = f"{HERE}/ajouter"
LONGEST_NAME: Final = 60
"""auth's own bound."""

router = APIRouter(prefix=HERE, route_class=KeptRoute, dependencies=[CheckedForm], include_in_schema=False)
challenges = APIRouter(route_class=PageRoute, include_in_schema=False)
"""What a script asks for when a button is pressed: it changes nothing, so it is asked by GET."""


class Naming(BaseModel):
    """A name as typed."""

    nom: str = Field("", max_length=500)

    @property
    def errors(self) -> dict[str, str]:
        """What can be seen without asking auth."""
        if not self.nom.strip():
            return {"nom": "required"}
        return {"nom": "too_long"} if len(self.nom.strip()) > LONGEST_NAME else {}


class Making(BaseModel):
    """`cle`: what the browser's script put there. By then the device has it: no name keeps it from being taken."""

    nom: str = Field("", max_length=500)
    cle: str = Field("", repr=False)


@challenges.get("/cle-d-acces/options")
async def sign_in_options(request: Request, web: WebPages) -> Response:
    """For signing in: the same for everybody."""
    return _options(await web.sessions.anonymous(request, "POST", "/session/passkey/options", {}))


@challenges.get(f"{CONFIRM}/options")
async def step_up_options(request: Request, web: WebPages, session: SignedIn) -> Response:
    """For confirming who one is."""
    return _options(await web.sessions.call(request, session, "POST", "auth", "/session/step-up/options"))


@challenges.get(f"{HERE}/options")
async def creation_options(request: Request, web: WebPages, session: SignedIn) -> Response:
    """For a new one."""
    return _options(await web.sessions.call(request, session, "POST", "auth", "/account/passkeys/options"))


def _options(answer: Answer) -> Response:
    if not answer.ok:
        raise NotFound if answer.status == NotFound.status else Malformed
    return JSONResponse(answer.body)


@router.get("")
async def passkeys(request: Request, web: WebPages, session: SignedIn, fait: str = "") -> Response:
    """The list as it is now. `fait`: what was just done."""
    return await _listed(web, request, session, done=fait)


async def show_list(web: Web, request: Request, session: WebSession, _draft: Draft) -> Response:
    """The list after a button that could not be taken."""
    return await _listed(web, request, session)


async def _listed(web: Web, request: Request, session: WebSession, *, done: str = "") -> Response:
    items, today = await _all(web, request, session), clock.day_in_france(clock.now())
    days = (today, today - timedelta(days=1))
    return web.page(request, "passkeys.html", passkeys=items, done=done, days=days)


@router.post("/plus-tard")
async def not_now(request: Request, web: WebPages, session: SignedIn) -> Response:
    """The offer is not made again."""
    await web.sessions.call(request, session, "POST", "auth", "/account/passkeys/not-now")
    return see(AFTER_SIGN_IN)


@router.get("/ajouter")
async def adding(request: Request, web: WebPages, session: SignedIn) -> Response:
    """The form, once the password or a passkey was asked again. It proposes what this device is called."""
    await _confirmed(web, request, session)
    name = device_name(request.headers.get("user-agent", ""), web.says(request))
    return _form(web, request, name)


@router.post("/ajouter")
async def add(request: Request, web: WebPages, session: SignedIn, typed: Annotated[Making, Form()]) -> Response:
    """Keep what the device made."""
    name = typed.nom.strip()[:LONGEST_NAME]
    if not typed.cle:
        await _confirmed(web, request, session)
        return _form(web, request, name, refused=True)
    body: Json = {"credential": credential(typed.cle), "name": name}
    answer = await web.sessions.call(request, session, "POST", "auth", "/account/passkeys", body=body)
    if answer.ok:
        return see(f"{HERE}?fait=ajout")
    if answer.status == Conflict.status:
        return see(f"{HERE}?fait=trop")
    return _form(web, request, name, refused=True)


async def show_adding(web: Web, request: Request, _session: WebSession, draft: Draft) -> Response:
    """The form with the name that was kept; the passkey is made again."""
    return _form(web, request, draft.typed.get("nom", ""))


@router.get("/{passkey_id}")
async def passkey(request: Request, web: WebPages, session: SignedIn, passkey_id: UUID) -> Response:
    """One of them, to be named otherwise or removed."""
    found = await _one(web, request, session, passkey_id)
    return _naming(web, request, found, found.name)


@router.post("/{passkey_id}")
async def rename(
    request: Request, web: WebPages, session: SignedIn, passkey_id: UUID, typed: Annotated[Naming, Form()]
) -> Response:
    """Another name."""
    errors = typed.errors
    if not errors:
        body: Json = {"name": typed.nom.strip()}
        answer = await web.sessions.call(
            request, session, "PATCH", "auth", f"/account/passkeys/{passkey_id}", body=body
        )
        if answer.ok:
            return see(f"{HERE}?fait=nom")
        if answer.status == NotFound.status:
            raise NotFound
        errors = field_errors(answer, {"name": "nom"}, "nom")
    return _naming(web, request, await _one(web, request, session, passkey_id), typed.nom, errors)


async def show_naming(web: Web, request: Request, session: WebSession, draft: Draft) -> Response:
    """The form with the name that was kept."""
    found = await _one(web, request, session, UUID(draft.action.rpartition("/")[2]))
    return _naming(web, request, found, draft.typed.get("nom", ""))


@router.get("/{passkey_id}/supprimer")
async def removing(request: Request, web: WebPages, session: SignedIn, passkey_id: UUID) -> Response:
    """Whether it is meant, once the password or a passkey was asked again."""
    await _confirmed(web, request, session)
    return web.page(request, "passkey_remove.html", passkey=await _one(web, request, session, passkey_id))


@router.post("/{passkey_id}/supprimer")
async def remove(request: Request, web: WebPages, session: SignedIn, passkey_id: UUID) -> Response:
    """Remove it; one that is gone already is gone."""
    answer = await web.sessions.call(request, session, "DELETE", "auth", f"/account/passkeys/{passkey_id}")
    if not answer.ok and answer.status != NotFound.status:
        raise Malformed
    return see(f"{HERE}?fait=suppression")


async def _all(web: Web, request: Request, session: WebSession) -> tuple[Passkey, ...]:
    answer = await web.sessions.call(request, session, "GET", "auth", "/account/passkeys")
    return Passkeys.model_validate(answer.body).items


async def _one(web: Web, request: Request, session: WebSession, passkey_id: UUID) -> Passkey:
    for found in await _all(web, request, session):
        if found.passkey_id == str(passkey_id):
            return found
    raise NotFound


async def _confirmed(web: Web, request: Request, session: WebSession) -> None:
    answer = await web.sessions.call(request, session, "GET", "auth", "/account")
    account = Account.model_validate(answer.body)
    if account.required_actions:
        raise RequiredAction
    if account.confirmed_until is None or account.confirmed_until <= clock.now():
        raise StepUpRequired


def _form(web: Web, request: Request, name: str, *, refused: bool = False) -> Response:
    return web.page(request, "passkey_add.html", 422 if refused else 200, name=name, refused=refused)


def _naming(web: Web, request: Request, passkey: Passkey, name: str, errors: dict[str, str] | None = None) -> Response:
    context: dict[str, Any] = {"passkey": passkey, "name": name, "errors": errors or {}}
    return web.page(request, "passkey.html", 422 if errors else 200, **context)
