"""The keys under which a service may still hold something sealed at rest."""

from __future__ import annotations

from typing import Annotated

import typer

from deploy.cli.exits import INVALID, Timeout, fail
from deploy.topology import SERVICES


def show(
    service: Annotated[str, typer.Argument(help=f"One of {', '.join(SERVICES)}.")], timeout_seconds: Timeout = 15.0
) -> None:
    """Print the keys under which something may be sealed in this service's database: none of them may be retired."""
    from deploy.cli import database  # MongoDB's client would slow down the start of every other command
    from shared import at_rest_keys
    from shared.mongo import Mongo

    if service not in SERVICES:
        fail(INVALID, f"{service}: no such service")

    async def ask(url: str) -> tuple[str, ...] | None:
        mongo = Mongo(url, service, wait_s=timeout_seconds, pool_connections=1)
        try:
            return await at_rest_keys.in_use(mongo)
        finally:
            await mongo.stop()

    kids = database.answer(ask, timeout_seconds)
    if kids is None:
        fail(INVALID, f"{service} has not yet said which keys it uses: it does when it starts")
    typer.echo(f"service={service} in_use={','.join(kids)}")
