"""A member's own password: the first one, and a new one."""

from collections.abc import Callable, Iterable
from datetime import datetime

from services.auth import rules
from services.auth.errors import PasswordTooWeak
from services.auth.models import Account, PasswordKind
from services.auth.password_rules import PasswordRules
from services.auth.passwords import HashedPassword, Passwords, normal
from services.auth.schemas import PasswordRequest
from services.auth.service.passkeys import end_passkeys
from services.auth.service.password_proof import PasswordProof, wrong
from services.auth.service.sessions import Caller, Sessions
from services.auth.store import Store
from services.auth.vault import Vault
from shared.errors import Invalid, RequiredAction
from shared.events.auth import PasswordChanged
from shared.events.base import Event
from shared.mongo import Mongo, Transaction
from shared.tokens import Member


class OwnPassword:
    """Checks, hashes and sets it; every other session of the member ends with that."""

    def __init__(
        self,
        *,
        mongo: Mongo,
        store: Store,
        vault: Vault,
        passwords: Passwords,
        accepted: PasswordRules,
        proof: PasswordProof,
        sessions: Sessions,
        clock: Callable[[], datetime],
    ) -> None:
        self._mongo, self._store, self._vault = mongo, store, vault
        self._passwords, self._accepted, self._proof = passwords, accepted, proof
        self._sessions, self._clock = sessions, clock

    async def change(self, member: Member, request: PasswordRequest) -> None:
        """Replace the password the member knows (own or temporary) by `new_password`.

        Raises `PasswordTooWeak`, `Invalid` (`current_password`: `wrong_password`), `TooManyRequests` after as
        many wrong ones as a sign-in allows, `RequiredAction` while an identifier must be chosen or confirmed first.
        """
        caller = await self._sessions.caller(member)
        _refuse_other_actions(caller)
        current, new = request.current_password.get_secret_value(), request.new_password.get_secret_value()
        self.refuse_weak(caller.account, new, current=current)
        proven = await self._proof.prove(caller.account, current, field="current_password", refusal=Invalid)
        hashed = await self.hash(new)

        async def body(tx: Transaction) -> None:
            caller = await self._sessions.caller(member, tx)
            _refuse_other_actions(caller)
            if rules.password_slot(caller.account, current, self._clock())[1] != proven:
                raise wrong("current_password")
            account = await self.set(tx, caller, hashed)
            await self._store.accounts.save(tx, [account])

        await self._mongo.transaction(body)

    def refuse_weak(self, account: Account, password: str, *, current: str | None = None, email: str = "") -> None:
        """Raises `PasswordTooWeak`; `email` is an address not yet stored that it must not contain either."""
        least = self._accepted.min_length(second_factor=account.second_factor is not None)
        codes = self._accepted.weaknesses(password, personal=self._personal(account, email), min_length=least)
        if current is not None and normal(password) == normal(current):
            codes.append("unchanged")
        if codes:
            raise PasswordTooWeak(errors=self._accepted.described(codes, "new_password", min_length=least))

    async def hash(self, password: str) -> HashedPassword:
        """Its hash, made outside any transaction."""
        return HashedPassword(await self._passwords.hash(password), self._accepted.is_short(password))

    def replace(self, account: Account, new: HashedPassword) -> Account:
        """`account` with that password alone. Raises `PasswordTooWeak` if its second factor went meanwhile."""
        if new.short and account.second_factor is None:
            raise PasswordTooWeak(errors=self._accepted.described(["too_short"], "new_password"))
        return rules.with_own_password(account, new)

    async def set(self, tx: Transaction, caller: Caller, hashed: HashedPassword) -> Account:
        """The caller's account with that password and that device alone; announces it, closes their other sessions.

        The account is not stored yet: the caller of this does that. Raises `PasswordTooWeak`.
        """
        account = caller.account
        if account.temporary_passwords:
            tx.publish(self._changed(account, "temporary"))
        if account.own_password:
            tx.publish(self._changed(account, "own"))
        if caller.session.password == "temporary":  # noqa: S105 - a kind: a letter's, in the place of one that was lost
            await end_passkeys(self._store, tx, account.member_number)
        await self._store.sessions.own_password_from_now(tx, caller.session.session_id)
        await self._store.security_events.note(tx, account.member_number, "password_set")
        await self._sessions.close_others(tx, caller)
        return rules.with_only_device(self.replace(account, hashed), caller.session.device)

    def _changed(self, account: Account, replaces: PasswordKind) -> Event[PasswordChanged]:
        return Event.of(PasswordChanged(member_number=account.member_number, at=self._clock(), replaces=replaces))

    def _personal(self, account: Account, email: str) -> Iterable[str]:
        known = self._opened(account, "email", account.activated_email or account.fact("email"))
        number = self._opened(account, "nir", account.fact("nir"))
        return [*rules.personal_data(account, known), *rules.personal_data(account, email), number]

    def _opened(self, account: Account, field: str, sealed: object) -> str:
        return self._vault.open(account.member_number, field, str(sealed)) if sealed else ""


def _refuse_other_actions(caller: Caller) -> None:
    if set(caller.required_actions) - {"choose_password"}:
        raise RequiredAction
