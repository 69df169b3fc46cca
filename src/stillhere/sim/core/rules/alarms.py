"""Rules about an open alarm: who is rung when, what holds the ladder, and what alone may end it."""

from __future__ import annotations

from stillhere.core import events as ev
from stillhere.core.events import Ask, Cause, Outcome, PageCoordinator, State, Tell, Word
from stillhere.sim.core.observer import CALLS, RESTS_MS, Onlooker
from stillhere.sim.core.rules.asking import SLACK_MS
from stillhere.sim.core.story import CoreStory, Moment

EVERYONE_MS = 180_000
AGAIN_MS = 60_000
APART_MS, IN_A_ROW_MS = 30_000, 300_000
HOLDS_MS = 600_000
UNTOLD_MS = 1_800_000
LOOK_IN_MS, SECOND_MS = 900_000, 300_000  # to the end; and from the question to the end


def an_alarm_is_raised_only_by_silence_or_a_call_for_help(night: Onlooker, m: Moment) -> str | None:
    if isinstance(m.event, ev.NeedHelp):
        return None
    if isinstance(m.event, ev.TimePassed) and m.was is State.ASKING:
        return None
    return f"{m.event} raised an alarm"


def the_first_are_called_at_once(night: Onlooker, m: Moment) -> str | None:
    first = next(
        (rung for rung in (_able(night, no) for no in range(len(night.plan.circle.rungs))) if rung),
        None,
    )
    if first is None:
        paged = any(isinstance(e, PageCoordinator) for e in m.effects)
        return None if paged else "nobody can be called, and nobody was paged"
    word = Word.HELP if isinstance(m.event, ev.NeedHelp) else Word.ALARM
    called = {e.contact for e in m.effects if isinstance(e, Tell) and e.word is word}
    return None if called == first else f"{sorted(called)} were called, not {sorted(first)}"


def _able(night: Onlooker, rung: int) -> set[int]:
    """Whoever on a rung can be called when an alarm begins."""
    on = night.plan.circle.rungs[rung]
    return {r.contact for r in on if r.ways and r.contact not in night.left}


def no_rung_is_rung_before_its_time(night: Onlooker, m: Moment) -> str | None:
    story = night.story
    if story is None or not m.effects or not isinstance(m.event, ev.TimePassed) or m.raised:
        return None
    called = [e.contact for e in m.effects if isinstance(e, Tell) and _calls(e)]
    if called and story.early_ms > SLACK_MS:
        return f"{called} were called {story.early_ms} ms too early"
    return None


def _calls(tell: Tell) -> bool:
    return tell.word in CALLS and tell.urgency is not ev.Urgency.NEWS


def every_alarm_is_held_attended_or_being_escalated(night: Onlooker, m: Moment) -> str | None:
    story, wake_at = night.story, m.wake_at
    if story is None or m.after.state is not State.ALARM or wake_at is None:
        return None
    most_ms = story.rung_ms
    if story.paged_at and story.rung < 0:
        most_ms = RESTS_MS[min(story.pages, len(RESTS_MS)) - 1]
    if wake_at > m.now + most_ms + SLACK_MS:
        return f"nobody is going, and the ladder rests for {wake_at - m.now} ms"
    return None


def everyone_is_rung_within_three_minutes(night: Onlooker, m: Moment) -> str | None:
    story = night.story
    if story is None or not story.urgent or story.covered_at or m.looks_now:
        return None
    if night.away and night.away[-1][1] >= story.raised_at:
        return None
    if m.now < story.raised_at + EVERYONE_MS + len(night.plan.circle.rungs) * night.late_ms:
        return None
    missing = {
        c for c in _reachable(night, story) if c not in story.heard and c not in story.cannot
    }
    return f"{sorted(missing)} were never called" if missing else None


def the_ambulance_words_come_at_five_minutes(night: Onlooker, m: Moment) -> str | None:
    """Everyone on the alarm hears them, if nobody is there; whoever comes later hears them too."""
    story = night.story
    if story is None or story.ambulance_at is None or story.there or m.looks_now:
        return None
    if m.now < story.ambulance_at + night.late_ms:
        return None
    missing = set(story.heard) - story.ambulance - story.gone
    return f"{sorted(missing)} were not told to call an ambulance" if missing else None


def _reachable(night: Onlooker, story: CoreStory) -> set[int]:
    ways = night.ways.items()
    alive = {c for c, own in ways if own and not set(own) <= story.dead}
    return alive - story.gone - night.left


def a_hold_is_a_claim_that_still_runs(night: Onlooker, m: Moment) -> str | None:
    """At most what was said, at most five minutes, and all of them at most ten."""
    story, state = night.story, m.after.state
    if story is None or state is State.ATTENDED or m.looks_now:
        return None
    if state is State.ALARM:
        going = story.going and max(story.going.values()) > m.now + SLACK_MS
        return f"{sorted(story.going)} are going, and the ladder is not held" if going else None
    if not story.going:
        return "the ladder is held, and nobody is going"
    if m.wake_at is not None and m.wake_at > max(story.going.values()) + SLACK_MS:
        return f"held until {m.wake_at}, the last claim ends {max(story.going.values())}"
    first_at = story.first_hold_at
    if first_at is None or m.now > first_at + HOLDS_MS + night.late_ms:
        return f"held since {first_at}, and it is {m.now}"
    return None


