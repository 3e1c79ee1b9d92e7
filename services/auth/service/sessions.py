"""Sessions: opening, refreshing, closing, and who a request comes from."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from services.auth import membership_rules, rules
from services.auth.membership_rules import Over
from services.auth.models import Account, PasswordKind, RequiredActionName, Session
from services.auth.rules import RefreshStep
from services.auth.schemas import EndedMembership, TokenPair
from services.auth.store import Store
from services.auth.tokens import AccessTokens, RefreshTokens
from shared import ids
from shared.closures import Closures
from shared.errors import Unauthenticated
from shared.events.auth import SessionsClosed
from shared.events.base import Event
from shared.mongo import Mongo, Transaction
from shared.tokens import Member


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks, as stored now: the token may be minutes old."""

    session: Session
    account: Account

    @property
    def required_actions(self) -> list[RequiredActionName]:
        """What the member must do first."""
        return _required_actions(self.account, self.session)


@dataclass(frozen=True, slots=True)
class OnDevice:
    """What a session is opened on: its name for people, SHA-256 of its token, whether the member calls it their own."""

    name: str | None
    token_hash: str
    trusted: bool


@dataclass(frozen=True, slots=True)
class Lifetimes:
    """`idle`: how long a session lives without a refresh. `longest`: however active it is.

    On a device that the member trusts only `longest_trusted` ends it.
    """

    idle: timedelta
    longest: timedelta
    longest_trusted: timedelta
    per_member: int
    """How many a member may have; the oldest are closed."""


