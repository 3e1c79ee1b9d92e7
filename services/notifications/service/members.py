"""What notifications learns of members from contract management and auth, in any order, however often."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from services.notifications import rules
from services.notifications.models import Consents, Identity, Member, Order
from services.notifications.service.letters import Letters
from services.notifications.service.mails import Mails
from services.notifications.store import Store
from shared.mongo import Transaction


@dataclass(frozen=True, slots=True)
class Change:
    """What contract management said of one member at one instant: field → value, None = removed."""

    member_number: str
    order: Order
    fields: Mapping[str, Any]


class Members:
    """Keeps our copy of who is who. The member may be heard of here before being enrolled here: topics race."""

    def __init__(self, store: Store, letters: Letters, mails: Mails) -> None:
        self._store, self._letters, self._mails = store, letters, mails

    async def learn(self, changes: Iterable[Change], tx: Transaction) -> None:
        """Fold `changes` into the members they speak of; what waited for an address is woken."""
        changes = list(changes)
        before = await self._store.members(tx, (change.member_number for change in changes))
        members = dict(before)
        for change in changes:
            known = members.get(change.member_number, rules.UNKNOWN)
            members[change.member_number] = rules.told_by_membership(known, change.fields, change.order)
        await self._store.save_members(tx, members)
        await self._letters.wake(_addressed(members) - _addressed(before), tx)
        await self._mails.wake(_mailable(members) - _mailable(before), tx)

    async def identify(
        self, member_number: str, identity: Identity, consents: Consents | None, order: Order, tx: Transaction
    ) -> None:
        """Keep what auth announced: the contact address and, the first time, the consents."""
        known = await self._store.members(tx, [member_number])
        member = rules.told_by_auth(known.get(member_number, rules.UNKNOWN), identity, consents, order)
        await self._store.save_members(tx, {member_number: member})
        await self._mails.wake([member_number], tx)


def _addressed(members: Mapping[str, Member]) -> set[str]:
    return {number for number, member in members.items() if rules.address(member)}


def _mailable(members: Mapping[str, Member]) -> set[str]:
    return {number for number, member in members.items() if isinstance(rules.contact_address(member), str)}
