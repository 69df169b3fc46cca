"""Ten thousand alarms due in one second: when the first and the last first message is handed over.

``make bench-alarms``. Everybody's time to answer is over in the same instant; each alarm has one
contact with a text and a call address. Measured at the provider: the first message of all, the last
alarm's first message, and how many messages a second. Then the same with a provider that takes
200 ms for each. ``--postgres`` runs two engines.
"""

from __future__ import annotations

import os
import sys
import time

from benchmarks.report import Figure, tell
from benchmarks.stand import percentile, stand

ALARMS = int(os.environ.get("BENCH_ALARMS", "10000"))
OPEN = int(os.environ.get("BENCH_OPEN", "100000"))
IN_S = 10.0
PATIENCE_S = 120.0


def measure(*, postgres: bool, latency_ms: float, alarms: int) -> dict[str, float]:
    """One storm."""
    with stand(postgres=postgres, latency_ms=latency_ms) as here:
        here.inside("fill", count=OPEN)
        due_at = here.inside("alarmed", count=alarms, in_s=IN_S)
        here.start(*("engine",) * (2 if postgres else 1))
        until = time.time() + PATIENCE_S
        while True:
            log = here.log()
            told = {key.split(".")[0] for _at, key, _path in log}
            if len(told) == alarms and len(log) >= 2 * alarms:
                break
            if time.time() > until:
                raise SystemExit(f"{alarms - len(told)} alarms reached nobody")
            time.sleep(0.5)
    first: dict[str, int] = {}
    for at, key, _path in log:
        first.setdefault(key.split(".")[0], at)
    after = [(at - due_at) / 1000 for at in first.values()]
    began, ended = min(at for at, *_ in log), max(at for at, *_ in log)
    return {
        "first_s": min(after),
        "p99_s": percentile(after, 99),
        "last_s": max(after),
        "messages_per_s": len(log) / max((ended - began) / 1000, 0.001),
    }


def main(postgres: bool) -> None:
    fast = measure(postgres=postgres, latency_ms=0, alarms=ALARMS)
    slow = measure(postgres=postgres, latency_ms=200, alarms=ALARMS // 4)
    name = f"alarms_{ALARMS}"
    tell(
        f"alarms at once on {'PostgreSQL' if postgres else 'SQLite'}",
        [
            Figure(f"{name}_first_s", fast["first_s"], "s after they were due", most=1),
            Figure(f"{name}_last_s", fast["last_s"], "s until each had its first", most=10),
            Figure(f"{name}_messages_per_s", fast["messages_per_s"], "messages/s"),
            Figure(
                "slow_provider_messages_per_s",
                slow["messages_per_s"],
                "messages/s through a provider that takes 200 ms",
                least=500,
            ),
            Figure("slow_provider_first_s", slow["first_s"], "s", most=1),
        ],
    )


if __name__ == "__main__":
    main("--postgres" in sys.argv)
