"""Whatever happens, in whatever order: what must hold of every night.

A machine does anything to a watch at any moment (people, contacts, dead numbers, late ticks,
outages, repeats) and after every step asks whether the promises still hold. A failing run prints
the steps that led there; seeded walks print their seed.
"""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from stillhere.core import events as ev
from stillhere.core import watch
from stillhere.core.alarm import ALL_HOLDS_S
from stillhere.core.circle import Circle
from stillhere.core.events import Event, Outcome, State, Tell, Word
from stillhere.core.watch import Step, Watch
from tests.core.world import (
    ANA,
    AT_ONE_INSTANT,
    DAILY,
    EVENING,
    EVERY_NIGHT_AT_TEN,
    INJECTED,
    LEO,
    MALLORY,
    MAYA,
    NOBODY,
    PLAN,
    RUTH,
    SNORTED,
    SWALLOWED,
    phone_of,
    plan,
    text_of,
)

NINE = plan(*((contact,) for contact in range(1, 10)))
SHY = plan((LEO,), (ANA, MAYA), unconfirmed=(ANA, LEO))
CIRCLES = (PLAN, NOBODY, NINE, SHY, plan((MAYA,)))
PROFILES = (INJECTED, SNORTED, SWALLOWED, DAILY)
PEOPLE = (LEO, ANA, MAYA, MALLORY)
LONGEST_SILENCE_S = 3600  # between two rounds of an exhausted ladder


class Promises:
    """One watch, and what it has promised so far. Every step goes through ``do``."""

    def __init__(self, profile_no: int, circle_no: int) -> None:
        self.circle: Circle = CIRCLES[circle_no]
        profile = PROFILES[profile_no]
        routine = EVERY_NIGHT_AT_TEN if profile is DAILY else None
        self.now = EVENING - 7 * 3_600_000
        self.watch = watch.start(1, profile, self.now, routine)
        self.held_s = 0.0
        self.held_no = 0
        self.back_s = 0  # how far the clock was set back

    def do(self, event: Event) -> Step:
        before = self.watch
        done = watch.step(before, event, self.now)
        assert watch.step(before, event, self.now) == done, "not the same answer twice"
        self.watch = done.watch
        self._refusals_change_nothing(before, done)
        self._only_those_on_the_alarm_are_told(before, done)
        self._no_alarm_is_dropped(before, event, done)
        self._everyone_told_hears_the_end(before, done)
        return done

    def pass_to(self, at: int) -> None:
        """Let time pass, every timer on the instant."""
        self.settle()
        while (due := watch.wake_at(self.watch)) is not None and due <= at:
            self._move(max(due, self.now))
            self.settle()
        self._move(at)

    def settle(self) -> None:
        """Fire what is due; it must come to rest, and then a further tick is harmless."""
        for _ in range(AT_ONE_INSTANT):
            due = watch.wake_at(self.watch)
            if due is None or due > self.now:
                break
            before = self.watch
            assert self.do(ev.TimePassed(self.circle)).watch != before, "a timer did nothing"
        else:
            raise AssertionError("time stands still")
        again = watch.step(self.watch, ev.TimePassed(self.circle), self.now)
        assert again == Step(self.watch, ()), "a second tick was not harmless"

    def _move(self, at: int) -> None:
        """Move the clock, counting how long the ladder was held by claims alone."""
        if self.watch.state is State.CLAIMED:
            assert self.watch.alarm is not None
            if self.held_no != self.watch.alarm.no:
                self.held_no, self.held_s = self.watch.alarm.no, 0.0
            self.held_s += (at - self.now) / 1000
            assert self.held_s <= ALL_HOLDS_S + self.back_s, "held for more than ten minutes"
        self.now = at

    def _refusals_change_nothing(self, before: Watch, done: Step) -> None:
        if done.refused is not None:
            assert done.watch == before
            assert len(done.effects) == 1

    def _only_those_on_the_alarm_are_told(self, before: Watch, done: Step) -> None:
        tells = [e for e in done.effects if isinstance(e, Tell)]
        if not tells:
            return
        alarm = done.watch.alarm or before.alarm
        assert alarm is not None, "told of an alarm that is none"
        for tell in tells:
            assert tell.contact in alarm.told
            assert tell.contact not in alarm.gone, "told somebody who opted out"
            assert alarm.told[tell.place] == tell.contact
            assert tell.who != tell.contact or tell.word is Word.STAND_DOWN

    def _no_alarm_is_dropped(self, before: Watch, event: Event, done: Step) -> None:
        if before.alarm is None or done.watch.alarm is not None:
            return
        match event:
            case ev.StillHere(made_at):
                since_at = min(before.alarm.raised_at, self.now)  # the clock may have gone back
                assert made_at >= since_at, "an older check-in ended an alarm"
            case ev.Marked() | ev.Extended() | ev.Paused() | ev.Ended():
                pass
            case ev.Resolved(_, outcome):
                assert outcome not in (Outcome.NOT_FOUND, Outcome.ENDED)
            case _:
                raise AssertionError(f"{event} ended an alarm")
        if done.watch.outcome is None and not isinstance(event, ev.Resolved):
            assert len(done.watch.rechecks) == 2, "nobody looks again"
        grave = done.watch.outcome in ev.GRAVE
        assert done.watch.held == grave

    def _everyone_told_hears_the_end(self, before: Watch, done: Step) -> None:
        if before.alarm is None or done.watch.alarm is not None:
            return
        told = {e.contact for e in done.effects if isinstance(e, Tell)}
        if done.watch.outcome is Outcome.DIED:
            assert told == set(), "a machine tells of a death"
        else:
            assert told == set(before.alarm.listeners()), "somebody was left waiting"

    # --- what would happen if nobody did anything any more -------------------------------------

    def silence_becomes_an_alarm(self) -> None:
        """An open watch left alone raises an alarm; it never closes by itself."""
        alone = self._alone()
        for _ in range(50):
            if alone.watch.alarm is not None:
                return
            due = watch.wake_at(alone.watch)
            assert due is not None
            assert alone.watch.state is not State.CLOSED, "silence closed a watch"
            alone.now = max(due, alone.now)
            alone.do(ev.TimePassed(alone.circle))
        raise AssertionError("silence went on for ever")

    def an_alarm_never_rests_for_long(self) -> None:
        """An alarm left alone keeps calling somebody, and closes by nobody's word."""
        alone = self._alone()
        heard_at = alone.now
        longest_ms = (LONGEST_SILENCE_S + self.back_s) * 1000
        for _ in range(60):
            due = watch.wake_at(alone.watch)
            assert due is not None
            alone.now = max(due, alone.now)
            if alone.do(ev.TimePassed(alone.circle)).effects:
                heard_at = alone.now
            assert alone.now - heard_at <= longest_ms, "an alarm went quiet"
            assert alone.watch.alarm is not None, "an alarm ended by itself"
        assert alone.watch.state is State.ALARM

    def _alone(self) -> Promises:
        other = object.__new__(Promises)
        other.__dict__.update(self.__dict__)
        return other


