"""An alarm under force: somebody is with Sam who must not know of it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from stillhere.core import events as ev
from stillhere.core.events import Cause, Event, Outcome, State, Word
from tests.core.world import ANA, INJECTED, LEO, MAYA, RUTH, Night, alarmed, plan

FAR = plan((LEO,), (ANA,), (MAYA,))


def forced(**more: object) -> Night:
    return alarmed(cause=Cause.FORCE, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "event",
    [
        ev.StillHere(0),
        ev.Ended(),
        ev.Marked(),
        ev.Extended(600),
        ev.Unclear(),
        ev.Dropped(),
        ev.Paused(0),
    ],
    ids=lambda event: type(event).__name__,
)
def test_nothing_that_sam_s_phone_says_ends_it_or_is_told(event: Event) -> None:
    night = forced()
    for _ in range(6):
        night.wait(40)
        told = len(night.tells())
        at = replace(event, made_at=night.now) if isinstance(event, ev.StillHere) else event
        night.do(at)
        assert len(night.tells()) == told
    assert night.state() is State.ALARM
    assert not night.tells(None, Word.ANSWERED_ONCE, Word.STAND_DOWN)


def test_sam_s_phone_is_never_rung_however_long_it_lasts() -> None:
    night = forced()
    night.wait(24 * 3600)
    night.do(ev.ServiceWasDown(night.now - 60_000, night.now))
    night.wait(3600)
    assert night.asks() == []


def test_those_who_were_chosen_are_told_at_the_pace_of_a_call_for_help() -> None:
    night = forced(circle=FAR)
    night.wait(150)
    assert [night.told_s(who, Word.FORCED)[:1] for who in (LEO, ANA, MAYA)] == [[0], [45], [90]]
    night.wait(3600)
    assert set(night.words(LEO)) == {Word.FORCED}, "also when they are told again"


def test_nobody_is_sent_an_ambulance_by_the_clock() -> None:
    night = forced(profile=replace(INJECTED, ambulance_s=60))
    night.wait(24 * 3600)
    assert not night.tells(None, Word.AMBULANCE)


def test_a_call_for_help_in_the_open_leaves_it_as_it_is() -> None:
    night = forced()
    told = len(night.tells())
    night.need_help()
    assert night.watch.alarm is not None
    assert night.watch.alarm.cause is Cause.FORCE
    assert len(night.tells()) == told


def test_whoever_is_far_does_not_phone() -> None:
    night = forced(circle=FAR)
    night.wait(10)
    night.claims(LEO, None)
    assert night.watch.alarm is not None
    assert night.watch.alarm.out == (LEO,)
    night.wait(1)
    assert night.told_s(ANA, Word.FORCED) == [10], "the next one is told at once"
    assert not night.tells(None, Word.GOING)


def test_it_ends_by_whoever_is_there_or_by_the_coordinator_only() -> None:
    night = forced(circle=FAR)
    for who in (LEO, MAYA):
        night.says(who, Outcome.FINE)
        assert night.state() is State.ALARM
    night.says(RUTH, Outcome.FINE)
    assert night.state() is State.CLOSED
    night = forced(circle=FAR)
    night.claims(LEO, 120)
    night.arrives(LEO)
    night.says(LEO, Outcome.FINE)
    assert night.state() is State.CLOSED


def test_that_sam_wants_to_die_is_not_told_in_secret() -> None:
    """Whoever is told by the secret word must not phone; that message says to phone or go."""
    night = forced()
    night.wait(40)
    told = len(night.tells())
    night.do(ev.NeedHelp(night.circle, wants_to_die=True))
    assert len(night.tells()) == told
    assert night.watch.alarm is not None
    assert not night.watch.alarm.wants_to_die
