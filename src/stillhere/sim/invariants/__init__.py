"""What must always hold, one function a rule; a rule's name is the sentence it proves.

Owns the judgement over ``Evidence`` (what an onlooker knows). A rule yields a complaint for every
breach it sees and nothing else; it changes nothing. The lists say when its rules are asked: after
every change, for every new message, at every lease, for every answer, in calm moments (the engine
has been up, and nobody moved the clock, for a while) and when the night is over.

Limits are written out here a second time on purpose: a rule that reads its limit from the code
under test proves nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from stillhere.sim.invariants import alarms, asking, secrecy, troubles, weeks, words
from stillhere.sim.whole.world import Violation

Rule = Callable[..., Iterator[str]]

AFTER_EVERY_CHANGE = (
    asking.no_sign_of_life_is_taken_back,
    asking.what_is_over_stays_over,
    asking.an_ask_ends_only_by_a_sign_of_life,
    alarms.an_alarm_ends_only_by_an_answer_or_a_word,
    asking.nobody_is_alarmed_over_a_check_in_we_had,
    asking.nobody_is_alarmed_without_the_full_time_to_answer,
    asking.nobody_is_alarmed_while_the_web_is_silent,
    alarms.one_contact_ends_one_alarm_until_the_person_is_heard,
    alarms.whoever_answered_an_alarm_is_asked_again_within_a_minute,
    alarms.all_holds_together_last_at_most_ten_minutes,
    asking.no_watch_is_quarantined,
    alarms.a_claim_that_anybody_may_have_made_keeps_nobody_from_being_rung,
    secrecy.a_word_under_force_shows_on_no_watch_of_their_own,
    secrecy.whoever_was_chosen_hears_a_word_under_force,
)
FOR_EVERY_MESSAGE = (
    alarms.no_rung_is_rung_before_its_time,
    secrecy.nobody_but_those_chosen_hears_a_word_under_force,
)
FOR_EVERY_LEASE = (words.each_lease_takes_the_most_urgent_first,)
FOR_EVERY_LEASED_MESSAGE = (
    words.nobody_who_said_no_more_is_contacted,
    words.no_number_that_said_no_is_reached_before_it_says_start,
    words.no_word_leaves_after_its_alarm_is_over,
    words.nobody_is_told_falsely_that_it_is_over,
    words.nobody_is_told_of_an_answer_that_nobody_gave,
)
FOR_EVERY_ANSWER = (troubles.nobody_hears_got_it_of_a_row_that_cannot_be_read,)
IN_CALM = (
    asking.no_acknowledged_check_in_is_forgotten,
    asking.every_open_watch_is_looked_at_in_time,
    asking.silence_raises_the_alarm_as_soon_as_the_time_to_answer_is_over,
    alarms.every_alarm_is_held_attended_or_being_escalated,
    alarms.the_ambulance_words_come_at_five_minutes,
    alarms.everyone_is_rung_within_three_minutes,
    alarms.nobody_rests_on_one_word_for_more_than_half_an_hour,
    alarms.a_dead_number_moves_the_ladder_at_once,
    words.urgent_words_leave_at_once,
    troubles.a_row_that_cannot_be_read_is_set_aside_when_it_falls_due,
    troubles.people_are_told_of_a_row_that_cannot_be_read,
)
WHILE_ALL_IS_PROVED = (alarms.nothing_is_proved_while_an_open_alarm_has_reached_nobody,)
WHEN_THE_NIGHT_IS_OVER = (
    asking.no_acknowledged_check_in_is_forgotten,
    words.everyone_told_of_an_alarm_is_told_of_its_end,
    words.what_is_marked_sent_was_handed_over,
    words.everything_has_come_to_an_end,
    troubles.people_are_told_of_a_row_that_cannot_be_read,
)
WHEN_THE_WEEKS_ARE_OVER = (
    weeks.every_day_is_answered_or_alarmed_in_time,
    weeks.every_reminder_of_a_day_goes_out,
    weeks.whoever_answered_early_is_not_asked_that_day,
    weeks.nobody_is_alarmed_without_having_been_asked,
)


def require(rules: Sequence[Rule], *facts: object) -> None:
    """Ask every rule; raises Violation for the first complaint."""
    for rule in rules:
        for complaint in rule(*facts):
            raise Violation(rule.__name__, complaint)
