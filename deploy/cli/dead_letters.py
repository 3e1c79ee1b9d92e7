"""Records that the services refused: see which and why, and ask for their replay.

A record itself stays sealed: only its service has the key.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from deploy.cli.exits import INVALID, Timeout, fail
from deploy.topology import SERVICES
from shared import clock
from shared.events import CATALOGUE

if TYPE_CHECKING:
    from shared.dead_letters import Letter

app = typer.Typer(no_args_is_help=True, help=__doc__)


def _one_of(names: Sequence[str]) -> Callable[[str | None], str | None]:
    def check(name: str | None) -> str | None:
        if name is not None and name not in names:
            raise typer.BadParameter(f"should be one of {', '.join(names)}")
        return name

    return check


Topic = Annotated[str | None, typer.Option(callback=_one_of(tuple(CATALOGUE)), help="Only of this topic.")]


@app.command("list")
def show(
    service: Annotated[str | None, typer.Option(callback=_one_of(SERVICES), help="Only this service's.")] = None,
    topic: Topic = None,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="How many at most.")] = 50,
    timeout_seconds: Timeout = 15.0,
) -> None:
    """Print the dead letters, oldest first, a line each."""
    from deploy.cli import desk  # MongoDB's client would slow down the start of every other command

    found = desk.oldest(SERVICES if service is None else (service,), topic, limit + 1, timeout_seconds)
    for letter in found[:limit]:
        typer.echo(_line(letter))
    if len(found) > limit:
        typer.echo(f"portal: only the oldest {limit}; a higher --limit shows more", err=True)


@app.command()
def replay(
    service: Annotated[str, typer.Argument(metavar="SERVICE", callback=_one_of(SERVICES), help="For instance claims.")],
    keys: Annotated[list[str] | None, typer.Argument(metavar="KEY", help="As listed.")] = None,
    *,
    everything: Annotated[bool, typer.Option("--all", help="Every letter of the service.")] = False,
    topic: Topic = None,
    reason: Annotated[str, typer.Option(metavar="PREFIX", help="Only if the reason begins so.")] = "",
    timeout_seconds: Timeout = 15.0,
) -> None:
    """Ask the service to take refused records again: those that go through leave the list."""
    if everything == bool(keys):
        fail(INVALID, "name either the keys or --all")
    if keys and (topic or reason):
        fail(INVALID, "--topic and --reason go with --all")
    from deploy.cli import desk

    asked = desk.request(service, keys or (), topic, reason, timeout_seconds)
    typer.echo(f"service={service} asked={asked}")


def _line(letter: Letter) -> str:
    """The reason comes last: it is the only part that has spaces."""
    return (
        f"service={letter.service} key={letter.key} attempts={letter.attempts} at={clock.rfc3339(letter.at)} "
        f"replay={'asked' if letter.replay_requested else 'no'} reason={letter.reason}"
    )
