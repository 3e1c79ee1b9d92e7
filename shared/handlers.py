"""Handlers made of what is done with each type of event: every type of a topic is used or passed over by name."""

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from typing import Any

from shared.applier import Refused
from shared.consumer import Handler
from shared.events.base import Event, EventData
from shared.mongo import Transaction
from shared.tracing import following

Use = Callable[[Event[Any], Transaction], Awaitable[None]]


def one_by_one(uses: Mapping[type[EventData], Use], passed_over: Collection[type[EventData]]) -> Handler:
    """A handler that gives each event of a batch to its use, in record order, in the trace the event came with."""

    async def handle(events: Sequence[Event[EventData]], tx: Transaction) -> None:
        for event in events:
            use = uses.get(type(event.data))
            if use is None:
                pass_over(event, passed_over)
                continue
            with following(event.traceparent):
                await use(event, tx)

    return handle


def pass_over(event: Event[EventData], passed_over: Collection[type[EventData]]) -> None:
    """Do nothing with an event of a listed type; any other is a dead letter: refused, never overlooked."""
    if type(event.data) not in passed_over:
        raise Refused("type_not_handled")
