"""Whether one process of claims stays as large over a million payments, all of which wait when it starts."""

from collections.abc import Iterator
from itertools import islice
from typing import Final

from benchmarks.bench import Bench, Row, memory_mib, peak_memory_mib, row, until
from deploy.simulator.flow import claims as flowing
from deploy.simulator.people import population
from shared.events.claims_payment import ClaimPaid
from shared.events.record import to_message

EVENTS: Final = 1_000_000
PIECE: Final = 100_000
MEMBERS: Final = 20_000
SEED: Final = 13
WITHIN_S: Final = 300.0
"""For one piece."""


async def measure(bench: Bench) -> Iterator[Row]:
    """Resident size after each piece, next to that after the first: what is held for good would add up."""
    flow = flowing(SEED, population(SEED, MEMBERS))
    payments = (to_message(event) for event in flow if isinstance(event.data, ClaimPaid))
    bench.services.one("claims").stop()
    for _ in range(EVENTS // PIECE):
        await bench.publish(list(islice(payments, PIECE)))
    stored = bench.db["claims"]  # each payment is of a claim of its own
    before = stored.estimated_document_count()
    claims = bench.services.another("claims", {"STATEMENT_QUIET_SECONDS": "3600"})
    claims.launch()
    sizes = []
    try:
        for taken in range(PIECE, EVENTS + PIECE, PIECE):
            done = before + taken
            await until(lambda done=done: stored.estimated_document_count() >= done, WITHIN_S, every_s=0.05)
            sizes.append(memory_mib(claims.process.pid))
            print(f"  {taken:,} taken in: {sizes[-1]:.0f} MiB", flush=True)
        peak = peak_memory_mib(claims.process.pid)
    finally:
        claims.stop()
    bench.services.one("claims").launch()
    bench.services.one("claims").wait_ready()
    return iter(
        [
            row(f"MiB after {EVENTS:,} claims, after {PIECE:,}", sizes[-1], sizes[0]),
            row("  at the peak", peak, sizes[0]),
        ]
    )
