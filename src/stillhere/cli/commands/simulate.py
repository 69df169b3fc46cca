"""`stillhere simulate`: lives through seeded nights of faults and says whether everything held.

Owns a temporary folder for keys that seal nothing real; the database of a night is in memory, and
nights of the core alone have none. Reads no settings, touches no installation, sends nothing.
"""

from __future__ import annotations

import multiprocessing
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import click

from stillhere.cli import loading, scratch_env
from stillhere.sim.core import nights as core_nights
from stillhere.sim.verdict import Lived, Verdict

COUNTED = ("watches", "check-ins", "alarms", "messages", "duplicates", "crashes")
COUNTED_IN_THE_CORE = ("steps", "asks", "alarms", "told", "outages")
SLICE, CORE_SLICE = 5, 500
SHOWN = 5  # of the nights that broke; the others are counted


@click.command()
@click.option("--nights", default=100, show_default=True, type=click.IntRange(1))
@click.option("--seed", default=1, show_default=True, help="The first night's seed.")
@click.option("--core", is_flag=True, help="Nights of the core alone, some hundred times faster.")
@click.option("--weeks", is_flag=True, help="Each lasts two or three weeks.")
@click.option("--clocks", is_flag=True, help="Weeks on a machine whose clock is not to be trusted.")
@click.option("--jobs", default=1, show_default=True, type=click.IntRange(1, 64), help="Processes.")
def command(nights: int, seed: int, core: bool, weeks: bool, clocks: bool, jobs: int) -> None:
    """Live through NIGHTS nights, one a seed; exit with 1 at anything that must never be.

    A night that fails does so again, alone, and is then made as small as it gets: stillhere
    simulate --nights 1 --seed N.
    """
    if core and clocks:
        raise click.UsageError("The core has no clock: --clocks is of the whole product.")
    kind = "clocks" if clocks else "weeks" if weeks else "nights"
    run = partial(_core, weeks=weeks) if core else partial(_full, kind=kind)
    again = "--core " * core + "--weeks " * weeks + "--clocks " * clocks
    counts: Counter[str] = Counter()
    broken: list[Verdict] = []
    for found, bad in run(_slices(nights, seed, CORE_SLICE if core else SLICE), jobs, nights == 1):
        counts.update(found)
        for verdict in bad[: max(SHOWN - len(broken), 0)]:
            _tell(verdict, again, alone=nights == 1)
        broken += bad
    counted = COUNTED_IN_THE_CORE if core else COUNTED
    click.echo(summary(nights, seed, counts, len(broken), counted))
    sys.exit(1 if broken else 0)


def summary(
    nights: int, seed: int, counts: Counter[str], broken: int, counted: Sequence[str] = COUNTED
) -> str:
    """What happened, as `name=value` words in one line."""
    words = [f"nights={nights}", f"seeds={seed}-{seed + nights - 1}"]
    words += [f"{what}={counts[what]}" for what in counted]
    return " ".join([*words, f"violations={broken}"])


def _slices(nights: int, seed: int, size: int) -> list[range]:
    ends = seed + nights
    return [range(first, min(first + size, ends)) for first in range(seed, ends, size)]


def _tell(verdict: Verdict, kind: str, *, alone: bool) -> None:
    """A night in which something broke: the rule, the last events, and how to replay it."""
    click.echo(f"seed {verdict.seed}: {verdict.broken}")
    if alone:
        left = ", ".join(verdict.switches) or "nothing that can be left out"
        click.echo(f"the smallest night found in which it breaks has {left}")
    for line in verdict.lines:
        click.echo(f"  {line}")
    click.echo(f"again: stillhere simulate {kind}--nights 1 --seed {verdict.seed}\n")


# --- living them ----------------------------------------------------------------------------------


def _core(slices: Sequence[range], jobs: int, alone: bool, *, weeks: bool) -> Iterator[Lived]:
    for counts, bad in _spread(partial(core_nights.lived, long=weeks), slices, jobs):
        small = (core_nights.shrunk(each, long=weeks) for each in bad)
        yield counts, list(small) if alone else list(bad)


def _full(slices: Sequence[range], jobs: int, alone: bool, *, kind: str) -> Iterator[Lived]:
    """``kind`` is one of the kinds in ``actions/simulate.py``."""
    if jobs > 1:
        yield from _spread(partial(_in_a_process_of_its_own, kind=kind), slices, jobs)
        return
    with _simulator(kind) as simulator:
        for seeds in slices:
            counts, bad = simulator.lived(seeds)
            yield counts, [simulator.shrunk(each) for each in bad] if alone else bad


def _spread(lived: Callable[[range], Lived], slices: Sequence[range], jobs: int) -> Iterator[Lived]:
    """One slice after another, in ``jobs`` processes; reported in the order of their seeds."""
    if jobs == 1:
        yield from map(lived, slices)
        return
    with multiprocessing.get_context("spawn").Pool(jobs) as pool:
        yield from pool.imap(lived, slices)
        pool.close()
        pool.join()  # each process ends by itself, and takes its folder with it


_OPEN: list[object] = []  # this process's simulator, once it has one; closed with the process


def _in_a_process_of_its_own(seeds: range, *, kind: str) -> Lived:
    if not _OPEN:
        entered = _simulator(kind)
        _OPEN[:] = [entered, entered.__enter__()]
    return _OPEN[1].lived(seeds)  # type: ignore[attr-defined,no-any-return]


@contextmanager
def _simulator(kind: str) -> Iterator[Any]:
    with tempfile.TemporaryDirectory(prefix="stillhere-simulate-") as folder:
        scratch_env.set_up(Path(folder))
        with loading.action("simulate").opened(kind) as simulator:
            yield simulator
