"""multipart/form-data (RFC 7578) read as it comes in: one piece of the body in memory at a time, whatever its size."""

from collections import deque
from collections.abc import AsyncIterator
from typing import Final

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from shared.errors import Malformed

MAX_PARTS: Final = 32


class Part:
    """One field of the form. Read it before asking for the next: what is left unread is dropped.

    `file_name` is what the browser says, for people to read, never to be trusted; None where the field is no file.
    """

    def __init__(self, name: str, file_name: str | None, form: "Multipart") -> None:
        self.name, self.file_name = name, file_name
        self._form = form

    async def pieces(self) -> AsyncIterator[bytes]:
        """The part's content. Raises `Malformed` if the body ends before the part does."""
        while isinstance(piece := await self._form.next(), bytes):
            yield piece

    async def text(self, *, max_bytes: int) -> str:
        """The part's content as text. Raises `Malformed` if it is longer, or is not UTF-8."""
        data = bytearray()
        async for piece in self.pieces():
            data += piece
            if len(data) > max_bytes:
                raise Malformed("A field of the form is too long")
        try:
            return data.decode()
        except UnicodeDecodeError:
            raise Malformed("A field of the form is not UTF-8") from None


class _End:
    """The end of a part."""


_Event = Part | bytes | _End


class Multipart:
    """A form on its way in. Raises `Malformed` where the body is no such form, or breaks off."""

    def __init__(self, content_type: str, body: AsyncIterator[bytes]) -> None:
        kind, options = parse_options_header(content_type)
        boundary = options.get(b"boundary")
        if kind != b"multipart/form-data" or not boundary:
            raise Malformed("Not a multipart/form-data body")
        self._body = body
        self._events: deque[_Event] = deque()
        self._header, self._value = bytearray(), bytearray()
        self._disposition = b""
        self._count, self._ended = 0, False
        try:
            self._parser = MultipartParser(
                boundary,
                {
                    "on_part_begin": self._on_part_begin,
                    "on_header_field": self._on_header_field,
                    "on_header_value": self._on_header_value,
                    "on_header_end": self._on_header_end,
                    "on_headers_finished": self._on_headers_finished,
                    "on_part_data": self._on_part_data,
                    "on_part_end": self._on_part_end,
                    "on_end": self._on_end,
                },
            )
        except FormParserError:
            raise Malformed("Not a multipart/form-data body") from None

    async def parts(self) -> AsyncIterator[Part]:
        """The fields, in the order in which they come."""
        while (event := await self.next()) is not None:
            if isinstance(event, Part):
                yield event

    async def next(self) -> _Event | None:
        """What comes next; None after the last part."""
        while not self._events:
            if self._ended:
                return None
            try:
                self._parser.write(await anext(self._body))
            except StopAsyncIteration:
                raise Malformed("The form breaks off") from None
            except FormParserError:
                raise Malformed("Not a multipart/form-data body") from None
        return self._events.popleft()

    def _on_part_begin(self) -> None:
        self._count += 1
        if self._count > MAX_PARTS:
            raise Malformed("The form has too many fields")
        self._disposition = b""

    def _on_header_field(self, data: bytes, start: int, end: int) -> None:
        self._header += data[start:end]

    def _on_header_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def _on_header_end(self) -> None:
        if bytes(self._header).lower() == b"content-disposition":
            self._disposition = bytes(self._value)
        self._header.clear()
        self._value.clear()

    def _on_headers_finished(self) -> None:
        kind, options = parse_options_header(self._disposition)
        if kind != b"form-data" or b"name" not in options:
            raise Malformed("A field of the form has no name")
        file_name = options.get(b"filename")
        self._events.append(Part(_text(options[b"name"]), None if file_name is None else _text(file_name), self))

    def _on_part_data(self, data: bytes, start: int, end: int) -> None:
        self._events.append(data[start:end])

    def _on_part_end(self) -> None:
        self._events.append(_End())

    def _on_end(self) -> None:
        self._ended = True


def _text(written: bytes) -> str:
    """A name as browsers write it (WHATWG HTML, 4.10.21.8): UTF-8, with quotes and line ends in percent."""
    text = written.decode(errors="replace")
    return text.replace("%22", '"').replace("%0D", "\r").replace("%0A", "\n")
