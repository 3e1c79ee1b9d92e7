"""Confirming again who one is, before what must not be done from a session that was left open."""

from collections.abc import Callable
from datetime import datetime, timedelta

from services.auth.models import Account, Passkey
from services.auth.passkey_challenges import step_up_of
from services.auth.passkeys import Ceremonies
from services.auth.schemas import Credential, Options, StepUpRequest
from services.auth.service.passkey_proof import PasskeyProof
from services.auth.service.password_proof import PasswordProof
from services.auth.service.sessions import Caller, Sessions
from services.auth.store import Store
from shared.errors import NotFound, RequiredAction
from shared.mongo import Transaction
from shared.tokens import Member


class StepUp:
    """Whichever way it was done, the session's row says until when it counts."""

    def __init__(
        self,
        *,
        store: Store,
        sessions: Sessions,
        proof: PasswordProof,
        passkey_proof: PasskeyProof,
        ceremonies: Ceremonies,
        lasts: timedelta,
        clock: Callable[[], datetime],
    ) -> None:
        self._store, self._sessions, self._proof = store, sessions, proof
        self._passkey_proof, self._ceremonies = passkey_proof, ceremonies
        self._lasts, self._clock = lasts, clock

    async def options(self, member: Member) -> Options:
        """What a device needs to confirm this session by a passkey of the member's. `NotFound` if they have none."""
        caller = await self._caller(member)
        passkeys = await self._store.passkeys.of_member(member.member_number)
        if not passkeys:
            raise NotFound
        return self._ceremonies.to_sign(step_up_of(caller.session.session_id), passkeys)

    async def confirm(self, member: Member, request: StepUpRequest) -> None:
        """By the password in force, or by a passkey.

        Raises `WrongPassword`, `TooManyRequests`; `PasskeyRefused`; `RequiredAction` while one is due.
        """
        caller = await self._caller(member)
        if request.passkey is not None:
            await self._by_passkey(caller, request.passkey)
        elif request.password is not None:
            await self._proof.prove(caller.account, request.password.get_secret_value(), field="password")
        await self._store.sessions.confirm(caller.session.session_id, self._clock() + self._lasts)

    async def _by_passkey(self, caller: Caller, credential: Credential) -> None:
        async def then(_tx: Transaction, _account: Account, _passkey: Passkey) -> None:
            """That it signed is all."""

        purpose, number = step_up_of(caller.session.session_id), caller.account.member_number
        await self._passkey_proof.prove(credential, purpose, then, member_number=number)

    async def _caller(self, member: Member) -> Caller:
        caller = await self._sessions.caller(member)
        if caller.required_actions:
            raise RequiredAction
        return caller
