"""How many pages can be open: told what changes, beside people who check in.

``make bench-live``. One web, one pages' and one engine process on SQLite, fsync on. First 10,000
people's own pages wait while nothing happens: what that takes of a processor and of memory. Then
12,000 wait, 500 watches change in a second, in groups as the engine's are, and 2,000 people check
in: how long from a commit until its page hears of it. Not counted: what a page then loads, drawing
it, TLS, and pages of contacts (``bench-links`` opens those).
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from benchmarks.report import Figure, tell
from benchmarks.stand import Stand, percentile, stand

SECONDS = float(os.environ.get("BENCH_SECONDS", "20"))
PAGES = int(os.environ.get("BENCH_PAGES", "12000"))
QUIET = PAGES * 10 // 12
CHANGES_PER_S, CHECK_INS_PER_S = 500, 2_000
SETTLES_S = 8.0


class WaitingPages:
    """Pages that wait, in a process of their own."""

    def __init__(self, here: Stand, port: int, lines: Sequence[str], name: str) -> None:
        self._out = here.data / f"{name}.heard"
        file = here.data / f"{name}.pages"
        file.write_text("\n".join(lines))
        command = [sys.executable, "-m", "benchmarks.waiting", "--pages", str(file)]
        self._process = subprocess.Popen(
            [*command, "--port", str(port), "--out", str(self._out)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.connected = self._says()["connected"]

    def end(self) -> tuple[int, list[tuple[str, float]]]:
        """How many were hung up on, and who heard something when."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        lost = self._says()["lost"]
        self._process.wait()
        return lost, [tuple(json.loads(line)) for line in self._out.read_text().splitlines()]

    def _says(self) -> dict[str, int]:
        assert self._process.stdout is not None
        said: dict[str, int] = json.loads(self._process.stdout.readline())
        return said


def cpu_s(here: Stand) -> float:
    """What all our processes have used of a processor since they began."""
    ticks = os.sysconf("SC_CLK_TCK")
    used = 0
    for process in here.running:
        fields = Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()
        used += int(fields[11]) + int(fields[12])
    return used / ticks


def measure() -> list[Figure]:
    """Empty, then quiet, then busy."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    with stand() as here:
        here.inside("fill", count=2_000)
        people = here.inside("waiters", count=PAGES)
        lines = [f"/watch/live session={token} {person}" for person, token in people]
        port, *_ = here.start("web", "engine")
        time.sleep(SETTLES_S)
        figures = [Figure("live_idle_empty_percent", _used(here, SECONDS), "% of a core", most=1.5)]
        before = here.memory_mb()
        quiet = WaitingPages(here, port, lines[:QUIET], "quiet")
        time.sleep(SETTLES_S)
        each_kb = (here.memory_mb() - before) * 1024 / QUIET
        figures += [
            Figure("live_quiet_percent", _used(here, SECONDS), "% of a core", most=3),
            Figure("live_memory_a_page_kb", each_kb, "KB", most=25),
            Figure("live_memory_mb", here.memory_mb(), "MB", most=600),
        ]
        more = WaitingPages(here, port, lines[QUIET:], "more")
        figures += _busy(here, port, people, quiet, more)
    return figures


def _used(here: Stand, seconds: float) -> float:
    began = cpu_s(here)
    time.sleep(seconds)
    return (cpu_s(here) - began) / seconds * 100


def _busy(
    here: Stand, port: int, people: list[tuple[int, str]], *waiting: WaitingPages
) -> list[Figure]:
    load = here.load(port, SECONDS, rate=CHECK_INS_PER_S)
    time.sleep(1)
    shown = here.inside(
        "changes", persons=[p for p, _ in people], per_s=CHANGES_PER_S, seconds=SECONDS - 2
    )
    told = load.told()
    time.sleep(2)
    lost, heard = 0, list[tuple[str, float]]()
    for pages in waiting:
        more, those = pages.end()
        lost, heard = lost + more, heard + those
    at: dict[str, list[float]] = {}
    for whose, ms in heard:
        at.setdefault(whose, []).append(ms)
    took, untold = list[float](), 0
    for person, committed_ms in shown:
        later = [ms for ms in at.get(str(person), ()) if ms >= committed_ms]
        untold += not later
        took += [min(later) - committed_ms] if later else []
    connected = sum(pages.connected for pages in waiting)
    return [
        Figure("live_pages", connected, "", least=PAGES),
        Figure("live_pages_lost", lost, "", most=0),
        Figure("live_changes_per_s", len(shown) / (SECONDS - 2), "/s"),
        Figure("live_changes_untold", untold, "", most=0),
        Figure("live_commit_to_page_p50_ms", percentile(took, 50), "ms"),
        Figure("live_commit_to_page_p99_ms", percentile(took, 99), "ms", most=500),
        Figure("live_check_ins_per_s", told["answered"] / told["seconds"], "/s"),
        Figure("live_check_in_p99_ms", told["p99_ms"], "ms", most=100),
        Figure("live_check_ins_not_kept", told["other"], "", most=0),
    ]


def main() -> int:
    figures = measure()
    tell(f"pages that wait, one web and one engine ({os.cpu_count()} processors)", figures)
    return 0 if all(figure.holds for figure in figures) else 1


if __name__ == "__main__":
    sys.exit(main())
