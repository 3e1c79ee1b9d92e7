"""A member whom auth erased: nothing of theirs stays here."""

from dataclasses import dataclass
from datetime import datetime

from services.notifications.service.letters import Letters
from services.notifications.service.mails import Mails
from services.notifications.store import MessageStore, Store
from shared.mongo import Transaction


@dataclass(frozen=True, slots=True)
class Erasure:
    """Deletes, with the event's transaction, what is held of a member; letters' objects follow by their jobs."""

    members: Store
    messages: MessageStore
    letters: Letters
    mails: Mails

    async def erase(self, member_number: str, at: datetime, tx: Transaction) -> None:
        """Forget this member, whom auth erased at `at`."""
        await self.mails.erase(member_number, tx)
        await self.letters.erase(member_number, at, tx)
        await self.messages.forget_member(tx, member_number)
        await self.members.forget_member(tx, member_number)