def whoever_is_there_is_looked_in_on(night: Onlooker, m: Moment) -> str | None:
    story = night.story
    if story is None:
        return None
    if m.after.state is not State.ATTENDED:
        if story.given_up_early_ms > SLACK_MS:
            return f"somebody who is there was given up {story.given_up_early_ms} ms too early"
        return (
            f"{sorted(story.there)} are there, and it is {m.after.state}" if story.there else None
        )
    if not story.there:
        return "nobody is there, and the ladder rests"
    # What happens while a tick is late makes the next one late as well.
    late_ms = 2 * night.late_ms + story.away_ms + story.outages * SECOND_MS
    if m.wake_at is None or m.wake_at > story.word_at + LOOK_IN_MS + late_ms:
        return f"heard of at {story.word_at}, and the next look is at {m.wake_at}"
    return None


def nobody_rests_on_one_word_for_more_than_half_an_hour(night: Onlooker, m: Moment) -> str | None:
    """Who says again and again that they are there no longer keeps it from the others."""
    story = night.story
    if story is None or not story.there or m.looks_now:
        return None
    if m.now < story.raised_at + UNTOLD_MS + night.late_ms + story.away_ms:
        return None
    missing = _reachable(night, story) - night.strangers - story.cannot - set(story.heard)
    return f"{sorted(missing)} were never told" if missing else None


def a_dead_number_moves_the_ladder_at_once(night: Onlooker, m: Moment) -> str | None:
    """And so does a no, or a call that nobody took: the rung that was rung last has a gap."""
    moving = ev.Undeliverable | ev.Unheard | ev.Declined | ev.OptedOut
    if not isinstance(m.event, moving) or m.refused:
        return None
    story, who = night.story, m.event.contact
    if story is None or who is None or m.after.state is not State.ALARM or m.raised:
        return None
    if isinstance(m.event, ev.Undeliverable) and not set(night.ways[who]) <= story.dead:
        return None
    if isinstance(m.event, ev.Unheard) and who in story.spoke:  # also if they stand at a shut door
        return None
    if night.rung_of[who] != story.rung or who in story.dropped or who in story.covered_before:
        return None
    if m.wake_at is None or m.wake_at > m.now:
        return f"{who} drops out, and the ladder waits until {m.wake_at}"
    return None


def an_outage_is_said_to_everyone_on_the_alarm(night: Onlooker, m: Moment) -> str | None:
    story = night.story
    if story is None or not isinstance(m.event, ev.ServiceWasDown):
        return None
    told = {e.contact for e in m.effects if isinstance(e, Tell) and e.word is Word.SERVICE_WAS_DOWN}
    missing = set(story.on_before) - story.gone - told
    if missing:
        return f"{sorted(missing)} do not know why it was quiet"
    rung = any(isinstance(e, Ask) and e.after_outage for e in m.effects)
    return None if rung else "the person was not rung after an outage"


# --- the end --------------------------------------------------------------------------------------


def an_alarm_ends_only_by_an_answer_or_a_word(night: Onlooker, m: Moment) -> str | None:
    story = night.story
    if story is None:
        return "an alarm ended that never began"
    if not _ends(night, story, m):
        return f"{m.event} ended alarm {story.no}"
    return None


def _ends(night: Onlooker, story: CoreStory, m: Moment) -> bool:
    alone = story.cause is Cause.SILENCE and not story.there_before
    if isinstance(m.event, ev.Resolved):
        outcome, who = m.event.outcome, m.event.contact
        if outcome in (Outcome.ENDED, Outcome.NOT_FOUND):
            return False
        if who in m.ended_by:
            return False
        if who is None or who in story.there_before:
            return True
        spoke = who not in night.strangers and outcome in (Outcome.FINE, Outcome.FALSE_ALARM)
        return alone and spoke
    if not m.life or isinstance(m.event, ev.NeedHelp):
        return False
    live = not isinstance(m.event, ev.StillHere) or m.event.made_at >= m.now
    if m.made_at < story.raised_at and not live:
        return False
    apart = (m.made_at - at for at in story.answers[:-1])
    return alone or any(APART_MS <= ms <= IN_A_ROW_MS for ms in apart)


def whoever_answered_an_alarm_is_asked_again_within_a_minute(
    night: Onlooker, m: Moment
) -> str | None:
    """Someone else may have silenced the phone. And whoever a contact says is well: the contact may
    be lying."""
    told = isinstance(m.event, ev.Resolved) and m.event.contact is not None
    if not m.life and (not told or m.after.held):
        return None
    if m.wake_at is None or m.wake_at > m.now + AGAIN_MS:
        return f"asked again at {m.wake_at}, and it is {m.now}"
    return None