seconds = st.one_of(st.integers(0, 400), st.integers(0, 8000))
people = st.sampled_from(PEOPLE)


class Nights(RuleBasedStateMachine):
    """Anything, at any time, in any order."""

    night: Promises

    @initialize(profile=st.integers(0, 3), circle=st.integers(0, len(CIRCLES) - 1))
    def begin(self, profile: int, circle: int) -> None:
        self.night = Promises(profile, circle)

    # time
    @rule(s=seconds)
    def time_passes(self, s: int) -> None:
        self.night.pass_to(self.night.now + s * 1000)

    @rule()
    def the_next_timer_fires(self) -> None:
        due = watch.wake_at(self.night.watch)
        if due is not None:
            self.night.pass_to(max(due, self.night.now))

    @rule(s=seconds)
    def the_engine_is_late(self, s: int) -> None:
        self.night.now += s * 1000
        self.night.settle()

    @rule(s=seconds)
    def something_happens_before_the_tick(self, s: int) -> None:
        self.night.now += s * 1000

    @rule()
    def the_clock_is_set_back_an_hour(self) -> None:
        self.night.now -= 3_600_000
        self.night.back_s += 3600

    @rule(s=seconds)
    def the_service_was_down(self, s: int) -> None:
        away_at = self.night.now
        self.night.now += s * 1000
        self.night.do(ev.ServiceWasDown(away_at, self.night.now))

    # the person
    @rule(ago_s=st.sampled_from((0, 0, 0, 1, 20, 100, 5000)), seq=st.none() | st.integers(0, 9))
    def a_check_in(self, ago_s: int, seq: int | None) -> None:
        self.night.do(ev.StillHere(self.night.now - ago_s * 1000, seq))

    @rule(
        event=st.sampled_from(
            (ev.Started(), ev.Marked(), ev.Unclear(), ev.Extended(600), ev.Ended(), ev.Ended())
        )
    )
    def a_button(self, event: Event) -> None:
        if not isinstance(event, ev.Ended) or self.night.watch.alarm is not None:
            self.night.do(event)

    @rule(s=st.sampled_from((-5, 0, 600, 90_000, 10**10)))
    def a_pause(self, s: int) -> None:
        self.night.do(ev.Paused(self.night.now + s * 1000))

    @rule()
    def help_is_needed(self) -> None:
        self.night.do(ev.NeedHelp(self.night.circle))

    @rule(back=st.integers(0, 1))
    def the_screen_shows_an_ask(self, back: int) -> None:
        self.night.do(ev.Shown(self.night.watch.asks - back))

    # contacts and carriers
    @rule(
        who=people,
        eta_s=st.sampled_from((None, -1, 0, 30, 299, 300, 301, 3600)),
        known=st.sampled_from((True, True, True, False)),
    )
    def somebody_is_going(self, who: int, eta_s: int | None, known: bool) -> None:
        self.night.do(ev.Claimed(who, eta_s, known))

    @rule(
        who=people,
        what=st.sampled_from((ev.Declined, ev.CannotGetIn, ev.Arrived, ev.Arrived, ev.OptedOut)),
    )
    def somebody_says(self, who: int, what: Callable[[int], Event]) -> None:
        self.night.do(what(who))

    @rule(who=st.sampled_from((*PEOPLE, None)), way=st.sampled_from((text_of, phone_of)))
    def a_number_is_dead(self, who: int | None, way: Callable[[int], int]) -> None:
        self.night.do(ev.Undeliverable(who, way(who or 0)))

    @rule(who=st.sampled_from((*PEOPLE, None)))
    def nobody_picks_up(self, who: int | None) -> None:
        self.night.do(ev.Unheard(who, 1))

    @precondition(lambda self: self.night.watch.alarm is not None)
    @rule(who=st.sampled_from((*PEOPLE, RUTH)), how=st.sampled_from(Outcome))
    def somebody_says_how_it_ended(self, who: int | None, how: Outcome) -> None:
        self.night.do(ev.Resolved(who, how))

    # promises
    @invariant()
    def it_can_be(self) -> None:
        watch.check(self.night.watch, self.night.now)
        assert (watch.wake_at(self.night.watch) is None) == (self.night.watch.state is State.CLOSED)

    def teardown(self) -> None:
        self.left_alone_somebody_is_called()

    @rule()
    def left_alone_somebody_is_called(self) -> None:
        if self.night.watch.alarm is not None:
            self.night.an_alarm_never_rests_for_long()
        elif self.night.watch.state is not State.CLOSED:
            self.night.silence_becomes_an_alarm()


