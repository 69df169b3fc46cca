"""Running the core's tests against one mutant, each in a forked child of its own.

Owns the child's side of `make mutants`: collecting and running tests inside this process, putting a
change into the core, measuring which test runs which line. Nothing of the core is loaded by the
parent, so a child can load it with a change in it.
"""

from __future__ import annotations

import hashlib
import importlib
import json
import os
import resource
import signal
import sys
import time
import types
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import CodeType, FunctionType
from typing import Any

import coverage
import pytest

from tools.mutations import Mutant

ROOT = Path(__file__).resolve().parent.parent
CORE = ROOT / "src" / "stillhere" / "core"
TESTS = ROOT / "tests" / "core"
KEPT = ROOT / ".mutants"
MEMORY = 2 << 30  # bytes a mutant may take
NOBODY = ""  # noticed it
NEVER_ENDS = "never ends"
FELL_OVER = "the tests fell over"
QUIET = [
    "--noconftest", "--import-mode=importlib", "--override-ini=addopts=", "--assert=plain",
    "-p", "no:django", "-p", "no:xdist", "-p", "no:terminal", "-p", "no:cacheprovider",
    "-p", "no:randomly", "-W", "ignore::pytest.PytestConfigWarning",
    "-W", "ignore::pytest.PytestAssertRewriteWarning",
]  # fmt: skip


def modules() -> list[Path]:
    return sorted(path for path in CORE.glob("*.py") if path.stem != "__init__")


def digest(*paths: Path) -> str:
    return hashlib.sha256(b"".join(path.read_bytes() for path in sorted(paths))).hexdigest()[:16]


def core_digest() -> str:
    return digest(*CORE.glob("*.py"), *(ROOT / "src" / "stillhere" / "content").glob("*.toml"))


def tests_digest(who: str) -> str:
    """Of what a result hangs on besides the core: the test that noticed, or all where none did."""
    file = ROOT / who.partition("::")[0]
    return digest(file) if "::" in who and file.exists() else digest(*TESTS.glob("*.py"))


@dataclass(frozen=True, slots=True)
class Reach:
    """Which test runs which line. ``cost_s`` is processor time; ``loaded`` are the lines that run
    while modules are loaded and tests collected."""

    cost_s: dict[str, float]
    tests: dict[str, dict[int, list[str]]]
    loaded: dict[str, set[int]]


# --- inside a child -------------------------------------------------------------------------------


class Runner:
    """A pytest plugin that runs tests when it is told to, and knows whether one failed."""

    def __init__(self, loop: Callable[[Runner, dict[str, pytest.Item]], None]) -> None:
        self.loop = loop
        self.failed = False

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        self.loop(self, {item.nodeid: item for item in session.items})
        return True

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self.failed = self.failed or report.failed

    def fails(self, item: pytest.Item) -> bool:
        item.config.hook.pytest_runtest_protocol(item=item, nextitem=None)
        return self.failed


def child(work: Callable[[Callable[[str], None]], None]) -> tuple[int, int]:
    """Fork; the child says who noticed through a pipe. The child's id and the pipe's end."""
    ours, theirs = os.pipe()
    pid = os.fork()
    if pid:
        os.close(theirs)
        return pid, ours
    os.close(ours)
    try:
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, 1)
        os.dup2(null, 2)
        work(lambda said: os._exit(0 * os.write(theirs, said.encode()[:4000])))
    finally:
        os._exit(1)


def try_tests(runner: Runner, items: dict[str, pytest.Item], order: list[str], reach: Reach,
         answer: Callable[[str], None]) -> None:  # fmt: skip
    """Run the tests until one fails. A test that takes far more than its usual processor time is
    ended by the timer, which nobody catches."""
    for name in order:
        if name not in items:
            answer(name)  # it was not even collected
        signal.setitimer(signal.ITIMER_PROF, 3 + 5 * reach.cost_s.get(name, 0))
        if runner.fails(items[name]):
            answer(name)


def try_file(file: str, order: list[str], reach: Reach, answer: Callable[[str], None]) -> None:
    """Collect one file anew and run its tests until one fails."""

    def loop(runner: Runner, items: dict[str, pytest.Item]) -> None:
        try_tests(runner, items, order, reach, answer)

    signal.setitimer(signal.ITIMER_PROF, 30)
    if pytest.main([*QUIET, str(ROOT / file)], plugins=[Runner(loop)]) != 0:
        answer(f"{file} cannot be collected")


