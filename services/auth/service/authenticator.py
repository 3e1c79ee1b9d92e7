"""An authenticator app as second factor: turned on, turned off, its recovery codes."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

from services.auth import recovery_codes, rules, totp
from services.auth import second_factor_rules as factor_rules
from services.auth.errors import NothingBegun, PasswordTooShort, WrongCode
from services.auth.factor_schemas import RecoveryCodes, RecoveryCodesView, TotpSetup, TotpView
from services.auth.models import PendingSecondFactor, SecondFactor
from services.auth.service.second_factor_end import end_second_factor
from services.auth.service.sessions import Caller, Sessions
from services.auth.store import Store
from services.auth.vault import Vault
from shared.errors import FieldError, NotFound, RequiredAction, StepUpRequired
from shared.events.auth import SecondFactorChanged
from shared.events.base import Event
from shared.mongo import Mongo, Transaction
from shared.tokens import Member

PENDING_FOR: Final = timedelta(minutes=10)
TOTP: Final = "totp"
"""Its field of the account, for what is sealed there."""


class Authenticator:
    """Every change asks for a confirmed session (`StepUpRequired`).

    Turning it on or off closes the others, as another password does.
    """

    def __init__(
        self,
        *,
        mongo: Mongo,
        store: Store,
        vault: Vault,
        sessions: Sessions,
        issuer: str,
        clock: Callable[[], datetime],
    ) -> None:
        self._mongo, self._store, self._vault, self._sessions = mongo, store, vault, sessions
        self._issuer, self._clock = issuer, clock

    async def view(self, member: Member) -> TotpView:
        """Whether it is on. Raises `RequiredAction`."""
        factor = (await self._caller(member)).account.second_factor
        return TotpView(enabled=factor is not None, since=factor.since if factor else None)

    async def begin(self, member: Member) -> TotpSetup:
        """Show a secret, the same one for ten minutes. Where an app is on already it stays so until the new one is."""

        async def body(tx: Transaction) -> TotpSetup:
            caller = await self._confirmed(member, tx)
            number, now = caller.account.member_number, self._clock()
            pending = factor_rules.pending_in(caller.account, caller.session, now)
            if pending is None:
                sealed = self._vault.seal(number, TOTP, totp.new_secret())
                session_id = caller.session.session_id
                pending = PendingSecondFactor(secret=sealed, session_id=session_id, expires_at=now + PENDING_FOR)
                account = caller.account.model_copy(update={"pending_second_factor": pending})
                await self._store.accounts.save(tx, [account])
            secret = self._vault.open(number, TOTP, pending.secret)
            # Not the whole number: it stays on a telephone's screen. Two members of a household have different ends.
            uri = totp.uri(secret, issuer=self._issuer, account=f"Espace Assuré {number[-4:]}")
            return TotpSetup(secret=secret, uri=uri, expires_at=pending.expires_at)

        return await self._mongo.transaction(body)

    async def confirm(self, member: Member, typed: str) -> RecoveryCodes:
        """Turn it on with the app's first code. Raises `NothingBegun`, `WrongCode`.

        Wrong ones are not counted: who asks was shown the secret.
        """
        shown = recovery_codes.new_codes()

        async def body(tx: Transaction) -> None:
            caller = await self._confirmed(member, tx)
            number, now = caller.account.member_number, self._clock()
            pending = factor_rules.pending_in(caller.account, caller.session, now)
            if pending is None:
                raise NothingBegun
            secret, code = self._vault.open(number, TOTP, pending.secret), totp.typed_code(typed)
            step = totp.matching_step(secret, code, now) if code else None
            if step is None:
                raise WrongCode(errors=[FieldError("code", "wrong_code", "Not the code that the app shows now.")])
            factor = SecondFactor(
                secret=pending.secret,
                since=now,
                device=caller.session.device,
                last_step=step,
                recovery_codes=self._hashed(number, shown),
                codes_made_at=now,
            )
            changed = {"second_factor": factor, "pending_second_factor": None}
            await self._store.accounts.save(tx, [caller.account.model_copy(update=changed)])
            await self._sessions.close_others(tx, caller)
            await self._store.security_events.note(tx, number, "second_factor_added")
            tx.publish(Event.of(SecondFactorChanged(member_number=number, at=now, change="added")))

        await self._mongo.transaction(body)
        return RecoveryCodes(recovery_codes=shown)

    async def turn_off(self, member: Member) -> None:
        """The password alone from now on. Raises `NotFound`, `PasswordTooShort` where it is too short for that."""

        async def body(tx: Transaction) -> None:
            caller = await self._confirmed(member, tx)
            if caller.account.second_factor is None:
                raise NotFound
            if caller.account.own_password_short:
                raise PasswordTooShort
            account = await end_second_factor(tx, self._store, caller.account, self._clock())
            await self._store.accounts.save(tx, [account])
            await self._sessions.close_others(tx, caller)

        await self._mongo.transaction(body)

    async def codes_left(self, member: Member) -> RecoveryCodesView:
        """How many recovery codes have not served."""
        factor = (await self._caller(member)).account.second_factor
        if factor is None:
            return RecoveryCodesView(left=0, made_at=None)
        return RecoveryCodesView(left=len(factor.recovery_codes), made_at=factor.codes_made_at)

    async def new_codes(self, member: Member) -> RecoveryCodes:
        """Ten new ones; the old are void. Raises `NotFound` without a second factor."""
        shown = recovery_codes.new_codes()

        async def body(tx: Transaction) -> None:
            account = (await self._confirmed(member, tx)).account
            if account.second_factor is None:
                raise NotFound
            number = account.member_number
            changed = {"recovery_codes": self._hashed(number, shown), "codes_made_at": self._clock()}
            factor = account.second_factor.model_copy(update=changed)
            await self._store.accounts.save(tx, [account.model_copy(update={"second_factor": factor})])
            await self._store.security_events.note(tx, number, "recovery_codes_made")

        await self._mongo.transaction(body)
        return RecoveryCodes(recovery_codes=shown)

    def _hashed(self, member_number: str, codes: list[str]) -> list[str]:
        return [self._vault.recovery_code(member_number, recovery_codes.typed_code(code) or "") for code in codes]

    async def _caller(self, member: Member, tx: Transaction | None = None) -> Caller:
        caller = await self._sessions.caller(member, tx)
        if caller.required_actions:
            raise RequiredAction
        return caller

    async def _confirmed(self, member: Member, tx: Transaction) -> Caller:
        caller = await self._caller(member, tx)
        if not rules.is_confirmed(caller.session, self._clock()):
            raise StepUpRequired
        return caller
