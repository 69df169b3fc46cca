"""Nights on which time, or a person, is not what it seems. `SAFETY.md` names each of these."""

from __future__ import annotations

import pytest

from stillhere.core.events import Way, Word
from tests.core.world import ANA, LEO, MAYA, Night, alarmed, plan, using

# --- time that is not as it seems -----------------------------------------------------------------


@pytest.mark.parametrize("begins_s", [2**31 - 30, 2**32 - 30, 2**31 + 2**30])
def test_a_night_in_which_other_machines_counters_overflow_is_like_any_other(
    begins_s: int,
) -> None:
    night = Night(begins_at=begins_s * 1000)
    night.mark()
    night.until_alarm()
    assert night.asked_s(Way.SHOW) == [60]
    assert night.s == 120


def test_a_second_that_comes_twice_puts_nothing_off() -> None:
    """A leap second, or a clock nudged back a little: timers are instants, not countdowns."""
    night = using()
    night.until_ask()
    due = night.watch.grace_at
    night.sleep(-1)
    night.tick()
    assert night.watch.grace_at == due
    night.until_alarm()
    assert night.s == 120


# --- people who do not mean well ------------------------------------------------------------------


def test_a_call_for_help_is_heard_by_all_though_somebody_says_they_are_there() -> None:
    night = alarmed(plan((LEO, ANA, MAYA)))
    night.arrives(LEO)
    night.mute()
    night.need_help()
    assert night.who_heard(Word.HELP) == {LEO, ANA, MAYA}


def test_said_falsely_that_they_are_there_everyone_knows_who_said_so() -> None:
    night = alarmed(plan((LEO, ANA, MAYA)))
    night.arrives(LEO)
    assert {(t.contact, t.who) for t in night.tells(None, Word.ARRIVED)} == {
        (ANA, LEO),
        (MAYA, LEO),
    }
