"""What becomes of an account with a second factor, or without it any more. No clock, no store."""

from datetime import datetime

from services.auth.models import Account, PendingSecondFactor, Session


def pending_in(account: Account, session: Session, now: datetime) -> PendingSecondFactor | None:
    """The secret that was shown in that session, if its first code may still come."""
    pending = account.pending_second_factor
    if pending is None or pending.session_id != session.session_id or pending.expires_at <= now:
        return None
    return pending


def asked_for(account: Account, now: datetime) -> Account:
    """`account` whose second factor a right password asks for."""
    factor = account.second_factor
    asked = factor.model_copy(update={"asked_at": now}) if factor else None
    return account.model_copy(update={"second_factor": asked})


def without_second_factor(account: Account) -> Account:
    """`account` with its password alone; one that is too short to stand alone ends as well."""
    gone: dict[str, object] = {"second_factor": None, "pending_second_factor": None}
    if account.own_password_short:
        gone |= {"own_password": None, "own_password_short": False}
    return account.model_copy(update=gone)


def without_codes_made_since(account: Account, since: datetime) -> Account:
    """`account` without the recovery codes that somebody had made after `since`."""
    factor = account.second_factor
    if factor is None or factor.codes_made_at <= since:
        return account
    return account.model_copy(update={"second_factor": factor.model_copy(update={"recovery_codes": []})})
