"""Opening a mailed link that serves once: what every button behind a mail begins with."""

from collections.abc import Callable
from datetime import datetime
from typing import TypeVar

from services.auth.errors import LinkExpired, LinkUsed
from services.auth.link_rules import LinkState, judge_link
from services.auth.models import Account, OnceLink
from services.auth.store import Store
from services.auth.store.links import OnceLinks
from shared.mongo import Transaction

L = TypeVar("L", bound=OnceLink)


async def good_link(
    store: Store,
    links: OnceLinks[L],
    token_hash: str,
    now: datetime,
    tx: Transaction | None = None,
    *,
    judge: Callable[[L | None, Account | None, datetime], LinkState] = judge_link,
) -> tuple[L, Account]:
    """The link with that token, and the account it was mailed to. Raises `LinkUsed`, `LinkExpired`."""
    link = await links.get(token_hash, tx)
    account = await store.accounts.get(link.member_number, tx) if link else None
    state = judge(link, account, now)
    if state is LinkState.USED:
        raise LinkUsed
    if state is LinkState.EXPIRED or link is None or account is None:
        raise LinkExpired
    return link, account
