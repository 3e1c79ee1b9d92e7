"""The mail to the address that was replaced: its link brings the address back, and the account with it."""

from collections.abc import Callable
from datetime import datetime

from services.auth import tokens
from services.auth.errors import IdentifierTaken
from services.auth.service.mailed_links import good_link
from services.auth.service.password_resets import PasswordResets
from services.auth.service.second_factor_end import end_since
from services.auth.service.settlement import Settlement
from services.auth.store import Store
from shared.mongo import Mongo, Transaction


class IdentifierChange:
    """Whoever reads the old mailbox decides, for some days, against whoever sits in the account."""

    def __init__(
        self,
        *,
        mongo: Mongo,
        store: Store,
        settlement: Settlement,
        password_resets: PasswordResets,
        clock: Callable[[], datetime],
    ) -> None:
        self._mongo, self._store, self._settlement = mongo, store, settlement
        self._password_resets, self._clock = password_resets, clock

    async def undo(self, token: str) -> None:
        """The button of the mailed link. Opens no session; ends the password, and has a link to a new one mailed.

        Raises `LinkUsed`, `LinkExpired`, `IdentifierTaken` if the old address has become another account's identifier.
        """

        async def body(tx: Transaction) -> None:
            now = self._clock()
            link, account = await good_link(self._store, self._store.undo_links, tokens.digest(token), now, tx)
            if await self._store.identifiers.owner(link.identifier_key, tx) not in {None, account.member_number}:
                raise IdentifierTaken
            account = await self._settlement.restore(tx, account, link)
            account = await end_since(tx, self._store, account, link.created_at, now)
            account = await self._password_resets.owed(tx, account)
            # Who changed the address knew the password: it would open the account again before its owner is back.
            await self._store.accounts.save(tx, [account.model_copy(update={"own_password": None})])

        await self._mongo.transaction(body)
