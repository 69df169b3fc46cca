"""`stillhere simulate`: a summary, and for a night that broke everything needed to see it again."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

STILLHERE = Path(sys.executable).parent / "stillhere"
PLANT = """
import sys
from stillhere.cli import main
import stillhere.core.ladder as ladder
ladder.stand_down = lambda *facts: None
main.main(sys.argv[1:])
"""


def _run(*command: str, **env: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command, capture_output=True, text=True, timeout=120, check=False, env=os.environ | env
    )


def test_the_command_prints_a_summary_and_the_same_one_in_another_process() -> None:
    told = [
        _run(str(STILLHERE), "simulate", "--nights", "2", "--seed", "3", PYTHONHASHSEED=seed)
        for seed in ("1", "2")
    ]
    assert [each.returncode for each in told] == [0, 0], told[0].stderr
    words = dict(word.split("=") for word in told[0].stdout.split())
    assert (words["nights"], words["seeds"], words["violations"]) == ("2", "3-4", "0")
    assert int(words["messages"]) > 0
    assert told[0].stdout == told[1].stdout


@pytest.mark.parametrize("kind", [[], ["--weeks"], ["--core"], ["--core", "--weeks"]])
def test_two_processes_tell_what_one_tells(kind: list[str]) -> None:
    many = {"": "6", "--weeks": "6", "--core": "1200", "--core --weeks": "12"}
    nights = ["--nights", many[" ".join(kind)], "--seed", "7"]
    one, two = (_run(str(STILLHERE), "simulate", *kind, *nights, "--jobs", jobs) for jobs in "12")
    assert one.returncode == two.returncode == 0, one.stderr + two.stderr
    assert one.stdout == two.stdout
    assert "violations=0" in one.stdout


@pytest.mark.parametrize("kind", [[], ["--core"], ["--core", "--weeks"]])
def test_a_broken_night_alone_is_made_small(kind: list[str]) -> None:
    many = _run(sys.executable, "-c", PLANT, "simulate", *kind, "--nights", "6", "--seed", "1")
    assert many.returncode == 1, many.stderr
    again = " ".join(["simulate", *kind, "--nights 1"])
    alone = re.search(rf"stillhere {again} --seed (\d+)", many.stdout)
    assert alone is not None
    told = _run(sys.executable, "-c", PLANT, "simulate", *kind, "--nights", "1", "--seed", alone[1])
    assert told.returncode == 1, told.stderr
    assert "everyone told of an alarm is told of its end" in told.stdout
    small = re.search(r"the smallest night found in which it breaks has (.*)", told.stdout)
    assert small is not None
    assert len(small[1].split(", ")) <= (4 if kind else 20), small[1]


def test_a_night_that_breaks_says_its_seed_its_rule_and_its_last_events() -> None:
    told = _run(sys.executable, "-c", PLANT, "simulate", "--nights", "4", "--seed", "1")
    assert told.returncode == 1, told.stderr
    assert "everyone told of an alarm is told of its end" in told.stdout
    assert "VIOLATION" in told.stdout
    assert "again: stillhere simulate --nights 1 --seed" in told.stdout


def test_each_run_of_the_tests_draws_its_own_nights_and_says_how_to_see_them_again() -> None:
    def drawn(**env: str) -> str:
        told = _run(sys.executable, "-m", "pytest", "--collect-only", __file__, **env)
        fresh = re.search(r"^fresh nights: FRESH_SEED=(\d+) ", told.stdout, re.MULTILINE)
        assert fresh is not None, told.stdout
        return fresh[1]

    assert drawn(FRESH_SEED="7") == "7"
    assert drawn(FRESH_SEED="") != drawn(FRESH_SEED="")
