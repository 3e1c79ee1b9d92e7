"""What goes over the wire of passkeys."""

from datetime import datetime
from typing import Annotated

from pydantic import StringConstraints

from services.auth.rules import PASSKEY_NAME_CHARACTERS
from services.auth.schemas import Credential, OnDeviceRequest, Options, Wire

PasskeyWords = Annotated[str, StringConstraints(strip_whitespace=True, max_length=PASSKEY_NAME_CHARACTERS)]


class PasskeySignInRequest(OnDeviceRequest):
    """`credential`: what the browser answered to the options, in its own JSON (`PublicKeyCredential.toJSON()`)."""

    credential: Credential


class PasskeyOptions(Wire):
    """`public_key`: for `parseCreationOptionsFromJSON` or `parseRequestOptionsFromJSON`; good for five minutes."""

    public_key: Options


class NewPasskey(Wire):
    """`name`: what the member calls it; without, what the session's device is called."""

    credential: Credential
    name: PasskeyWords | None = None


class PasskeyName(Wire):
    name: PasskeyWords


class PasskeyView(Wire):
    """`used_at`: when it last signed in or confirmed. `backed_up`: its device says that it is kept elsewhere too."""

    passkey_id: str
    name: str
    added_at: datetime
    used_at: datetime | None
    backed_up: bool


class PasskeyList(Wire):
    """All there are, oldest first: ten at most."""

    items: list[PasskeyView]
    next_cursor: str | None = None
