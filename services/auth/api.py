"""The HTTP entrance: translates, decides nothing. Paths are those of the public API; the gateway passes them on."""

from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response, status

from services.auth import rules
from services.auth.challenges import Challenges
from services.auth.schemas import (
    AccountView,
    ActivationRequest,
    ActivityList,
    ChallengeView,
    ClosureRequest,
    IdentifierAnswer,
    IdentifierRequest,
    KnownDevice,
    PasswordRequest,
    PasswordResetAnswer,
    PasswordResetConfirmation,
    PasswordResetRequest,
    RefreshRequest,
    SessionList,
    SignedIn,
    SignInRequest,
    StepUpRequest,
    TokenPair,
    UndoRequest,
    UnlockRequest,
)
from services.auth.service.account import AccountReader
from services.auth.service.activity import Activity
from services.auth.service.factors import Factors
from services.auth.service.identifier_change import IdentifierChange
from services.auth.service.identifiers import Identifiers
from services.auth.service.new_devices import NewDevices
from services.auth.service.own_password import OwnPassword
from services.auth.service.passkey_sign_in import PasskeySignIn
from services.auth.service.passkeys import Passkeys
from services.auth.service.password_resets import PasswordResets
from services.auth.service.session_list import SignedInDevices
from services.auth.service.sessions import Sessions
from services.auth.service.sign_in import SignIn
from services.auth.service.step_up import StepUp
from services.auth.service.unlocks import Unlocks
from services.auth.store.security_events import current_network
from services.auth.tokens import AccessTokens
from shared.api import Cursor, Limit, NotStored
from shared.app import API_PREFIX
from shared.tokens import AnyMember, AnyToken


@dataclass(frozen=True, slots=True)
class UseCases:
    """What the endpoints call; `app.state.auth`."""

    sign_in: SignIn
    sessions: Sessions
    session_list: SignedInDevices
    new_devices: NewDevices
    step_up: StepUp
    passkey_sign_in: PasskeySignIn
    passkeys: Passkeys
    factors: Factors
    identifiers: Identifiers
    identifier_change: IdentifierChange
    own_password: OwnPassword
    challenges: Challenges
    password_resets: PasswordResets
    unlocks: Unlocks
    account: AccountReader
    activity: Activity
    access_tokens: AccessTokens


async def _use_cases(request: Request) -> UseCases:
    use_cases: UseCases = request.app.state.auth
    return use_cases


async def _client_network(request: Request) -> str:
    """Where the client is, as the gateway says: it alone reaches this port, and writes the header's last hop.

    What happens in this request is recorded as coming from there.
    """
    hops = ",".join(request.headers.getlist("x-forwarded-for")).split(",")
    peer = request.client.host if request.client else ""
    network = rules.network_of(hops[-1].strip() or peer)
    current_network.set(network)
    return network


Auth = Annotated[UseCases, Depends(_use_cases)]
ClientNetwork = Annotated[str, Depends(_client_network)]

FOR_MEMBERS = [NotStored, Depends(_client_network)]
"""On every router of the public API."""

router = APIRouter(prefix=API_PREFIX, dependencies=FOR_MEMBERS)
keys_router = APIRouter()


@router.post("/session")
async def sign_in(auth: Auth, request: SignInRequest, network: ClientNetwork) -> SignedIn:
    """Sign in with an identifier and a password."""
    return await auth.sign_in.sign_in(request, network)


@router.post("/session/refresh")
async def refresh(auth: Auth, request: RefreshRequest) -> TokenPair:
    """A new pair of tokens; also how a client learns that a required action is done."""
    return await auth.sessions.refresh(request.refresh_token.get_secret_value())


@router.delete("/session", status_code=status.HTTP_204_NO_CONTENT)
async def sign_out(auth: Auth, member: AnyToken) -> None:
    """Close the session of the token."""
    await auth.sessions.close(member.member_number, member.session_id)


@router.get("/sessions")
async def sessions(auth: Auth, member: AnyMember) -> SessionList:
    """The member's signed-in devices, newest first."""
    return SessionList(items=await auth.session_list.view(member))


@router.delete("/sessions/{session_id}", status_code=status.HTTP_204_NO_CONTENT)
async def close_session(auth: Auth, member: AnyMember, session_id: str) -> None:
    """Close one of them, the one of the token included."""
    await auth.session_list.close(member, session_id)


@router.delete("/sessions", status_code=status.HTTP_204_NO_CONTENT)
async def close_other_sessions(auth: Auth, member: AnyMember) -> None:
    """Close all but the one of the token."""
    await auth.session_list.close_others(member)


