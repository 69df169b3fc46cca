"""The drawing of the states in ARCHITECTURE.md is what the code does today."""

from __future__ import annotations

import pytest

from stillhere.core.events import EVENTS, State
from tools import diagram


def test_the_drawing_is_up_to_date() -> None:
    page = diagram.PAGE.read_text("utf-8")
    assert diagram.between_markers(page) == diagram.drawing(), "run python -m tools.diagram"


def test_every_state_and_event_was_tried() -> None:
    assert set(diagram.probe()) == {(state, event) for state in State for event in EVENTS}
    assert set(diagram.SAMPLES) == set(EVENTS)


def test_a_page_without_its_markers_is_not_touched() -> None:
    for page in ("", diagram.BEGIN, diagram.END, (diagram.BEGIN + diagram.END) * 2):
        with pytest.raises(ValueError, match="markers"):
            diagram.between_markers(page)
