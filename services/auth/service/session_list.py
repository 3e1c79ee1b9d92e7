"""The member's signed-in devices: the list, closing one, closing all others."""

from collections.abc import Callable
from datetime import datetime

from services.auth.models import Session
from services.auth.schemas import SessionView
from services.auth.service.sessions import Caller, Sessions
from services.auth.store import Store
from shared.errors import NotFound, RequiredAction
from shared.mongo import Mongo, Transaction
from shared.tokens import Member


class SignedInDevices:
    """For a member with nothing left to do first; anybody else gets `RequiredAction`."""

    def __init__(self, *, mongo: Mongo, store: Store, sessions: Sessions, clock: Callable[[], datetime]) -> None:
        self._mongo, self._store, self._sessions, self._clock = mongo, store, sessions, clock

    async def view(self, member: Member) -> list[SessionView]:
        """The open sessions, newest first."""
        caller = await self._caller(member)
        found = await self._store.sessions.open_now(member.member_number, self._clock())
        return [_view(session, caller.session.session_id) for session in found]

    async def close(self, member: Member, session_id: str) -> None:
        """Close one of the member's sessions. Raises `NotFound` for anything else."""

        async def body(tx: Transaction) -> None:
            await self._caller(member, tx)
            if not await self._sessions.close_in(tx, member.member_number, [session_id]):
                raise NotFound
            await self._store.security_events.note(tx, member.member_number, "device_closed")

        await self._mongo.transaction(body)

    async def close_others(self, member: Member) -> None:
        """Close all but the one that asks."""

        async def body(tx: Transaction) -> None:
            await self._sessions.close_others(tx, await self._caller(member, tx))
            await self._store.security_events.note(tx, member.member_number, "other_devices_closed")

        await self._mongo.transaction(body)

    async def _caller(self, member: Member, tx: Transaction | None = None) -> Caller:
        caller = await self._sessions.caller(member, tx)
        if caller.required_actions:
            raise RequiredAction
        return caller


def _view(session: Session, current: str) -> SessionView:
    return SessionView(
        session_id=session.session_id,
        device_name=session.device_name,
        opened_at=session.opened_at,
        last_seen_at=session.used_at or session.opened_at,
        current=session.session_id == current,
        trusted=session.trusted,
    )
