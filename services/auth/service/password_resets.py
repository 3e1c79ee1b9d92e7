"""A lost password: the request, what becomes of it outside the request, and the new password by a mailed link."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from services.auth import link_rules, rules, tokens
from services.auth.challenges import Challenges, Proof
from services.auth.errors import ChallengeFailed
from services.auth.models import Account, ResetLink
from services.auth.rules import Identifier
from services.auth.schemas import PasswordResetConfirmation, PasswordResetRequest
from services.auth.service.activation_mails import LINKS_KEPT
from services.auth.service.enrolment import TEMPORARY_PASSWORD
from services.auth.service.mailed_links import good_link
from services.auth.service.own_password import OwnPassword
from services.auth.service.passkeys import end_passkeys
from services.auth.service.sessions import Sessions
from services.auth.store import Store
from services.auth.vault import Vault
from shared import ids
from shared.events.auth import PasswordReset, PasswordResetRequested
from shared.events.base import Event
from shared.jobs import Job, Jobs
from shared.mongo import Mongo, Transaction
from shared.sealing import Keyring

PASSWORD_RESET = "password_reset"  # noqa: S105 - the kind of job
HOUR = timedelta(hours=1)
MAX_REFUSALS_NOTED, REFUSALS_NOTED_WITHIN = 10, timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class ResetLimits:
    """How long a link is good, and the least time between two mails or two letters to one member.

    `without_challenge`: requests an hour that one network has without having shown to be no robot.
    """

    link_lives: timedelta
    between_mails: timedelta
    between_letters: timedelta
    without_challenge: int


class PasswordResets:
    """The request knows nobody: it writes one row of one shape, whoever is meant. A worker finds out who that is."""

    def __init__(
        self,
        *,
        insurer: str,
        mongo: Mongo,
        store: Store,
        vault: Vault,
        sealing: Keyring,
        jobs: Jobs,
        sessions: Sessions,
        own_password: OwnPassword,
        challenges: Challenges,
        limits: ResetLimits,
        clock: Callable[[], datetime],
    ) -> None:
        self._insurer, self._mongo, self._store, self._vault = insurer, mongo, store, vault
        self._sealing, self._jobs, self._sessions, self._own_password = sealing, jobs, sessions, own_password
        self._challenges, self._limits, self._clock = challenges, limits, clock

    async def ask(self, request: PasswordResetRequest, network: str) -> None:
        """Write down what was asked, as lookup keys; the same pair asked again replaces its row.

        Raises `ChallengeFailed`, whoever is meant: the same commands are run for everybody, in the same order.
        """
        proof = None if request.altcha is None else self._challenges.checked(request.altcha)
        identifier_key = self._vault.lookup(self._insurer, rules.recognise(request.identifier))
        nir_key = self._vault.lookup(self._insurer, rules.nir_with_key(request.nir.get_secret_value()))

        async def body(tx: Transaction) -> None:
            await self._admit(tx, proof, network)
            await self._write_down(tx, identifier_key, nir_key)

        await self._mongo.transaction(body)

    async def owed(self, tx: Transaction, account: Account) -> Account:
        """Have a link mailed that nobody asked for: the address of `account` was brought back by its owner.

        Answers the account, not stored yet. That one was just mailed, to whatever address, does not count.
        """
        await self._write_down(tx, str(account.identifier_key), self._nir_key(account))
        return account.model_copy(update={"reset_mailed_at": None})

    async def ask_for(self, tx: Transaction, account: Account) -> None:
        """Ask in the name of a member who has shown who they are: the same row, the same limits."""
        await self._write_down(tx, account.identifier_key, self._nir_key(account))

    async def _admit(self, tx: Transaction, proof: Proof | None, network: str) -> None:
        """Use the proof up, or the network's request of this hour without one. Raises `ChallengeFailed`."""
        if proof:
            if not await self._store.used_challenges.use(tx, proof.key, proof.expires_at):
                raise ChallengeFailed
            return
        now, key = self._clock(), self._vault.requests(network)
        times = await self._store.without_challenge.times(tx, key, now - HOUR)
        if len(times) >= self._limits.without_challenge:
            raise ChallengeFailed
        await self._store.without_challenge.keep(tx, key, [*times, now], now + HOUR)

    async def look_into(self, job: Job) -> None:
        """The worker: if identifier and NIR are one member's, a mail or a letter goes out, unless one just did."""

        async def body(tx: Transaction) -> None:
            if not await self._jobs.done(tx, job):
                return
            owner = await self._store.identifiers.owner(job.data["identifier_key"], tx)
            account = await self._store.accounts.get(owner, tx) if owner else None
            if account is None or account.closure:
                return
            if self._nir_key(account) != job.data["nir_key"]:
                await self._note_refused(tx, account.member_number)
                return
            await self._store.security_events.note(tx, account.member_number, "password_reset_asked")
            if account.activated_email:
                await self._mail_link(tx, account)
            else:
                await self._order_letter(tx, account)

        await self._mongo.transaction(body)

    async def _note_refused(self, tx: Transaction, member_number: str) -> None:
        """For the member to see. More of a day would only push everything else off the page."""
        events, since = self._store.security_events, self._clock() - REFUSALS_NOTED_WITHIN
        if await events.noted(tx, member_number, "password_reset_refused", since) < MAX_REFUSALS_NOTED:
            await events.note(tx, member_number, "password_reset_refused")

    async def confirm(self, request: PasswordResetConfirmation) -> str:
        """Set the new password; answers the token by which this browser is known from now on.

        Raises `LinkUsed`, `LinkExpired`, `PasswordTooWeak`.
        """
        token_hash = tokens.digest(request.token.get_secret_value())
        _, account = await self._good(token_hash)
        password = request.new_password.get_secret_value()
        self._own_password.refuse_weak(account, password)
        hashed, device_token = await self._own_password.hash(password), tokens.new_secret()

        async def body(tx: Transaction) -> str:
            link, account = await self._good(token_hash, tx)
            now = self._clock()
            await self._store.reset_links.use(tx, link, now)
            tx.publish(Event.of(PasswordReset(member_number=account.member_number, at=now)))
            await self._store.security_events.note(tx, account.member_number, "password_reset")
            account = await self._sessions.close_all(tx, self._own_password.replace(account, hashed))
            await end_passkeys(self._store, tx, account.member_number)
            account = rules.with_device(
                rules.with_only_device(account, None), tokens.digest(device_token), now, trusted=False
            )
            await self._store.attempts.clear(tx, str(account.identifier_key))
            await self._store.accounts.save(tx, [account])
            return device_token

        return await self._mongo.transaction(body)

    async def _good(self, token_hash: str, tx: Transaction | None = None) -> tuple[ResetLink, Account]:
        links, now = self._store.reset_links, self._clock()
        return await good_link(self._store, links, token_hash, now, tx, judge=link_rules.judge_reset_link)

    async def _write_down(self, tx: Transaction, identifier_key: str | None, nir_key: str | None) -> None:
        pair = hashlib.sha256(f"{identifier_key}{nir_key}".encode()).hexdigest()
        await self._jobs.put(
            tx,
            id=f"{PASSWORD_RESET}/{pair}",
            kind=PASSWORD_RESET,
            member_number="",  # nobody was looked up
            data={"identifier_key": identifier_key, "nir_key": nir_key},
            expires_at=self._clock() + self._limits.link_lives,
        )

    def _nir_key(self, account: Account) -> str | None:
        sealed = account.fact("nir")
        if not sealed:
            return None
        number = self._vault.open(account.member_number, "nir", str(sealed))
        return self._vault.lookup(account.insurer, Identifier("nir", number))

    async def _mail_link(self, tx: Transaction, account: Account) -> None:
        """Only ever to an address that the member activated: the link is as good as the password."""
        now = self._clock()
        if rules.is_too_soon(account.reset_mailed_at, self._limits.between_mails, now):
            return
        token, expires_at, event_id = tokens.new_secret(), now + self._limits.link_lives, ids.new_id()
        link = ResetLink(
            token_hash=tokens.digest(token),
            member_number=account.member_number,
            passwords_set=account.passwords_set,
            expires_at=expires_at,
            delete_at=expires_at + LINKS_KEPT,
        )
        await self._store.reset_links.add(tx, link)
        await self._store.accounts.save(tx, [account.model_copy(update={"reset_mailed_at": now})])
        data = PasswordResetRequested(
            member_number=account.member_number,
            reset_token=self._sealing.seal(token, event_id=event_id, field="reset_token"),
            expires_at=expires_at,
        )
        tx.publish(Event.of(data, id=event_id))

    async def _order_letter(self, tx: Transaction, account: Account) -> None:
        now, number = self._clock(), account.member_number
        if rules.is_too_soon(account.letter_asked_at, self._limits.between_letters, now):
            return
        await self._store.accounts.save(tx, [account.model_copy(update={"letter_asked_at": now})])
        await self._jobs.put(
            tx,
            id=f"{TEMPORARY_PASSWORD}/{number}/asked",  # beside the enrolment's, which may be under way
            kind=TEMPORARY_PASSWORD,
            member_number=number,
            data={"reason": "reset" if account.own_password else "renewal"},
        )
