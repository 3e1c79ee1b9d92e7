"""One member's way in: closed after a death or in a dispute, opened again; a second factor that is lost, removed.

auth does it; the reason is kept there.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from deploy.cli.exits import INVALID, UNREACHABLE, Timeout, fail

app = typer.Typer(no_args_is_help=True, help=__doc__)


class Reason(StrEnum):
    """Why, as it is kept; no free text, so that no health detail or name comes in."""

    DEATH = "death"
    DISPUTE = "dispute"
    SECURITY = "security"
    OTHER = "other"


class Loss(StrEnum):
    """Why a second factor goes, as it is kept."""

    LOST = "lost"
    SECURITY = "security"
    OTHER = "other"


def _is_number(text: str) -> str:
    if len(text) != 8 or not (text.isascii() and text.isdigit()):
        raise typer.BadParameter("should be 8 digits")
    return text


Member = Annotated[str, typer.Argument(metavar="NUMBER", callback=_is_number, help="The member number, 8 digits.")]


@app.command()
def close(
    member: Member,
    reason: Annotated[Reason, typer.Option(help="Why; kept with the account.")],
    timeout_seconds: Timeout = 15.0,
) -> None:
    """Nobody signs in to this account any more, who is signed in is out, no link or letter goes out."""
    _order("close_sign_in", member, reason.value, timeout_seconds)


@app.command("open")
def reopen(member: Member, timeout_seconds: Timeout = 15.0) -> None:
    """The member signs in again, as before it was closed."""
    _order("open_sign_in", member, None, timeout_seconds)


@app.command("remove-second-factor")
def remove_second_factor(
    member: Member,
    reason: Annotated[Loss, typer.Option(help="Why; kept with the order.")],
    timeout_seconds: Timeout = 15.0,
) -> None:
    """No code is asked for any more after the password, who is signed in is out, and the member is mailed.

    Make sure first that it is the member who asks: a stranger who has the password is in with that.
    """
    _order("remove_second_factor", member, reason.value, timeout_seconds)


def _order(name: str, member: str, reason: str | None, timeout_s: float) -> None:
    from deploy.cli import database  # MongoDB's client would slow down the start of every other command
    from shared import operator_orders
    from shared.mongo import Mongo

    async def ask(url: str) -> str | None:
        mongo = Mongo(url, "auth", wait_s=timeout_s, pool_connections=1)
        try:
            order_id = await operator_orders.order(mongo, name, member, reason)
            return await operator_orders.outcome(mongo, order_id, timeout_s=timeout_s)
        finally:
            await mongo.stop()

    outcome = database.answer(ask, 2 * timeout_s)
    if outcome is None:
        fail(UNREACHABLE, f"auth has not done it within {timeout_s:g} s; it is written down and done when auth runs")
    if outcome != "done":
        fail(INVALID, f"{outcome}: nothing was changed")
    typer.echo(f"order={name} outcome=done")
