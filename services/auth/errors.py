"""The answers other than success that only auth gives."""

from shared.errors import Conflict, Forbidden, Gone, Invalid, TooManyRequests, Unauthenticated


class InvalidCredentials(Unauthenticated):
    """With `attempts_left`; the same for an identifier that nobody has."""

    code, title = "invalid_credentials", "Identifier or password wrong"


class SignInBlocked(TooManyRequests):
    """With `attempts_left` (0) and `Retry-After`."""

    code, title = "sign_in_blocked", "Too many failed sign-ins, blocked for a while"


class WrongPassword(Invalid):
    """With `attempts_left`."""

    code, title = "wrong_password", "Not the present password"


class WrongCode(Invalid):
    """With `attempts_left` where it was counted. A code that has served is wrong, too."""

    code, title = "wrong_code", "Not a code that is good now"


class NothingBegun(Conflict):
    """The secret was never shown in this session, or more than ten minutes ago, or is confirmed."""

    code, title = "totp_not_begun", "Begin again: there is no secret to confirm"


class PasswordTooShort(Conflict):
    code, title = "password_too_short", "Choose a longer password first: this one is too short to stand alone"


class SignInClosed(Forbidden):
    """Told only to who knows the password: an operator closed the way in."""

    code, title = "sign_in_closed", "Signing in to this account is closed"


class LinkExpired(Gone):
    """Past its time, voided by a later choice, or never ours."""

    code, title = "link_expired", "This link is no longer valid"


class LinkUsed(Conflict):
    code, title = "link_used", "This link was used already"


class IdentifierTaken(Conflict):
    code, title = "identifier_taken", "This identifier signs another account in"


class ChallengeFailed(Invalid):
    """A wrong, late or repeated answer; or none, where the network has had its requests without one."""

    code, title = "challenge_failed", "The proof of work was not accepted"


class PasskeyRefused(Invalid):
    """Unknown, not the member's, a wrong signature, or a challenge that is not this one's, late or used."""

    code, title = "passkey_refused", "The passkey was not accepted"


class PasskeySignInRefused(Unauthenticated):
    """The same, of who is not signed in."""

    code, title = PasskeyRefused.code, PasskeyRefused.title


class TooManyPasskeys(Conflict):
    code, title = "too_many_passkeys", "Remove a passkey before you add another"


class PasswordTooWeak(Invalid):
    """`errors` say why, one code each."""

    code, title = "password_too_weak", "Choose a stronger password"
