"""The version moves, and people can read why."""

from __future__ import annotations

import re
import tomllib
from datetime import date
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
HEADS = re.findall(
    r"^## (\d+)\.(\d+)\.(\d+) \((\S+)\)$", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE
)


def test_the_newest_change_is_of_this_version() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert ".".join(HEADS[0][:3]) == project["version"]


def test_versions_rise_and_so_do_their_days() -> None:
    order = [(date.fromisoformat(day), *map(int, number)) for *number, day in HEADS]
    assert order == sorted(order, reverse=True)
    assert len(set(order)) == len(order) >= 2
