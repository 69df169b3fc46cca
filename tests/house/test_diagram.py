"""The drawing of the states in ARCHITECTURE.md is what the code does today."""

from __future__ import annotations

from stillhere.core.events import EVENTS, State
from tools import diagram
from tools.page import PAGE, between


def test_the_drawing_is_up_to_date() -> None:
    page = PAGE.read_text("utf-8")
    drawn = between(page, diagram.BEGIN, diagram.END)
    assert drawn == diagram.drawing(), "run python -m tools.diagram"


def test_every_state_and_event_was_tried() -> None:
    assert set(diagram.probe()) == {(state, event) for state in State for event in EVENTS}
    assert set(diagram.SAMPLES) == set(EVENTS)
