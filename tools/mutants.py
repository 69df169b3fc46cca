"""`make mutants`: break the core in every small way we know, and see that a test notices.

Owns the running; ``mutations.py`` owns the breaking. A mutant that no test notices has to be
explained in ``tests/core/survivors.toml`` (it changes nothing that anybody could see), and an
explanation has to fit: ends with 1 where one is missing or no longer true.

How it is fast. Nothing of the core is loaded here. One child collects the tests once and then forks
for every mutant inside a function, swaps the code of that function and runs only the tests that
reach the line, quick ones first. What is looked at while modules are loaded (tables, bounds) is
tried in a child that loads everything anew, with the change in it. Every test has a bound on
processor time, so what never ends is noticed too. Results are kept in ``.mutants/``: a run that was
interrupted goes on, and after a change the test that noticed a mutant last time is tried first.

    python -m tools.mutants [MODULE ...] [--survivors]
"""

from __future__ import annotations

import argparse
import ast
import gc
import json
import os
import signal
import sys
import time
import tomllib
from collections import Counter, defaultdict
from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, settings

from tools.mutant_tests import (
    CORE,
    FELL_OVER,
    KEPT,
    NOBODY,
    QUIET,
    TESTS,
    Reach,
    Runner,
    child,
    collected,
    core_digest,
    load,
    modules,
    reach,
    said,
    swap,
    tests_digest,
    try_file,
    try_tests,
)
from tools.mutations import Mutant, build, build_function, members_in, mutants_of

EXPLAINED = TESTS / "survivors.toml"
RESULTS = KEPT / "results.jsonl"
WORKERS = 2
QUICK_S = 0.05  # processor time of a quick test
Key = tuple[str, str]  # where, change


# --- what there is --------------------------------------------------------------------------------


def all_mutants() -> dict[Key, Mutant]:
    members = members_in(*modules())
    return {(m.where, m.change): m for path in modules() for m in mutants_of(path, members)}


def explanations() -> dict[Key, str]:
    """What is written about survivors: why each changes nothing. Raises KeyError, ValueError."""
    found: dict[Key, str] = {}
    for row in tomllib.loads(EXPLAINED.read_text())["survivor"]:
        for change in row["changes"]:
            if (row["where"], change) in found:
                raise ValueError(f"explained twice: {row['where']}: {change}")
            found[row["where"], change] = row["why"]
    return found


# --- running --------------------------------------------------------------------------------------


class _Run:
    """One run over some mutants: two children at a time, every result kept as it comes."""

    def __init__(self, reached: Reach, results: dict[Key, str], total: int, *, quick: bool) -> None:
        self.quick = quick
        self.items = collected()
        self.reached = reached
        self.total = total
        self.out = os.dup(1)
        self.done = 0
        self.results = results
        self.noticed: dict[str, Counter[str]] = defaultdict(Counter)
        for (where, _), who in results.items():
            self.noticed[where][who] += 1
        self.log = RESULTS.open("a")
        self.core = core_digest()

    def order(self, mutant: Mutant, *, whole_module: bool) -> list[str]:
        """The tests to run: those that noticed this or its neighbours, then the quick ones."""
        cost_s = self.reached.cost_s
        lines = self.reached.tests.get(mutant.module, {})
        near = self.noticed[mutant.where]
        names = {t for n in mutant.lines for t in lines.get(n, [])}
        names = (names & self.items) | (self.items - cost_s.keys())
        if whole_module:  # a table is read without any line of its module being run
            names = set(self.items)
        if self.quick:
            names = {t for t in names if cost_s.get(t, 0) < QUICK_S}
        last = self.results.get((mutant.where, mutant.change))
        if whole_module:  # each file is collected by itself: quick files first, one after the other
            files: Counter[str] = Counter()
            for name in names:
                files[name.partition("::")[0]] += 1
            told = Counter(t.partition("::")[0] for t in near.elements())
            return sorted(
                names,
                key=lambda t: (
                    -told[f := t.partition("::")[0]], f"test_{mutant.module}" not in f,
                    files[f], f, t != last, -near[t], cost_s.get(t, 0), t,
                ),
            )  # fmt: skip
        return sorted(names, key=lambda t: (t != last, -min(near[t], 3), cost_s.get(t, 0), t))

    def needs_loading(self, mutant: Mutant) -> bool:
        """Whether it went unnoticed because its lines run while modules are loaded: then the swap
        came too late."""
        if self.results.get((mutant.where, mutant.change)) != NOBODY:
            return False
        return not self.reached.loaded.get(mutant.module, set()).isdisjoint(mutant.lines)

    def over(self, mutants: list[Mutant], start: Callable[[Mutant], tuple[int, int]]) -> None:
        """Try these mutants, ``WORKERS`` at a time."""
        running: list[tuple[Mutant, int, int]] = []
        for mutant in mutants:
            running.append((mutant, *start(mutant)))
            if len(running) == WORKERS:
                self._end(running)
        while running:
            self._end(running)

    def _end(self, running: list[tuple[Mutant, int, int]]) -> None:
        mutant, pid, pipe = running.pop(0)
        who = said(pid, pipe)
        self.results[mutant.where, mutant.change] = who
        whole = who != NOBODY or not self.quick
        made_of = f"{self.core}{tests_digest(who)}" if whole else ""
        self.noticed[mutant.where][who] += "::" in who
        self.log.write(json.dumps([made_of, mutant.where, mutant.change, who]) + "\n")
        self.log.flush()
        self.done += 1
        if who == NOBODY or self.done % 100 == 0:
            line = f"{self.done}/{self.total} {mutant.where}: {mutant.change}"
            os.write(self.out, f"{line}{'' if who else '   NOT NOTICED'}\n".encode())

    def swapped(self, mutants: list[Mutant]) -> None:
        """Those inside functions, in a child that has the tests at hand."""
        if not mutants:
            return

        def loop(runner: Runner, items: dict[str, pytest.Item]) -> None:
            trees = {path.stem: ast.parse(path.read_text()) for path in modules()}

            def start(mutant: Mutant) -> tuple[int, int]:
                code = build_function(trees[mutant.module], mutant, f"{mutant.module}.py")
                order = self.order(mutant, whole_module=False)

                def work(answer: Callable[[str], None]) -> None:
                    swap(mutant, code)
                    try_tests(runner, items, order, self.reached, answer)
                    answer(NOBODY)

                return child(work)

            gc.freeze()
            self.over(mutants, start)

        pid = os.fork()
        if pid == 0:
            os._exit(int(pytest.main([*QUIET, str(TESTS)], plugins=[Runner(loop)])))
        _, status = os.waitpid(pid, 0)
        if status:
            sys.exit("The tests could not be run.")

    def loaded(self, mutants: list[Mutant]) -> None:
        """Those that are looked at while modules are loaded."""

        def start(mutant: Mutant) -> tuple[int, int]:
            source = CORE / f"{mutant.module}.py"
            code = build(source.read_text(), mutant, str(source))
            order = self.order(mutant, whole_module=True)

            def work(answer: Callable[[str], None]) -> None:
                signal.setitimer(signal.ITIMER_PROF, 30)
                try:
                    load(mutant, code)
                except Exception as error:  # noqa: BLE001  whatever a mutant does
                    answer(f"loading: {type(error).__name__}")

                files: dict[str, list[str]] = {}
                for name in order:
                    files.setdefault(name.partition("::")[0], []).append(name)
                for file, names in files.items():
                    try_file(file, names, self.reached, answer)
                answer(NOBODY)

            return child(work)

        self.over(mutants, start)


