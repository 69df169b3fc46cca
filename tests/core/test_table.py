"""The table is total, what it ignores is meant, and no step leaves a watch that cannot be."""

from __future__ import annotations

from dataclasses import FrozenInstanceError, replace
from itertools import product

import pytest

from stillhere.core import events as ev
from stillhere.core import quiet_handlers, watch
from stillhere.core.events import EVENTS, Event, Refused, State
from stillhere.core.watch import ROWS, TABLE, Watch
from tests.core.world import INJECTED, NOBODY, Night, alarmed, evenings
from tools import diagram
from tools.diagram import SAMPLES, Sample

EVERYWHERE = set(State)
NO_ALARM = {State.OPEN, State.ASKING}
ALARMED = {State.ALARM, State.CLAIMED, State.ATTENDED}

# Written out, not computed: what the table does nothing about, and where.
IGNORED = {
    ev.Started: EVERYWHERE,
    ev.Shown: EVERYWHERE - {State.ASKING},
    ev.Unclear: {State.CLOSED},
    ev.TimePassed: {State.CLOSED},
    ev.ServiceWasDown: {State.CLOSED},
    ev.ClockSetBack: {State.CLOSED},
    ev.Undeliverable: {State.OPEN, State.CLOSED},
    ev.Unheard: {State.OPEN, State.CLOSED},
    ev.Dropped: {*ALARMED, State.CLOSED},
    ev.OptedOut: {State.OPEN, State.ASKING, State.CLOSED},
}
OVER = {
    ev.Marked,
    ev.StillHere,
    ev.NeedHelp,
    ev.Extended,
    ev.Paused,
    ev.Ended,
    ev.Claimed,
    ev.Declined,
    ev.CannotGetIn,
    ev.Arrived,
    ev.Resolved,
}
NEEDS_AN_ALARM = {ev.Claimed, ev.Declined, ev.CannotGetIn, ev.Arrived, ev.Resolved}


def every_step() -> list[tuple[Sample, Event]]:
    """Every event on every sample, when it stands so, when its timer fires, and a day late."""
    found = []
    for sample in diagram.samples():
        late = Sample(sample.watch, sample.now + 26 * 3_600_000)
        for each in (sample, diagram.due(sample), late):
            found += [(each, event) for events in SAMPLES.values() for event in events]
    return found


def test_every_state_meets_every_event() -> None:
    assert set(TABLE) == set(product(State, EVENTS))
    assert all(set(row) == set(EVENTS) for row in ROWS.values())


def test_every_event_that_is_defined_is_an_event() -> None:
    begin = list(vars(ev)).index("Started")
    end = list(vars(ev)).index("Event")
    assert set(list(vars(ev).values())[begin:end]) == set(EVENTS)


def test_every_ignored_pair_is_meant() -> None:
    ignored = {pair for pair, handler in TABLE.items() if handler is quiet_handlers.ignore}
    assert ignored == {(state, event) for event, states in IGNORED.items() for state in states}


def test_what_is_over_refuses_what_people_do() -> None:
    over = {pair for pair, handler in TABLE.items() if handler is quiet_handlers.over}
    assert over == {(State.CLOSED, event) for event in OVER}


def test_what_needs_an_alarm_is_refused_without_one() -> None:
    refused = {pair for pair, handler in TABLE.items() if handler is quiet_handlers.no_alarm}
    assert refused == set(product(NO_ALARM, NEEDS_AN_ALARM))


def test_all_open_alarms_are_treated_alike() -> None:
    assert len({id(ROWS[state]) for state in ALARMED}) == 1


def test_the_samples_stand_in_every_state() -> None:
    assert {sample.watch.state for sample in diagram.samples()} == EVERYWHERE
    assert {sample.watch.routine is None for sample in diagram.samples()} == {True, False}


def test_no_event_on_any_watch_leaves_one_that_cannot_be() -> None:
    for sample, event in every_step():
        after = watch.step(sample.watch, event, sample.now).watch
        watch.check(after, sample.now)
        due = watch.wake_at(after)
        assert (due is None) == (after.state is State.CLOSED)


def test_a_refused_event_changes_nothing_and_says_why_and_nothing_else() -> None:
    refused = 0
    for sample, event in every_step():
        done = watch.step(sample.watch, event, sample.now)
        if done.refused is not None:
            refused += 1
            assert done.watch == sample.watch
            assert done.effects == (Refused(done.refused),)
            assert done.refused
    assert refused > 100


def test_an_ignored_event_changes_nothing_and_says_nothing() -> None:
    for sample, event in every_step():
        if TABLE[sample.watch.state, type(event)] is quiet_handlers.ignore:
            assert watch.step(sample.watch, event, sample.now) == watch.Step(sample.watch, ())


def test_the_same_step_twice_gives_the_same_answer() -> None:
    for sample, event in every_step():
        first = watch.step(sample.watch, event, sample.now)
        assert watch.step(sample.watch, event, sample.now) == first


def test_a_watch_that_is_over_never_changes_again() -> None:
    for sample, event in every_step():
        if sample.watch.state is State.CLOSED:
            assert watch.step(sample.watch, event, sample.now).watch == sample.watch


def test_an_unknown_event_is_an_error_not_a_shrug() -> None:
    with pytest.raises(KeyError):
        watch.step(Night().watch, "hello", 0)  # type: ignore[arg-type]


def test_a_watch_is_a_value() -> None:
    night = Night()
    with pytest.raises(FrozenInstanceError):
        night.watch.seq = 5  # type: ignore[misc]


# --- the invariants bite --------------------------------------------------------------------------


