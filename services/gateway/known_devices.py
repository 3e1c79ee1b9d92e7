"""To which members this browser is known: what its `device` cookie holds, sealed."""

from typing import Final, Self

from pydantic import BaseModel, ConfigDict, ValidationError

MAX_MEMBERS: Final = 5


class KnownTo(BaseModel):
    """`token`: shows auth that the browser is known. `member`: to whom, once somebody signed in with it.

    `kept`: that member called the device their own.
    """

    model_config = ConfigDict(frozen=True)

    token: str
    member: str | None = None
    kept: bool = False


class KnownDevices(BaseModel):
    """The last five, newest first.

    Before a sign-in nobody here can tell whose token is needed: identifiers change, and a mailed link names nobody. So
    all are shown to auth, which takes the one that the account holds (`docs/adr/0015*`).
    """

    model_config = ConfigDict(frozen=True)

    known_to: tuple[KnownTo, ...] = ()

    @classmethod
    def read(cls, text: str | None) -> Self:
        """What the cookie said; nothing, if that is of no known form."""
        try:
            return cls.model_validate_json(text) if text else cls()
        except ValidationError:
            return cls()

    @property
    def tokens(self) -> list[str]:
        """As auth is shown them."""
        return [known.token for known in self.known_to]

    @property
    def kept(self) -> bool:
        """Whether the browser is to remember when it was closed: it is somebody's own."""
        return any(known.kept for known in self.known_to)

    def joined_by(self, token: str, member: str | None, *, kept: bool = False) -> "KnownDevices":
        """With one more, or the same one seen again; a member has one place only."""
        same = [known for known in self.known_to if known.token == token or (member and known.member == member)]
        others = [known for known in self.known_to if known not in same]
        seen = KnownTo(token=token, member=member, kept=kept or any(known.kept for known in same))
        return KnownDevices(known_to=(seen, *others)[:MAX_MEMBERS])
