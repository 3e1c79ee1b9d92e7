"""`portal`: exit status 0 done, 1 Kafka or MongoDB did not take it, 2 not valid, 78 settings missing."""

import asyncio
from typing import Annotated

import typer

from deploy.cli import accounts, claims, dead_letters, envelope, examples, keys
from deploy.cli.environment import MissingSettings, kafka_access, portal_environment
from deploy.cli.exits import INVALID, NO_SETTINGS, UNREACHABLE, Timeout, fail
from deploy.cli.feeds import commands as feeds
from deploy.cli.publisher import BrokerUnreachable, Published, Publisher
from shared import clock
from shared.events.base import Event, EventData
from shared.kafka import KafkaAccess

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, help=__doc__)
app.add_typer(accounts.app, name="account")
app.add_typer(claims.app, name="claims")
app.add_typer(dead_letters.app, name="dead-letters")
app.command("keys")(keys.show)
app.add_typer(feeds.app, name="feed")


@app.command()
def publish(
    file: Annotated[typer.FileBinaryRead, typer.Argument(help="A JSON file, or - for standard input.")],
    timeout_seconds: Timeout = 15.0,
) -> None:
    """Check one event against its contract and publish it as the internal system it belongs to."""
    try:
        event = envelope.read(file.read(), now=clock.now())
        published = asyncio.run(_send(kafka_access(portal_environment()), event, timeout_seconds))
    except envelope.InvalidEvent as error:
        fail(INVALID, *error.lines)
    except MissingSettings as error:
        fail(NO_SETTINGS, str(error))
    except BrokerUnreachable as error:
        fail(UNREACHABLE, f"not published: {error}")
    typer.echo(f"topic={published.topic} partition={published.partition} offset={published.offset} id={event.id}")


@app.command()
def example(
    event_type: Annotated[str, typer.Argument(metavar="TYPE", help="For instance ClaimPaid.")],
    member: Annotated[str, typer.Option(help="The member number, 8 digits.")] = "12345678",
) -> None:
    """Print an event of this type for a member, ready for `portal publish`."""
    try:
        contract = envelope.contract_of(event_type)
        text = examples.written(contract, member, today=clock.now().date())
        envelope.read(text.encode(), now=clock.now())
    except envelope.InvalidEvent as error:
        fail(INVALID, *error.lines)
    typer.echo(text)


async def _send(access: KafkaAccess, event: Event[EventData], timeout_s: float) -> Published:
    async with Publisher(access, timeout_s=timeout_s) as publisher:
        return await publisher.send(event)
