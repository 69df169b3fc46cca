"""What Sam texts, in Sam's own words, and what it does."""

from __future__ import annotations

import json

import pytest

from stillhere.store.models import JournalLine
from tests.circle import sams_night
from tests.conftest import Clock
from tests.hook import SAM, Hook, asked_night

pytestmark = pytest.mark.usefixtures("database")


@pytest.mark.parametrize("text", ["yes", "Yes", "yes i am", "si"])
def test_yes_to_still_here_is_a_sign_of_life(hook: Hook, clock: Clock, text: str) -> None:
    night = asked_night(clock)
    hook.text(SAM, text)
    assert night.row().state == "open"


@pytest.mark.parametrize("text", ["no", "Nope", "no im not", "nel"])
def test_no_to_still_here_is_a_cry_for_help(hook: Hook, clock: Clock, text: str) -> None:
    night = asked_night(clock)
    hook.text(SAM, text)
    assert night.row().state == "alarm"
    assert night.queued("help")


@pytest.mark.parametrize("text", ["no", "yes"])
def test_where_nobody_asked_a_yes_or_no_means_nothing(hook: Hook, clock: Clock, text: str) -> None:
    night = sams_night(("Leo",))
    night.start()
    clock.advance(10)
    seen_at = night.row().seen_at
    hook.text(SAM, text)
    assert (night.row().seen_at, night.row().alarm) == (seen_at, "")


@pytest.mark.parametrize("text", ["i think i took too much", "esta azul y no despierta"])
def test_a_cry_in_sams_own_words_calls_everybody(hook: Hook, clock: Clock, text: str) -> None:
    night = asked_night(clock)
    hook.text(SAM, text)
    assert night.row().state == "alarm"
    assert night.queued("help")


@pytest.mark.parametrize("text", ["i dont want to live anymore", "Me quiero morir"])
def test_a_text_about_dying_is_a_cry_and_says_so(hook: Hook, clock: Clock, text: str) -> None:
    night = asked_night(clock)
    hook.text(SAM, text)
    assert night.row().state == "alarm"
    line = JournalLine.objects.get(event="NeedHelp")
    assert json.loads(line.facts)["wants_to_die"] is True


def test_took_it_all_is_no_mark_and_finished_no_end(hook: Hook, clock: Clock) -> None:
    night = asked_night(clock)
    for text in ("i took it all", "finished"):
        hook.text(SAM, text)
    assert night.row().state == "asking"
