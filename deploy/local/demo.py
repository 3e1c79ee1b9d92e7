"""Who can sign in to the demo, and with what: read from letters and events, as outsiders do; never by trying."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Final, Self

from deploy.cli.publisher import BrokerUnreachable
from deploy.local import letters, topics
from deploy.local.errors import StackError
from deploy.local.progress import progress
from deploy.local.secrets import write_private
from deploy.simulator import demo as population
from deploy.simulator.demo import DemoMember
from shared.events.auth import AuthEvent, IdentifierChanged
from shared.events.base import EventData
from shared.events.notifications import LetterReady, NotificationsEvent

LETTER_WITHIN_S: Final = 60.0
_BUCKET: Final = "letters"


@dataclass(slots=True)
class Notes:
    """What the events told so far. Kept, because topics forget after a week and a demo may be older.

    ``letters``: member number → object of the latest letter; ``chosen``: member number → kind of identifier.
    """

    letters: dict[str, str] = field(default_factory=dict)
    chosen: dict[str, str] = field(default_factory=dict)
    positions: dict[str, int] = field(default_factory=dict)

    @classmethod
    def kept_in(cls, file: Path) -> Self:
        """The kept notes; empty ones when there are none or they are damaged: the events tell again."""
        try:
            return cls(**json.loads(file.read_text()))
        except (OSError, ValueError, TypeError):
            return cls()

    def keep(self, file: Path) -> None:
        write_private(file, json.dumps(asdict(self), indent=1))

    def take(self, data: EventData) -> None:
        """Note what matters of an event."""
        if isinstance(data, LetterReady):
            self.letters[data.member_number] = data.object
        elif isinstance(data, IdentifierChanged):
            self.chosen[data.member_number] = data.kind


@dataclass(frozen=True, slots=True)
class SignIn:
    """Lines for a person, and the member who signs in by them."""

    lines: str
    member_number: str


def sign_in(environment: Mapping[str, str], file: Path) -> SignIn:
    """Load the demo population and say how to sign in; the notes are kept in ``file``. Raises StackError."""
    with progress("Loading the demo and waiting for its letters"):
        members = _load(environment)
        notes = Notes.kept_in(file)
        wanted = {member.member_number for member in members}
        for event in topics.follow(
            environment, [NotificationsEvent.topic, AuthEvent.topic], notes.positions, LETTER_WITHIN_S
        ):
            if event is not None and event.data.member_number in wanted:
                notes.take(event.data)
            elif event is None and wanted <= notes.letters.keys():
                break
        notes.keep(file)
    return _described(members, notes, environment)


def _load(environment: Mapping[str, str]) -> Sequence[DemoMember]:
    try:
        return population.load(environment)
    except BrokerUnreachable as error:
        raise StackError(f"the demo could not be loaded: {error}. Run again.") from error


def _described(members: Sequence[DemoMember], notes: Notes, environment: Mapping[str, str]) -> SignIn:
    """For each member who signed in, with what kind of identifier; then the first who never did, with the password."""
    said = []
    for member in members:
        password = None if member.member_number in notes.chosen else _password(notes, member, environment)
        if password is not None:
            said.append(
                f"  Sign in            identifier {member.nir13}, temporary password {password} ({_name(member)})"
            )
            return SignIn("\n".join(said), member.member_number)
        said.append(f"  Signed in before   {_name(member)}: {_with(member, notes)}")
    said.append("  Sign in            every demo member has a password of their own; `make clean-data` starts afresh")
    return SignIn("\n".join(said), members[0].member_number)


def _password(notes: Notes, member: DemoMember, environment: Mapping[str, str]) -> str | None:
    """None: the letter is gone, so its password was used or has expired."""
    name = notes.letters.get(member.member_number)
    pdf = letters.fetch(environment, _BUCKET, name) if name else None
    return letters.temporary_password(pdf) if pdf else None


def _name(member: DemoMember) -> str:
    return f"{member.first_name} {member.last_name}"


def _with(member: DemoMember, notes: Notes) -> str:
    match notes.chosen.get(member.member_number):
        case "email":
            return "the e-mail address and the password chosen then"
        case "member_number":
            return f"the member number {member.member_number} and the password chosen then"
        case _:
            return f"{member.nir13} and the password chosen then; the address waits to be confirmed (see the mails)"
