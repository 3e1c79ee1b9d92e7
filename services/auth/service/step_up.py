"""Confirming again who one is, before what must not be done from a session that was left open."""

from collections.abc import Callable
from datetime import datetime, timedelta

from services.auth.schemas import StepUpRequest
from services.auth.service.password_proof import PasswordProof
from services.auth.service.sessions import Sessions
from services.auth.store import Store
from shared.errors import RequiredAction
from shared.tokens import Member


class StepUp:
    """Whichever way it was done, the session's row says until when it counts."""

    def __init__(
        self,
        *,
        store: Store,
        sessions: Sessions,
        proof: PasswordProof,
        lasts: timedelta,
        clock: Callable[[], datetime],
    ) -> None:
        self._store, self._sessions, self._proof = store, sessions, proof
        self._lasts, self._clock = lasts, clock

    async def confirm(self, member: Member, request: StepUpRequest) -> None:
        """By the password in force. Raises `WrongPassword`, `TooManyRequests`, `RequiredAction` while one is due."""
        caller = await self._sessions.caller(member)
        if caller.required_actions:
            raise RequiredAction
        await self._proof.prove(caller.account, request.password.get_secret_value(), field="password")
        await self._store.sessions.confirm(caller.session.session_id, self._clock() + self._lasts)
