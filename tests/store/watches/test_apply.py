"""One transaction for state, journal and first messages; the row is swapped or nothing happened."""

from __future__ import annotations

import json
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from django.db import connection

from stillhere.core import events as ev
from stillhere.core.events import State
from stillhere.core.refusals import Refusal
from stillhere.store.models import JournalLine, Message, Tally, WatchRow
from stillhere.store.watches import apply, queries, rows
from stillhere.store.watches.apply import CallForHelp, Change, CheckIn, SwapMissed, Tick
from tests.circle import SamsNight, sams_night, tick_all
from tests.conftest import Clock

pytestmark = pytest.mark.usefixtures("database")


def marked_night(clock: Clock, *rungs: tuple[str, ...]) -> SamsNight:
    night = sams_night(*rungs)
    night.start()
    night.does(ev.Marked())
    return night


def silence(clock: Clock) -> None:
    """Until an alarm: the first ask, the ring, the end of grace."""
    for wait_s in (60, 5, 15, 40):
        clock.advance(wait_s)
        tick_all()


def test_a_row_comes_back_as_the_value_it_was(clock: Clock) -> None:
    night = marked_night(clock, ("Leo",), ("Maya",))
    silence(clock)
    night.does(ev.Claimed(night.contacts["Leo"].id, 180))
    shown = queries.watch_of(night.person)
    assert shown is not None
    assert shown.watch.state is State.CLAIMED
    row = (shown.row.id, shown.row.profile, shown.row.own)
    assert rows.thaw((*row, *rows.freeze(shown.watch))) == shown.watch


def test_whose_word_ended_alarms_is_kept_until_sam_is_heard(clock: Clock) -> None:
    night = marked_night(clock, ("Leo",), ("Maya",))
    silence(clock)
    leo = night.contacts["Leo"].id
    night.does(ev.Resolved(leo, ev.Outcome.FINE))
    shown = queries.watch_of(night.person)
    assert shown is not None
    assert shown.watch.ended_by == (leo,)
    assert night.does(CheckIn()).watch is not None
    assert night.row().ended_by == ""


def test_silence_becomes_an_ask_then_a_ring_then_an_alarm(clock: Clock) -> None:
    night = marked_night(clock, ("Leo", "Ines"), ("Maya",))
    clock.advance(60)
    tick_all()
    assert night.row().state == "asking"
    assert night.queued() == []
    clock.advance(5)
    tick_all()
    assert [m.word for m in night.queued()] == ["ask"]
    clock.advance(15)
    tick_all()
    assert sorted(m.word for m in night.queued()) == ["ask", "ask-ring", "ask-ring"]
    clock.advance(40)
    tick_all()
    alarms = night.queued("alarm")
    assert {m.contact_id for m in alarms} == {night.contacts[n].id for n in ("Leo", "Ines")}
    assert [m.channel for m in alarms] == ["text", "call"] * 2
    assert [m.place for m in alarms] == [0, 0, 1, 1]


def test_a_check_in_takes_back_the_ask_that_has_not_left(clock: Clock) -> None:
    night = marked_night(clock, ("Leo",))
    clock.advance(65)
    tick_all()
    clock.advance(5)
    tick_all()
    assert night.queued("ask")
    night.does(CheckIn())
    assert night.row().state == "open"
    assert night.queued() == []


def test_a_press_from_a_phone_whose_clock_jumped_counts_from_now(clock: Clock) -> None:
    night = marked_night(clock, ("Leo",))
    clock.advance(70)
    tick_all()
    night.does(CheckIn(age_ms=24 * 3600 * 1000))
    row = night.row()
    assert (row.state, row.seen_at) == ("open", clock.now)


def test_a_kept_press_counts_by_the_clock_that_was_not_set(clock: Clock) -> None:
    """Made fifty seconds ago, before this ask: the phone's date was set meanwhile, the clock that
    only counts was not."""
    night = marked_night(clock, ("Leo",))
    clock.advance(60)
    tick_all()
    clock.advance(10)
    kept = CheckIn(age_ms=24 * 3600 * 1000, seq=1, least_ms=50_000)
    night.does(kept)
    assert night.row().seen_at == clock.now - 50_000


def test_who_never_heard_of_the_alarm_is_not_told_it_is_over(clock: Clock) -> None:
    night = marked_night(clock, ("Leo",), ("Maya",))
    silence(clock)
    Message.objects.filter(word="alarm", channel="text").update(status="sent", attempts=1)
    clock.advance(45)
    tick_all()
    assert night.queued("alarm")
    night.does(CheckIn())
    assert {m.contact_id for m in night.queued("stand-down")} == {night.contacts["Leo"].id}
    assert night.queued("alarm") == []


