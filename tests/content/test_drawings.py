"""The line drawings: one hand, one stroke, readable for any skin, a few hundred bytes each."""

from __future__ import annotations

import re
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

import stillhere

FOLDER = Path(stillhere.__file__).parent / "web/templates/drawings"
DRAWN = sorted(FOLDER.glob("*.svg"))
# What the steps show one after the other: what is in the hand, and what is done with it.
NEEDED = {"spray", "nose", "prenoxad", "thigh", "vial", "drawup", "box", "tilt", "breathe", "side"}


def test_each_form_of_naloxone_is_drawn_alone_and_in_use() -> None:
    assert {path.stem for path in DRAWN} >= NEEDED


@pytest.mark.parametrize("path", DRAWN, ids=lambda path: path.stem)
def test_one_stroke_of_the_text_s_own_colour(path: Path) -> None:
    text = path.read_text()
    assert 100 < len(text) < 600
    assert re.findall(r'(?:fill|stroke|stroke-width)="([^"]*)"', text) == [
        "none",
        "currentColor",
        "4",
    ]
    top = ET.fromstring(text)
    assert (top.get("viewBox"), top.get("aria-hidden")) == ("0 0 160 98", "true")
    kinds = {part.tag for part in top}
    assert kinds <= {"path", "circle", "rect"}, "no picture, no text, no colour of its own"


def test_no_two_drawings_are_the_same() -> None:
    assert len({path.read_text() for path in DRAWN}) == len(DRAWN)


@pytest.mark.parametrize("path", DRAWN, ids=lambda path: path.stem)
def test_every_stroke_is_whole(path: Path) -> None:
    """A path that ends in a command without its numbers is an error in a browser's console."""
    for stroke in re.findall(r' d="([^"]*)"', path.read_text()):
        assert re.search(r"[0-9zZ]$", stroke)
