"""Three hundred links opened in one second, while people press and check in.

``make bench-links``. Fifteen people have an open alarm and twenty on their list each. All three
hundred open their page at once and do what it tells them: a page that asks for patience is loaded
again when it says so. A second later twenty of them press "I'm going". Beside it people check in,
200 a second. The web server is one process on SQLite; no phone is reached.
"""

from __future__ import annotations

import asyncio
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event, Thread

from benchmarks.report import Figure, tell
from benchmarks.stand import Stand, percentile, stand
from tests.chaos.storm import PATIENCE_S, break_out

PEOPLE, EACH = 15, 20
PRESSES = 20
CHECK_INS_PER_S, LASTS_S = 200, 16
BEFORE_S = 2.0  # of check-ins alone, ahead of the storm
MOST_CHECK_IN_MS, MOST_PRESS_MS, MOST_PAGE_S, MOST_MEMORY = 100, 2_000, 12, 1.5


@contextmanager
def _watched(here: Stand) -> Iterator[list[float]]:
    """What our processes hold, many times a second."""
    over, held = Event(), [here.memory_mb()]

    def look() -> None:
        while not over.wait(0.1):
            held.append(here.memory_mb())

    looking = Thread(target=look)
    looking.start()
    try:
        yield held
    finally:
        over.set()
        looking.join()


def measure() -> list[Figure]:
    """One storm, and what it cost."""
    with stand() as here:
        here.inside("fill", count=2000)
        people = here.inside("links", people=PEOPLE, each=EACH)
        [port] = here.start("web")
        url = f"http://127.0.0.1:{port}"
        asyncio.run(break_out(url, people[:8], 1))  # what a first page loads is not the question
        calm = here.load(port, 5, visitors=64, rate=CHECK_INS_PER_S).said()
        with _watched(here) as held:
            load = here.load(port, LASTS_S, visitors=64, rate=CHECK_INS_PER_S)
            time.sleep(BEFORE_S)
            storm = asyncio.run(break_out(url, people, PRESSES))
            beside = load.told()
        pages_s = storm.pages_s or [PATIENCE_S]
        presses_s = storm.presses_s or [PATIENCE_S]
        return [
            Figure("links_opened", len(storm.pages_s), "", least=len(people)),
            Figure("links_lost", storm.lost, "", most=0),
            Figure("links_put_off", storm.put_off),
            Figure("links_p50_s", percentile(pages_s, 50), "s"),
            Figure("links_max_s", max(pages_s), "s", most=MOST_PAGE_S),
            Figure("links_presses_kept", len(storm.presses_s), "", least=PRESSES),
            Figure("links_press_max_ms", max(presses_s) * 1000, "ms", most=MOST_PRESS_MS),
            Figure("links_check_ins_not_kept", beside["other"], "", most=0),
            Figure("links_check_in_p99_alone_ms", calm["p99_ms"], "ms"),
            Figure("links_check_in_p99_ms", beside["p99_ms"], "ms", most=MOST_CHECK_IN_MS),
            Figure("links_memory_before_mb", held[0], "MB"),
            Figure("links_memory_ratio", max(held) / held[0], "", most=MOST_MEMORY),
        ]


def main() -> int:
    figures = measure()
    tell(f"{PEOPLE * EACH} links at once ({os.cpu_count()} processors)", figures)
    return 0 if all(figure.holds for figure in figures) else 1


if __name__ == "__main__":
    sys.exit(main())