def test_who_came_without_being_called_is_told_it_is_over(clock: Clock) -> None:
    night = marked_night(clock, ("Leo",), ("Maya",))
    silence(clock)
    night.does(ev.Claimed(night.contacts["Maya"].id, 180))
    night.does(CheckIn())
    assert {m.contact_id for m in night.queued("stand-down")} == {night.contacts["Maya"].id}


def test_who_is_called_again_is_not_told_that_the_first_alarm_is_over(clock: Clock) -> None:
    night = marked_night(clock, ("Leo",), ("Maya",))
    silence(clock)
    clock.advance(45)
    tick_all()
    Message.objects.filter(word="alarm").update(status="sent", attempts=1)
    night.does(CheckIn())
    first = night.queued("stand-down")
    assert {m.contact_id for m in first} == {c.id for c in night.contacts.values()}
    night.does(CallForHelp())  # Leo is called again; Maya, on the next rung, is not yet
    assert {m.contact_id for m in night.queued("stand-down")} == {night.contacts["Maya"].id}


def test_who_comes_to_a_new_alarm_uncalled_is_not_told_that_an_older_one_is_over(
    clock: Clock,
) -> None:
    night = marked_night(clock, ("Leo",), ("Maya",))
    silence(clock)
    clock.advance(46)
    tick_all()
    Message.objects.filter(word="alarm").update(status="sent", attempts=1)
    night.does(CheckIn())
    maya = night.contacts["Maya"].id
    assert maya in {m.contact_id for m in night.queued("stand-down")}
    night.does(CallForHelp())
    night.does(ev.Arrived(maya))
    assert maya not in {m.contact_id for m in night.queued("stand-down")}


def test_one_group_of_forms_sends_no_end_of_an_older_alarm_after_a_new_one(clock: Clock) -> None:
    night = marked_night(clock, ("Leo",))
    silence(clock)
    Message.objects.filter(word="alarm").update(status="sent", attempts=1)
    both = [Change(what, watch=night.watch) for what in (CheckIn(), CallForHelp())]
    apply.apply_batch(both)
    assert night.row().state == "alarm"
    assert night.queued("stand-down") == []


@pytest.mark.parametrize("outcome", [ev.Outcome.HOSPITAL, ev.Outcome.DIED])
def test_of_a_death_nothing_automatic_leaves_and_of_help_the_good_news(
    clock: Clock, outcome: ev.Outcome
) -> None:
    night = marked_night(clock, ("Leo", "Maya"), ("Ana",))
    silence(clock)
    Message.objects.filter(word="alarm").update(status="sent", attempts=1)
    night.does(ev.Arrived(night.contacts["Leo"].id))
    night.does(ev.Resolved(night.contacts["Leo"].id, outcome))
    heard = {night.contacts["Leo"].id, night.contacts["Maya"].id}
    [page] = night.queued("page-grave")
    assert (page.channel, page.contact_id) == ("coordinator", None), "a person looks"
    left = [m for m in night.queued() if m.word != "page-grave"]
    assert {m.word for m in left} == (set() if outcome is ev.Outcome.DIED else {"stand-down"})
    assert {m.contact_id for m in left} == (set() if outcome is ev.Outcome.DIED else heard)
    row = night.row()
    assert (row.state, row.wake_at, row.held) == ("closed", None, True)
    assert queries.to_look_at() == [night.watch]


def test_a_form_sent_twice_starts_one_watch(clock: Clock) -> None:
    night = sams_night(("Leo",))
    assert night.start() == night.start()
    assert WatchRow.objects.count() == 1
    assert Tally.objects.get(what="acute.started").count == 1


def test_a_batch_folds_one_watchs_events_in_the_order_they_came(clock: Clock) -> None:
    night = marked_night(clock, ("Leo",))
    silence(clock)
    contact = night.contacts["Leo"].id
    answers = apply.apply_batch(
        [
            Change(ev.Claimed(contact, 180), watch=night.watch),
            Change(ev.Arrived(contact), watch=night.watch),
            Change(ev.Claimed(contact + 999, 60), watch=night.watch),
            Change(CheckIn(), watch=night.watch + 404),
        ]
    )
    assert [a.watch.state if a.watch else None for a in answers] == [
        State.CLAIMED,
        State.ATTENDED,
        State.ATTENDED,
        None,
    ]
    assert answers[2].refused is Refusal.NOT_ON_IT
    assert [x.event for x in queries.journal(night.watch)][-2:] == ["Claimed", "Arrived"]


def test_an_alarm_says_since_when_there_was_no_answer(clock: Clock) -> None:
    night = marked_night(clock, ("Leo",))
    last_seen = clock.now
    silence(clock)
    assert {json.loads(m.facts)["at"] for m in night.queued("alarm")} == {last_seen}


def test_help_is_called_for_with_the_plan_as_it_stands(clock: Clock) -> None:
    night = sams_night(("Leo",))
    night.start()
    late = sams_night(("Maya",))
    late.start()
    late.does(CallForHelp())
    assert {m.contact_id for m in late.queued("help")} == {late.contacts["Maya"].id}
    assert night.row().state == "open"


