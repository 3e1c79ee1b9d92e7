"""A telephone and its codes are lost: the management centre has made sure who the member is, and orders its end."""

from collections.abc import Callable
from datetime import datetime
from typing import Final

from services.auth.service.password_resets import PasswordResets
from services.auth.service.second_factor_end import end_second_factor
from services.auth.service.sessions import Sessions
from services.auth.store import Store
from shared.mongo import Transaction
from shared.operator_orders import Order

REMOVE: Final = "remove_second_factor"


class LostSecondFactor:
    """No link and no new password does it: whoever reads the mailbox would have both factors."""

    def __init__(
        self, *, store: Store, sessions: Sessions, password_resets: PasswordResets, clock: Callable[[], datetime]
    ) -> None:
        self._store, self._sessions, self._password_resets = store, sessions, password_resets
        self._clock = clock

    async def remove(self, order: Order, tx: Transaction) -> str:
        """An operator's order: the password alone signs in, and who is signed in is out.

        A password that is too short for that ends, and a new one is on its way as after « Mot de passe perdu ».
        """
        account = await self._store.accounts.get(order.member_number, tx)
        if account is None:
            return "unknown_member"
        if account.second_factor is None:
            return "no_second_factor"
        was_short = account.own_password_short
        account = await end_second_factor(tx, self._store, account, self._clock())
        account = await self._sessions.close_all(tx, account)
        if was_short:
            account = await self._password_resets.owed(tx, account)
        await self._store.accounts.save(tx, [account])
        return "done"
