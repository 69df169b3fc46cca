"""Durable check-ins a second: over HTTP, beside what the store alone can do, in the same run.

``make bench-checkin`` prints, at 10,000 and 1,000,000 open watches with fsync on: one transaction
for each check-in (unbatched), the store's own group commits (batched), and HTTP through the fast
lane with 256 connections. On SQLite with one web process, with ``--postgres`` with two. What
travels between machines is the ratio. Ends in ``name=value`` lines.
"""

from __future__ import annotations

import os
import sys

from benchmarks.report import Figure, tell
from benchmarks.stand import stand

SECONDS = float(os.environ.get("BENCH_SECONDS", "10"))
SIZES = tuple(int(n) for n in os.environ.get("BENCH_OPEN", "10000,1000000").split(","))
VISITORS = 256


def measure(count: int, *, postgres: bool) -> dict[str, float]:
    """All figures at one size."""
    with stand(postgres=postgres) as here:
        here.inside("fill", count=count)
        store = here.inside("store_limit", seconds=SECONDS / 2)
        ports = here.start(*(("web", "web") if postgres else ("web",)))
        loads = [here.load(port, SECONDS, VISITORS // len(ports)) for port in ports]
        said = [load.said() for load in loads]
        memory_mb = here.memory_mb()
    per_s = sum(each["answered"] / each["seconds"] for each in said)
    return {
        **store,
        "http_per_s": per_s,
        "http_of_batched": per_s / store["batched_per_s"],
        "http_p50_ms": max(each["p50_ms"] for each in said),
        "http_p99_ms": max(each["p99_ms"] for each in said),
        "web_mb": memory_mb,
    }


def figures(count: int, found: dict[str, float]) -> list[Figure]:
    at, half = f"checkin_{count}", 0.5 if count >= 1_000_000 else None  # a small store is all speed
    return [
        Figure(f"{at}_unbatched_per_s", found["unbatched_per_s"], "/s, one in a transaction"),
        Figure(f"{at}_batched_per_s", found["batched_per_s"], "/s, the store in groups"),
        Figure(f"{at}_http_per_s", found["http_per_s"], "/s over HTTP", least=5000),
        Figure(f"{at}_http_of_batched", found["http_of_batched"], "of the store", least=half),
        Figure(f"{at}_http_p50_ms", found["http_p50_ms"], "ms"),
        Figure(f"{at}_http_p99_ms", found["http_p99_ms"], "ms", most=100),
        Figure(f"{at}_web_mb", found["web_mb"], "MB in the web processes"),
    ]


def main(postgres: bool) -> None:
    found = [
        figure for count in SIZES for figure in figures(count, measure(count, postgres=postgres))
    ]
    tell(f"check-ins on {'PostgreSQL' if postgres else 'SQLite'}", found)


if __name__ == "__main__":
    main("--postgres" in sys.argv)
