"""What is said about mutants that no test notices is about code that is there.

Whether they are still unnoticed takes `make mutants` itself, which is too long for every day.
"""

from __future__ import annotations

import ast
from pathlib import Path
from types import CodeType, FunctionType

import pytest

from stillhere.core import schedule
from tools.mutant_tests import CORE, modules, swap
from tools.mutants import Key, all_mutants, explanations
from tools.mutations import Mutant, build, build_function, mutants_of


@pytest.fixture(scope="module")
def mutants() -> dict[Key, Mutant]:
    """All of them, made where they are looked at and not wherever tests are collected."""
    return all_mutants()


def test_every_explanation_is_about_a_mutant_that_exists(mutants: dict[Key, Mutant]) -> None:
    assert not explanations().keys() - mutants.keys()


def test_every_explanation_says_why_in_a_sentence() -> None:
    for why in explanations().values():
        assert len(why) > 20
        assert why.endswith(".")


def test_every_module_of_the_core_is_broken_in_many_ways(mutants: dict[Key, Mutant]) -> None:
    assert len(mutants) > 2500
    broken = {mutant.module for mutant in mutants.values()}
    assert {path.stem for path in modules()} - broken == {"refusals"}, "which are names alone"


def test_a_changed_function_is_asked_and_not_what_it_answered_before(
    mutants: dict[Key, Mutant],
) -> None:
    mutant = mutants["schedule._deadline", "if day.weekday() in routine.days: never"]
    routine = schedule.Routine(frozenset(range(7)), at=0, tz="UTC")
    before = schedule.next_deadline(routine, 0)
    function = schedule._deadline.__wrapped__
    code = function.__code__
    try:
        tree = ast.parse((CORE / "schedule.py").read_text())
        swap(mutant, build_function(tree, mutant, "schedule.py"))
        with pytest.raises(AssertionError, match="eight days"):
            schedule.next_deadline(routine, 0)
    finally:
        function.__code__ = code
    assert schedule.next_deadline(routine, 0) == before


CODE = """
def late(now, due=3, *, why=""):
    if now > due and not why:
        return max(now - due, 0)
    return None
"""


def changed(tmp_path: Path, code: str = CODE) -> list[Mutant]:
    path = tmp_path / "sample.py"
    path.write_text(code)
    return mutants_of(path, {"State": ["OPEN", "CLOSED"]})


def test_a_line_is_broken_in_the_ways_a_hand_would_break_it(tmp_path: Path) -> None:
    says = {mutant.change for mutant in changed(tmp_path)}
    assert {
        "3 -> 4",
        "'' -> 'x'",
        "now > due -> now >= due",
        "now > due -> now <= due",
        "now > due and (not why) -> now > due or not why",
        "without not why: now > due and (not why)",
        "not why -> why",
        "now - due -> now + due",
        "max(now - due, 0) -> min(now - due, 0)",
        "if now > due and (not why): always",
        "no return max(now - due, 0)",
    } <= says


@pytest.mark.parametrize(
    ("code", "change"),
    [
        ("x = [1, 2]", "without 2 in [1, 2]"),
        ("x = {'a': 1}", "without 'a'"),
        ("def f(a):\n    return g(a, b=1)", "without b=1: g(a, b=1)"),
        ("def f(a):\n    return State.OPEN", "State.OPEN -> State.CLOSED"),
        ("def f(a):\n    return 1 if a else 2", "always 2: 1 if a else 2"),
        ("def f(a):\n    return [x for x in a if x]", "for x if x: if False"),
        ("def f(a):\n    a = g(a)\n    return a", "no a = g(a)"),
        ("def f(a):\n    assert a > 1", "no assert a > 1"),
    ],
)
def test_each_kind_of_line_has_its_mutants(tmp_path: Path, code: str, change: str) -> None:
    assert change in {mutant.change for mutant in changed(tmp_path, code)}


@pytest.mark.parametrize(
    "code",
    [
        '"""A sentence."""',
        "def f(a: int) -> None:\n    assert a is not None",
        "x: int",
        "def f():\n    return 'A sentence for people.'",
    ],
)
def test_what_a_type_checker_or_a_reader_sees_first_is_left_alone(
    tmp_path: Path, code: str
) -> None:
    assert not changed(tmp_path, code)


def test_a_mutant_does_what_its_name_says(tmp_path: Path) -> None:
    by_name = {mutant.change: mutant for mutant in changed(tmp_path)}
    mutant = by_name["now - due -> now + due"]
    whole = build(CODE, mutant, "sample.py")
    part = build_function(ast.parse(f"from a import b\n{CODE}"), moved(mutant), "sample.py")
    for code in (whole, part):
        consts = [const for const in code.co_consts if isinstance(const, CodeType)]
        late = FunctionType(consts[0], {"max": max}, "late", (3,))
        late.__kwdefaults__ = {"why": ""}
        assert late(5) == 8


def moved(mutant: Mutant) -> Mutant:
    """The same one line further down."""
    (field, at), *rest = mutant.path
    assert at is not None
    path = ((field, at + 1), *rest)
    return Mutant(
        mutant.module, mutant.where, mutant.change, mutant.function, mutant.lines, path,
        mutant.instead,
    )  # fmt: skip


def test_a_mutants_name_holds_no_line_number(mutants: dict[Key, Mutant]) -> None:
    for where, change in mutants:
        assert where.split(".")[0] in {path.stem for path in CORE.glob("*.py")}
        assert change
