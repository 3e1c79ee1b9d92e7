"""The end of a second factor, whoever ends it: noted, and told to the member."""

from datetime import datetime

from services.auth.models import Account
from services.auth.second_factor_rules import without_codes_made_since, without_second_factor
from services.auth.store import Store
from shared.events.auth import SecondFactorChanged
from shared.events.base import Event
from shared.mongo import Transaction


async def end_second_factor(tx: Transaction, store: Store, account: Account, now: datetime) -> Account:
    """`account` without it, not stored yet."""
    await store.security_events.note(tx, account.member_number, "second_factor_removed")
    tx.publish(Event.of(SecondFactorChanged(member_number=account.member_number, at=now, change="removed")))
    return without_second_factor(account)


async def end_since(tx: Transaction, store: Store, account: Account, since: datetime, now: datetime) -> Account:
    """`account` without what was added after `since`: the factor, or recovery codes of an older one. Not stored yet."""
    account = account.model_copy(update={"pending_second_factor": None})
    if account.second_factor and account.second_factor.since > since:
        return await end_second_factor(tx, store, account, now)
    return without_codes_made_since(account, since)
