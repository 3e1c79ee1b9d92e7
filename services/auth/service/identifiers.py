"""Choosing an identifier: e-mail address (confirmed by a mailed link) or member number (at once)."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from services.auth import rules, tokens
from services.auth.errors import IdentifierTaken, LinkExpired, LinkUsed, StepUpRequired
from services.auth.models import Account, ActivationLink, PendingIdentifier
from services.auth.rules import Identifier
from services.auth.schemas import IdentifierRequest
from services.auth.service.own_password import OwnPassword
from services.auth.service.sessions import Caller, Sessions
from services.auth.store import Store
from services.auth.vault import Vault
from shared import ids
from shared.errors import FieldError, Invalid, NotFound, TooManyRequests
from shared.events.auth import Consents, IdentifierChanged, IdentifierChangeRequested
from shared.events.base import Event
from shared.mongo import Mongo, Transaction
from shared.sealing import Keyring
from shared.tokens import Member

Outcome = Literal["activation_sent", "active"]
DAY = timedelta(days=1)
LINKS_KEPT = timedelta(days=30)
"""How long after its end a link still answers « used » or « expired » by its own record."""


@dataclass(frozen=True, slots=True)
class LinkLimits:
    """`lives`: how long a link is good. `mails_per_day`: how many a member may have sent."""

    lives: timedelta
    mails_per_day: int


@dataclass(frozen=True, slots=True)
class Settled:
    """An identifier that is in force from now on."""

    kind: Literal["email", "member_number"]
    key: str
    consents: dict[str, bool]


class Identifiers:
    """The first choice of an identifier, its confirmation, and what follows from both."""

    def __init__(
        self,
        *,
        mongo: Mongo,
        store: Store,
        vault: Vault,
        sealing: Keyring,
        sessions: Sessions,
        own_password: OwnPassword,
        limits: LinkLimits,
        clock: Callable[[], datetime],
    ) -> None:
        self._mongo, self._store, self._vault, self._sealing = mongo, store, vault, sealing
        self._sessions, self._own_password = sessions, own_password
        self._limits, self._clock = limits, clock

    async def choose(self, member: Member, wanted: IdentifierRequest) -> Outcome:
        """Choose, and set the own password in the same transaction where `choose_password` is asked for.

        Raises `Invalid` (`email`, `new_password`), `PasswordTooWeak`, `StepUpRequired` once an identifier was chosen,
        `TooManyRequests` beyond the mails of a day.
        """
        caller = await self._sessions.caller(member)
        self._refuse(caller, wanted)
        hashed = await self._own_password.hash(wanted.new_password.get_secret_value()) if wanted.new_password else None

        async def body(tx: Transaction) -> Outcome:
            caller = await self._sessions.caller(member, tx)
            email = self._refuse(caller, wanted)
            account = await self._own_password.set(tx, caller, hashed) if hashed else caller.account
            if wanted.kind == "email":
                account = await self._ask_confirmation(tx, account, email, wanted.consents.model_dump())
            else:
                account = await self._take_member_number(tx, account, wanted.consents.model_dump())
            await self._store.accounts.save(tx, [account])
            return "activation_sent" if wanted.kind == "email" else "active"

        return await self._mongo.transaction(body)

    async def resend(self, member: Member) -> None:
        """Mail another link of the pending request; the older ones stay good. `NotFound` if none is pending."""

        async def body(tx: Transaction) -> None:
            caller = await self._sessions.caller(member, tx)
            if caller.account.pending is None:
                raise NotFound
            await self._mail_link(tx, caller.account, caller.account.pending)

        await self._mongo.transaction(body)

    async def activate(self, token: str) -> None:
        """The button of the mailed link: the address signs in from now on, the NIR no longer.

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
            if await self._is_taken(tx, pending.email_key, account):
                raise IdentifierTaken
            await self._store.accounts.save(tx, [await self._confirm(tx, account, pending)])

        await self._mongo.transaction(body)

    def _refuse(self, caller: Caller, wanted: IdentifierRequest) -> str:
        """Check `wanted` against the account as it is; answers the normalised address (empty: none needed)."""
        actions = caller.required_actions
        if not {"choose_identifier", "confirm_identifier"} & set(actions):
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
        known = account.fact("email")
        text = wanted.email or (self._vault.open(account.member_number, "email", str(known)) if known else "")
        if not text:
            raise Invalid(errors=[FieldError("email", "required", "No address is known from enrolment.")])
        email = rules.normalise_email(text)
        if not rules.is_email(email):
            raise Invalid(errors=[FieldError("email", "invalid", "Not an e-mail address.")])
        return email

    async def _ask_confirmation(
        self, tx: Transaction, account: Account, email: str, consents: dict[str, bool]
    ) -> Account:
        """A new request; the one before it and its links are void."""
        pending = PendingIdentifier(
            request_id=ids.new_id(),
            email=self._vault.seal(account.member_number, "email", email),
            email_key=self._vault.lookup(account.insurer, Identifier("email", email)),
            consents=consents,
        )
        await self._mail_link(tx, account, pending)
        return account.model_copy(update={"pending": pending})

    async def _mail_link(self, tx: Transaction, account: Account, pending: PendingIdentifier) -> None:
        """Announce that a mail is wanted. An address that signs another account in gets one without a link."""
        now = self._clock()
        mailed = await self._store.links.mailed_since(tx, account.member_number, now - DAY)
        if len(mailed) >= self._limits.mails_per_day:
            raise TooManyRequests(retry_after_s=max(1, int((mailed[0] + DAY - now).total_seconds())))
        token, expires_at, event_id = tokens.new_secret(), now + self._limits.lives, ids.new_id()
        link = ActivationLink(
            token_hash=tokens.digest(token),
            request_id=pending.request_id,
            member_number=account.member_number,
            created_at=now,
            expires_at=expires_at,
            delete_at=expires_at + LINKS_KEPT,
        )
        await self._store.links.add(tx, link)
        taken = await self._is_taken(tx, pending.email_key, account)
        email = self._vault.open(account.member_number, "email", pending.email)
        data = IdentifierChangeRequested(
            member_number=account.member_number,
            request_id=pending.request_id,
            kind="email",
            email=self._sealing.seal(email, event_id=event_id, field="email"),
            activation_token=None if taken else self._sealing.seal(token, event_id=event_id, field="activation_token"),
            expires_at=expires_at,
        )
        tx.publish(Event.of(data, id=event_id))

    async def _is_taken(self, tx: Transaction, key: str, account: Account) -> bool:
        return await self._store.identifiers.owner(key, tx) not in {None, account.member_number}

    async def _confirm(self, tx: Transaction, account: Account, pending: PendingIdentifier) -> Account:
        account = account.model_copy(
            update={"activated_email": pending.email, "completed_request_id": pending.request_id}
        )
        return await self._settle(tx, account, Settled("email", pending.email_key, pending.consents))

    async def _take_member_number(self, tx: Transaction, account: Account, consents: dict[str, bool]) -> Account:
        key = self._vault.lookup(account.insurer, Identifier("member_number", account.member_number))
        return await self._settle(tx, account, Settled("member_number", key, consents))

    async def _settle(self, tx: Transaction, account: Account, settled: Settled) -> Account:
        """Make it the one identifier of `account`, end whatever signed in before, announce the change."""
        await self._store.identifiers.give(tx, [(settled.key, account.member_number, settled.kind)])
        event_id = ids.new_id()
        contact = account.activated_email or account.fact("email")
        email = self._vault.open(account.member_number, "email", str(contact)) if contact else None
        data = IdentifierChanged(
            member_number=account.member_number,
            kind=settled.kind,
            email=self._sealing.seal(email, event_id=event_id, field="email") if email else None,
            email_activated=account.activated_email is not None,
            consents=None if account.identifier_chosen else Consents(**settled.consents),
        )
        tx.publish(Event.of(data, id=event_id))
        identifier = {"identifier_kind": settled.kind, "identifier_key": settled.key, "identifier_chosen": True}
        return account.model_copy(update={**identifier, "pending": None})
