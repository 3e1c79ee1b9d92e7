"""How every command of `portal` ends that could not do its work."""

from typing import Annotated, NoReturn

import typer

UNREACHABLE, INVALID, NO_SETTINGS = 1, 2, 78

Timeout = Annotated[
    float, typer.Option(envvar="PORTAL_TIMEOUT_SECONDS", min=0.1, help="How long to wait for the server, at each step.")
]


def fail(status: int, *lines: str) -> NoReturn:
    """Say why on standard error, a line each, and exit."""
    for line in lines:
        typer.echo(f"portal: {line}", err=True)
    raise typer.Exit(status)
