"""Choosing an identifier, the first and any later one: e-mail address (confirmed by a mailed link) or member number."""

from collections.abc import Callable
from datetime import datetime
from typing import Literal

from services.auth import rules, tokens
from services.auth.errors import IdentifierTaken, LinkExpired, LinkUsed
from services.auth.models import Account, PendingIdentifier
from services.auth.rules import Identifier
from services.auth.schemas import IdentifierRequest
from services.auth.service.activation_mails import ActivationMails
from services.auth.service.own_password import OwnPassword
from services.auth.service.sessions import Caller, Sessions
from services.auth.service.settlement import Settled, Settlement
from services.auth.store import Store
from services.auth.vault import Vault
from shared import ids
from shared.errors import FieldError, Invalid, NotFound, RequiredAction, StepUpRequired
from shared.mongo import Mongo, Transaction
from shared.tokens import Member

Outcome = Literal["activation_sent", "active"]


class Identifiers:
    """The choice of an identifier and its confirmation. Until that, the one before stays in force."""

    def __init__(
        self,
        *,
        mongo: Mongo,
        store: Store,
        vault: Vault,
        sessions: Sessions,
        own_password: OwnPassword,
        mails: ActivationMails,
        settlement: Settlement,
        clock: Callable[[], datetime],
    ) -> None:
        self._mongo, self._store, self._vault = mongo, store, vault
        self._sessions, self._own_password = sessions, own_password
        self._mails, self._settlement, self._clock = mails, settlement, clock

    async def choose(self, member: Member, wanted: IdentifierRequest) -> Outcome:
        """Choose, and set the own password in the same transaction where `choose_password` is asked for.

        Raises `Invalid` (`email`, `new_password`), `PasswordTooWeak`, `TooManyRequests` beyond the mails of an hour or
        a day; once an identifier was chosen also `RequiredAction`, and `StepUpRequired` in a session not confirmed.
        """
        caller = await self._sessions.caller(member)
        self._refuse(caller, wanted)
        hashed = await self._own_password.hash(wanted.new_password.get_secret_value()) if wanted.new_password else None

        async def body(tx: Transaction) -> Outcome:
            caller = await self._sessions.caller(member, tx)
            email = self._refuse(caller, wanted)
            account = await self._own_password.set(tx, caller, hashed) if hashed else caller.account
            if wanted.kind == "email":
                account = await self._ask_confirmation(tx, account, email, wanted, caller.session.session_id)
            else:
                account = await self._take_member_number(tx, account, wanted, caller.session.session_id)
            await self._store.accounts.save(tx, [account])
            return "activation_sent" if wanted.kind == "email" else "active"

        return await self._mongo.transaction(body)

    async def resend(self, member: Member) -> None:
        """Mail another link of the pending request; the older ones stay good. `NotFound` if none is pending."""

        async def body(tx: Transaction) -> None:
            caller = await self._sessions.caller(member, tx)
            if caller.account.pending is None:
                raise NotFound
            await self._mails.send(tx, caller.account, caller.account.pending)

        await self._mongo.transaction(body)

    async def give_up(self, member: Member) -> None:
        """Void the pending request, so that nothing changes. `NotFound` if none is pending.

        Raises `RequiredAction` before the first identifier is in force: one must be chosen.
        """

        async def body(tx: Transaction) -> None:
            caller = await self._sessions.caller(member, tx)
            if caller.required_actions:
                raise RequiredAction
            if caller.account.pending is None:
                raise NotFound
            await self._store.accounts.save(tx, [caller.account.model_copy(update={"pending": None})])

        await self._mongo.transaction(body)

    async def activate(self, token: str) -> None:
        """The button of the mailed link: the address signs in from now on, what did before no longer.

        Raises `LinkUsed`, `LinkExpired`, `IdentifierTaken` (decided here: a pending request reserves nothing).
        """

        async def body(tx: Transaction) -> None:
            link = await self._store.links.get(tx, tokens.digest(token))
            account = await self._store.accounts.get(link.member_number, tx) if link else None
            if link is None or account is None:
                raise LinkExpired
            if link.request_id == account.completed_request_id:
                raise LinkUsed
            pending = account.pending
            if pending is None or pending.request_id != link.request_id or link.expires_at <= self._clock():
                raise LinkExpired
            if await self._mails.is_taken(tx, pending.email_key, account):
                raise IdentifierTaken
            settled = Settled("email", pending.email_key, pending.email, pending.consents, pending.session_id)
            account = await self._settlement.settle(tx, account, settled)
            completed = account.model_copy(update={"completed_request_id": pending.request_id})
            await self._store.accounts.save(tx, [completed])

        await self._mongo.transaction(body)

    def _refuse(self, caller: Caller, wanted: IdentifierRequest) -> str:
        """Check `wanted` against the account as it is; answers the normalised address (empty: none needed)."""
        actions = caller.required_actions
        if caller.account.identifier_chosen:
            if actions:
                raise RequiredAction
            if not rules.is_confirmed(caller.session, self._clock()):
                raise StepUpRequired
        email = self._address(caller.account, wanted) if wanted.kind == "email" else ""
        if wanted.new_password and "choose_password" in actions:
            self._own_password.refuse_weak(caller.account, wanted.new_password.get_secret_value(), email=email)
        elif "choose_password" in actions:
            raise Invalid(errors=[FieldError("new_password", "required", "A password of your own is required.")])
        elif wanted.new_password:
            raise Invalid(errors=[FieldError("new_password", "not_expected", "The password was chosen already.")])
        return email

    def _address(self, account: Account, wanted: IdentifierRequest) -> str:
        known = account.activated_email or account.fact("email")
        text = wanted.email or (self._vault.open(account.member_number, "email", str(known)) if known else "")
        if not text:
            raise Invalid(errors=[FieldError("email", "required", "No address is known.")])
        email = rules.normalise_email(text)
        if not rules.is_email(email):
            raise Invalid(errors=[FieldError("email", "invalid", "Not an e-mail address.")])
        if self._email_key(account, email) == account.identifier_key:
            raise Invalid(errors=[FieldError("email", "unchanged", "This is the identifier already.")])
        return email

    def _email_key(self, account: Account, email: str) -> str:
        return self._vault.lookup(account.insurer, Identifier("email", email))

    async def _ask_confirmation(
        self, tx: Transaction, account: Account, email: str, wanted: IdentifierRequest, session_id: str
    ) -> Account:
        """A new request; the one before it and its links are void."""
        pending = PendingIdentifier(
            request_id=ids.new_id(),
            email=self._vault.seal(account.member_number, "email", email),
            email_key=self._email_key(account, email),
            consents=wanted.consents.model_dump(),
            session_id=session_id,
        )
        await self._mails.send(tx, account, pending)
        return account.model_copy(update={"pending": pending})

    async def _take_member_number(
        self, tx: Transaction, account: Account, wanted: IdentifierRequest, session_id: str
    ) -> Account:
        """In force at once. Where it is already, all that is left to do is to void a pending request."""
        if account.identifier_chosen and account.identifier_kind == "member_number":
            return account.model_copy(update={"pending": None})
        key = self._vault.lookup(account.insurer, Identifier("member_number", account.member_number))
        settled = Settled("member_number", key, consents=wanted.consents.model_dump(), session_id=session_id)
        return await self._settlement.settle(tx, account, settled)
