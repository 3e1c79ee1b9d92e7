"""The HTTP entrance to the second factor."""

from fastapi import APIRouter, Response, status

from services.auth.api import FOR_MEMBERS, Auth
from services.auth.factor_schemas import (
    RecoveryCodes,
    RecoveryCodesView,
    SecondFactorRequest,
    TotpRequest,
    TotpSetup,
    TotpView,
)
from shared.app import API_PREFIX
from shared.tokens import AnyMember, AnyToken

router = APIRouter(prefix=API_PREFIX, dependencies=FOR_MEMBERS)


@router.post("/session/second-factor", status_code=status.HTTP_204_NO_CONTENT)
async def complete_sign_in(auth: Auth, member: AnyToken, request: SecondFactorRequest) -> None:
    """Complete a sign-in whose `required_actions` hold `second_factor`; the next refresh gives a token without it.

    422 `wrong_code`, then 429 `too_many_requests` with `Retry-After`; both with `attempts_left`.
    """
    await auth.factors.sign_in.complete(member, request)


@router.get("/account/totp")
async def totp(auth: Auth, member: AnyMember) -> TotpView:
    """Whether an authenticator app is asked for at each sign-in."""
    return await auth.factors.authenticator.view(member)


@router.post("/account/totp", responses={201: {"model": TotpSetup}})
async def turn_totp_on(
    auth: Auth, member: AnyMember, request: TotpRequest, response: Response
) -> TotpSetup | RecoveryCodes:
    """Without a code, 201: the secret, good for ten minutes. With one, 200: it is on, and the recovery codes once.

    Needs a confirmed session (403 `step_up_required`). 409 `totp_not_begun`; 422 `wrong_code`.
    """
    if request.code is None:
        response.status_code = status.HTTP_201_CREATED
        return await auth.factors.authenticator.begin(member)
    return await auth.factors.authenticator.confirm(member, request.code.get_secret_value())


@router.delete("/account/totp", status_code=status.HTTP_204_NO_CONTENT)
async def turn_totp_off(auth: Auth, member: AnyMember) -> None:
    """The password alone again. Needs a confirmed session. 409 `password_too_short`: choose a longer one first."""
    await auth.factors.authenticator.turn_off(member)


@router.get("/account/recovery-codes")
async def recovery_codes(auth: Auth, member: AnyMember) -> RecoveryCodesView:
    """How many are left."""
    return await auth.factors.authenticator.codes_left(member)


@router.post("/account/recovery-codes")
async def new_recovery_codes(auth: Auth, member: AnyMember) -> RecoveryCodes:
    """Ten new ones, shown this once; those from before are void. Needs a confirmed session."""
    return await auth.factors.authenticator.new_codes(member)
