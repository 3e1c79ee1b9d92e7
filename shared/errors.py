"""The errors a person or a client may see, each with a status and a stable code.

    Problem
    ├── Malformed         400 malformed
    ├── Unauthenticated   401 unauthenticated
    ├── Forbidden         403
    │   ├── RequiredAction    required_action
    │   ├── StepUpRequired    step_up_required
    │   └── MembershipOver    membership_ended (reading goes on)
    ├── NotFound          404 not_found (also someone else's record)
    ├── MethodNotAllowed  405 method_not_allowed
    ├── Conflict          409
    ├── Gone              410
    ├── TooLarge          413
    │   └── FileTooLarge      file_too_large
    ├── Invalid           422 validation
    ├── TooManyRequests   429 too_many_requests
    └── Unavailable       503 unavailable (a dependency is down, nothing was lost)

Rendered as `application/problem+json` (RFC 9457) in one place, `shared.app`. A service subclasses one of these to add
a code of its own.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True, slots=True)
class FieldError:
    """One field that was refused: its dotted path, a stable code, a sentence."""

    field: str
    code: str
    detail: str


class Problem(Exception):
    """An answer other than success. `detail` is a sentence for people and never quotes what was sent."""

    status: ClassVar[int] = 500
    code: ClassVar[str] = "internal"
    title: ClassVar[str] = "Internal error"

    def __init__(
        self,
        detail: str = "",
        *,
        errors: Sequence[FieldError] = (),
        retry_after_s: int | None = None,
        extra: dict[str, object] | None = None,
    ) -> None:
        super().__init__(detail or self.title)
        self.detail = detail or self.title
        self.errors = tuple(errors)
        self.retry_after_s = retry_after_s
        self.extra = extra or {}


class Malformed(Problem):
    status, code, title = 400, "malformed", "The request could not be read"


class Unauthenticated(Problem):
    status, code, title = 401, "unauthenticated", "Sign in first"


class Forbidden(Problem):
    status, code, title = 403, "forbidden", "Not allowed"


class RequiredAction(Forbidden):
    code, title = "required_action", "The account asks for an action first"


class StepUpRequired(Forbidden):
    code, title = "step_up_required", "Confirm who you are first"


class MembershipOver(Forbidden):
    """Nothing can be sent to the insurer any more; everything can be read until the account is erased."""

    code, title = "membership_ended", "The membership has ended: everything can still be read, nothing can be sent"


class NotFound(Problem):
    status, code, title = 404, "not_found", "Not found"


class MethodNotAllowed(Problem):
    status, code, title = 405, "method_not_allowed", "Method not allowed"


class Conflict(Problem):
    status, code, title = 409, "conflict", "Conflict"


class Gone(Problem):
    status, code, title = 410, "gone", "Gone"


class TooLarge(Problem):
    status, code, title = 413, "too_large", "Too large"


class FileTooLarge(TooLarge):
    code, title = "file_too_large", "The file is too large"


class Invalid(Problem):
    status, code, title = 422, "validation", "Some fields were refused"


class TooManyRequests(Problem):
    status, code, title = 429, "too_many_requests", "Too many requests"


class Unavailable(Problem):
    status, code, title = 503, "unavailable", "Temporarily unavailable, nothing was lost"

    def __init__(self, detail: str = "", *, retry_after_s: int = 5) -> None:
        super().__init__(detail, retry_after_s=retry_after_s)
