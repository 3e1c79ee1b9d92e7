"""`make bench`: prints us, the limit and the ratio, as medians of one run."""

import sys
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Final

import uvloop

from benchmarks import bench, identity, ingestion, lists, memory, pages, streams, visible
from shared.logs import configure


def main(names: list[str]) -> None:
    """Run these benchmarks, or every one, on servers of their own."""
    unknown = [name for name in names if name not in _BENCHMARKS]
    if unknown:
        raise SystemExit(f"{', '.join(unknown)}: no such benchmark; there are {', '.join(_BENCHMARKS)}")
    configure("benchmarks", "ERROR")
    with bench.running() as running:
        for name in names or _BENCHMARKS:
            _BENCHMARKS[name](running)


def _pages(running: bench.Bench) -> None:
    figures = uvloop.run(pages.measure(running))
    head = f"{'':22}{'fastest ms':>11}{'median ms':>10}{'p95 ms':>9}"
    print(f"{head}{'limit':>7}{'p95/limit':>11}{'bytes':>9}{'gzip':>9}")
    for page in figures:
        ratio = page.p95_ms / pages.LIMIT_MS
        packed = "–" if page.gzip_size is None else f"{page.gzip_size:,}"
        row = f"{page.path:22}{page.fastest_ms:>11.1f}{page.median_ms:>10.1f}{page.p95_ms:>9.1f}"
        print(f"{row}{pages.LIMIT_MS:>7.0f}{ratio:>11.2f}{page.size:>9,}{packed:>9}")


def _lists(running: bench.Bench) -> None:
    async def shown() -> None:
        async for asked in lists.measure(running):
            found = "" if asked.found is None else f"{asked.found:,}"
            p50, p99 = asked.quantile_ms(50), asked.quantile_ms(99)
            row = f"{asked.name:44}{found:>8}{p50:>8.1f}{p99:>8.1f}{lists.LIMIT_MS:>7.0f}{p50 / lists.LIMIT_MS:>11.2f}"
            print(f"{row}{asked.claims_cpu_ms:>9.1f}{asked.mongo_cpu_ms:>9.1f}{asked.size:>9,}", flush=True)

    head = f"{'':44}{'claims':>8}{'p50 ms':>8}{'p99 ms':>8}{'limit':>7}{'p50/limit':>11}"
    print(f"{head}{'CPU, us':>9}{'MongoDB':>9}{'bytes':>9}")
    uvloop.run(shown())


def _streams(running: bench.Bench) -> None:
    async def shown() -> None:
        async for at in streams.measure(running):
            print(f"{f'{at.name}: {streams.STREAMS:,} streams opened in, s':46}{at.opened_in_s:>10.0f}")
            print(f"{'  memory of a stream, KiB':46}{at.stream_kib:>10.0f}")
            print(f"{'  CPU of a core, hearing nothing':46}{at.idle_cpu:>10.2f}")
            print(f"{f'  CPU of a core, {streams.PER_SECOND} claims/s':46}{at.busy_cpu:>10.2f}")
            for name, times_ms in (("written", at.from_write_ms), ("published", at.from_publish_ms)):
                for percent in (50, 99):
                    ms = streams.quantile(times_ms, percent)
                    row = f"{f'  {name} → told, ms, p{percent}':46}{ms:>10.0f}{streams.LIMIT_MS:>8.0f}"
                    print(f"{row}{ms / streams.LIMIT_MS:>8.2f}", flush=True)

    print(f"{'':46}{'us':>10}{'limit':>8}{'ratio':>8}")
    uvloop.run(shown())


def _table(measure: Callable[[bench.Bench], Awaitable[Iterable[bench.Row]]]) -> Callable[[bench.Bench], None]:
    """What prints the rows of a measurement."""

    def run(running: bench.Bench) -> None:
        rows = list(uvloop.run(_measured(measure, running)))
        print(f"{'':46}{'us':>10}{'limit':>10}{'ratio':>8}")
        for name, us, limit, ratio in rows:
            print(f"{name:46}{us:>10}{limit:>10}{ratio:>8}")

    return run


async def _measured(
    measure: Callable[[bench.Bench], Awaitable[Iterable[bench.Row]]], running: bench.Bench
) -> Iterable[bench.Row]:
    return await measure(running)


_BENCHMARKS: Final[Mapping[str, Callable[[bench.Bench], None]]] = {
    "pages": _pages,
    "lists": _lists,
    "streams": _streams,
    "visible": _table(visible.measure),
    "identity": _table(identity.measure),
    "ingestion": _table(ingestion.measure),
    "memory": _table(memory.measure),
}
"""In this order: the pages are those of a portal that holds one member's year, not a backlog of claims."""

if __name__ == "__main__":
    main(sys.argv[1:])
