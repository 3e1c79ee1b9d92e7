"""What a member typed into a form that could not be taken: sealed into the page that answers, kept nowhere else."""

import time
from typing import Final

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from shared.sealing import Keyring, SealingError

FIELD: Final = "garde"
KEPT_FOR_S: Final = 2 * 3600
_CONTEXT: Final = "draft"


class Draft(BaseModel):
    """A form as typed, without passwords and files. `action`: the path it is posted to. `member`: who opened it."""

    model_config = ConfigDict(frozen=True)

    action: str
    member: str
    typed: dict[str, str]
    at: float = Field(default_factory=time.time)
    """Unix seconds."""


class Drafts:
    """Seals drafts and opens them. A sealed one must fit, with the fields of the sign-in, into a form's limit."""

    def __init__(self, keyring: Keyring, form_max_bytes: int) -> None:
        self._keyring, self._max_bytes = keyring, form_max_bytes * 3 // 4

    def seal(self, draft: Draft) -> str:
        """The value of the hidden field `FIELD`; empty if it would be too long."""
        sealed = self._keyring.seal_at_rest(draft.model_dump_json(), context=_CONTEXT)
        return sealed if len(sealed) <= self._max_bytes else ""

    def open(self, sealed: object) -> Draft | None:
        """The draft; `None` if it is none of ours or too old."""
        if not isinstance(sealed, str) or not sealed:
            return None
        try:
            draft = Draft.model_validate_json(self._keyring.open_at_rest(sealed, context=_CONTEXT))
        except (SealingError, ValidationError):
            return None
        return draft if time.time() - draft.at < KEPT_FOR_S else None
