"""The demo: Laure Dupont and five other members with a year of claims, loaded through the public entrance.

Ids and times are fixed, so that a second load publishes the same events again and changes nothing.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from deploy.cli.environment import kafka_access
from deploy.cli.publisher import Publisher
from deploy.simulator.flow import history
from deploy.simulator.people import enrolled, population, renewals
from shared import clock
from shared.events.base import Event, EventData
from shared.kafka import KafkaAccess

SEED: Final = 121
MEMBERS: Final = 6


@dataclass(frozen=True, slots=True)
class DemoMember:
    """Who can sign in. `nir13` is the identifier of the first time."""

    member_number: str
    nir13: str
    first_name: str
    last_name: str


def load(environment: Mapping[str, str]) -> list[DemoMember]:
    """Publish the demo with the Kafka user of `environment` (KAFKA_*).

    Raises MissingSettings, BrokerUnreachable. Returns once Kafka has it all; the services follow on their own.
    """
    asyncio.run(_publish(kafka_access(environment), events(today=clock.now().date())))
    return [
        DemoMember(member.member_number, member.nir, member.first_name, member.last_name)
        for member in population(SEED, MEMBERS)
    ]


def events(*, today: date) -> list[Event[EventData]]:
    """Enrolments, the coverage of later years up to this one, and claims: each year only adds events."""
    members = population(SEED, MEMBERS)
    return [*enrolled(members), *renewals(members, today=today), *history(SEED, members)]


async def _publish(access: KafkaAccess, all_events: Sequence[Event[EventData]]) -> None:
    async with Publisher(access) as publisher:
        for event in all_events:
            await publisher.publish(event)
