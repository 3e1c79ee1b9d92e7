"""A member's language, and what may be mailed to them: theirs to decide from the first sign-in on."""

from dataclasses import dataclass

from services.notifications import rules
from services.notifications.models import Member
from services.notifications.rules import Preferences
from services.notifications.service.mails import Mails
from services.notifications.store import Store
from shared.clock import now
from shared.events.auth import Consents
from shared.events.base import Event
from shared.events.notifications import PreferencesChanged
from shared.ids import new_id
from shared.mongo import Mongo, Transaction


@dataclass(frozen=True, slots=True)
class Choices:
    """Reads and changes preferences."""

    mongo: Mongo
    store: Store
    mails: Mails

    async def of(self, member_number: str) -> Member:
        """The member, with the preferences in force."""
        return await self.store.member(member_number)

    async def change(self, member_number: str, changes: Preferences) -> Member:
        """Take `changes` and announce what is in force then, if that differs."""

        async def body(tx: Transaction) -> Member:
            known = (await self.store.members(tx, [member_number])).get(member_number, rules.UNKNOWN)
            order = (now(), new_id())
            member = rules.told_by_member(known, changes, order)
            in_force = _in_force(member_number, member)
            if in_force == _in_force(member_number, known):
                return known
            await self.store.save_members(tx, {member_number: member})
            await self.mails.wake([member_number], tx)
            tx.publish(Event.of(in_force, id=order[1], time=order[0]))
            return member

        return await self.mongo.transaction(body)


def _in_force(member_number: str, member: Member) -> PreferencesChanged:
    return PreferencesChanged(
        member_number=member_number,
        language=rules.language(member),
        consents=Consents(**rules.consents(member).model_dump()),
    )
