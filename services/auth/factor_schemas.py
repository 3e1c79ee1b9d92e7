"""What goes over the wire of the second factor: an authenticator app, and recovery codes."""

from datetime import datetime
from typing import Annotated

from pydantic import Field, SecretStr

from services.auth.schemas import Wire

Code = Annotated[SecretStr, Field(max_length=64)]


class SecondFactorRequest(Wire):
    """One of the two, spaces allowed. `code`: the six digits of the app. `recovery_code`: one that has not served."""

    code: Code | None = None
    recovery_code: Code | None = None


class TotpRequest(Wire):
    """Without `code`: begin. With the first one of the app: turn it on."""

    code: Code | None = None


class TotpView(Wire):
    """`since`: when it was turned on, null while it is off."""

    enabled: bool
    since: datetime | None


class TotpSetup(Wire):
    """`secret`: base32, to be typed. `uri`: the same as apps read it from a QR code. Good until `expires_at`."""

    secret: str
    uri: str
    expires_at: datetime


class RecoveryCodes(Wire):
    """Shown this once. Those from before are void."""

    recovery_codes: list[str]


class RecoveryCodesView(Wire):
    """`left`: how many have not served. `made_at`: null where there are none."""

    left: int
    made_at: datetime | None
