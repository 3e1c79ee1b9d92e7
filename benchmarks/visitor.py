"""A browser without scripts: one connection, its cookies, and the forms of our pages with the tokens they carry."""

import re
from dataclasses import dataclass
from html import unescape
from typing import Self

from pyreqwest.client import Client, ClientBuilder
from pyreqwest.multipart import FormBuilder, PartBuilder
from pyreqwest.request import RequestBuilder

_HIDDEN = re.compile(r'<input type="hidden" name="([^"]+)" value="([^"]*)"')


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back; `encoding` is empty where the body came as it is, `location` unless the browser is sent on."""

    status: int
    body: bytes
    encoding: str
    location: str


class Visitor:
    """`async with Visitor(origin) as visitor:` …"""

    def __init__(self, origin: str) -> None:
        self._origin = origin
        self._client: Client = (
            ClientBuilder()
            .no_proxy()
            .max_connections(1)
            .follow_redirects(False)
            .default_cookie_store(True)
            .gzip(False)
            .brotli(False)
            .zstd(False)
            .deflate(False)
            .build()
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._client.close()

    async def get(self, path: str, encoding: str = "identity") -> Answer:
        """One page, to its last byte, in an encoding that the browser takes."""
        return await _sent(self._client.get(self._origin + path).header("accept-encoding", encoding))

    async def send(self, path: str, **typed: str) -> str:
        """Fill in and send the form at that path; answers where the browser is sent on."""
        fields = await self._hidden(path) | typed
        return _taken(path, await _sent(self._client.post(self._origin + path).form(list(fields.items()))))

    async def send_file(self, path: str, name: str, content: bytes, **typed: str) -> str:
        """The same for a form with a file."""
        form = FormBuilder()
        for field, value in (await self._hidden(path) | typed).items():
            form = form.text(field, value)
        form = form.part("file", PartBuilder.from_bytes(content).file_name(name))
        return _taken(path, await _sent(self._client.post(self._origin + path).multipart(form)))

    async def _hidden(self, path: str) -> dict[str, str]:
        page = (await self.get(path)).body.decode()
        return {name: unescape(value) for name, value in _HIDDEN.findall(page)}


async def _sent(request: RequestBuilder) -> Answer:
    answer = await request.build().send()
    body = bytes(await answer.bytes())
    encoding, location = answer.get_header("content-encoding"), answer.get_header("location")
    return Answer(answer.status, body, str(encoding or ""), str(location or ""))


def _taken(path: str, answer: Answer) -> str:
    if answer.status != 303:
        raise RuntimeError(f"the form at {path} was not taken: {answer.status}")
    return answer.location
