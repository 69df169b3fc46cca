"""Draws what was measured beside its limits: ``python -m benchmarks.plot FIGURES.jsonl OUT.svg``.

Owns a plain bar for each figure that has a limit: how many times better than the limit, on a
logarithmic scale, with the limit as a line at one. No library: it is forty rectangles.
"""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Iterator
from html import escape
from pathlib import Path
from typing import Any

WIDTH, ROW, LEFT, SCALE = 900, 26, 450, 110  # SCALE: pixels for a factor of ten
INK, PAPER, GOOD, BAD, LINE = "#1f1a14", "#fbf6ee", "#17643a", "#b3261e", "#8c7c69"


def times(figure: dict[str, Any]) -> float:
    """How many times better than its limit."""
    value = max(float(figure["value"]), 1e-6)
    if figure["least"] is not None:
        return value / float(figure["least"])
    return float(figure["most"]) / value


def rows(figures: list[dict[str, Any]]) -> Iterator[str]:
    one = LEFT + SCALE
    for no, figure in enumerate(figures):
        better, top = times(figure), 40 + no * ROW
        reach = min(max(math.log10(better), -0.9), 3) * SCALE
        left, width = (one, reach) if reach >= 0 else (one + reach, -reach)
        colour = GOOD if better >= 1 else BAD
        limit = (
            f"at least {figure['least']:g}" if figure["least"] else f"at most {figure['most']:g}"
        )
        name = f"{figure['name']} = {figure['value']:,.2f} ({limit})"
        yield f'<text x="{LEFT - 8}" y="{top + 13}" text-anchor="end">{escape(name)}</text>'
        size = f'width="{max(width, 1):.1f}" height="16"'
        yield f'<rect x="{left:.1f}" y="{top}" {size} fill="{colour}"/>'
        yield f'<text x="{left + width + 6:.1f}" y="{top + 13}">{better:.1f} times</text>'


def svg(figures: list[dict[str, Any]]) -> str:
    height = 60 + len(figures) * ROW
    one = LEFT + SCALE
    style = f'font-family="sans-serif" font-size="12" fill="{INK}"'
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" {style}>',
        f'<rect width="{WIDTH}" height="{height}" fill="{PAPER}"/>',
        f'<text x="{one}" y="24" text-anchor="middle">the limit</text>',
        f'<line x1="{one}" y1="30" x2="{one}" y2="{height - 12}" stroke="{LINE}"/>',
    ]
    return "\n".join([*lines, *rows(figures), "</svg>\n"])


def main(kept: str, out: str) -> None:
    found = [json.loads(line) for line in Path(kept).read_text().splitlines()]
    for each in found:
        if "PostgreSQL" in each["title"]:
            each["name"] = f"PostgreSQL {each['name']}"
    newest = {each["name"]: each for each in found}.values()  # measured twice: the later one
    limited = [each for each in newest if each["least"] is not None or each["most"] is not None]
    Path(out).write_text(svg(limited))


if __name__ == "__main__":
    main(*sys.argv[1:])
