"""What happened to the account lately, as its member may read it."""

from datetime import datetime

from services.auth.models import SecurityEvent
from services.auth.schemas import ActivityEvent, ActivityList
from services.auth.service.sessions import Sessions
from services.auth.store import Store
from shared.api import list_cursor, list_position
from shared.errors import RequiredAction
from shared.tokens import Member


class Activity:
    """Reads the record of security events, never changes it."""

    def __init__(self, store: Store, sessions: Sessions) -> None:
        self._store, self._sessions = store, sessions

    async def view(self, member: Member, limit: int, cursor: str | None) -> ActivityList:
        """Newest first. Raises `RequiredAction` for a member who must do something else first."""
        caller = await self._sessions.caller(member)
        if caller.required_actions:
            raise RequiredAction
        before = list_position(cursor, datetime)[1] if cursor else None
        found = await self._store.security_events.of_account(caller.account, before, limit + 1)
        shown = found[:limit]
        more = list_cursor(shown[-1].at.isoformat(), shown[-1].id) if len(found) > limit else None
        return ActivityList(items=[_view(event) for event in shown], next_cursor=more)


def _view(event: SecurityEvent) -> ActivityEvent:
    return ActivityEvent(event_id=event.id, at=event.at, kind=event.kind, network=event.network, device=event.device)
