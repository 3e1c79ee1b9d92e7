"""The public API: every path that is passed on, to whom, for whom, how often, and how large a body may be.

What is not in this table does not exist for the outside: no service's `/metrics`, `/livez` or `/readyz` can be
reached. A path whose service does not serve it yet is answered by that service with 404.
"""

from dataclasses import dataclass
from typing import Final

from shared.app import API_PREFIX

_JSON: Final = 16 * 1024
_TEXT: Final = 128 * 1024
FILE_FORM_BYTES: Final = 26 * 1024 * 1024

# Requests a minute from one address, which many members may share: a company's, a mobile operator's.
_READS: Final = 3000
_WRITES: Final = 300
_STRANGERS: Final = 120
"""Where no token is needed: each request costs a password's hash or a mail, or tries a link."""


@dataclass(frozen=True, slots=True)
class Route:
    """One path of the public API. `bearer`: a request without a Bearer token is refused here, unseen by the service.

    `per_minute`: how many requests one address may send, counted in each process (`rate_limits.py`).
    """

    methods: tuple[str, ...]
    path: str
    service: str
    bearer: bool = True
    max_body_bytes: int = _JSON

    @property
    def takes_file(self) -> bool:
        """Whether its body may be a file, which takes a telephone its time."""
        return self.max_body_bytes == FILE_FORM_BYTES

    @property
    def per_minute(self) -> int:
        """Reading is cheap; what a stranger may ask is not."""
        if self.methods == ("GET",) or self.path in _OFTEN:
            return _READS
        return _WRITES if self.bearer else _STRANGERS


_OFTEN: Final = frozenset({f"{API_PREFIX}/session/refresh", f"{API_PREFIX}/uploads/{{upload_id}}"})
"""Writes that go with reading, or come in many pieces."""


def _auth(methods: str, path: str, *, bearer: bool = True) -> Route:
    return Route(tuple(methods.split()), API_PREFIX + path, "auth", bearer)


def _claims(methods: str, path: str, *, bearer: bool = True) -> Route:
    return Route(tuple(methods.split()), API_PREFIX + path, "claims", bearer)


def _documents(methods: str, path: str, max_body_bytes: int = _JSON) -> Route:
    return Route(tuple(methods.split()), API_PREFIX + path, "documents", max_body_bytes=max_body_bytes)


def _notifications(methods: str, path: str, max_body_bytes: int = _JSON) -> Route:
    return Route(tuple(methods.split()), API_PREFIX + path, "notifications", max_body_bytes=max_body_bytes)


ROUTES: Final[tuple[Route, ...]] = (
    _auth("POST", "/session", bearer=False),
    _auth("DELETE", "/session"),
    _auth("POST", "/session/passkey/options", bearer=False),
    _auth("POST", "/session/passkey", bearer=False),
    _auth("POST", "/session/refresh", bearer=False),
    _auth("POST", "/session/second-factor"),
    _auth("POST", "/session/step-up"),
    _auth("POST", "/session/step-up/options"),
    _auth("GET DELETE", "/sessions"),
    _auth("POST", "/sessions/closures", bearer=False),
    _auth("DELETE", "/sessions/{session_id}"),
    _auth("GET", "/account"),
    _auth("POST", "/account/identifier"),
    _auth("POST", "/account/identifier/activation", bearer=False),
    _auth("DELETE", "/account/identifier/activation"),
    _auth("POST", "/account/identifier/activation/resend"),
    _auth("POST", "/account/identifier/undo", bearer=False),
    _auth("POST", "/account/password"),
    _auth("GET POST", "/account/passkeys"),
    _auth("POST", "/account/passkeys/options"),
    _auth("POST", "/account/passkeys/not-now"),
    _auth("PATCH DELETE", "/account/passkeys/{passkey_id}"),
    _auth("GET POST DELETE", "/account/totp"),
    _auth("GET POST", "/account/recovery-codes"),
    _auth("GET", "/challenges", bearer=False),
    _auth("POST", "/password-resets", bearer=False),
    _auth("POST", "/password-resets/confirmation", bearer=False),
    _auth("POST", "/unlocks", bearer=False),
    _auth("GET", "/activity"),
    _auth("GET", "/export"),
    _claims("GET", "/reimbursements"),
    _claims("GET", "/reimbursements.csv"),
    _claims("GET", "/reimbursements.pdf"),
    _claims("GET", "/reimbursements/summary"),
    _claims("GET", "/reimbursements/{claim_id:path}"),  # publishers may put a slash into an id
    _claims("GET", "/payments"),
    _claims("GET", "/payments/{payment_id:path}/statement.pdf"),
    _claims("GET", "/card"),
    _claims("GET", "/card.pdf"),
    _claims("GET POST", "/card/shares"),
    _claims("POST", "/card/shares/checks", bearer=False),  # for whoever has a link, as the next
    _claims("POST", "/card/shares/openings", bearer=False),
    _claims("DELETE", "/card/shares/{share_id}"),
    _documents("GET", "/documents"),
    _documents("POST", "/documents", FILE_FORM_BYTES),
    _documents("POST OPTIONS", "/uploads"),
    _documents("HEAD PATCH OPTIONS", "/uploads/{upload_id}", FILE_FORM_BYTES),
    _documents("GET", "/documents/{document_id:path}/content"),
    _documents("GET", "/documents/{document_id:path}/preview"),
    _documents("GET", "/documents/{document_id:path}"),
    _notifications("GET", "/messages"),
    _notifications("POST", "/messages", _TEXT),
    _notifications("GET", "/messages/{thread_id}"),
    _notifications("POST", "/messages/{thread_id}/replies", _TEXT),
    _notifications("GET", "/notices"),
    _notifications("POST", "/notices/read"),
    _notifications("GET PATCH", "/preferences"),
    Route(("GET",), "/.well-known/jwks.json", "auth", bearer=False),
)
"""`GET /stream` is not here: the gateway joins the services' streams itself (`stream.py`)."""

STREAMS: Final = {"c": "claims", "d": "documents", "n": "notifications"}
"""Letter of a service's part in a stream's id, and the service."""
