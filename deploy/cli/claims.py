"""The claims that members see, built again from the events they were told by, while claims goes on answering."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Annotated, Final, TypeVar

import typer

from deploy.cli.exits import INVALID, UNREACHABLE, Timeout, fail

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from services.claims.rebuild.orders import Rebuild
    from shared.mongo import Database

POLL_S: Final = 0.2
SAID_EVERY_S: Final = 5.0
"""How often progress is said while nothing else changes."""

T = TypeVar("T")

app = typer.Typer(no_args_is_help=True, help=__doc__)


@app.command()
def rebuild(
    *,
    accept_losses: Annotated[
        bool, typer.Option("--accept-losses", help="Swap even if what members see now cannot be read any more.")
    ] = False,
    status: Annotated[bool, typer.Option("--status", help="Only say how far it is.")] = False,
    cancel: Annotated[bool, typer.Option("--cancel", help="End it; the claims stay as they were.")] = False,
    timeout_seconds: Timeout = 15.0,
) -> None:
    """Rebuild the claims beside those in use, compare, and swap; a rebuild under way is joined.

    Ending this command ends nothing: called again it shows what has become of it.
    """
    if accept_losses + status + cancel > 1:
        fail(INVALID, "--accept-losses, --status and --cancel exclude each other")
    if status:
        typer.echo(_line(_found(timeout_seconds)))
        return
    if cancel:
        _cancel(timeout_seconds)
    else:
        _ask(accept_losses, timeout_seconds)
    _end(_follow(timeout_seconds))


def _ask(accept_losses: bool, timeout_s: float) -> None:
    from services.claims.rebuild import orders

    if not _answer(lambda db: orders.ask(db, accept_losses=accept_losses), timeout_s):
        typer.echo("portal: one is under way already, and goes on as it was asked for", err=True)


def _cancel(timeout_s: float) -> None:
    from services.claims.rebuild import orders

    if not _answer(orders.cancel, timeout_s):
        fail(INVALID, "none is under way that can still be ended")


def _follow(timeout_s: float) -> Rebuild:
    """Say how far it is until it has ended; ends the command if nothing happens for `timeout_s`."""
    seen = _found(timeout_s)
    typer.echo(_line(seen))
    moved_at = time.monotonic()
    while not seen.ended:
        before = seen
        seen = _answer(_watch(before, min(SAID_EVERY_S, timeout_s)), 2 * timeout_s + SAID_EVERY_S)
        if seen != before:
            typer.echo(_line(seen))
            moved_at = time.monotonic()
        elif time.monotonic() > moved_at + timeout_s:
            fail(UNREACHABLE, f"nothing happened for {timeout_s:g} s; it is written down and goes on when claims runs")
    return seen


def _watch(seen: Rebuild, for_s: float) -> Callable[[Database], Coroutine[None, None, Rebuild]]:
    """How far it is once its state is another, `for_s` later at the latest."""

    async def watch(db: Database) -> Rebuild:
        from services.claims.rebuild import orders

        end = time.monotonic() + for_s
        found = seen
        while found.state is seen.state and time.monotonic() < end:
            await asyncio.sleep(POLL_S)
            found = await orders.find(db) or seen
        return found

    return watch


def _found(timeout_s: float) -> Rebuild:
    from services.claims.rebuild import orders

    found = _answer(orders.find, timeout_s)
    if found is None:
        fail(INVALID, "no rebuild was ever asked for")
    return found


def _end(ended: Rebuild) -> None:
    """Say what was lost, and exit."""
    from services.claims.rebuild.orders import State

    lost = [f"event={loss.event} reason={loss.reason}" for loss in ended.losses]
    if ended.lost > len(lost):
        lost.append(f"and {ended.lost - len(lost)} more")
    match ended.state:
        case State.CANCELLED:
            fail(INVALID, "cancelled: the claims are as they were")
        case State.REFUSED:
            fail(INVALID, *lost, "refused: the claims are as they were; --accept-losses swaps without these events")
    for line in lost:
        typer.echo(f"portal: {line}", err=True)


def _line(rebuild: Rebuild) -> str:
    return (
        f"rebuild={rebuild.state} replayed={rebuild.replayed} total={rebuild.total} "
        f"compared={rebuild.compared} lost={rebuild.lost}"
    )


def _answer(ask: Callable[[Database], Coroutine[None, None, T]], timeout_s: float) -> T:
    from deploy.cli import database  # MongoDB's client would slow down the start of every other command
    from shared.mongo import Mongo

    async def answer(url: str) -> T:
        mongo = Mongo(url, "claims", wait_s=timeout_s, pool_connections=1)
        try:
            return await ask(mongo.db)
        finally:
            await mongo.stop()

    return database.answer(answer, timeout_s)
