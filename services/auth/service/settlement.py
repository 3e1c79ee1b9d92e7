"""An identifier comes into force: what ends with the one before, and what is announced."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from services.auth import tokens
from services.auth.models import Account, IdentifierKind, UndoLink
from services.auth.service.activation_mails import LINKS_KEPT
from services.auth.service.passkeys import end_passkeys
from services.auth.service.sessions import Sessions
from services.auth.store import Store
from services.auth.vault import Vault
from shared import ids
from shared.events.auth import Consents, IdentifierChanged
from shared.events.base import Event
from shared.mongo import Transaction
from shared.sealing import Keyring


@dataclass(frozen=True, slots=True)
class Settled:
    """An identifier that is in force from now on. `email`: the address that was activated for it, sealed at rest."""

    kind: IdentifierKind
    key: str
    email: str | None = None
    consents: dict[str, bool] | None = None
    """Count at the first choice only."""
    session_id: str | None = None
    """Where it was asked: every other session ends, unless this is the first choice."""


@dataclass(frozen=True, slots=True)
class _Undo:
    token: str
    expires_at: datetime


class Settlement:
    """Answers accounts that are not stored yet: the caller of this does that."""

    def __init__(
        self,
        *,
        store: Store,
        vault: Vault,
        sealing: Keyring,
        sessions: Sessions,
        undo_lives: timedelta,
        clock: Callable[[], datetime],
    ) -> None:
        self._store, self._vault, self._sealing = store, vault, sealing
        self._sessions, self._undo_lives, self._clock = sessions, undo_lives, clock

    async def settle(self, tx: Transaction, account: Account, settled: Settled) -> Account:
        """Make it the one identifier of `account`. An activated address that it replaces is told how to undo that."""
        after = await self._given(tx, account, settled)
        replaced = self._replaced(account, after)
        undo = await self._undo_link(tx, account, replaced) if replaced else None
        if account.identifier_chosen:
            await self._sessions.close_all_but(tx, account.member_number, settled.session_id)
            await self._store.reset_links.void(tx, account.member_number)
        await self._store.security_events.note(tx, account.member_number, "identifier_changed")
        consents = None if account.identifier_chosen or settled.consents is None else Consents(**settled.consents)
        self._announce(tx, after, replaced, undo, consents)
        return after

    async def restore(self, tx: Transaction, account: Account, link: UndoLink) -> Account:
        """Bring back what `link` remembers; every session, every passkey and every link asked since ends."""
        after = await self._given(tx, account, Settled(link.identifier_kind, link.identifier_key, link.email))
        await self._store.undo_links.use(tx, link, self._clock())
        await self._store.reset_links.void(tx, account.member_number)
        await end_passkeys(self._store, tx, account.member_number)
        after = await self._sessions.close_all(tx, after)
        await self._store.security_events.note(tx, account.member_number, "identifier_change_undone")
        self._announce(tx, after, self._replaced(account, after), None, None)
        return after

    async def _given(self, tx: Transaction, account: Account, settled: Settled) -> Account:
        await self._store.identifiers.give(tx, [(settled.key, account.member_number, settled.kind)])
        identifier = {"identifier_kind": settled.kind, "identifier_key": settled.key, "identifier_chosen": True}
        email = settled.email or account.activated_email
        return account.model_copy(update={**identifier, "activated_email": email, "pending": None})

    def _replaced(self, before: Account, after: Account) -> str | None:
        """The activated address that is no longer the contact address, in clear."""
        old = self._opened(before, before.activated_email)
        return old if old and old != self._opened(after, after.activated_email) else None

    async def _undo_link(self, tx: Transaction, account: Account, replaced: str) -> _Undo:
        token, now = tokens.new_secret(), self._clock()
        undo = _Undo(token, now + self._undo_lives)
        link = UndoLink(
            token_hash=tokens.digest(token),
            member_number=account.member_number,
            email=self._vault.seal(account.member_number, "email", replaced),
            identifier_kind=account.identifier_kind or "member_number",
            identifier_key=str(account.identifier_key),
            created_at=now,
            expires_at=undo.expires_at,
            delete_at=undo.expires_at + LINKS_KEPT,
        )
        await self._store.undo_links.add(tx, link)
        return undo

    def _announce(
        self, tx: Transaction, account: Account, replaced: str | None, undo: _Undo | None, consents: Consents | None
    ) -> None:
        event_id = ids.new_id()

        def sealed(text: str | None, field: str) -> str | None:
            return self._sealing.seal(text, event_id=event_id, field=field) if text else None

        contact = account.activated_email or account.fact("email")
        data = IdentifierChanged(
            member_number=account.member_number,
            kind="email" if account.identifier_kind == "email" else "member_number",
            email=sealed(self._opened(account, str(contact) if contact else None), "email"),
            email_activated=account.activated_email is not None,
            previous_email=sealed(replaced, "previous_email"),
            undo_token=sealed(undo.token if undo else None, "undo_token"),
            undo_expires_at=undo.expires_at if undo else None,
            consents=consents,
        )
        tx.publish(Event.of(data, id=event_id))

    def _opened(self, account: Account, sealed: str | None) -> str | None:
        return self._vault.open(account.member_number, "email", sealed) if sealed else None
