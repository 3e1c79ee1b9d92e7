"""What the cookie of a browser's session holds."""

import time
from typing import Any, Final, Self

from pydantic import BaseModel, ConfigDict, model_validator

from services.gateway import access_tokens
from services.gateway.schemas.account import EndedMembership, TokenPair
from shared.tokens import SECOND_FACTOR

REFRESH_BEFORE_S: Final = 30
"""A page may call several services with its token: it must outlive them all."""


class WebSession(BaseModel):
    """What the cookie holds. `expires_at`: Unix seconds. `required_actions`: what the member must do first.

    `seen_at`: Unix seconds of the last activity that was noted. `trusted`: the device is the member's own.
    `ends_at`: Unix seconds when auth ends the session whatever happens, if it said so. `ended_membership`: the member
    reads, and can send nothing any more.
    """

    model_config = ConfigDict(frozen=True)

    access_token: str
    refresh_token: str
    expires_at: int
    required_actions: tuple[str, ...] = ()
    seen_at: float
    trusted: bool = False
    ends_at: int | None = None
    ended_membership: EndedMembership | None = None

    @model_validator(mode="before")
    @classmethod
    def _sealed_before(cls, data: Any) -> Any:
        """A cookie of a release that noted no activity: seen until its token ended, minutes after the last renewal."""
        return {"seen_at": data["expires_at"], **data} if isinstance(data, dict) and "expires_at" in data else data

    @classmethod
    def of(cls, pair: TokenPair, *, seen_at: float, trusted: bool) -> Self:
        """The session that a token pair opens or continues."""
        return cls(
            access_token=pair.access_token,
            refresh_token=pair.refresh_token,
            expires_at=int(time.time()) + pair.expires_in,
            required_actions=pair.required_actions,
            seen_at=seen_at,
            trusted=trusted,
            ends_at=int(pair.session_ends_at.timestamp()) if pair.session_ends_at else None,
            ended_membership=pair.ended_membership,
        )

    @property
    def kept_s(self) -> int | None:
        """How long the browser keeps it; `None`: until it is closed."""
        return self.ends_at - int(time.time()) if self.trusted and self.ends_at else None

    @property
    def member(self) -> str | None:
        """Whose it is, by the token and unverified; `None` if the token does not say."""
        return access_tokens.member(self.access_token)

    @property
    def is_half(self) -> bool:
        """Whether the second factor is still to be shown."""
        return SECOND_FACTOR in self.required_actions

    @property
    def near_its_end(self) -> bool:
        """Whether the access token must be renewed before it is used."""
        return self.expires_at - time.time() < REFRESH_BEFORE_S
