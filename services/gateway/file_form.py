"""A page's form with a file: its fields are read up to where the file begins, the whole body is passed on untouched."""

from collections.abc import AsyncIterator

from starlette.requests import Request

from services.gateway.passing import Body
from shared.errors import FileTooLarge, Malformed
from shared.multipart import Multipart


class FileForm:
    """The fields stand before the file in the form, so that they are known while the file is still on its way."""

    def __init__(self, request: Request, *, max_bytes: int, max_fields_bytes: int) -> None:
        self.content_type = request.headers.get("content-type", "")
        self.fields: dict[str, str] = {}
        self._body = Body(request, max_bytes, FileTooLarge)
        self._pieces = self._body.pieces()
        self._max_fields_bytes = max_fields_bytes
        self._read: list[bytes] = []

    @property
    def refused(self) -> Exception | None:
        """Why the body was not passed on to its end, if it was not."""
        return self._body.refused

    async def read_fields(self) -> None:
        """Read as far as the file begins. Raises `Malformed`."""
        async for part in Multipart(self.content_type, self._noted()).parts():
            if part.file_name is not None:
                return
            self.fields[part.name] = await part.text(max_bytes=self._max_fields_bytes)

    def check_length(self) -> None:
        """Raises `FileTooLarge` if the browser says itself that it sends too much."""
        self._body.check_length()

    async def whole(self) -> AsyncIterator[bytes]:
        """The body from its first byte on. Raises `FileTooLarge`."""
        for piece in self._read:
            yield piece
        self._read.clear()
        async for piece in self._pieces:
            yield piece

    async def _noted(self) -> AsyncIterator[bytes]:
        read = 0
        async for piece in self._pieces:
            if read > self._max_fields_bytes:
                raise Malformed("The fields of the form are too long")
            self._read.append(piece)
            read += len(piece)
            yield piece
