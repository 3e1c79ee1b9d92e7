"""The second half of a sign-in: a code of the app, or a recovery code. Wrong ones are limited as passwords are."""

from collections.abc import Callable
from datetime import datetime

from services.auth import recovery_codes, totp
from services.auth.errors import WrongCode
from services.auth.factor_schemas import SecondFactorRequest
from services.auth.models import Account, SecondFactor
from services.auth.service.new_devices import NewDevices
from services.auth.service.sessions import Caller, Sessions
from services.auth.store import Store
from services.auth.store.attempts import Attempt, Place
from services.auth.vault import Vault
from shared.errors import FieldError, Invalid, TooManyRequests
from shared.events.auth import FactorChange, SecondFactorChanged
from shared.events.base import Event
from shared.mongo import Mongo, Transaction
from shared.tokens import Member


class SecondFactorSignIn:
    """One counter a member, out of reach without the password; no link of a mail and no new password clears it."""

    def __init__(
        self,
        *,
        mongo: Mongo,
        store: Store,
        vault: Vault,
        sessions: Sessions,
        new_devices: NewDevices,
        clock: Callable[[], datetime],
    ) -> None:
        self._mongo, self._store, self._vault = mongo, store, vault
        self._sessions, self._new_devices, self._clock = sessions, new_devices, clock

    async def complete(self, member: Member, request: SecondFactorRequest) -> None:
        """Open the session wholly; harmless where that is done.

        Raises `Invalid` for what is no code at all, which does not count; `WrongCode`; `TooManyRequests`.
        """
        field, code = _typed(request)
        caller = await self._sessions.caller(member)
        if not caller.session.second_factor_due:
            return
        attempt = await self._begin(member.member_number)
        try:
            right = await self._mongo.transaction(lambda tx: self._complete(tx, member, field, code, attempt))
        except Exception:
            await self._store.attempts.take_back(attempt)
            raise
        if not right:
            await self._mongo.transaction(lambda tx: self._refused(tx, caller, attempt))
            raise _wrong(field, attempt)

    async def _begin(self, member_number: str) -> Attempt:
        key = self._vault.second_factor(member_number)
        attempt = await self._store.attempts.begin(key, Place(key, known=True))
        if attempt.refused:
            raise TooManyRequests(retry_after_s=attempt.retry_after_s, extra={"attempts_left": 0})
        return attempt

    async def _complete(self, tx: Transaction, member: Member, field: str, code: str, attempt: Attempt) -> bool:
        """Whether the code was right. Of two that use the same one, the later runs again and finds it used."""
        caller = await self._sessions.caller(member, tx)
        if caller.session.second_factor_due:
            account = await self._after(tx, caller.account, field, code)
            if account is None:
                return False
            account = await self._new_devices.arrived(tx, account, caller.session)
            await self._sessions.complete(tx, caller.session)
            await self._store.accounts.save(tx, [account])
        await self._store.attempts.succeeded(tx, attempt)
        return True

    async def _after(self, tx: Transaction, account: Account, field: str, code: str) -> Account | None:
        """The account once that code has served; None if it is not good."""
        factor = account.second_factor
        if factor is None:
            return None
        if field == "code":
            used = self._with_code(account.member_number, factor, code)
        else:
            used = self._with_recovery_code(account.member_number, factor, code)
        if used is None:
            return None
        if field == "recovery_code":
            await self._store.security_events.note(tx, account.member_number, "recovery_code_used")
            tx.publish(self._changed(account, "recovery_code_used"))
        return account.model_copy(update={"second_factor": used})

    def _with_code(self, member_number: str, factor: SecondFactor, code: str) -> SecondFactor | None:
        secret = self._vault.open(member_number, "totp", factor.secret)
        step = totp.matching_step(secret, code, self._clock(), after=factor.last_step)
        return None if step is None else factor.model_copy(update={"last_step": step})

    def _with_recovery_code(self, member_number: str, factor: SecondFactor, code: str) -> SecondFactor | None:
        left = recovery_codes.without(factor.recovery_codes, self._vault.recovery_code(member_number, code))
        return None if left is None else factor.model_copy(update={"recovery_codes": left})

    async def _refused(self, tx: Transaction, caller: Caller, attempt: Attempt) -> None:
        """Noted; told by mail once a block begins, for somebody knows the password."""
        number, device = caller.account.member_number, caller.session.device_name
        await self._store.security_events.note(tx, number, "second_factor_failed", device=device)
        if attempt.blocked_until:
            tx.publish(self._changed(caller.account, "codes_refused"))

    def _changed(self, account: Account, change: FactorChange) -> Event[SecondFactorChanged]:
        return Event.of(SecondFactorChanged(member_number=account.member_number, at=self._clock(), change=change))


def _typed(request: SecondFactorRequest) -> tuple[str, str]:
    """The field that was sent and what it means. Raises `Invalid`."""
    sent = {
        "code": (request.code, totp.typed_code),
        "recovery_code": (request.recovery_code, recovery_codes.typed_code),
    }
    given = [(field, secret, read) for field, (secret, read) in sent.items() if secret is not None]
    if len(given) != 1:
        raise Invalid(errors=[FieldError("code", "required", "Either code or recovery_code.")])
    field, secret, read = given[0]
    code = read(secret.get_secret_value())
    if code is None:
        raise Invalid(errors=[FieldError(field, "malformed", "Not of the form of such a code.")])
    return field, code


def _wrong(field: str, attempt: Attempt) -> WrongCode:
    errors = [FieldError(field, "wrong_code", "Not a code that is good now.")]
    return WrongCode(errors=errors, extra={"attempts_left": attempt.left}, retry_after_s=attempt.retry_after_s)
