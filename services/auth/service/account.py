"""What a member sees of their own account."""

from typing import cast

from pydantic import JsonValue

from services.auth.models import Account, IdentifierKind
from services.auth.password_rules import PasswordRules
from services.auth.schemas import AccountView, BeneficiaryView, EndedMembership
from services.auth.service.sessions import Sessions
from services.auth.store import Store
from services.auth.vault import Vault
from shared import nir
from shared.formats import masked_email
from shared.tokens import Member


class AccountReader:
    """Reads, never changes."""

    def __init__(self, vault: Vault, store: Store, sessions: Sessions, accepted: PasswordRules) -> None:
        self._vault, self._store, self._sessions, self._accepted = vault, store, sessions, accepted

    async def view(self, member: Member) -> AccountView:
        """The account of the member who asks; addresses and NIR masked."""
        caller = await self._sessions.caller(member)
        account = caller.account
        passkeys = await self._store.passkeys.count(account.member_number)
        contact = account.activated_email or account.fact("email")
        return AccountView.model_validate(
            {
                "member_number": account.member_number,
                "insurer": account.insurer,
                **{name: account.fact(name) for name in ("title", "first_name", "last_name", "birth_date")},
                "email_masked": self._masked_email(account, contact),
                "pending_email_masked": self._masked_email(account, account.pending.email if account.pending else None),
                "nir_masked": self._masked_nir(account),
                "identifier_kind": cast(IdentifierKind, account.identifier_kind),
                "required_actions": caller.required_actions,
                "password_min_length": self._accepted.min_length(second_factor=account.second_factor is not None),
                "confirmed_until": caller.session.confirmed_until,
                "passkeys": passkeys,
                "offer_passkey": not (passkeys or account.passkey_declined),
                "ended_membership": EndedMembership.of(self._sessions.membership_over(account)),
                "beneficiaries": _beneficiaries(account.fact("beneficiaries")),
            }
        )

    def _masked_email(self, account: Account, sealed: JsonValue) -> str | None:
        return masked_email(self._vault.open(account.member_number, "email", str(sealed))) if sealed else None

    def _masked_nir(self, account: Account) -> str | None:
        sealed = account.fact("nir")
        if not sealed:
            return None
        return nir.masked(nir.normalise(self._vault.open(account.member_number, "nir", str(sealed))))


def _beneficiaries(told: JsonValue) -> list[BeneficiaryView]:
    return [BeneficiaryView.model_validate(person) for person in told] if isinstance(told, list) else []
