"""How late asks and alarms are, with many open watches and people checking in all the while.

``make bench-lateness`` fills a store with 10,000, 100,000 and 1,000,000 open watches, lets 2,000
check-ins a second come in over HTTP, and 750 people fall silent, fifty a second. Measured at the
provider: when the text of an ask came (due five seconds after the ask: the page shows it first),
and when the first word of an alarm came (due when the time to answer is over). The time a message
needs to get there is part of it. Also what all processes hold in memory.

On PostgreSQL (``--postgres``) with two web and two engine processes. Costs must grow with what is
due, not with what is open: the same figures at three sizes show it.
"""

from __future__ import annotations

import os
import sys
import time

from benchmarks.report import Figure, tell
from benchmarks.stand import Stand, percentile, stand

SIZES = tuple(int(n) for n in os.environ.get("BENCH_OPEN", "10000,100000,1000000").split(","))
RATE = float(os.environ.get("BENCH_RATE", "2000"))
SILENT, WITHIN_S, IN_S = 750, 15.0, 20.0
OWN, GRACE_S, SHOW_S = '{"grace_s": 30}', 30, 5
AFTER_S = 6.0


def measure(count: int, *, postgres: bool) -> dict[str, float]:
    """One night at one size."""
    with stand(postgres=postgres) as here:
        here.inside("fill", count=count)
        due = here.inside("silent", count=SILENT, in_s=IN_S, within_s=WITHIN_S, own=OWN)
        ports = here.start(*("web", "engine") * (2 if postgres else 1))
        lasts_s = due[-1][1] / 1000 + GRACE_S + AFTER_S - time.time()
        loads = [here.load(port, lasts_s, 64, RATE / len(ports)) for port in ports]
        time.sleep(lasts_s)
        memory_mb = here.memory_mb()
        said = [load.said() for load in loads]
        asks, alarms = late(here, dict(due))
    if len(alarms) < SILENT or len(asks) < SILENT:
        raise SystemExit(f"{SILENT - len(asks)} asks and {SILENT - len(alarms)} alarms are missing")
    return {
        "ask_p99_s": percentile(asks, 99),
        "ask_max_s": max(asks),
        "alarm_p99_s": percentile(alarms, 99),
        "alarm_max_s": max(alarms),
        "checkins_per_s": sum(each["answered"] / each["seconds"] for each in said),
        "checkin_p99_ms": max(each["p99_ms"] for each in said),
        "memory_mb": memory_mb,
    }


def late(here: Stand, due: dict[int, int]) -> tuple[list[float], list[float]]:
    """Seconds from when it was due until the provider had it: of asks, and of alarms."""
    first: dict[tuple[str, int], int] = {}
    for at, key, _path in here.log():
        watch = int(key[1:].split(".")[0])
        alarm_at = due[watch] + GRACE_S * 1000
        what = "alarm" if at >= alarm_at - 500 else "ask"
        first.setdefault((what, watch), at)
    asks = [
        (at - due[w] - SHOW_S * 1000) / 1000 for (what, w), at in first.items() if what == "ask"
    ]
    alarms = [
        (at - due[w] - GRACE_S * 1000) / 1000 for (what, w), at in first.items() if what == "alarm"
    ]
    return asks, alarms


def figures(count: int, found: dict[str, float]) -> list[Figure]:
    at = f"late_{count}"
    return [
        Figure(f"{at}_ask_p99_s", found["ask_p99_s"], "s", most=1),
        Figure(f"{at}_ask_max_s", found["ask_max_s"], "s", most=2),
        Figure(f"{at}_alarm_p99_s", found["alarm_p99_s"], "s", most=1),
        Figure(f"{at}_alarm_max_s", found["alarm_max_s"], "s", most=2),
        Figure(f"{at}_checkins_per_s", found["checkins_per_s"], "/s all the while"),
        Figure(f"{at}_checkin_p99_ms", found["checkin_p99_ms"], "ms"),
        Figure(f"{at}_memory_mb", found["memory_mb"], "MB, all processes", most=500),
    ]


def main(postgres: bool) -> None:
    found = [
        figure for count in SIZES for figure in figures(count, measure(count, postgres=postgres))
    ]
    tell(f"asks and alarms on {'PostgreSQL' if postgres else 'SQLite'}", found)


if __name__ == "__main__":
    main("--postgres" in sys.argv)
