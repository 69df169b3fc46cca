"""ARCHITECTURE.md, parts of which are written from the code: each between two markers."""

from __future__ import annotations

from pathlib import Path

PAGE = Path(__file__).resolve().parent.parent / "ARCHITECTURE.md"


def between(page: str, begin: str, end: str) -> str:
    """What stands between the markers now. Raises ValueError if they are not there once."""
    before, found, rest = page.partition(begin)
    inside, closed, after = rest.partition(end)
    if not found or not closed or begin in before + after:
        raise ValueError(f"{PAGE.name} needs both markers, once: {begin}")
    return inside.strip()


def write_between(text: str, begin: str, end: str) -> None:
    """Put ``text`` between the markers. Raises ValueError if they are not there once."""
    page = PAGE.read_text("utf-8")
    between(page, begin, end)
    before, _, rest = page.partition(begin)
    PAGE.write_text(f"{before}{begin}\n{text.strip()}\n{end}{rest.partition(end)[2]}", "utf-8")
