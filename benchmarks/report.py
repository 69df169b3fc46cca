"""How a figure is told: beside its limit, as a ratio to it, and as a plain line at the end."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Figure:
    """One number with a name. ``least`` or ``most`` is the limit it is held against."""

    name: str
    value: float
    unit: str = ""
    least: float | None = None
    most: float | None = None

    @property
    def holds(self) -> bool:
        under = self.most is None or self.value <= self.most
        return under and (self.least is None or self.value >= self.least)

    def line(self) -> str:
        """In words, with the limit and how many times better than it."""
        says = f"{self.name:<44} {self.value:>12,.2f} {self.unit}"
        if self.least is not None:
            says += f"  (at least {self.least:,g}: {self.value / self.least:.2f} times)"
        if self.most is not None:
            of_it = f": {self.value / self.most:.2f} of it" if self.most else ""
            says += f"  (at most {self.most:,g}{of_it})"
        return says if self.holds else f"{says}  NOT REACHED"


def tell(title: str, figures: Sequence[Figure]) -> None:
    """Print them all, keep them for the plot where BENCH_KEEP names a file, and end with plain
    ``name=value`` lines."""
    sys.stdout.write(f"{title}\n")
    for figure in figures:
        sys.stdout.write(f"  {figure.line()}\n")
    for figure in figures:
        sys.stdout.write(f"{figure.name}={figure.value:.2f}\n")
    sys.stdout.flush()
    if kept := os.environ.get("BENCH_KEEP"):
        with Path(kept).open("a") as file:
            for figure in figures:
                facts = {"name": figure.name, "value": figure.value, "title": title}
                facts |= {"least": figure.least, "most": figure.most}
                file.write(json.dumps(facts) + "\n")
