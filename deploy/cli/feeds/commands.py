"""`portal feed`: check a feed file, publish one."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Annotated, BinaryIO, Final

import typer

from deploy.cli.environment import MissingSettings, kafka_access, portal_environment
from deploy.cli.exits import INVALID, NO_SETTINGS, UNREACHABLE, Timeout, fail
from deploy.cli.feeds import check
from deploy.cli.feeds.check import Checked
from deploy.cli.feeds.parts import InvalidFeed
from deploy.cli.feeds.progress import Progress
from deploy.cli.publisher import BrokerUnreachable, Publisher
from shared import clock

EVENTS_BETWEEN_NOTES: Final = 5_000

app = typer.Typer(no_args_is_help=True, help="Feed files of internal systems (docs/feeds.md).")
File = Annotated[Path, typer.Argument(exists=True, dir_okay=False, readable=True, help="NDJSON or CSV.")]


@app.command("check")
def check_file(file: File) -> None:
    """Say what is wrong with a file, line by line; nothing is published."""
    with file.open("rb") as opened:
        found = _checked(opened, clock.now())
    typer.echo(_said(found, "correct"))


@app.command()
def publish(file: File, timeout_seconds: Timeout = 15.0) -> None:
    """Check the whole file, then publish its events in order; one that was interrupted goes on where it was.

    Publishing a file again does nothing; its events have the same ids each time, so nothing can be doubled.
    """
    now = clock.now()
    with file.open("rb") as opened:
        found, progress = _checked(opened, now), Progress.of(file, opened)
        if progress.published >= found.events:
            typer.echo(_said(found, "published before"))
            return
        try:
            progress.note(progress.published)
            publisher = Publisher(kafka_access(portal_environment()), timeout_s=timeout_seconds)
            asyncio.run(_publish(opened, publisher, progress, found.events, now))
        except InvalidFeed as error:
            fail(INVALID, str(error))
        except OSError as error:
            fail(NO_SETTINGS, f"{progress.path.name}: {error.strerror}: how far it came must be noted beside the file")
        except MissingSettings as error:
            fail(NO_SETTINGS, str(error))
        except BrokerUnreachable as error:
            fail(UNREACHABLE, f"not all published: {error}", "run the same command again: it goes on from there")
    typer.echo(_said(found, "published"))


def _checked(opened: BinaryIO, now: datetime) -> Checked:
    try:
        with _bar("Checking", _lines(opened)) as progress:
            found = check.whole(opened, now=now, progress=progress)
        found.refuse_if_wrong()
    except InvalidFeed as error:
        fail(INVALID, *str(error).splitlines(), "nothing was published")
    opened.seek(0)
    return found


async def _publish(opened: BinaryIO, publisher: Publisher, progress: Progress, events: int, now: datetime) -> None:
    _, lines = check.events(opened, now=now)
    with _bar("Publishing", events) as at:
        async with publisher:
            for count, line in enumerate(lines, start=1):
                if line.event is None:
                    raise InvalidFeed(f"line {line.number}: the file was changed while it was read")
                if count <= progress.published:
                    continue
                await publisher.publish(line.event)
                if count % EVENTS_BETWEEN_NOTES == 0:
                    await publisher.flush()
                    progress.note(count)
                    at(count)
            await publisher.flush()
        progress.note(events)
        at(events)


@contextmanager
def _bar(label: str, length: int) -> Iterator[Callable[[int], None]]:
    """A bar on a terminal; nothing where nobody looks."""
    shown = typer.get_text_stream("stderr")
    if not shown.isatty():
        yield lambda at: None
        return
    with typer.progressbar(length=length, label=label, file=shown) as bar:
        yield lambda at: bar.update(at - bar.pos)


def _lines(opened: BinaryIO) -> int:
    count = sum(chunk.count(b"\n") for chunk in iter(lambda: opened.read(1 << 20), b""))
    opened.seek(0)
    return count


def _said(found: Checked, what: str) -> str:
    head = found.head
    return f"feed={head.feed} events={found.events} amount_cents={found.amount_cents} {what}"
