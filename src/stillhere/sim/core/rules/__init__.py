"""What must hold in every night of the core alone, one function a rule.

A rule's name is the sentence it proves, and it is the name of the full-stack rule
(``sim/invariants``) where it proves the same. It returns its complaint, or None, and changes
nothing. Limits are written out again on purpose: a rule that reads its limit from the code under
test proves nothing.

The lists say when a rule is asked: after every step, while no alarm is open, when one is raised,
while one is open, when one ended, and when the night is over. Weeks with a routine have lists of
their own for the days, because the rules of one evening know one deadline only.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from stillhere.core.events import State
from stillhere.core.watch import Watch
from stillhere.sim.core.observer import Onlooker
from stillhere.sim.core.rules import alarms, asking, weeks, words
from stillhere.sim.core.story import Moment
from stillhere.sim.whole.world import Violation

Rule = Callable[[Onlooker, Moment], str | None]

AFTER_EVERY_STEP: tuple[Rule, ...] = (
    asking.what_is_over_stays_over,
    asking.what_is_refused_changes_nothing,
    asking.there_is_always_a_next_look,
    asking.a_tick_before_its_time_changes_nothing,
    asking.a_tick_in_time_moves_on,
    asking.no_sign_of_life_is_taken_back,
    asking.no_acknowledged_check_in_is_forgotten,
    asking.a_watch_closes_only_by_a_word,
    asking.what_is_unclear_rings_at_once_and_buys_no_time,
)
WHILE_ASKED: tuple[Rule, ...] = (
    asking.an_ask_ends_only_by_a_sign_of_life,
    asking.an_answer_ends_the_ask,
    asking.a_kept_check_in_answers_only_what_it_could_have_prevented,
    asking.what_is_unclear_is_never_a_check_in,
    asking.silence_raises_the_alarm_as_soon_as_the_time_to_answer_is_over,
)
WHILE_QUIET: tuple[Rule, ...] = (
    asking.asks_are_never_further_apart_than_the_profile_says,
    asking.a_deadline_is_never_let_pass,
    asking.after_an_outage_people_are_asked_first,
    words.well_is_said_only_of_a_routine_that_was_answered,
    words.nobody_is_called_without_an_alarm,
)
WHEN_RAISED: tuple[Rule, ...] = (
    alarms.an_alarm_is_raised_only_by_silence_or_a_call_for_help,
    asking.nobody_is_alarmed_over_a_check_in_we_had,
    asking.nobody_is_alarmed_without_the_full_time_to_answer,
    asking.the_phone_rings_before_the_alarm,
    alarms.the_first_are_called_at_once,
)
WHILE_OPEN: tuple[Rule, ...] = (
    words.nobody_who_said_no_more_is_contacted,
    words.words_say_what_happened,
    words.that_they_want_to_die_is_told_once_and_at_once,
    words.only_who_was_never_told_hears_who_is_there_after_half_an_hour,
    words.urgency_order_holds,
    alarms.no_rung_is_rung_before_its_time,
    alarms.every_alarm_is_held_attended_or_being_escalated,
    alarms.everyone_is_rung_within_three_minutes,
    alarms.the_ambulance_words_come_at_five_minutes,
    alarms.a_hold_is_a_claim_that_still_runs,
    alarms.whoever_is_there_is_looked_in_on,
    alarms.nobody_rests_on_one_word_for_more_than_half_an_hour,
    alarms.a_dead_number_moves_the_ladder_at_once,
    alarms.an_outage_is_said_to_everyone_on_the_alarm,
)
WHEN_ENDED: tuple[Rule, ...] = (
    words.nobody_who_said_no_more_is_contacted,
    alarms.an_alarm_ends_only_by_an_answer_or_a_word,
    alarms.whoever_answered_an_alarm_is_asked_again_within_a_minute,
    words.everyone_told_of_an_alarm_is_told_of_its_end,
    words.nobody_is_told_falsely_that_it_is_over,
)
WHILE_A_DAY_IS_ASKED: tuple[Rule, ...] = (
    asking.an_ask_ends_only_by_a_sign_of_life,
    asking.an_answer_ends_the_ask,
    asking.what_is_unclear_is_never_a_check_in,
    weeks.silence_on_a_day_raises_the_alarm_in_time,
)
BETWEEN_DAYS: tuple[Rule, ...] = (
    weeks.no_deadline_is_let_pass,
    weeks.a_day_is_asked_about_once,
    weeks.every_reminder_of_a_day_goes_out,
    words.well_is_said_only_of_a_routine_that_was_answered,
    words.nobody_is_called_without_an_alarm,
)
WHEN_A_DAY_IS_MISSED: tuple[Rule, ...] = (
    alarms.an_alarm_is_raised_only_by_silence_or_a_call_for_help,
    weeks.nobody_is_alarmed_before_their_day_is_over,
    weeks.every_reminder_of_a_day_goes_out,
    asking.the_phone_rings_before_the_alarm,
    alarms.the_first_are_called_at_once,
)
ALARMED = frozenset({State.ALARM, State.CLAIMED, State.ATTENDED})


def judge(night: Onlooker, m: Moment) -> None:
    """Ask every rule this moment calls for. Raises Violation for the first complaint."""
    weekly = night.days is not None
    _ask(AFTER_EVERY_STEP, night, m)
    if m.ended:
        _ask(WHEN_ENDED, night, m)
    if m.after.state in ALARMED:
        if m.raised:
            _ask(WHEN_A_DAY_IS_MISSED if weekly else WHEN_RAISED, night, m)
        _ask(WHILE_OPEN, night, m)
    else:
        if State.ASKING in (m.was, m.after.state):
            _ask(WHILE_A_DAY_IS_ASKED if weekly else WHILE_ASKED, night, m)
        _ask(BETWEEN_DAYS if weekly else WHILE_QUIET, night, m)


def over(night: Onlooker, watch: Watch) -> None:
    """The night is over, and everything was ended by hand. Raises Violation."""
    if watch.state is not State.CLOSED:
        raise Violation("everything_has_come_to_an_end", f"the watch is still {watch.state}")


def _ask(rules: Sequence[Rule], night: Onlooker, m: Moment) -> None:
    for rule in rules:
        complaint = rule(night, m)
        if complaint is not None:
            raise Violation(rule.__name__, complaint)
