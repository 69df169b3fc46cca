"""Pages a second, and what they take from those who check in beside them.

``make bench-pages``. One web and one engine process on SQLite, fsync on, with people on watch, open
alarms and their contacts behind them. Sixteen kept connections open one kind of page after the
other, as a phone does: the steps for a stranger, the first screen, the watch of a person whom we
know, and an alarm on a contact's own phone. Then they open watches in a loop while people check in,
200 a second. No phone is reached, and no page of a desk, no poll and no picture is counted.
"""

from __future__ import annotations

import os
import sys
import time

from benchmarks.report import Figure, tell
from benchmarks.stand import Stand, stand

SECONDS = float(os.environ.get("BENCH_SECONDS", "10"))
VISITORS = 16
PEOPLE, ALARMS, EACH = 60, 40, 5
CHECK_INS_PER_S, CHECKING_IN = 200, 64
SETTLES_S = 5.0  # until the engine has handed over what the alarms begin with
LEAST = {"help_now": 5_000, "first": 300, "watch": 150, "alarm": 100}


def _addresses(here: Stand) -> dict[str, list[str]]:
    """What is opened, by kind: the address and the cookies."""
    sessions = here.inside("on_watch", people=PEOPLE, each=EACH)
    links = here.inside("links", people=ALARMS, each=EACH)
    phones = [
        (each["key"], "; ".join(f"{name}={value}" for name, value in each["cookies"].items()))
        for each in links
    ]
    return {
        "help_now": ["/help-now"],
        "first": ["/"],
        "watch": [f"/watch session={session}" for session in sessions],
        "alarm": [f"/c/{key} {cookies}" for key, cookies in phones],
    }


def measure() -> list[Figure]:
    """Each kind of page alone, and then watches beside check-ins."""
    figures = []
    with stand() as here:
        here.inside("fill", count=2000)
        addresses = _addresses(here)
        port, *_ = here.start("web", "engine")
        time.sleep(SETTLES_S)
        for kind, opened in addresses.items():
            here.visits(port, 1, opened, VISITORS).told()  # what a first page loads is not asked
            told = here.visits(port, SECONDS, opened, VISITORS).told()
            per_s = told["answered"] / told["seconds"]
            figures += [
                Figure(f"pages_{kind}_per_s", per_s, "/s", least=LEAST[kind]),
                Figure(f"pages_{kind}_p99_ms", told["p99_ms"], "ms"),
                Figure(f"pages_{kind}_not_given", told["other"], "", most=0),
            ]
        figures += _beside(here, port, addresses["watch"])
    return figures


def _beside(here: Stand, port: int, watches: list[str]) -> list[Figure]:
    """A check-in alone and beside sixteen who open watches, in the same run."""
    alone = here.load(port, SECONDS, CHECKING_IN, CHECK_INS_PER_S).told()
    visits = here.visits(port, SECONDS + 1, watches, VISITORS)
    time.sleep(0.5)
    beside = here.load(port, SECONDS - 0.5, CHECKING_IN, CHECK_INS_PER_S).told()
    visits.told()
    times = beside["p99_ms"] / alone["p99_ms"]
    return [
        Figure("pages_check_in_p99_alone_ms", alone["p99_ms"], "ms"),
        Figure("pages_check_in_p99_beside_ms", beside["p99_ms"], "ms"),
        Figure("pages_check_in_beside_alone", times, "times alone", most=3),
        Figure("pages_check_ins_not_kept", alone["other"] + beside["other"], "", most=0),
    ]


def main() -> int:
    figures = measure()
    tell(f"pages, one web and one engine ({os.cpu_count()} processors)", figures)
    return 0 if all(figure.holds for figure in figures) else 1


if __name__ == "__main__":
    sys.exit(main())
