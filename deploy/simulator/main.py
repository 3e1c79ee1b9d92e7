"""Publishes a simulated population and its claims to Kafka, at a given rate."""

import asyncio
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Annotated

import typer

from deploy.cli.environment import MissingSettings, kafka_access, portal_environment
from deploy.cli.publisher import BrokerUnreachable, Publisher
from deploy.simulator import demo
from deploy.simulator.flow import claims, history
from deploy.simulator.people import enrolled, population, renewals
from shared import clock
from shared.events.base import Event, EventData
from shared.kafka import KafkaAccess


def run(
    *,
    members: Annotated[int, typer.Option(min=1, help="How many members.")] = demo.MEMBERS,
    rate: Annotated[float, typer.Option(min=0.01, help="Events a second.")] = 1.0,
    seed: Annotated[int, typer.Option(help="The same seed, the same members.")] = demo.SEED,
    duration: Annotated[float | None, typer.Option(min=0.0, help="Seconds; without, until Ctrl-C.")] = None,
    past: Annotated[bool, typer.Option("--history", help="After the enrolments, a year of past claims.")] = False,
    enrol_only: Annotated[bool, typer.Option("--enrol-only", help="Publish the enrolments and stop.")] = False,
) -> None:
    """Enrol the members (again: nothing changes), then publish claims of theirs at a steady rate."""
    try:
        access = kafka_access(portal_environment())
        asyncio.run(_simulate(access, members, seed, rate, 0.0 if enrol_only else duration, with_history=past))
    except MissingSettings as error:
        typer.echo(f"simulator: {error}", err=True)
        raise typer.Exit(78) from None
    except BrokerUnreachable as error:
        typer.echo(f"simulator: stopped: {error}", err=True)
        raise typer.Exit(1) from None
    except KeyboardInterrupt:
        typer.echo("simulator: stopped")


async def _simulate(
    access: KafkaAccess, size: int, seed: int, rate: float, duration: float | None, *, with_history: bool
) -> None:
    members = population(seed, size)
    year = history(seed, members) if with_history else []
    async with Publisher(access) as publisher:
        for event in (*enrolled(members), *renewals(members, today=clock.now().date()), *year):
            await publisher.publish(event)
        await publisher.flush()
        typer.echo(f"{len(members)} members enrolled")
        flow = claims(seed, members, start=clock.now())
        published = await _at_rate(publisher, flow, rate, duration)
        await publisher.flush()
        typer.echo(f"{published} events about claims published")


async def _at_rate(publisher: Publisher, flow: Iterator[Event[EventData]], rate: float, duration: float | None) -> int:
    """Publish until `duration` is over, each event at its moment: late ones follow at once, none is left out."""
    began = time.monotonic()
    published = 0
    while duration is None or published < duration * rate:
        ahead = began + published / rate - time.monotonic()
        if ahead > 0:
            await asyncio.sleep(ahead)
        await publisher.publish(replace(next(flow), time=clock.now()))
        published += 1
    return published
