"""Back after ``kill -9`` with a million open watches: when the first overdue ask leaves.

``make bench-restart``. People have just been asked on their screens, web and engine are killed, the
time to answer runs out while nobody is there, and both are started again as the supervisor does.
Measured from that start to the provider: the phone rings first, nobody is alarmed for our absence.
"""

from __future__ import annotations

import os
import time

from benchmarks.report import Figure, tell
from benchmarks.stand import Stand, stand

OPEN = int(os.environ.get("BENCH_OPEN", "1000000"))
SILENT = 300
AWAY_S = 70.0
PATIENCE_S = 30.0


def measure() -> dict[str, float]:
    """One death at this size."""
    with stand() as here:
        here.inside("fill", count=OPEN)
        due = here.inside("silent", count=SILENT, in_s=8.0, within_s=2.0)
        here.start("web", "engine")
        wait_until(due[-1][1] / 1000 + 1.0)
        here.kill()
        before = len(here.log())
        wait_until(due[-1][1] / 1000 + AWAY_S)
        began = time.time()
        here.start("engine", "web")
        at = first_message(here, before)
        memory_mb = here.memory_mb()
    return {"first_s": at / 1000 - began, "memory_mb": memory_mb}


def first_message(here: Stand, before: int) -> int:
    """When the provider had its first message after those ``before`` (ms UTC)."""
    until = time.time() + PATIENCE_S
    while time.time() < until:
        log = here.log()[before:]
        if log:
            return min(at for at, *_ in log)
        time.sleep(0.1)
    raise SystemExit("nothing left after the restart")


def wait_until(at_s: float) -> None:
    time.sleep(max(at_s - time.time(), 0))


def main() -> None:
    found = measure()
    tell(
        "back after kill -9 on SQLite",
        [
            Figure(f"restart_{OPEN}_first_ask_s", found["first_s"], "s", most=3),
            Figure(f"restart_{OPEN}_memory_mb", found["memory_mb"], "MB, all processes", most=500),
        ],
    )


if __name__ == "__main__":
    main()