class Sessions:
    """The sessions of all members."""

    def __init__(
        self,
        *,
        mongo: Mongo,
        store: Store,
        access_tokens: AccessTokens,
        refresh_tokens: RefreshTokens,
        closures: Closures,
        lifetimes: Lifetimes,
        kept_months: int,
        clock: Callable[[], datetime],
    ) -> None:
        self._mongo, self._store, self._closures = mongo, store, closures
        self._access_tokens, self._refresh_tokens = access_tokens, refresh_tokens
        self._lifetimes, self._kept_months, self._clock = lifetimes, kept_months, clock

    async def caller(self, member: Member, tx: Transaction | None = None) -> Caller:
        """The session and account behind a verified token. Raises `Unauthenticated` if the session was closed."""
        session = await self._store.sessions.get(member.member_number, member.session_id, self._clock(), tx)
        account = await self._store.accounts.get(member.member_number, tx)
        if session is None or account is None or account.insurer != member.insurer:
            raise Unauthenticated
        return Caller(session, account)

    async def open(
        self,
        tx: Transaction,
        account: Account,
        *,
        password: PasswordKind,
        device: OnDevice,
        passkey: str | None = None,
        second_factor_due: bool = False,
    ) -> Session:
        """A new session of `account`, the only one on that device; the oldest beyond the limit are closed."""
        now = self._clock()
        ends_at = now + (self._lifetimes.longest_trusted if device.trusted else self._lifetimes.longest)
        session = Session(
            session_id=ids.new_id(),
            member_number=account.member_number,
            password=password,
            passkey=passkey,
            second_factor_due=second_factor_due,
            device_name=device.name,
            device=device.token_hash,
            trusted=device.trusted,
            opened_at=now,
            ends_at=ends_at,
            expires_at=self._expiry(now, ends_at, lasts=device.trusted and not second_factor_due),
        )
        await self._make_room(tx, session)
        await self._store.sessions.add(tx, session)
        return session

    async def complete(self, tx: Transaction, session: Session) -> None:
        """The second factor was shown: a session like any other from now on."""
        whole = session.model_copy(update={"second_factor_due": False})
        await self._make_room(tx, whole)
        expires_at = self._expiry(self._clock(), session.ends_at, lasts=session.trusted)
        await self._store.sessions.complete(tx, session.session_id, expires_at)

    def tokens(self, session: Session, account: Account, *, refresh_number: int) -> TokenPair:
        """What the client gets: an access token for now, the refresh token of that number for later.

        Raises `Unauthenticated` if the session ends before a second has passed: no token outlives it.
        """
        actions, now = _required_actions(account, session), self._clock()
        issued_at = max(now, account.sessions_closed_before or now)
        lives_s = self._access_tokens.lives_s(issued_at, session.expires_at)
        if lives_s < 1:
            raise Unauthenticated
        over = self.membership_over(account)
        access_token = self._access_tokens.issue(
            member_number=account.member_number,
            session_id=session.session_id,
            insurer=account.insurer,
            required_actions=actions,
            now=issued_at,
            lives_s=lives_s,
            read_only=over is not None,
        )
        return TokenPair(
            access_token=access_token,
            expires_in=lives_s,
            refresh_token=self._refresh_tokens.issue(session.session_id, refresh_number),
            required_actions=actions,
            session_ends_at=session.ends_at,
            ended_membership=EndedMembership.of(over),
        )

    def membership_over(self, account: Account) -> Over | None:
        """The end of the member's membership if it has come: they read, and send nothing any more."""
        return membership_rules.over(account, self._kept_months, self._clock())

    async def refresh(self, token: str) -> TokenPair:
        """A new pair for a refresh token; the same token gives the same successor. Raises `Unauthenticated`.

        A token that was superseded is somebody's copy: it closes the session.
        """
        named = self._refresh_tokens.read(token)
        session = await self._store.sessions.by_refresh_token(named[0], self._clock()) if named else None
        if named is None or session is None:
            raise Unauthenticated
        presented, now = named[1], self._clock()
        step = rules.refresh_step(presented, session.used, session.used_at, now)
        if step is RefreshStep.CLOSE:
            await self.close(session.member_number, session.session_id)
            raise Unauthenticated
        if step is RefreshStep.ADVANCE:
            lasts = session.trusted and not session.second_factor_due
            expires_at = self._expiry(now, session.ends_at, lasts=lasts)
            if not await self._store.sessions.advance(session, now, expires_at):
                return await self.refresh(token)  # the same token came twice at once, or the session was closed
            session = session.model_copy(update={"expires_at": expires_at})
        account = await self._store.accounts.get(session.member_number)
        if account is None:
            raise Unauthenticated
        return self.tokens(session, account, refresh_number=presented + 1)

    async def close(self, member_number: str, session_id: str) -> None:
        """Sign out; harmless if it is done already."""

        async def body(tx: Transaction) -> None:
            if await self.close_in(tx, member_number, [session_id]):
                await self._store.security_events.note(tx, member_number, "signed_out")

        await self._mongo.transaction(body)

    async def close_others(self, tx: Transaction, caller: Caller) -> None:
        """Close every session of the caller but the one they ask from."""
        await self.close_all_but(tx, caller.account.member_number, caller.session.session_id)

    async def close_all_but(self, tx: Transaction, member_number: str, session_id: str | None) -> None:
        """Close every session of the member but that one, where it is open still."""
        sessions = await self._store.sessions.of_member(tx, member_number)
        await self.close_in(tx, member_number, [s.session_id for s in sessions if s.session_id != session_id])

    async def close_device(self, tx: Transaction, member_number: str, device: str, *, session_id: str) -> None:
        """Close that session and any other that the device opened since."""
        sessions = await self._store.sessions.of_member(tx, member_number)
        opened = [s.session_id for s in sessions if s.session_id == session_id or s.device == device]
        await self.close_in(tx, member_number, opened)

    async def close_opened_by(self, tx: Transaction, caller: Caller, passkey: str) -> None:
        """Close what that passkey of the caller's opened, but for the session they ask from."""
        number, here = caller.account.member_number, caller.session.session_id
        sessions = await self._store.sessions.of_member(tx, number)
        opened = [s.session_id for s in sessions if s.passkey == passkey and s.session_id != here]
        await self.close_in(tx, number, opened)

    async def close_all(self, tx: Transaction, account: Account) -> Account:
        """Close every session there has been; the caller of this stores the account."""
        all_before = rules.all_before(self._clock())
        await self._store.sessions.delete_all(tx, account.member_number)
        await self._announce(tx, SessionsClosed(member_number=account.member_number, all_before=all_before))
        return account.model_copy(update={"sessions_closed_before": all_before})

    async def close_in(self, tx: Transaction, member_number: str, session_ids: Sequence[str]) -> list[str]:
        """Close those of them that are the member's; answers which those were."""
        closed = await self._store.sessions.delete(tx, member_number, list(session_ids)) if session_ids else []
        if closed:
            await self._announce(tx, SessionsClosed(member_number=member_number, session_ids=tuple(closed)))
        return closed

    async def _make_room(self, tx: Transaction, session: Session) -> None:
        """Close those on the same device and the oldest beyond the limit, but only such as await a code if it does.

        Who has but the password signs nobody out.
        """
        others = await self._store.sessions.of_member(tx, session.member_number)
        like = [other for other in others if other.second_factor_due == session.second_factor_due]
        elsewhere = [other for other in like if other.device != session.device]
        kept = elsewhere[max(0, len(elsewhere) + 1 - self._lifetimes.per_member) :]
        await self.close_in(tx, session.member_number, [other.session_id for other in like if other not in kept])

    def _expiry(self, now: datetime, ends_at: datetime, *, lasts: bool) -> datetime:
        """`lasts`: it does not end for want of use."""
        return ends_at if lasts else min(now + self._lifetimes.idle, ends_at)

    async def _announce(self, tx: Transaction, closed: SessionsClosed) -> None:
        """To the other services, and to the replicas of this one."""
        event = Event.of(closed)
        tx.publish(event)
        await self._closures.record(tx, event)


def _required_actions(account: Account, session: Session) -> list[RequiredActionName]:
    return rules.required_actions(account, session.password, second_factor_due=session.second_factor_due)
