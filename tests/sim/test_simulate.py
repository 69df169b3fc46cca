"""`stillhere simulate`: a summary, and for a night that broke everything needed to see it again."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

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


def test_a_night_that_breaks_says_its_seed_its_rule_and_its_last_events() -> None:
    told = _run(sys.executable, "-c", PLANT, "simulate", "--nights", "4", "--seed", "1")
    assert told.returncode == 1, told.stderr
    assert "everyone told of an alarm is told of its end" in told.stdout
    assert "VIOLATION" in told.stdout
    assert "again: stillhere simulate --nights 1 --seed" in told.stdout
