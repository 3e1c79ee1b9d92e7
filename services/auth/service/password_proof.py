"""A signed-in member proves to know the password in force: tries are limited as those of a sign-in are."""

from collections.abc import Callable
from datetime import datetime

from services.auth import rules
from services.auth.errors import WrongPassword
from services.auth.models import Account
from services.auth.passwords import Passwords
from services.auth.store import Store
from services.auth.store.attempts import Attempt, Place
from services.auth.vault import Vault
from shared.errors import FieldError, Invalid, TooManyRequests
from shared.mongo import Mongo


class PasswordProof:
    """One counter a member, whatever the password is asked for."""

    def __init__(
        self, *, mongo: Mongo, store: Store, vault: Vault, passwords: Passwords, clock: Callable[[], datetime]
    ) -> None:
        self._mongo, self._store, self._vault = mongo, store, vault
        self._passwords, self._clock = passwords, clock

    async def prove(
        self, account: Account, password: str, *, field: str, refusal: type[Invalid] = WrongPassword
    ) -> str:
        """The stored hash that `password` (own or temporary) matched.

        Raises `refusal` (`field`: `wrong_password`), with the tries that are left; then `TooManyRequests`.
        """
        identifier = str(account.identifier_key)
        # Apart from every place where somebody signs in; a reset clears it with those.
        place = Place(self._vault.place(identifier, "account", account.member_number), known=True)
        attempt = await self._store.attempts.begin(identifier, place)
        if attempt.refused:
            raise TooManyRequests(retry_after_s=attempt.retry_after_s, extra={"attempts_left": 0})
        _, stored, typed = rules.password_slot(account, password, self._clock())
        try:
            right = await self._passwords.verify(stored, typed)
        except Exception:
            await self._store.attempts.take_back(attempt)
            raise
        if not right or stored is None:
            await self._store.security_events.note_failure(identifier, "confirmation_failed")
            raise wrong(field, attempt, refusal)
        await self._mongo.transaction(lambda tx: self._store.attempts.succeeded(tx, attempt))
        return stored


def wrong(field: str, attempt: Attempt | None = None, refusal: type[Invalid] = Invalid) -> Invalid:
    """The refusal of a password that does not match."""
    errors = [FieldError(field, "wrong_password", "Not the present password.")]
    if attempt is None:
        return refusal(errors=errors)
    return refusal(errors=errors, extra={"attempts_left": attempt.left}, retry_after_s=attempt.retry_after_s)