def broken() -> dict[str, Watch]:
    """Watches that must not be, each for its own reason."""
    quiet, ringing = Night(INJECTED).watch, alarmed().watch
    asked = Night(INJECTED)
    asked.until_ask()
    a = ringing.alarm
    assert a is not None
    going = alarmed()
    going.claims(2, 300)
    held = going.alarm
    long = replace(held.claims[0], hold_until_at=going.now + 300_001)
    there = alarmed()
    there.arrives(2)

    def with_alarm(**changes: object) -> Watch:
        return replace(ringing, alarm=replace(a, **changes))  # type: ignore[arg-type]

    return {
        "closed without an outcome": replace(quiet, state=State.CLOSED, next_ask_at=None),
        "an outcome while open": replace(quiet, outcome=ev.Outcome.FINE),
        "open without a timer": replace(quiet, next_ask_at=None),
        "open with a grace": replace(quiet, grace_at=1, base_at=1),
        "asking without a grace": replace(asked.watch, grace_at=None),
        "asking and open": replace(asked.watch, next_ask_at=1),
        "an alarm while open": replace(quiet, alarm=a),
        "no alarm in an alarm": replace(ringing, alarm=None),
        "held and open": replace(quiet, held=True),
        "acute without an end": replace(quiet, ends_at=None),
        "acute with a deadline": replace(quiet, deadline_at=1),
        "somebody there without a timer": replace(
            there.watch, alarm=replace(there.alarm, check_at=None)
        ),
        "somebody there and not attended": replace(there.watch, state=State.ALARM),
        "nobody there with a timer": with_alarm(check_at=1),
        "told a stranger": with_alarm(told=(99,)),
        "told twice": with_alarm(told=(2, 2)),
        "arrived untold": with_alarm(arrivals=(1,), check_at=1, told=()),
        "gone and still rung": with_alarm(gone=(2,)),
        "beyond the ladder": with_alarm(rung=3),
        "out and there": replace(there.watch, alarm=replace(there.alarm, out=(2,))),
        "a hold without a beginning": replace(going.watch, alarm=replace(held, held_from_at=None)),
        "a hold too long": replace(going.watch, alarm=replace(held, claims=(long,))),
        "all holds too long": replace(
            going.watch, alarm=replace(held, held_from_at=going.now - 400_000)
        ),
        "out and going": replace(going.watch, alarm=replace(held, out=(2,))),
    }


@pytest.mark.parametrize("reason", list(broken()))
def test_a_watch_that_cannot_be_is_caught(reason: str) -> None:
    wrong = broken()[reason]
    with pytest.raises(AssertionError):
        watch.check(wrong, 0)
    with pytest.raises(AssertionError):
        watch.step(wrong, ev.TimePassed(NOBODY), 0)


def test_now_is_whole_milliseconds() -> None:
    with pytest.raises(AssertionError):
        watch.step(Night().watch, ev.Marked(), 1.5)  # type: ignore[arg-type]


# --- the journal ----------------------------------------------------------------------------------


def lines(night: Night, *events: Event) -> list[bool]:
    kept = []
    for event in events:
        before = night.watch
        kept.append(watch.worth_a_line(before, event, night.do(event).watch))
    return kept


def test_the_asks_and_answers_of_a_quiet_night_leave_no_line() -> None:
    night = Night()
    assert lines(night, ev.Marked(), ev.StillHere(night.now)) == [True, False]
    night.wait(59)
    night.now += 31_000
    assert lines(night, ev.TimePassed(night.circle), ev.StillHere(night.now)) == [False, False]
    assert lines(night, ev.Ended()) == [True]


def test_everything_about_an_alarm_leaves_a_line() -> None:
    night = alarmed()
    told = lines(
        night, ev.Claimed(2, 60), ev.Arrived(2), ev.CannotGetIn(2), ev.StillHere(night.now)
    )
    assert told == [True] * 4


def test_a_timer_in_an_alarm_leaves_a_line_only_where_the_state_changes() -> None:
    night = alarmed()
    night.claims(2, 60)
    night.sleep(60)
    assert lines(night, ev.TimePassed(night.circle)) == [True]
    night.sleep(45)
    assert lines(night, ev.TimePassed(night.circle)) == [False]


def test_an_alarm_leaves_a_line_when_it_is_raised_and_when_it_is_over() -> None:
    night = Night()
    night.mark()
    night.until_ask()
    night.sleep(60)
    assert lines(night, ev.TimePassed(night.circle)) == [True]
    assert night.state() is State.ALARM
    assert lines(night, ev.StillHere(night.now)) == [True]
    assert night.state() is State.OPEN


def test_what_leaves_an_alarm_as_open_as_it_was_leaves_a_line_too() -> None:
    night = alarmed()
    assert lines(night, ev.Declined(2), ev.OptedOut(3)) == [True, True]
    assert night.state() is State.ALARM


def test_the_same_form_twice_in_an_alarm_leaves_one_line() -> None:
    night = alarmed()
    assert lines(night, ev.Claimed(2, 60), ev.Claimed(2, 60)) == [True, False]


def test_every_turn_of_a_quiet_night_leaves_a_line() -> None:
    night = Night()
    night.sleep(200)
    away = ev.ServiceWasDown(night.now - 30_000, night.now)
    assert lines(night, ev.Started(), away, ev.Marked()) == [True] * 3
    daily = evenings()
    assert lines(daily, ev.Paused(daily.now + 86_400_000), ev.Ended()) == [True] * 2


def test_the_answer_that_ends_a_watch_leaves_a_line_and_one_after_it_none() -> None:
    night = Night()
    assert night.watch.ends_at is not None
    night.now = night.watch.ends_at
    assert lines(night, ev.StillHere(night.now), ev.StillHere(night.now)) == [True, False]
