"""What contract management tells: members enrolled, their facts, the end of their membership."""

from collections.abc import Mapping, Sequence

from pydantic import JsonValue

from services.auth import rules
from services.auth.models import Account, IdentifierKind
from services.auth.rules import Identifier
from services.auth.service.account_life import plan_erasure
from services.auth.store import Store
from services.auth.vault import Vault
from shared.applier import Refused
from shared.events.base import Event, EventData
from shared.events.membership import Beneficiary, MemberEnrolled, MembershipEnded, MemberUpdated
from shared.jobs import Jobs
from shared.mongo import Transaction
from shared.tracing import following

TEMPORARY_PASSWORD = "temporary_password"  # noqa: S105 - the kind of job
_PLAIN = ("title", "first_name", "last_name")


class Enrolment:
    """Folds a batch of events into the accounts they speak of: one read, one write, whatever their number."""

    def __init__(self, store: Store, vault: Vault, jobs: Jobs, *, kept_months_after_end: int) -> None:
        self._store, self._vault, self._jobs = store, vault, jobs
        self._kept_months = kept_months_after_end

    async def apply(self, events: Sequence[Event[EventData]], tx: Transaction) -> None:
        """Apply events in record order. Facts obey (`ce_time`, `ce_id`) field by field, whatever arrives when.

        Raises `Refused` (`insurer_changed`): an account stays with the insurer it was made for.
        """
        traces = {event.data.member_number: event.traceparent for event in events}
        members = list(traces)
        accounts = await self._store.accounts.of_members(tx, members)
        before = dict(accounts)
        for event in events:
            number = event.data.member_number
            accounts[number] = self._after(accounts.get(number) or Account(member_number=number), event)
        changed = {n: a for n, a in accounts.items() if a != before.get(n)}
        changed = await self._identified(tx, changed)
        await self._store.accounts.save(tx, changed.values())
        for number, account in changed.items():
            if account.fact("ended_on") != (before[number].fact("ended_on") if number in before else None):
                await plan_erasure(tx, self._jobs, account, self._kept_months)
            if account.enrolled and not (number in before and before[number].enrolled):
                with following(traces[number]):
                    await self._jobs.put(
                        tx,
                        id=f"{TEMPORARY_PASSWORD}/{number}",
                        kind=TEMPORARY_PASSWORD,
                        member_number=number,
                        data={"reason": "enrolment"},
                    )

    def _after(self, account: Account, event: Event[EventData]) -> Account:
        data = event.data
        if isinstance(data, MemberEnrolled):
            if account.enrolled and account.insurer != data.insurer:
                raise Refused("insurer_changed")
            account = account.model_copy(update={"enrolled": True, "insurer": data.insurer})
            told = {name: getattr(data, name) for name in ("nir", "birth_date", "email", "beneficiaries", *_PLAIN)}
            told["ended_on"] = None  # enrolling anew ends the end of an earlier membership
        elif isinstance(data, MemberUpdated):
            told = dict(data.changes)
        elif isinstance(data, MembershipEnded):
            told = {"ended_on": data.ended_on}
        else:
            return account
        return rules.with_facts(account, self._facts(account, told), rules.order_of(*event.order))

    def _facts(self, account: Account, told: Mapping[str, object]) -> dict[str, JsonValue]:
        """What was told as it is stored: addresses and NIR sealed, the beneficiaries without theirs."""
        facts: dict[str, JsonValue] = {}
        for name, value in told.items():
            if name in _PLAIN:
                facts[name] = None if value is None else str(value)
            elif name in ("birth_date", "ended_on"):
                facts[name] = None if value is None else str(value)  # a date, written YYYY-MM-DD
            elif name in ("email", "nir"):
                facts[name] = self._vault.seal(account.member_number, name, str(value)) if value else None
            elif name == "beneficiaries" and isinstance(value, tuple):
                facts[name] = [_stored(person) for person in value]
        return facts

    async def _identified(self, tx: Transaction, accounts: Mapping[str, Account]) -> dict[str, Account]:
        """Give each account that signs in with its NIR, or with nothing yet, the identifier that is due to it.

        The NIR, unless another account has it already: then the member number.
        """
        due = {number: key for number, a in accounts.items() if (key := self._nir_key_due(a)) is not None}
        taken = await self._store.identifiers.owners(tx, list(due.values())) if due else {}
        given: list[tuple[str, str, IdentifierKind]] = []
        for number, key in due.items():
            if taken.setdefault(key, number) == number:
                given.append((key, number, "nir"))
            else:
                own = Identifier("member_number", number)
                given.append((self._vault.lookup(accounts[number].insurer, own), number, "member_number"))
        await self._store.identifiers.give(tx, given)
        identified = {
            number: accounts[number].model_copy(update={"identifier_kind": kind, "identifier_key": key})
            for key, number, kind in given
        }
        return {**accounts, **identified}

    def _nir_key_due(self, account: Account) -> str | None:
        """The lookup key of the NIR if `account` should sign in with it and does not yet."""
        sealed = account.fact("nir")
        if not account.enrolled or account.identifier_chosen or account.identifier_kind == "member_number":
            return None
        number = self._vault.open(account.member_number, "nir", str(sealed))
        key = self._vault.lookup(account.insurer, Identifier("nir", number))
        return None if key == account.identifier_key else key


def _stored(person: Beneficiary) -> dict[str, JsonValue]:
    return person.model_dump(mode="json", exclude={"nir"})
