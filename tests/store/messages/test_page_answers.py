"""What a text to a page is worth: anybody can write one in the name of whoever is on call."""

from __future__ import annotations

import pytest

from stillhere.core import events as ev
from stillhere.store.messages import pages
from stillhere.store.models import Page
from tests.conftest import Clock
from tests.store.messages.test_pages import (
    ANA,
    ANAS,
    MINUTE_S,
    RUTH,
    RUTHS,
    leave,
    nobody_is_on_the_list,
    on_call,
    says,
)

__all__ = ["on_call"]
pytestmark = pytest.mark.usefixtures("database")

PRESS = (
    "Ahora abre el enlace que te mandamos, o el panel, y dinos que lo tienes. "
    "Si nadie lo hace pronto, avisamos a otra persona."
)
BOTH = [", ".join(RUTH.ways), ANAS]


def paged_now(clock: Clock) -> list[str]:
    """Who gets the next turn, without what is said back to a text."""
    return [to for to, _lang, _text in leave(clock) if not to.startswith("text:")]


@pytest.mark.parametrize("text", ["0", " 0 ", "ok", "yes", "1"])
def test_a_text_says_how_much_there_is_and_where_to_press(clock: Clock, text: str) -> None:
    for _ in range(2):
        nobody_is_on_the_list(clock)
    leave(clock)
    says(RUTHS, text)
    assert leave(clock) == [
        (
            "text:" + RUTHS,
            "es",
            f"Gracias. 2 asuntos te esperan. {PRESS}",
        )
    ]
    (page,) = pages.lately(0)
    assert (page.looked_by, page.waits) == ("Ruth", True)


def test_a_forged_0_puts_the_next_off_by_five_minutes_once(clock: Clock) -> None:
    nobody_is_on_the_list(clock)
    leave(clock)
    says(RUTHS, "0")
    clock.advance(4 * MINUTE_S)
    says(RUTHS, "0")
    assert paged_now(clock) == []
    clock.advance(MINUTE_S)
    assert paged_now(clock) == [ANAS]
    for _ in range(3):
        for number in (RUTHS, ANAS):
            says(number, "0")
        clock.advance(3 * MINUTE_S)
        assert paged_now(clock) == BOTH


def test_a_0_before_it_has_left_keeps_no_page_from_ruth(clock: Clock) -> None:
    nobody_is_on_the_list(clock)
    pages.gather(clock.now)
    says(RUTHS, "0")
    assert paged_now(clock) == [", ".join(RUTH.ways)]


def test_whoever_presses_after_the_text_is_left_alone(clock: Clock) -> None:
    nobody_is_on_the_list(clock)
    leave(clock)
    says(RUTHS, "0")
    leave(clock)
    pages.looks(pages.who_is(RUTH), clock.now)
    for _ in range(5):
        clock.advance(3 * MINUTE_S)
        assert leave(clock) == []


def test_a_text_makes_nobody_the_first_of_what_comes_next(clock: Clock) -> None:
    night = nobody_is_on_the_list(clock)
    leave(clock)
    says(ANAS, "0")
    assert Page.objects.get().looked_by == pages.who_is(ANA)
    leave(clock)
    night.does(ev.Resolved(None, ev.Outcome.FINE))
    clock.advance(6 * MINUTE_S)
    assert leave(clock) == []
    nobody_is_on_the_list(clock)
    assert paged_now(clock) == [", ".join(RUTH.ways)]


def test_what_no_longer_fits_is_paged_by_itself(
    clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pages, "MOST_ABOUT", 3)
    bots = [nobody_is_on_the_list(clock) for _ in range(5)]
    leave(clock)
    assert sorted(page.count for page in pages.lately(0)) == [2, 3]
    nobody_is_on_the_list(clock)
    leave(clock)
    assert sorted(page.count for page in pages.lately(0)) == [3, 3]
    nobody_is_on_the_list(clock)
    leave(clock)
    for bot in bots:
        bot.does(ev.Resolved(None, ev.Outcome.FINE))
    clock.advance(3 * MINUTE_S)
    assert paged_now(clock) == [ANAS, ANAS]
    assert pages.waits()
