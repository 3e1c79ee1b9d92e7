"""The mails that confirm an address: each with a link of its own, and not too many of them."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil

from services.auth import rules, tokens
from services.auth.models import Account, ActivationLink, PendingIdentifier
from services.auth.store import Store
from services.auth.vault import Vault
from shared import ids
from shared.errors import TooManyRequests
from shared.events.auth import IdentifierChangeRequested
from shared.events.base import Event
from shared.mongo import Transaction
from shared.sealing import Keyring

DAY, HOUR = timedelta(days=1), timedelta(hours=1)
LINKS_KEPT = timedelta(days=30)
"""How long after its end a link still answers « used » or « expired » by its own record."""


@dataclass(frozen=True, slots=True)
class LinkLimits:
    """`lives`: how long a link is good. The others: how many mails a member may have sent."""

    lives: timedelta
    mails_per_hour: int
    mails_per_day: int


class ActivationMails:
    """Asks notifications for them."""

    def __init__(
        self, *, store: Store, vault: Vault, sealing: Keyring, limits: LinkLimits, clock: Callable[[], datetime]
    ) -> None:
        self._store, self._vault, self._sealing = store, vault, sealing
        self._limits, self._clock = limits, clock

    async def send(self, tx: Transaction, account: Account, pending: PendingIdentifier) -> None:
        """Announce that a mail is wanted. An address that signs another account in gets one without a link.

        Raises `TooManyRequests`. Of two at once the second counts the first: their events meet in the member's lane.
        """
        now = self._clock()
        await self._refuse_too_many(tx, account, now)
        token, expires_at, event_id = tokens.new_secret(), now + self._limits.lives, ids.new_id()
        link = ActivationLink(
            token_hash=tokens.digest(token),
            request_id=pending.request_id,
            member_number=account.member_number,
            created_at=now,
            expires_at=expires_at,
            delete_at=expires_at + LINKS_KEPT,
        )
        await self._store.links.add(tx, link)
        await self._store.security_events.note(tx, account.member_number, "address_asked")
        taken = await self.is_taken(tx, pending.email_key, account)
        email = self._vault.open(account.member_number, "email", pending.email)
        sealed = self._sealing.seal(token, event_id=event_id, field="activation_token")
        data = IdentifierChangeRequested(
            member_number=account.member_number,
            request_id=pending.request_id,
            kind="email",
            email=self._sealing.seal(email, event_id=event_id, field="email"),
            activation_token=None if taken else sealed,
            expires_at=expires_at,
        )
        tx.publish(Event.of(data, id=event_id))

    async def is_taken(self, tx: Transaction, key: str, account: Account) -> bool:
        """Whether that identifier signs another account in."""
        return await self._store.identifiers.owner(key, tx) not in {None, account.member_number}

    async def _refuse_too_many(self, tx: Transaction, account: Account, now: datetime) -> None:
        limits = [(HOUR, self._limits.mails_per_hour), (DAY, self._limits.mails_per_day)]
        mailed = await self._store.links.mailed_since(tx, account.member_number, now - DAY)
        wait = rules.wait_for_mail(mailed, limits, now)
        if wait is not None:
            raise TooManyRequests(retry_after_s=max(1, ceil(wait.total_seconds())))
