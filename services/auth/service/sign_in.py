"""Signing in with an identifier and a password (product: later sign-ins, the table of counters)."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from services.auth import rules, tokens
from services.auth.errors import InvalidCredentials, SignInBlocked, SignInClosed
from services.auth.lines import Crowded, Lines
from services.auth.models import Account, PasswordKind
from services.auth.passwords import Passwords, canonical_temporary
from services.auth.refusals import Refusals
from services.auth.schemas import SignedIn, SignInRequest
from services.auth.service.arrivals import Arrivals, Arrived
from services.auth.service.unlocks import Unlocks
from services.auth.store import Store
from services.auth.store.attempts import Attempt, Place
from services.auth.vault import Vault
from shared.mongo import Mongo, Transaction

CROWDED_S: Final = 5
"""Seconds after which whoever found the line full may come again: a full one is mostly over by then."""


@dataclass(frozen=True, slots=True)
class Proof:
    """A password that was right, and for what: checked again in the transaction that opens the session."""

    member_number: str
    identifier_key: str
    kind: PasswordKind
    stored: str
    rehashed: str | None
    """The own password under today's parameters, if it was stored under others."""


class SignIn:
    """Whatever is wrong, and whether the identifier exists at all, the answer and its time are the same."""

    def __init__(
        self,
        *,
        insurer: str,
        mongo: Mongo,
        store: Store,
        vault: Vault,
        passwords: Passwords,
        arrivals: Arrivals,
        unlocks: Unlocks,
        refusals: Refusals,
        lines: Lines,
        clock: Callable[[], datetime],
    ) -> None:
        self._insurer, self._mongo, self._store, self._vault = insurer, mongo, store, vault
        self._passwords, self._arrivals, self._unlocks, self._clock = passwords, arrivals, unlocks, clock
        self._refusals, self._lines = refusals, lines

    async def sign_in(self, request: SignInRequest, network: str) -> SignedIn:
        """Open a session. Raises `InvalidCredentials`, `SignInBlocked`, `SignInClosed`, `Unavailable`."""
        key = self._vault.lookup(self._insurer, rules.recognise(request.identifier))
        shown = [tokens.digest(one) for one in request.shown_devices]
        letter = canonical_temporary(request.password.get_secret_value()) is not None  # by its form alone
        strangers = f"{key} letter" if letter else key  # nobody's guesses keep a first sign-in waiting
        if not letter and (retry_after_s := self._refusals.lately(key, shown)):
            raise _blocked(retry_after_s)
        if not shown and self._lines.is_full(strangers):  # spares the account's being read
            raise _blocked(CROWDED_S)
        account = await self._store.accounts.by_identifier(key)
        place = self._place(key, account, shown, network)
        try:
            async with self._lines.turn(place.where if place.known else strangers):
                return await self._try(request, await self._begun(key, place, account, letter=letter), account)
        except Crowded:
            raise _blocked(CROWDED_S) from None

    async def _begun(self, key: str, place: Place, account: Account | None, *, letter: bool) -> Attempt:
        attempt = await self._store.attempts.begin(key, place, letter=letter)
        if attempt.refused:
            if attempt.everywhere:
                self._refusals.note(attempt, account)
            raise _blocked(attempt.retry_after_s)
        return attempt

    async def _try(self, request: SignInRequest, attempt: Attempt, account: Account | None) -> SignedIn:
        try:
            proof = await self._prove(attempt, account, request.password.get_secret_value())
        except Exception:
            await self._store.attempts.take_back(attempt)
            raise
        if proof is None or account is None:
            name = rules.plain_device_name(request.device_name)
            await self._store.security_events.note_failure(attempt.identifier, "sign_in_failed", device=name)
            await self._unlocks.note(attempt)
            raise _wrong(attempt)
        try:
            return await self._open(request, proof, attempt, account)
        except SignInClosed:  # the password was right: it counts neither way
            await self._store.attempts.take_back(attempt)
            raise

    def _place(self, key: str, account: Account | None, shown: Iterable[str], network: str) -> Place:
        """Where this try counts: a stranger's tries never shut out the account's own devices."""
        device = rules.known_device(account, shown)
        if device is None:
            return Place(self._vault.place(key, "network", network), known=False)
        return Place(self._vault.place(key, "device", device), known=True)

    async def _prove(self, attempt: Attempt, account: Account | None, password: str) -> Proof | None:
        """One hash, whatever was found: the typed password's own form says which kind it must be."""
        kind, stored, typed = rules.password_slot(account, password, self._clock())
        if not await self._passwords.verify(stored, typed) or account is None or stored is None:
            return None
        rehashed = None
        if kind == "own" and self._passwords.is_outdated(stored):
            rehashed = await self._passwords.hash(password)
        return Proof(account.member_number, attempt.identifier, kind, stored, rehashed)

    async def _open(self, request: SignInRequest, proof: Proof, attempt: Attempt, read: Account) -> SignedIn:
        """`read`: the account before the hash, which mostly stands yet; if not, it is read in the transaction."""
        known: Account | None = read

        async def body(tx: Transaction) -> Arrived:
            nonlocal known
            before, known = known or await self._store.accounts.get(proof.member_number, tx), None
            if before is None or not _still_holds(before, proof):
                raise _wrong(attempt)
            account = rules.signed_in_with(before, proof.stored)
            if proof.rehashed:
                account = account.model_copy(update={"own_password": proof.rehashed})
            arrived = await self._arrivals.open(tx, account, request, before=before, password=proof.kind)
            await self._store.attempts.succeeded(tx, attempt)
            return arrived

        return self._arrivals.answer(await self._mongo.transaction(body))


def _still_holds(account: Account, proof: Proof) -> bool:
    if account.identifier_key != proof.identifier_key:
        return False
    if proof.kind == "own":
        return account.own_password == proof.stored
    return proof.stored in {known.hash for known in account.temporary_passwords}


def _blocked(retry_after_s: int | None) -> SignInBlocked:
    return SignInBlocked(retry_after_s=retry_after_s, extra={"attempts_left": 0})


def _wrong(attempt: Attempt) -> InvalidCredentials:
    return InvalidCredentials(retry_after_s=attempt.retry_after_s, extra={"attempts_left": attempt.left})