def test_a_watch_our_code_cannot_step_harms_nobody_else(clock: Clock) -> None:
    sick, well = marked_night(clock, ("Leo",)), marked_night(clock, ("Maya",))
    WatchRow.objects.filter(id=sick.watch).update(grace_at=1)  # breaks an invariant
    clock.advance(60)
    answers = apply.apply_batch(
        [Change(Tick(), watch=sick.watch), Change(Tick(), watch=well.watch)]
    )
    assert [a.quarantined for a in answers] == [True, False]
    assert well.row().state == "asking"
    assert {m.contact_id for m in well.queued("alarm")} == {sick.contacts["Leo"].id}
    assert [m.channel for m in well.queued("page-quarantine")] == ["coordinator"]
    apply.apply_batch([Change(Tick(), watch=sick.watch)])
    assert len(well.queued("page-quarantine")) == 1
    apply.looked(sick.watch)
    assert sick.row().state == "closed"


def test_a_row_that_moved_under_us_is_never_overwritten(
    clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    night = marked_night(clock, ("Leo",))
    load = apply._load

    def meddled(changes: list[Change]) -> object:
        benches = load(changes)
        for bench in benches.values():
            bench.version -= 1
        return benches

    monkeypatch.setattr(apply, "_load", meddled)
    before = night.row()
    with pytest.raises(SwapMissed):
        night.does(CheckIn())
    after = night.row()
    assert (after.version, after.seen_at) == (before.version, before.seen_at)


def test_two_writers_at_once_raise_exactly_one_alarm(clock: Clock) -> None:
    nights = [marked_night(clock, ("Leo",)) for _ in range(10)]
    for wait_s in (60, 5, 15):
        clock.advance(wait_s)
        tick_all()
    clock.advance(40)
    both = threading.Barrier(4)

    def race(_: int) -> int:
        both.wait()
        try:
            return len(apply.apply_batch([Change(Tick(), watch=n.watch) for n in nights]))
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as writers:
        assert list(writers.map(race, range(4))) == [10] * 4
    assert Message.objects.filter(word="alarm").count() == 10 * 2
    assert {night.row().alarms for night in nights} == {1}


def test_a_quiet_night_leaves_no_line_for_each_answer(clock: Clock) -> None:
    night = marked_night(clock, ("Leo",))
    for _ in range(3):
        clock.advance(30)
        night.does(CheckIn())
    assert JournalLine.objects.filter(event="StillHere").count() == 0
    assert [x.event for x in queries.journal(night.watch)] == ["Started", "Marked"]


def test_the_alarm_survives_its_own_json(clock: Clock) -> None:
    night = marked_night(clock, ("Leo", "Ines"), ("Maya",))
    silence(clock)
    for event in (
        ev.Claimed(night.contacts["Leo"].id, 120),
        ev.Claimed(night.contacts["Leo"].id, 60),
        ev.Claimed(night.contacts["Maya"].id, 600, known=False),
        ev.OptedOut(night.contacts["Ines"].id),
        ev.Undeliverable(night.contacts["Maya"].id, 1),
        ev.Arrived(night.contacts["Leo"].id),
    ):
        watch = night.does(event).watch
        assert watch is not None
        assert watch.alarm is not None
        assert rows.alarm_from(rows.alarm_text(watch.alarm)) == watch.alarm
        assert rows.alarm_from(rows.alarm_text(replace(watch.alarm, told=()))) != watch.alarm
        claims = watch.alarm.claims
    assert {claim.changes: claim.known for claim in claims} == {1: True, 0: False}


def test_that_sam_wants_to_die_is_kept_with_the_alarm_and_only_then(clock: Clock) -> None:
    """An alarm without it is written as the release before reads it."""
    night = marked_night(clock, ("Leo",))
    for says_it, kept in ((False, False), (True, True), (False, True)):
        watch = night.does(CallForHelp(says_it)).watch
        assert watch is not None
        assert watch.alarm is not None
        text = rows.alarm_text(watch.alarm)
        assert rows.alarm_from(text) == watch.alarm
        assert (watch.alarm.wants_to_die, "wants_to_die" in text) == (kept, kept)


def test_a_first_claim_is_written_as_the_release_before_reads_it(clock: Clock) -> None:
    night = marked_night(clock, ("Leo",))
    silence(clock)
    night.does(ev.Claimed(night.contacts["Leo"].id, 120))
    (claim,) = json.loads(night.row().alarm)["claims"]
    assert set(claim) == {"contact", "at", "eta_s", "hold_until_at"}
    alarm = rows.alarm_from(night.row().alarm)
    assert alarm.claims[0].known, "what that release wrote is their own word"
