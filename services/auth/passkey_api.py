"""The HTTP entrance to passkeys: signing in, confirming, adding, naming, removing."""

from fastapi import APIRouter, status

from services.auth.api import FOR_MEMBERS, Auth
from services.auth.passkey_schemas import (
    NewPasskey,
    PasskeyList,
    PasskeyName,
    PasskeyOptions,
    PasskeySignInRequest,
    PasskeyView,
)
from services.auth.schemas import SignedIn
from shared.app import API_PREFIX
from shared.tokens import AnyMember

router = APIRouter(prefix=API_PREFIX, dependencies=FOR_MEMBERS)


@router.post("/session/passkey/options")
async def passkey_sign_in_options(auth: Auth) -> PasskeyOptions:
    """What a browser needs to sign in with a passkey: the same for everybody."""
    return PasskeyOptions(public_key=auth.passkey_sign_in.options())


@router.post("/session/passkey")
async def sign_in_with_passkey(auth: Auth, request: PasskeySignInRequest) -> SignedIn:
    """Sign in with a passkey. 401 `passkey_refused`, whatever is wrong with it."""
    return await auth.passkey_sign_in.sign_in(request)


@router.post("/session/step-up/options")
async def step_up_options(auth: Auth, member: AnyMember) -> PasskeyOptions:
    """What a browser needs to confirm this session with a passkey; 404 for a member who has none."""
    return PasskeyOptions(public_key=await auth.step_up.options(member))


@router.get("/account/passkeys")
async def passkeys(auth: Auth, member: AnyMember) -> PasskeyList:
    """The member's passkeys, oldest first."""
    return PasskeyList(items=await auth.passkeys.view(member))


@router.post("/account/passkeys/options")
async def new_passkey_options(auth: Auth, member: AnyMember) -> PasskeyOptions:
    """What a browser needs to make a passkey. 403 `step_up_required`, 409 `too_many_passkeys` from the 10th on."""
    return PasskeyOptions(public_key=await auth.passkeys.options(member))


@router.post("/account/passkeys", status_code=status.HTTP_201_CREATED)
async def add_passkey(auth: Auth, member: AnyMember, request: NewPasskey) -> PasskeyView:
    """Add a passkey, in a confirmed session; the member is mailed. 422 `passkey_refused` if it cannot be taken."""
    return await auth.passkeys.add(member, request)


@router.post("/account/passkeys/not-now", status_code=status.HTTP_204_NO_CONTENT)
async def put_passkeys_off(auth: Auth, member: AnyMember) -> None:
    """« Plus tard »: `offer_passkey` of the account is false from now on."""
    await auth.passkeys.not_now(member)


@router.patch("/account/passkeys/{passkey_id}")
async def rename_passkey(auth: Auth, member: AnyMember, passkey_id: str, request: PasskeyName) -> PasskeyView:
    """Call a passkey otherwise: at most 60 characters, words only."""
    return await auth.passkeys.rename(member, passkey_id, request)


@router.delete("/account/passkeys/{passkey_id}", status_code=status.HTTP_204_NO_CONTENT)
async def remove_passkey(auth: Auth, member: AnyMember, passkey_id: str) -> None:
    """Remove a passkey, in a confirmed session; what it opened elsewhere is closed."""
    await auth.passkeys.remove(member, passkey_id)
