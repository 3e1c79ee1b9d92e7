"""`make bench`: prints us, the limit and the ratio, as medians of one run."""

import asyncio

from benchmarks import bench, spine
from shared.logs import configure


def main() -> None:
    """Run every benchmark on servers of its own."""
    configure("benchmarks", "ERROR")
    with bench.running() as running:
        ours, bare = asyncio.run(spine.measure(running))
    rows = [
        ("claims taken in, events/s", f"{ours.rate:,.0f}", f"{bare.rate:,.0f}", ours.rate / bare.rate),
        *(
            (f"publish → visible, ms, p{q}", f"{ours.latency(q):.0f}", f"{bare.latency(q):.0f}", _ratio(ours, bare, q))
            for q in (50, 95)
        ),
        ("peak memory, MiB", f"{ours.memory_mib:.0f}", f"{bare.memory_mib:.0f}", ours.memory_mib / bare.memory_mib),
    ]
    print(f"{'':32}{'us':>10}{'bare loop':>12}{'ratio':>8}")
    for name, us, limit, ratio in rows:
        print(f"{name:32}{us:>10}{limit:>12}{ratio:>8.2f}")


def _ratio(ours: spine.Figures, bare: spine.Figures, quantile: int) -> float:
    return ours.latency(quantile) / bare.latency(quantile)


if __name__ == "__main__":
    main()
