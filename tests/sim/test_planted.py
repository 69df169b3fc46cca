"""A simulator that finds nothing proves nothing: these bugs are planted, and have to be found.

Every one has been made by somebody: marked done before it was sent, a timer that was lost, an old
answer taken for a new one. The name of the rule that must notice stands beside each.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from stillhere.core import alarm, alarm_handlers, ladder, quiet_handlers
from stillhere.core import events as ev
from stillhere.core.circle import Circle
from stillhere.core.events import Effect, State, Word
from stillhere.core.messages import Fate
from stillhere.core.watch import TABLE
from stillhere.core.watch_state import Watch
from stillhere.engine import audit
from stillhere.sim.verdict import Verdict
from stillhere.sim.whole import web_side
from stillhere.sim.whole.nights import Simulator
from stillhere.store.db import clock, encryption
from stillhere.store.messages import delivery, leased, receipts
from stillhere.store.models import Contact, Message, Person, WatchRow
from stillhere.store.people import force, suppression
from stillhere.store.watches import apply, outbox, queries, rows
from stillhere.store.watches.apply import Change, ChangeResult
from stillhere.store.watches.circle import circles_of

Plant = Callable[[pytest.MonkeyPatch], None]
MOST_NIGHTS = 80


def an_answer_from_before_the_alarm_ends_it(patch: pytest.MonkeyPatch) -> None:
    def answered(w: Watch, e: ev.StillHere, now: int, out: list[Effect]) -> Watch:
        return alarm_handlers.answered(w, replace(e, made_at=now), now, out)

    for state in (State.ALARM, State.CLAIMED, State.ATTENDED):
        patch.setitem(TABLE, (state, ev.StillHere), answered)


def a_message_is_marked_sent_before_it_is_sent(patch: pytest.MonkeyPatch) -> None:
    real = delivery.lease

    def lease(channel: str, now: int, most: int, lease_s: float) -> list[leased.LeasedMessage]:
        leased = real(channel, now, most, lease_s)
        Message.objects.filter(id__in=[m.id for m in leased]).update(status="sent")
        return leased

    patch.setattr(delivery, "lease", lease)


def a_dead_number_is_only_logged(patch: pytest.MonkeyPatch) -> None:
    real = delivery.feed_back

    def feed_back(news: Any, now: int) -> None:
        real([each for each in news if each.receipt.fate is not Fate.FAILED], now)

    for module in (delivery, receipts):
        patch.setattr(module, "feed_back", feed_back)


def nobody_is_told_to_call_an_ambulance(patch: pytest.MonkeyPatch) -> None:
    def ambulance(a: alarm.Alarm, now: int, out: list[Effect]) -> alarm.Alarm:
        return replace(a, ambulance_at=None, ambulance_told=True)

    patch.setattr(ladder, "ambulance", ambulance)


def what_is_no_longer_true_is_not_taken_back(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(outbox, "withdraw", lambda *facts: None)


def a_no_is_forgotten_once_a_message_is_queued(patch: pytest.MonkeyPatch) -> None:
    real = delivery._stale

    def stale(row: dict[str, Any], now: int) -> str:
        why = real(row, now)
        return "" if why == "not wanted" else why

    patch.setattr(delivery, "_stale", stale)


def an_outage_is_forgotten(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(queries, "outages_since", lambda at: [])


def messages_leave_in_the_order_they_were_written(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(delivery, "_LEASE", delivery._LEASE.replace("urgency, place, due_at", "id"))


def a_claim_holds_for_as_long_as_it_likes(patch: pytest.MonkeyPatch) -> None:
    for module in (alarm, ladder):
        patch.setattr(module, "ALL_HOLDS_S", 10**6)


def every_rung_is_rung_at_once(patch: pytest.MonkeyPatch) -> None:
    real = ladder.climb

    def climb(a: alarm.Alarm, now: int, out: list[Effect]) -> alarm.Alarm:
        after = real(a, now, out)
        return after if after.round > a.round else replace(after, next_rung_at=now)

    patch.setattr(ladder, "climb", climb)


def nobody_hears_that_it_is_over(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(ladder, "stand_down", lambda *facts: None)


def an_end_that_found_no_way_is_given_up(patch: pytest.MonkeyPatch) -> None:
    """As the store once did."""
    for module in (delivery, receipts):
        patch.setattr(module, "by_another_way", lambda lost, now: None)


def a_check_in_is_acknowledged_and_not_counted(patch: pytest.MonkeyPatch) -> None:
    def still_here(w: Watch, e: ev.StillHere, now: int, out: list[Effect]) -> Watch:
        return quiet_handlers.still_here(w, e, now, out) if now % 5 else w

    for state in (State.OPEN, State.ASKING):
        patch.setitem(TABLE, (state, ev.StillHere), still_here)


def a_claimed_alarm_loses_its_timer(patch: pytest.MonkeyPatch) -> None:
    real = rows.freeze

    def freeze(w: Watch) -> rows.Row:
        wake_at, *rest = real(w)
        return (None if w.state is State.CLAIMED else wake_at, *rest)

    patch.setattr(rows, "freeze", freeze)


def one_answer_is_told_with_the_wrong_time(patch: pytest.MonkeyPatch) -> None:
    real = ladder.tell

    def tell(a: alarm.Alarm, to: Any, word: Word, at: int, out: Any, **more: Any) -> None:
        real(a, to, word, at + 60_000 if word is Word.ANSWERED_ONCE else at, out, **more)

    patch.setattr(ladder, "tell", tell)


def nobody_asks_again_after_an_answer(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(alarm_handlers, "RECHECKS_S", (3600,))


def the_engine_looks_every_few_seconds_only(patch: pytest.MonkeyPatch) -> None:
    real = queries.due
    patch.setattr(queries, "due", lambda now, most: real(now - 6_000, most))


def what_is_tried_in_vain_is_proof_enough(patch: pytest.MonkeyPatch) -> None:
    """Green while nobody can be reached."""
    patch.setattr(audit, "unheard", lambda now, rate: [])


# --- who hears of it, and who no more -------------------------------------------------------------


def a_word_under_force_is_a_call_for_help_like_any_other(patch: pytest.MonkeyPatch) -> None:
    """On a watch of their own, which their phone shows."""

    def call_for_help(person: Person, _typed: str = "") -> None:
        circle = circles_of([person.id], clock.now_ms()).get(person.id, Circle())
        watch = apply.start(person.id, force.PROFILE)
        apply.apply(Change(ev.NeedHelp(circle, forced=True), watch=watch))

    patch.setattr(force, "call_for_help", call_for_help)


def everybody_on_the_list_hears_a_word_under_force(patch: pytest.MonkeyPatch) -> None:
    real = force._double_of

    def double_of(person: Person, mark: bytes, *, decoy: bool) -> Person:
        person.contacts.update(hears_force=True)
        return real(person, mark, decoy=decoy)

    patch.setattr(force, "_double_of", double_of)


def one_who_was_chosen_does_not_hear_it(patch: pytest.MonkeyPatch) -> None:
    real = force._copy

    def copy(contact: Contact, double: Person) -> None:
        if double.contacts.exists():
            real(contact, double)

    patch.setattr(force, "_copy", copy)


def a_later_check_in_stands_a_word_under_force_down(patch: pytest.MonkeyPatch) -> None:
    real = apply.apply_batch

    def apply_batch(changes: list[Change]) -> list[ChangeResult]:
        answers = real(changes)
        said = [c.watch for c in changes if isinstance(c.what, apply.CheckIn)]
        for person in WatchRow.objects.filter(id__in=said).values_list("person", flat=True):
            mark = encryption.lookup("secret", str(person))
            theirs = WatchRow.objects.filter(person__secret=True, person__force_word=mark)
            over = ev.Resolved(None, ev.Outcome.FALSE_ALARM)
            real([Change(over, watch=id) for id in theirs.values_list("id", flat=True)])
        return answers

    patch.setattr(web_side, "apply_batch", apply_batch)


def a_stop_is_for_the_lists_of_today(patch: pytest.MonkeyPatch) -> None:
    """Erased with their rows, and tomorrow somebody adds them anew."""
    patch.setattr(suppression, "add", lambda *facts, **more: None)


def what_was_for_somebody_erased_is_sent_again(patch: pytest.MonkeyPatch) -> None:
    """As the store once did: to an empty address, where no receipt had come."""
    real = delivery._stale

    def stale(row: dict[str, Any], now: int) -> str:
        return "" if row["address"] is None else real(row, now)

    patch.setattr(delivery, "_stale", stale)


def a_claim_by_anybody_counts_as_their_own(patch: pytest.MonkeyPatch) -> None:
    real = alarm_handlers._going

    def going(a: alarm.Alarm, e: ev.Claimed, *facts: Any, **more: Any) -> alarm.Alarm:
        return real(a, replace(e, known=True), *facts, **more)

    patch.setattr(alarm_handlers, "_going", going)


PLANTED: dict[Plant, tuple[str, ...]] = {
    an_answer_from_before_the_alarm_ends_it: ("an_alarm_ends_only_by_an_answer_or_a_word",),
    a_message_is_marked_sent_before_it_is_sent: (
        "what_is_marked_sent_was_handed_over",
        "everyone_told_of_an_alarm_is_told_of_its_end",
    ),
    a_dead_number_is_only_logged: ("a_dead_number_moves_the_ladder_at_once",),
    nobody_is_told_to_call_an_ambulance: ("the_ambulance_words_come_at_five_minutes",),
    what_is_no_longer_true_is_not_taken_back: ("no_word_leaves_after_its_alarm_is_over",),
    a_no_is_forgotten_once_a_message_is_queued: ("nobody_who_said_no_more_is_contacted",),
    an_outage_is_forgotten: ("nobody_is_alarmed_without_the_full_time_to_answer",),
    messages_leave_in_the_order_they_were_written: ("each_lease_takes_the_most_urgent_first",),
    a_claim_holds_for_as_long_as_it_likes: ("all_holds_together_last_at_most_ten_minutes",),
    every_rung_is_rung_at_once: ("no_rung_is_rung_before_its_time",),
    nobody_hears_that_it_is_over: ("everyone_told_of_an_alarm_is_told_of_its_end",),
    an_end_that_found_no_way_is_given_up: ("everyone_told_of_an_alarm_is_told_of_its_end",),
    a_check_in_is_acknowledged_and_not_counted: ("no_acknowledged_check_in_is_forgotten",),
    a_claimed_alarm_loses_its_timer: (
        "every_open_watch_is_looked_at_in_time",
        "the_proof_holds_while_the_engine_is_up",
    ),
    one_answer_is_told_with_the_wrong_time: ("nobody_is_told_of_an_answer_that_nobody_gave",),
    nobody_asks_again_after_an_answer: (
        "whoever_answered_an_alarm_is_asked_again_within_a_minute",
    ),
    what_is_tried_in_vain_is_proof_enough: (
        "nothing_is_proved_while_an_open_alarm_has_reached_nobody",
    ),
    the_engine_looks_every_few_seconds_only: ("every_open_watch_is_looked_at_in_time",),
    a_word_under_force_is_a_call_for_help_like_any_other: (
        "a_word_under_force_shows_on_no_watch_of_their_own",
    ),
    everybody_on_the_list_hears_a_word_under_force: (
        "nobody_but_those_chosen_hears_a_word_under_force",
    ),
    one_who_was_chosen_does_not_hear_it: ("whoever_was_chosen_hears_a_word_under_force",),
    a_later_check_in_stands_a_word_under_force_down: ("an_alarm_ends_only_by_an_answer_or_a_word",),
    a_stop_is_for_the_lists_of_today: ("no_number_that_said_no_is_reached_before_it_says_start",),
    what_was_for_somebody_erased_is_sent_again: ("nobody_who_said_no_more_is_contacted",),
    a_claim_by_anybody_counts_as_their_own: (
        "a_claim_that_anybody_may_have_made_keeps_nobody_from_being_rung",
    ),
}


# Some show in a late night only: the hunt for them begins near it. A change of the simulator may
# move it, and then the hunt goes on as far as any other.
LATE: dict[Plant, int] = {
    a_message_is_marked_sent_before_it_is_sent: 22,
    a_claim_holds_for_as_long_as_it_likes: 13,
    an_end_that_found_no_way_is_given_up: 76,
    a_dead_number_is_only_logged: 6,
    what_is_tried_in_vain_is_proof_enough: 44,
    one_answer_is_told_with_the_wrong_time: 5,
    a_stop_is_for_the_lists_of_today: 22,
    what_was_for_somebody_erased_is_sent_again: 34,
}


def _hunt(simulator: Simulator, most: int, first: int = 1) -> Verdict | None:
    """The first night that finds something."""
    verdicts = map(simulator.run, range(first, first + most))
    return next((verdict for verdict in verdicts if verdict.broken is not None), None)


@pytest.mark.slow
@pytest.mark.parametrize("plant", PLANTED, ids=lambda plant: plant.__name__)
def test_a_planted_bug_is_found(
    simulator: Simulator, monkeypatch: pytest.MonkeyPatch, plant: Plant
) -> None:
    plant(monkeypatch)
    found = _hunt(simulator, MOST_NIGHTS, LATE.get(plant, 1))
    assert found is not None, f"{MOST_NIGHTS} nights found nothing"
    assert found.broken is not None
    print(f"found in night {found.seed}: {found.broken}")
    assert found.broken.invariant in PLANTED[plant]


@pytest.mark.slow
def test_a_broken_night_is_made_small_and_breaks_the_same_rule(
    simulator: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    nobody_hears_that_it_is_over(monkeypatch)
    found = _hunt(simulator, MOST_NIGHTS)
    assert found is not None
    assert found.broken is not None
    small = simulator.shrunk(found)
    assert small.broken is not None
    print(f"{len(found.switches)} -> {small.switches}")
    assert small.broken.invariant == found.broken.invariant
    assert len(small.switches) < len(found.switches) // 2