# --- telling --------------------------------------------------------------------------------------


def kept_results() -> tuple[dict[Key, str], set[Key]]:
    """What is known from runs before: who noticed, and which of it is as fresh as the files."""
    results: dict[Key, str] = {}
    fresh: set[Key] = set()
    core = core_digest()
    tests: dict[str, str] = {}
    for line in RESULTS.read_text().splitlines() if RESULTS.exists() else ():
        made_of, where, change, who = json.loads(line)
        results[where, change] = who
        file = who.partition("::")[0]
        if file not in tests:
            tests[file] = tests_digest(who)
        (fresh.add if made_of == core + tests[file] else fresh.discard)((where, change))
    return results, fresh


def judge(mutants: dict[Key, Mutant], results: dict[Key, str], only: set[str]) -> bool:
    """Say what came of it; whether every survivor is explained and every explanation fits."""
    explained = {key: why for key, why in explanations().items() if key[0].split(".")[0] in only}
    survivors = {key for key in mutants if results.get(key) == NOBODY}
    counted = Counter(key[0].split(".")[0] for key in mutants)
    left = Counter(key[0].split(".")[0] for key in survivors)
    for module in sorted(counted):
        print(f"{module:10} {counted[module]:5} mutants, {left[module]:3} not noticed")
    wrong = [f"not explained: {w}: {c}" for w, c in sorted(survivors - explained.keys())]
    wrong += [
        f"explained, and no longer there: {w}: {c}" for w, c in explained.keys() - mutants.keys()
    ]
    tried = explained.keys() & mutants.keys() & results.keys()
    wrong += [f"explained, and now noticed: {w}: {c}" for w, c in sorted(tried - survivors)]
    wrong += [f"look at this: {w}: {c}" for (w, c) in mutants if results.get((w, c)) == FELL_OVER]
    print("\n".join(wrong))
    print(f"\nmutants={len(mutants)}\nnoticed={len(mutants) - len(survivors)}")
    print(f"explained={len(survivors & explained.keys())}")
    print(f"unexplained={len(survivors - explained.keys())}")
    return not wrong


def main() -> int:
    parser = argparse.ArgumentParser(description="Break the core and see that a test notices.")
    parser.add_argument("modules", nargs="*", help="such as ladder; all without one")
    parser.add_argument("--survivors", action="store_true", help="only those nobody noticed before")
    parser.add_argument("--quick", action="store_true", help="leave long tests out: a first look")
    asked = parser.parse_args()
    settings.register_profile(
        "mutants",
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    settings.load_profile("mutants")
    KEPT.mkdir(exist_ok=True)
    began_s = time.monotonic()
    only = set(asked.modules) or {path.stem for path in modules()}
    mutants = {key: m for key, m in all_mutants().items() if m.module in only}
    results, fresh = kept_results()
    todo = [m for key, m in mutants.items() if key not in fresh]
    if asked.survivors:
        todo = [m for m in todo if results.get((m.where, m.change), NOBODY) == NOBODY]
    if todo:
        run = _Run(reach(), results, len(todo), quick=asked.quick)
        gc.freeze()  # what lies in memory now is not looked at again in every child
        run.swapped([m for m in todo if m.function])
        run.results, _ = kept_results()
        run.loaded([m for m in todo if not m.function or run.needs_loading(m)])
    results, _ = kept_results()
    good = judge(mutants, results, only)
    print(f"seconds={time.monotonic() - began_s:.0f}")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
