"""Build hook: compiles the message catalogues, because a fresh machine has no msgfmt.

Owns nothing else. The .mo files are never committed: a wheel carries them, and an editable
install gets them written beside the .po files.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from hatchling.builders.hooks.plugin.interface import BuildHookInterface


def compile_catalogues(source: Path) -> list[Path]:
    """Write a .mo beside every .po under ``source`` that is newer than it; return every .mo."""
    found = sorted(source.glob("stillhere/locale/*/LC_MESSAGES/*.po"))
    return [compile_catalogue(po_path) for po_path in found]


def compile_catalogue(po_path: Path) -> Path:
    """Write the .mo beside one .po that is newer than it; return the .mo."""
    mo_path = po_path.with_suffix(".mo")
    if not mo_path.exists() or mo_path.stat().st_mtime <= po_path.stat().st_mtime:
        with po_path.open("rb") as po_file:
            catalogue = read_po(po_file, locale=po_path.parent.parent.name)
        # Written aside and renamed: a running server may be reading the old one.
        aside = mo_path.with_suffix(".mo.new")
        with aside.open("wb") as mo_file:
            write_mo(mo_file, catalogue)
        aside.replace(mo_path)
    return mo_path


class CatalogueHook(BuildHookInterface[Any]):
    """Called by hatchling for wheels and for editable installs."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Compile, and name the results for the builder: they are ignored by git, so it asks."""
        source = Path(self.root) / "src"
        compiled = compile_catalogues(source)
        build_data["artifacts"] += [f"/{mo.relative_to(self.root)}" for mo in compiled]
