"""SAFETY.md speaks of tests that are there, and every hazard has one."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
ROWS = [
    [cell.strip() for cell in line.strip("|").split("|")]
    for line in (ROOT / "SAFETY.md").read_text().splitlines()
    if line.startswith("|") and not line.startswith(("|---", "| hazard"))
]


def test_there_are_hazards() -> None:
    assert len(ROWS) > 40


@pytest.mark.parametrize("row", ROWS, ids=[row[0][:60] for row in ROWS])
def test_every_hazard_has_a_rule_and_a_test_that_exists(row: list[str]) -> None:
    hazard, rule, test, _left = row
    assert hazard
    assert rule
    named = re.fullmatch(r"`([^`:]+)(?:::(test_\w+))?`", test)
    assert named, f"{test!r} names no test"
    place = ROOT / "tests" / named[1]
    assert place.exists(), f"{named[1]} is not there"
    if named[2]:
        assert f"def {named[2]}(" in place.read_text(), f"{named[2]} is not in {named[1]}"
