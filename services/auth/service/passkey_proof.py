"""Somebody shows a passkey: whose it is, and that it signed a challenge made for just this."""

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import TypeVar

from services.auth.errors import PasskeyRefused
from services.auth.models import Account, Passkey
from services.auth.passkeys import Ceremonies
from services.auth.schemas import Credential
from services.auth.store import Store
from shared.mongo import Mongo, Transaction

R = TypeVar("R")


class PasskeyProof:
    """One transaction: the challenge is used up, the passkey's counter moves, and what was wanted is done."""

    def __init__(self, *, mongo: Mongo, store: Store, ceremonies: Ceremonies, clock: Callable[[], datetime]) -> None:
        self._mongo, self._store, self._ceremonies, self._clock = mongo, store, ceremonies, clock

    async def prove(
        self,
        credential: Credential,
        purpose: str,
        then: Callable[[Transaction, Account, Passkey], Awaitable[R]],
        *,
        member_number: str | None = None,
    ) -> R:
        """What `then` makes of a passkey that signed, of that member or of whoever has it.

        Raises `PasskeyRefused` for anything else, which is on the record where a member is known.
        """
        read = self._ceremonies.read(credential)

        async def body(tx: Transaction) -> R:
            passkey = await self._store.passkeys.by_credential(read.id, tx)
            if passkey is None or member_number not in {None, passkey.member_number}:
                raise PasskeyRefused
            account = await self._store.accounts.get(passkey.member_number, tx)
            if account is None:
                raise PasskeyRefused
            signed = self._ceremonies.signed(read, passkey, account.passkey_user, purpose)
            if not await self._store.used_challenges.use(tx, signed.proof.key, signed.proof.expires_at):
                raise PasskeyRefused
            await self._store.passkeys.used(tx, passkey, signed, self._clock())
            return await then(tx, account, passkey)

        try:
            return await self._mongo.transaction(body)
        except PasskeyRefused:
            await self._note(read.id, member_number)
            raise

    async def _note(self, credential_id: str, member_number: str | None) -> None:
        known = await self._store.passkeys.by_credential(credential_id)
        whose = member_number or (known.member_number if known else None)
        if whose:
            note = self._store.security_events.note
            await self._mongo.transaction(lambda tx: note(tx, whose, "passkey_refused"))
