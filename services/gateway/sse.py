"""Server-sent events (WHATWG HTML, 9.2), read: bytes in whatever pieces they come, events out."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

MAX_EVENT_BYTES: Final = 64 * 1024


class EventTooLarge(Exception):
    """A stream that never ends its event."""


@dataclass(frozen=True, slots=True)
class ServerEvent:
    """One event of a stream. An id alone (`event` and `data` empty) only moves the place to go on from."""

    event: str
    data: str
    id: str


class EventParser:
    """Feed it pieces, take the events they complete. Comments and unknown fields are passed over."""

    def __init__(self) -> None:
        self._rest = b""
        self._fields: dict[str, str] = {}

    def feed(self, piece: bytes) -> Iterator[ServerEvent]:
        """The events that `piece` completes. Raises `EventTooLarge` on one of more than 64 KiB."""
        *lines, self._rest = (self._rest + piece).split(b"\n")
        for line in lines:
            text = line.rstrip(b"\r").decode(errors="replace")
            if text:
                self._take(text)
            elif event := self._complete():
                yield event
        if len(self._rest) + sum(map(len, self._fields.values())) > MAX_EVENT_BYTES:
            raise EventTooLarge

    def _complete(self) -> ServerEvent | None:
        fields, self._fields = self._fields, {}
        if "data" in fields:
            return ServerEvent(fields.get("event", "message"), fields["data"], fields.get("id", ""))
        return ServerEvent("", "", fields["id"]) if "id" in fields else None

    def _take(self, line: str) -> None:
        name, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if name == "data" and "data" in self._fields:
            value = f"{self._fields['data']}\n{value}"
        if name in {"data", "event", "id"}:
            self._fields[name] = value
