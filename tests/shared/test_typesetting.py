"""Paper is set off the event loop, within bounds, and what the fonts cannot show is no error."""

import asyncio
import time
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import pytest

from shared import typesetting
from shared.errors import Unavailable
from shared.typesetting import Typesetter, TypesettingSettings

NOW = datetime(2026, 11, 24, tzinfo=UTC)


@pytest.fixture
def template(tmp_path: Path) -> Path:
    """As many lines as asked for, each with the text."""
    path = tmp_path / "lines.typ"
    path.write_text(
        '#set document(title: "Test")\n#set text(lang: "fr")\n#let data = json(bytes(sys.inputs.data))\n'
        "#table(columns: 2, table.header([n], [mot]), ..range(data.lines).map(n => ([#n], data.word)).flatten())"
    )
    return path


def a_page(word: str, lines: int = 1) -> dict[str, object]:
    return {"data": {"lines": lines, "word": word}}


def long_paper() -> dict[str, object]:
    """Half a second's work, different each time: typst remembers what it has set."""
    return a_page(uuid4().hex, 600)


def test_what_the_fonts_cannot_show_becomes_a_question_mark() -> None:
    assert typesetting.printable("Nguyễn Łukasz Ελένη 漢😀 \u202e\u200bA\x07") == "Nguyễn Łukasz Ελένη ?? A"
    assert typesetting.printable("−1\u202f234,50\u00a0€") == "−1\u202f234,50\u00a0€"


def test_any_text_is_text_and_never_markup(template: Path) -> None:
    for word in ("#panic() *x* $y$ \\ _z_ [", "漢\ue000\u202e", "−1\u202f234,50\u00a0€"):
        pdf = typesetting.pdf(template, a_page(word), NOW)
        assert pdf == typesetting.pdf(template, a_page(word), NOW)
        assert b"pdfuaid:part" in pdf


async def test_the_loop_goes_on_while_paper_is_set(template: Path) -> None:
    typesetter = Typesetter(TypesettingSettings(http_port=1))
    setting = asyncio.create_task(typesetter.pdf(template, long_paper(), NOW))
    longest, last = 0.0, time.monotonic()
    while not setting.done():
        await asyncio.sleep(0.001)
        longest, last = max(longest, time.monotonic() - last), time.monotonic()
    assert (await setting).startswith(b"%PDF")
    assert longest < 0.1
    await typesetter.stop()


async def test_when_no_thread_is_free_the_reader_is_told_to_come_back(template: Path) -> None:
    typesetter = Typesetter(TypesettingSettings(http_port=1, typesetting_threads=1, typesetting_wait_seconds=0.05))
    long_one = asyncio.create_task(typesetter.pdf(template, long_paper(), NOW))
    await asyncio.sleep(0)
    with pytest.raises(Unavailable):
        await typesetter.pdf(template, a_page("mot"), NOW)
    assert await typesetter.state() == "busy"
    await long_one
    assert (await typesetter.pdf(template, a_page("mot"), NOW)).startswith(b"%PDF")
    await typesetter.stop()


async def test_paper_that_takes_too_long_is_given_up_and_its_thread_comes_back(template: Path) -> None:
    typesetter = Typesetter(TypesettingSettings(http_port=1, typesetting_threads=1, typesetting_seconds=0.05))
    with pytest.raises(Unavailable):
        await typesetter.pdf(template, long_paper(), NOW)
    assert await typesetter.state() == "busy"
    await typesetter.stop()  # waits for the thread
    await asyncio.sleep(0)
    assert await typesetter.state() == "ok"


async def test_a_template_that_fails_gives_its_thread_back(tmp_path: Path) -> None:
    broken = tmp_path / "broken.typ"
    broken.write_text("#panic()")
    typesetter = Typesetter(TypesettingSettings(http_port=1, typesetting_threads=1))
    with pytest.raises(RuntimeError):
        await typesetter.pdf(broken, {}, NOW)
    await asyncio.sleep(0)
    assert await typesetter.state() == "ok"
    await typesetter.stop()
