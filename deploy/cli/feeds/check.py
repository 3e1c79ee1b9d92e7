"""The whole file before anything of it is published: every line against its contract, the totals against the lines."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import blake2b
from typing import BinaryIO, Final

from deploy.cli import envelope
from deploy.cli.envelope import InvalidEvent
from deploy.cli.feeds import ndjson, table
from deploy.cli.feeds.parts import Head, InvalidFeed, Line, Lines, amount_cents, event_id

FAULTS_SHOWN: Final = 1_000
"""Lines of which each fault is told; the others are only counted."""


@dataclass
class Checked:
    """What a file holds. `faults`: of the first lines that have some, `line n: what`; `bad_lines`: how many have."""

    head: Head
    events: int = 0
    amount_cents: int = 0
    bad_lines: int = 0
    faults: list[str] = field(default_factory=list)

    def refuse_if_wrong(self) -> None:
        """Raises `InvalidFeed`, a line a fault, if anything is wrong with the file."""
        told = list(self.faults)
        if self.bad_lines > FAULTS_SHOWN:
            told.append(f"{self.bad_lines - FAULTS_SHOWN:,} more bad lines")
        if not self.bad_lines:  # a bad line is in no total
            told += _differ("events", self.head.events, self.events)
            told += _differ("amount_cents", self.head.amount_cents, self.amount_cents)
        if told:
            raise InvalidFeed("\n".join(told))


def events(file: BinaryIO, *, now: datetime) -> tuple[Head, Iterator[Line]]:
    """The head of a feed in either form, and its lines, each checked. Raises `InvalidFeed`."""
    is_json = file.read(1) == b"{"
    file.seek(0)
    head, written = (ndjson if is_json else table).read(file, now=now)
    return head, _checked(head, written, now)


def whole(file: BinaryIO, *, now: datetime, progress: Callable[[int], None]) -> Checked:
    """All of it. `progress` is told of each line's number. Raises `InvalidFeed` if there is no head."""
    head, lines = events(file, now=now)
    found, seen = Checked(head), set[bytes]()
    for line in lines:
        progress(line.number)
        if line.event is None:
            faults = line.faults
        else:
            short = blake2b(f"{line.event.source}|{line.event.id}".encode(), digest_size=8).digest()
            faults = ("id: another line of the file has it",) if short in seen else ()
            seen.add(short)
            found.events += 1
            found.amount_cents += amount_cents(line.event)
        if faults:
            found.bad_lines += 1
            if found.bad_lines <= FAULTS_SHOWN:
                found.faults += [f"line {line.number}: {fault}" for fault in faults]
    return found


def _checked(head: Head, written: Lines, now: datetime) -> Iterator[Line]:
    for line in written:
        if line.fault:
            yield Line(line.number, None, (line.fault,))
            continue
        own_id = event_id(head, line.number)
        try:
            event = envelope.read(line.text, now=now, default_id=own_id, default_time=head.made_at)
        except InvalidEvent as error:
            yield Line(line.number, None, error.lines)
        else:
            yield Line(line.number, event)


def _differ(name: str, told: int, counted: int) -> list[str]:
    return [f"line 1: {name} is {told:,}, the lines have {counted:,}"] if told != counted else []
