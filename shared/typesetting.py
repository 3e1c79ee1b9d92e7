"""Paper: PDF/UA-1 (ISO 14289-1) set by typst from a template and JSON, with the fonts that typst brings along."""

import asyncio
import json
import unicodedata
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path

import typst
from pydantic import Field

from shared.errors import Unavailable
from shared.logs import get_logger
from shared.settings import ServiceSettings

# Controls, invisible marks, lone surrogates, private and unassigned characters, line and paragraph separators.
_NOT_TEXT = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})

log = get_logger(__name__)


class TypesettingSettings(ServiceSettings):
    """What a process that sets paper while somebody waits has besides."""

    typesetting_threads: int = Field(default=2, ge=1, le=32)
    typesetting_wait_seconds: float = Field(default=5.0, gt=0)
    """How long a request waits for a free thread."""
    typesetting_seconds: float = Field(default=15.0, gt=0)
    """How long it then waits for its paper; some 0.5 ms a line of a table."""


def pdf(template: Path, inputs: Mapping[str, object], timestamp: datetime) -> bytes:
    """`template` as PDF; `inputs` reach it as JSON in `sys.inputs`, every text printable. Equal in, equal bytes out.

    CPU-bound, but other threads go on meanwhile. Templates import only from their own folder.
    """
    made = typst.compile(
        template,
        root=template.parent,
        ignore_system_fonts=True,  # the same paper on every machine
        sys_inputs={name: json.dumps(_printable(value)) for name, value in inputs.items()},
        pdf_standards="ua-1",
        timestamp=int(timestamp.timestamp()),
    )
    assert isinstance(made, bytes)  # noqa: S101 - one file: no output path, and no format with a file a page
    return made


def printable(text: str) -> str:
    """`text` with what typst's fonts cannot show as `?`: they have Latin, Greek and Cyrillic."""
    composed = unicodedata.normalize("NFC", text)
    visible = (c for c in composed if unicodedata.category(c) not in _NOT_TEXT)
    return "".join(c if _in_fonts(ord(c)) else "?" for c in visible)


class Typesetter:
    """Sets paper off the event loop: bounded in threads, in the wait for one, and in time."""

    name = "typesetting"
    required = False

    def __init__(self, settings: TypesettingSettings) -> None:
        self._threads = ThreadPoolExecutor(settings.typesetting_threads, thread_name_prefix="typesetting")
        self._slots = asyncio.Semaphore(settings.typesetting_threads)
        self._wait_s, self._limit_s = settings.typesetting_wait_seconds, settings.typesetting_seconds

    async def start(self) -> None:
        """Nothing to wait for."""

    async def stop(self) -> None:
        """Let what is being set end."""
        await asyncio.to_thread(self._threads.shutdown, wait=True, cancel_futures=True)

    async def state(self) -> str:
        """`ok`, or that every thread is taken."""
        return "busy" if self._slots.locked() else "ok"

    async def pdf(self, template: Path, inputs: Mapping[str, object], timestamp: datetime) -> bytes:
        """`pdf` in a thread; raises `Unavailable` when no thread is free or the time is up."""
        try:
            await asyncio.wait_for(self._slots.acquire(), self._wait_s)
        except TimeoutError:
            raise Unavailable from None
        work = asyncio.get_running_loop().run_in_executor(self._threads, pdf, template, inputs, timestamp)
        work.add_done_callback(self._free)  # a thread cannot be stopped: its slot stays taken until it ends by itself
        try:
            return await asyncio.wait_for(asyncio.shield(work), self._limit_s)
        except TimeoutError:
            log.warning("typesetting_too_slow", template=template.name)
            raise Unavailable from None

    def _free(self, work: "asyncio.Future[bytes]") -> None:
        self._slots.release()
        if not work.cancelled():
            work.exception()  # seen, should nobody wait for it any more


def _printable(value: object) -> object:
    match value:
        case str():
            return printable(value)
        case Mapping():
            return {name: _printable(item) for name, item in value.items()}
        case list() | tuple():
            return [_printable(item) for item in value]
    return value


def _in_fonts(code: int) -> bool:
    return code < 0x0500 or 0x1E00 <= code < 0x2000 or 0x2010 <= code < 0x2041 or code in {0x20AC, 0x2212}
