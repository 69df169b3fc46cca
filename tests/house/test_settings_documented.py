"""Every setting is in docs/settings.md, and nothing there is made up."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
NAME = re.compile(r"\bSTILLHERE_[A-Z_]+\b")


def test_code_and_handbook_name_the_same_settings() -> None:
    read = set(NAME.findall((ROOT / "src/stillhere/config/environment.py").read_text()))
    described = re.findall(
        r"^\| `(STILLHERE_[A-Z_]+)` \|", (ROOT / "docs/settings.md").read_text(), re.MULTILINE
    )
    assert sorted(described) == sorted(read - {"STILLHERE_"})
    assert len(described) == len(set(described))


def test_no_other_file_reads_a_setting_of_its_own() -> None:
    known = set(NAME.findall((ROOT / "docs/settings.md").read_text()))
    for path in [*(ROOT / "src").rglob("*.py"), ROOT / "Makefile"]:
        used = set(NAME.findall(path.read_text()))
        assert used <= known, f"{path} uses {used - known}"