def swap(mutant: Mutant, code: CodeType) -> None:
    """Give the function the mutant's code, wherever it was imported to."""
    _forget_answers()
    found: Any = sys.modules[f"stillhere.core.{mutant.module}"]
    owner = found
    for part in str(mutant.function).split("."):
        owner, found = found, vars(found)[part]
    if isinstance(found, property):
        found = found.fget
    found = getattr(found, "__func__", found)
    while not isinstance(found, FunctionType):
        found = found.__wrapped__
    changed = next(c for c in _codes(code) if c.co_qualname == mutant.function)
    if changed.co_freevars == found.__code__.co_freevars:
        found.__code__ = changed
        return
    # Without its `super()` a method no longer closes over its class: it is another function then.
    cells = dict(zip(found.__code__.co_freevars, found.__closure__ or (), strict=True))
    closure = tuple(cells[name] for name in changed.co_freevars)
    other = FunctionType(changed, found.__globals__, found.__name__, found.__defaults__, closure)
    setattr(owner, found.__name__, other)


def _forget_answers() -> None:
    """What a cached function answered before the change must not answer for it afterwards."""
    for name in [name for name in sys.modules if name.startswith("stillhere.core.")]:
        for found in vars(sys.modules[name]).values():
            if callable(forget := getattr(found, "cache_clear", None)):
                forget()


def _codes(code: CodeType) -> Iterator[CodeType]:
    for const in code.co_consts:
        if isinstance(const, CodeType):
            yield const
            yield from _codes(const)


def load(mutant: Mutant, code: CodeType) -> None:
    """Load the module with the change in it, before anything else loads it."""
    name = f"stillhere.core.{mutant.module}"
    module = types.ModuleType(name)
    module.__file__ = str(CORE / f"{mutant.module}.py")
    sys.modules[name] = module
    setattr(importlib.import_module("stillhere.core"), mutant.module, module)
    exec(code, module.__dict__)  # noqa: S102


def measure(answer: Callable[[str], None]) -> None:
    """Run every test once; write down what each costs and which lines it runs."""
    seen = coverage.Coverage(data_file=None, config_file=False, include=[f"{CORE}/*"])
    seen.start()
    seen.switch_context("loading")
    cost_s: dict[str, float] = {}

    def loop(runner: Runner, items: dict[str, pytest.Item]) -> None:
        for name, item in items.items():
            seen.switch_context(name)
            began_s = time.process_time()
            if runner.fails(item):
                answer(name)
            cost_s[name] = time.process_time() - began_s

    if pytest.main([*QUIET, str(TESTS)], plugins=[Runner(loop)]) != 0:
        answer("collecting them")
    seen.stop()
    data = seen.get_data()
    lines = {
        Path(name).stem: dict(data.contexts_by_lineno(name).items())
        for name in data.measured_files()
    }
    (KEPT / "reach.json").write_text(
        json.dumps({"core": core_digest(), "cost_s": cost_s, "lines": lines})
    )
    answer(NOBODY)


def collected() -> set[str]:
    """The names of all tests there are today."""
    path = KEPT / "tests.json"

    def work(answer: Callable[[str], None]) -> None:
        def loop(_: Runner, items: dict[str, pytest.Item]) -> None:
            path.write_text(json.dumps(list(items)))

        pytest.main([*QUIET, str(TESTS)], plugins=[Runner(loop)])
        answer(NOBODY)

    path.unlink(missing_ok=True)
    said(*child(work))
    return set(json.loads(path.read_text()))


def reach() -> Reach:
    """Which test runs which line, measured again after a change of the core; a test that came later
    may run any line. Exits where a test fails."""
    path = KEPT / "reach.json"
    kept = json.loads(path.read_text()) if path.exists() else {}
    if kept.get("core") != core_digest():
        print("Running every test of the core once.", flush=True)
        pid, pipe = child(measure)
        if (who := said(pid, pipe)) != NOBODY:
            sys.exit(f"Mutants are looked for only where every test passes; not: {who}")
        kept = json.loads(path.read_text())
    name = {test: test for test in kept["cost_s"]}  # each name once in memory
    tests: dict[str, dict[int, list[str]]] = {}
    loaded: dict[str, set[int]] = {}
    for module, lines in kept["lines"].items():
        tests[module] = {int(n): [name[t] for t in by if t in name] for n, by in lines.items()}
        loaded[module] = {int(n) for n, by in lines.items() if "loading" in by}
    return Reach(kept["cost_s"], tests, loaded)


def said(pid: int, pipe: int) -> str:
    """Wait for a child and return who noticed. The timer ends one that would never end."""
    with os.fdopen(pipe, "rb") as end:
        said = end.read().decode()
    code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    return said if code == 0 else NEVER_ENDS if code == -signal.SIGPROF else FELL_OVER
