"""A call that nobody took, or a text without a receipt: it moves the ladder and breaks nothing."""

from __future__ import annotations

from stillhere.core import events as ev
from stillhere.core.events import State, Way, Word
from tests.core.world import ANA, LEO, MAYA, alarmed, evenings, plan, using


def test_a_call_that_nobody_took_rings_the_next_rung_at_once() -> None:
    night = alarmed(plan((LEO,), (MAYA,)))
    night.wait(20)
    night.unheard(LEO)
    night.settle()
    assert night.told_s(MAYA, Word.ALARM) == [20]


def test_whoever_was_not_heard_of_is_rung_again_in_the_next_round() -> None:
    night = alarmed(plan((LEO,)))
    night.unheard(LEO)
    night.wait(121)
    assert night.words(LEO)[:2] == [Word.ALARM, Word.AGAIN]


def test_one_of_two_on_a_rung_is_enough_to_move_on() -> None:
    night = alarmed(plan((LEO, ANA), (MAYA,)))
    night.wait(5)
    night.unheard(ANA)
    night.settle()
    assert night.told_s(MAYA, Word.ALARM) == [5]


def test_whoever_said_something_is_not_silent() -> None:
    night = alarmed(plan((LEO,), (MAYA,), (ANA,)))
    night.claims(LEO, None)
    due_at = night.alarm.next_rung_at
    night.unheard(LEO)
    assert night.alarm.next_rung_at == due_at


def test_whoever_said_something_and_stands_at_a_shut_door_is_not_silent() -> None:
    """Night 5981694 of the simulator: the ladder goes on anyway, and they are near."""
    night = alarmed(plan((LEO,), (MAYA,), (ANA,)))
    night.claims(LEO, 300)
    night.locked_out(LEO)
    night.settle()
    night.wait(10)
    due_at = night.alarm.next_rung_at
    night.unheard(LEO)
    assert night.alarm.next_rung_at == due_at


def test_an_older_rung_a_hold_and_somebody_there_are_not_hurried() -> None:
    night = alarmed(plan((LEO,), (MAYA,), (ANA,)))
    night.wait(45)
    due_at = night.alarm.next_rung_at
    night.unheard(LEO)
    assert night.alarm.next_rung_at == due_at
    night.claims(LEO, 300)
    night.unheard(MAYA)
    assert night.alarm.next_rung_at == due_at
    night.arrives(LEO)
    night.unheard(MAYA)
    assert (night.state(), night.alarm.next_rung_at) == (State.ATTENDED, due_at)


def test_silence_between_two_rounds_does_not_begin_the_next_one_early() -> None:
    night = alarmed(plan((LEO,), (MAYA,)))
    night.wait(100)
    assert night.alarm.round == 1
    due_at = night.alarm.next_rung_at
    night.unheard(MAYA)
    assert night.alarm.next_rung_at == due_at


def test_ones_own_quiet_way_without_a_receipt_rings_at_once() -> None:
    night = using()
    night.until_ask()
    night.wait(6)
    night.mute()
    night.unheard(None)
    assert len(night.asks(Way.RING)) == 1


def test_in_an_alarm_ones_own_phone_changes_nothing() -> None:
    night = alarmed()
    before = night.watch
    night.unheard(None)
    assert night.watch == before


def test_a_line_that_went_silent_is_an_ask_that_rings_at_once() -> None:
    night = using()
    night.wait(10)
    night.do(ev.Dropped())
    assert (night.state(), night.asked_s(Way.RING)) == (State.ASKING, [10])
    night.until_alarm()
    assert night.s == 10 + 60
    assert len(night.asks(Way.RING)) == 1


def test_a_line_that_went_silent_while_we_asked_rings_once() -> None:
    night = using()
    night.until_ask()
    night.wait(6)
    night.mute()
    asks = night.watch.asks
    night.do(ev.Dropped())
    night.do(ev.Dropped())
    assert len(night.asks(Way.RING)) == 1
    assert night.watch.asks == asks


def test_a_routine_has_no_line_to_stay_on() -> None:
    night = evenings()
    before = night.watch
    assert night.do(ev.Dropped()).effects == ()
    assert night.watch == before
    night.until_ask()
    before = night.watch
    assert night.do(ev.Dropped()).effects == ()
    assert night.watch == before