@router.post("/sessions/closures", status_code=status.HTTP_204_NO_CONTENT)
async def close_new_device(auth: Auth, request: ClosureRequest) -> None:
    """Press the button of the mail about a new device: its sessions are closed, it is forgotten, a reset starts."""
    await auth.new_devices.close(request.token.get_secret_value())


@router.post("/session/step-up", status_code=status.HTTP_204_NO_CONTENT)
async def confirm_session(auth: Auth, member: AnyMember, request: StepUpRequest) -> None:
    """Confirm again who one is: for some minutes this session may do what needs that (403 `step_up_required`)."""
    await auth.step_up.confirm(member, request)


@router.get("/activity")
async def activity(auth: Auth, member: AnyMember, limit: Limit = 20, cursor: Cursor = None) -> ActivityList:
    """What happened to the account: sign-ins, failures, changes."""
    return await auth.activity.view(member, limit, cursor)


@router.get("/account")
async def account(auth: Auth, member: AnyMember) -> AccountView:
    """The member's own account."""
    return await auth.account.view(member)


@router.post("/account/identifier", responses={202: {"model": IdentifierAnswer}})
async def choose_identifier(
    auth: Auth, member: AnyMember, request: IdentifierRequest, response: Response
) -> IdentifierAnswer:
    """Choose or change the identifier: 200 for the member number, 202 for an address that awaits its activation.

    After the first choice the session must be confirmed (403 `step_up_required`), and every other one ends.
    """
    outcome = await auth.identifiers.choose(member, request)
    if outcome == "activation_sent":
        response.status_code = status.HTTP_202_ACCEPTED
    return IdentifierAnswer(status=outcome)


@router.post("/account/identifier/activation")
async def activate_identifier(auth: Auth, request: ActivationRequest) -> IdentifierAnswer:
    """Press the button of a mailed link. Opens no session."""
    await auth.identifiers.activate(request.token.get_secret_value())
    return IdentifierAnswer(status="active")


@router.post("/account/identifier/activation/resend", status_code=status.HTTP_202_ACCEPTED)
async def resend_activation(auth: Auth, member: AnyMember) -> IdentifierAnswer:
    """Mail one more link of the pending request."""
    await auth.identifiers.resend(member)
    return IdentifierAnswer(status="activation_sent")


@router.delete("/account/identifier/activation", status_code=status.HTTP_204_NO_CONTENT)
async def give_up_identifier_change(auth: Auth, member: AnyMember) -> None:
    """Give up an address that awaits its activation: its links are void, nothing changes."""
    await auth.identifiers.give_up(member)


@router.post("/account/identifier/undo")
async def undo_identifier_change(auth: Auth, request: UndoRequest) -> IdentifierAnswer:
    """Press the button of the link that the old address was mailed. Opens no session and closes every other."""
    await auth.identifier_change.undo(request.token.get_secret_value())
    return IdentifierAnswer(status="active")


@router.post("/account/password", status_code=status.HTTP_204_NO_CONTENT)
async def change_password(auth: Auth, member: AnyMember, request: PasswordRequest) -> None:
    """Set a new password; the member's other sessions are closed."""
    await auth.own_password.change(member, request)


@router.get("/challenges")
async def challenge(auth: Auth) -> ChallengeView:
    """A proof of work (ALTCHA), to be solved within five minutes and sent with the request that asks for it."""
    return auth.challenges.new()


@router.post("/password-resets", status_code=status.HTTP_202_ACCEPTED)
async def ask_password_reset(auth: Auth, request: PasswordResetRequest, network: ClientNetwork) -> PasswordResetAnswer:
    """Ask for a mail with a link, or a letter with a temporary password. The answer is the same for everybody.

    422 `challenge_failed`: the answer to the challenge is wrong, late or was used; or there is none, and the network
    has had its request of this hour without one. It says nothing of who was meant.
    """
    await auth.password_resets.ask(request, network)
    return PasswordResetAnswer()


@router.post("/password-resets/confirmation")
async def confirm_password_reset(auth: Auth, request: PasswordResetConfirmation) -> KnownDevice:
    """Set the new password with a mailed link. Opens no session and closes every other."""
    return KnownDevice(device_token=await auth.password_resets.confirm(request))


@router.post("/unlocks")
async def unlock(auth: Auth, request: UnlockRequest) -> KnownDevice:
    """Lift the blocks of failed sign-ins with a mailed link. Opens no session; this device is known from then on."""
    return KnownDevice(device_token=await auth.unlocks.unlock(request.token.get_secret_value()))


@keys_router.get("/.well-known/jwks.json")
async def signing_keys(auth: Auth, response: Response) -> dict[str, Any]:
    """The public keys of access tokens (RFC 7517)."""
    response.headers["cache-control"] = "max-age=300"
    return auth.access_tokens.jwks
