"""List the rooms of the house from the code itself, between two markers in ARCHITECTURE.md.

`python -m tools.rooms` rewrites the table; a test compares. A room is a folder; what it owns is the
first sentence of its ``__init__.py``.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from tools.page import write_between

BEGIN, END = "<!-- rooms: begin (python -m tools.rooms) -->", "<!-- rooms: end -->"
SOURCE = Path(__file__).resolve().parent.parent / "src/stillhere"


def rooms() -> Iterator[Path]:
    """Every folder with code in it, but the migrations."""
    for file in sorted(SOURCE.rglob("__init__.py")):
        if file.parent != SOURCE and "migrations" not in file.parts:
            yield file.parent


def owns(room: Path) -> str:
    """What its ``__init__.py`` says, up to the first full stop; empty where it says nothing."""
    told = ast.get_docstring(ast.parse((room / "__init__.py").read_text("utf-8"))) or ""
    sentence, stop, _ = " ".join(told.split()).partition(". ")
    return sentence + "." if stop else sentence


def table() -> str:
    """The rows, one a room, with the names of its files."""
    lines = ["| room | owns | files |", "|---|---|---|"]
    for room in rooms():
        files = (f"`{file.stem}`" for file in sorted(room.glob("[!_]*.py")))
        lines.append(f"| {room.relative_to(SOURCE)} | {owns(room)} | {', '.join(files)} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    write_between(table(), BEGIN, END)
