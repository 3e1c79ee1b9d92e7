"""Events about claims in the order in which they are published."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from heapq import heappop, heappush

from deploy.simulator.chance import ANCHOR, chance, drawn_id
from deploy.simulator.payer import Payer
from shared.events.base import Event
from shared.events.claims_payment import ClaimsPaymentEvent
from shared.events.membership import MemberEnrolled

_MAX_STEPS_BETWEEN = 12


def claims(
    seed: int, members: Sequence[MemberEnrolled], *, start: datetime = ANCHOR
) -> Iterator[Event[ClaimsPaymentEvent]]:
    """An endless flow, 1 ms of simulated time an event, from `start` on; the same arguments give the same bytes.

    What follows later in life (paid after received, taken back after paid) follows here a few events later.
    """
    rng = chance("claims", seed, start)
    payer = Payer(rng)
    waiting: list[tuple[int, int, ClaimsPaymentEvent]] = []
    step = drawn = 0
    while True:
        if not waiting or waiting[0][0] > step:
            due = step
            for happening in payer.visit(rng.choice(members), start + timedelta(milliseconds=step)):
                heappush(waiting, (due, drawn, happening.data))
                due += rng.randint(1, _MAX_STEPS_BETWEEN)
                drawn += 1
        data = heappop(waiting)[2]
        yield _event(data, drawn_id(rng), start + timedelta(milliseconds=step))
        step += 1


def history(
    seed: int, members: Sequence[MemberEnrolled], *, until: datetime = ANCHOR, days: int = 365, visits: int = 16
) -> list[Event[ClaimsPaymentEvent]]:
    """What the past `days` brought each member, about `visits` visits each, in the order of time."""
    events: list[Event[ClaimsPaymentEvent]] = []
    for member in members:
        rng = chance("history", seed, member.member_number, until)
        payer = Payer(rng)
        number = rng.randint(visits - visits // 4, visits + visits // 4)
        for at in sorted(until - timedelta(minutes=rng.randrange(days * 24 * 60)) for _ in range(number)):
            for happening in payer.visit(member, at):
                events.append(_event(happening.data, drawn_id(rng), at - happening.before))
    return sorted(events, key=lambda event: event.order)


def _event(data: ClaimsPaymentEvent, event_id: str, time: datetime) -> Event[ClaimsPaymentEvent]:
    return Event.of(data, id=event_id, time=time, subject=data.claim_id)
