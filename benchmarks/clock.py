"""A clock that ran three days ahead is set back: a million daily check-ins follow it.

``make bench-clock``. People check in all the while, 2,000 a second, before it and during it.
Measured: how long until the last watch is reckoned in the right time, and how long a check-in takes
meanwhile, beside how long it took before, in the same run.
"""

from __future__ import annotations

import os
import sys
import time

from benchmarks.report import Figure, tell
from benchmarks.stand import stand

OPEN = int(os.environ.get("BENCH_OPEN", "1000000"))
AHEAD_S = 3 * 86_400
RATE = 2_000.0
BEFORE_S = 10.0
PATIENCE_S = 300.0


def measure(*, postgres: bool) -> dict[str, float]:
    """One correction at this size."""
    with stand(postgres=postgres) as here:
        here.inside("daily", count=OPEN, ahead_s=AHEAD_S)
        here.inside("set_back", by_s=0)
        web, *_ = here.start("web", "engine")
        before = here.load(web, BEFORE_S, 64, RATE).said()
        here.inside("set_back", by_s=AHEAD_S)
        began = time.monotonic()
        during = here.load(web, 60.0, 64, RATE)
        if not here.inside("followed", within_s=PATIENCE_S):
            raise SystemExit("the watches do not follow")
        took_s = time.monotonic() - began
        said = during.said()
    return {"took_s": took_s, "before_ms": before["p99_ms"], "during_ms": said["p99_ms"]}


def main(postgres: bool) -> None:
    found = measure(postgres=postgres)
    tell(
        f"a clock set back by three days on {'PostgreSQL' if postgres else 'SQLite'}",
        [
            Figure(f"clock_{OPEN}_followed_s", found["took_s"], "s until all follow", most=60),
            Figure(f"clock_{OPEN}_checkin_p99_ms", found["during_ms"], "ms meanwhile", most=100),
            Figure(f"clock_{OPEN}_checkin_p99_before_ms", found["before_ms"], "ms before"),
        ],
    )


if __name__ == "__main__":
    main("--postgres" in sys.argv)
