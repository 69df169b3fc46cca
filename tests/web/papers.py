"""A paper as it is laid out: what stands on it, how large, and that nothing sticks out."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from weasyprint import HTML

PX_PER_MM = 96 / 25.4


class Paper:
    """A page of HTML laid out on sheets. Lengths in millimetres."""

    def __init__(self, html: str) -> None:
        self._pages = [page._page_box for page in HTML(string=html).render().pages]

    @property
    def sheets(self) -> list[tuple[int, int]]:
        """(width, height) of each."""
        return [(_mm(p.margin_width()), _mm(p.margin_height())) for p in self._pages]

    @property
    def text(self) -> str:
        """All words in order, one space between two."""
        return " ".join(" ".join(box.text for box in self._texts()).split())

    def size_of(self, word: str) -> float:
        """The largest size of a word, in points; 0 where it does not stand there."""
        sizes = [b.style["font_size"] * 0.75 for b in self._texts() if word in b.text]
        return max(sizes, default=0)

    def lowest(self) -> list[float]:
        """How much of each sheet is used from above, 0 to 1."""
        return [max(_bottom(b) for b in _lines(p)) / p.margin_height() for p in self._pages]

    def outside(self, kind: str = "") -> list[str]:
        """The lines that stick out of a box of that class, or of the sheet."""
        return [
            "".join(getattr(b, "text", "") for b in line.descendants())
            for page in self._pages
            for box in ([b for b in page.descendants() if _is(b, kind)] if kind else [page])
            for line in _lines(box)
            if _bottom(line) > _edge(box)[1] + 0.5 or _right(line) > _edge(box)[0] + 0.5
        ]

    def _texts(self) -> Iterator[Any]:
        for page in self._pages:
            yield from (box for box in page.descendants() if hasattr(box, "text"))


def _mm(px: float) -> int:
    return round(px / PX_PER_MM)


def _is(box: Any, kind: str) -> bool:
    given = getattr(box.element, "attrib", {}).get("class", "") if box.element is not None else ""
    return kind in given.split() and hasattr(box, "border_height")


def _lines(box: Any) -> list[Any]:
    return [b for b in box.descendants() if type(b).__name__ == "LineBox"]


def _bottom(box: Any) -> float:
    return float(box.position_y + box.height)


def _right(line: Any) -> float:
    return float(line.position_x + line.width)


def _edge(box: Any) -> tuple[float, float]:
    """Where a box ends: right and below, without its margin."""
    x, y = box.border_box_x(), box.border_box_y()
    return float(x + box.border_width()), float(y + box.border_height())