TestNights = Nights.TestCase
TestNights.settings = settings(
    max_examples=150,
    stateful_step_count=40,
    deadline=None,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow],
)


def anything(night: Promises, dice: random.Random) -> Event:
    """Some event, drawn by the dice."""
    who = dice.choice(PEOPLE)
    return dice.choice(
        (
            ev.StillHere(night.now - dice.choice((0, 0, 0, 30, 500)) * 1000, dice.randint(0, 5)),
            ev.StillHere(night.now),
            ev.Marked(),
            ev.Unclear(),
            ev.Extended(dice.randint(0, 4000)),
            ev.NeedHelp(night.circle),
            ev.Shown(night.watch.asks),
            ev.Claimed(who, dice.choice((None, 60, 300, 900))),
            ev.Claimed(who, dice.randint(1, 300)),
            ev.Claimed(who, dice.choice((None, 60, 600)), known=False),
            ev.Declined(who),
            ev.CannotGetIn(who),
            ev.Arrived(who),
            ev.OptedOut(who),
            ev.Undeliverable(who, dice.choice((text_of(who), phone_of(who)))),
            ev.Undeliverable(None, 1),
            ev.Unheard(dice.choice((who, None)), 1),
            ev.Dropped(),
            ev.Resolved(dice.choice((who, RUTH)), dice.choice(list(Outcome))),
            ev.Paused(night.now + dice.randint(0, 10**8)),
        )
    )


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(40))
def test_a_seeded_walk_through_many_nights_keeps_every_promise(seed: int) -> None:
    dice = random.Random(seed)
    for no in range(15):
        night = Promises(dice.randrange(4), dice.randrange(len(CIRCLES)))
        try:
            for _ in range(60):
                if dice.random() < 0.5:
                    night.pass_to(night.now + dice.choice((1, 10, 45, 60, 200, 900)) * 1000)
                else:
                    night.do(anything(night, dice))
        except AssertionError as error:
            raise AssertionError(f"seed {seed}, night {no}, now {night.now}") from error


@pytest.mark.parametrize("seed", range(20))
def test_no_sequence_of_claims_holds_the_ladder_for_more_than_ten_minutes(seed: int) -> None:
    dice = random.Random(seed)
    night = Promises(0, 0)
    night.do(ev.NeedHelp(night.circle))
    while night.now < EVENING:
        who = dice.choice((LEO, ANA, MAYA))
        night.do(dice.choice((ev.Claimed(who, dice.randint(1, 400)), ev.Declined(who))))
        night.pass_to(night.now + dice.randint(0, 90_000))
    assert night.held_s <= ALL_HOLDS_S, f"seed {seed}"


@pytest.mark.parametrize("seed", range(20))
def test_everyone_is_rung_within_three_minutes_unless_somebody_goes(seed: int) -> None:
    dice = random.Random(seed)
    night = Promises(0, 2)
    night.do(ev.NeedHelp(night.circle))
    until = night.now + 180_000
    while night.now < until:
        who = dice.randint(1, 9)
        night.do(
            dice.choice(
                (
                    ev.Declined(who),
                    ev.Claimed(who, None),
                    ev.Undeliverable(who, text_of(who)),
                    ev.CannotGetIn(who),
                    ev.StillHere(night.now - 10**6),
                )
            )
        )
        night.pass_to(min(night.now + dice.randint(1, 60_000), until))
    alarm = night.watch.alarm
    assert alarm is not None
    assert set(alarm.told) | set(alarm.out) == set(range(1, 10)), f"seed {seed}"
