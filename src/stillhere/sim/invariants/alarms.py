"""Rules about an open alarm: who is rung when, what holds the ladder, and what alone may end it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from stillhere.core import events as ev
from stillhere.core.events import Cause, Outcome, State
from stillhere.core.watch import Watch
from stillhere.sim.invariants.asking import LONGEST_REST_MS, SLACK_MS
from stillhere.sim.whole.evidence import (
    CALLS,
    Attempt,
    Evidence,
    Mail,
    ObservedChange,
    Story,
    is_hearsay,
)

HOLDS_MS = 600_000
AMBULANCE_MS = 300_000
EVERYONE_MS = 180_000
RUNG_MS = 45_000
AGAIN_MS = 60_000
UNHEARD_MS = 30_000
UNTOLD_MS = 1_800_000
APART_MS, IN_A_ROW_MS = 30_000, 300_000


def an_alarm_ends_only_by_an_answer_or_a_word(
    night: Evidence, change: ObservedChange
) -> Iterator[str]:
    before, after = change.before, change.after
    if before is None or before.alarm is None:
        return
    if after.alarm is not None and after.alarm.no == before.alarm.no:
        return
    story = night.stories[after.id, before.alarm.no]
    many = len(change.attempts) > 1  # folded in one batch: what stood between them is not seen
    if not any(_ends(story, before, a, many) for a in change.attempts):
        yield f"alarm {before.alarm.no} of watch {after.id} ended by {_said(change.attempts)}"


def _ends(story: Story, before: Watch, attempt: Attempt, many: bool) -> bool:
    alarm = before.alarm
    assert alarm is not None
    believed = story.cause is Cause.SILENCE and not alarm.arrivals
    if isinstance(attempt.what, ev.Resolved):
        outcome, who = attempt.what.outcome, attempt.what.contact
        if outcome in (Outcome.ENDED, Outcome.NOT_FOUND):
            return False
        if who is None or who in alarm.arrivals:
            return True
        reach = alarm.reach(who)
        said_yes = reach is not None and reach.confirmed
        spoke = said_yes and outcome in (Outcome.FINE, Outcome.FALSE_ALARM)
        return many or (believed and spoke)
    if not attempt.answers or attempt.made_at < alarm.raised_at or story.cause is Cause.FORCE:
        return False
    apart = (attempt.made_at - earlier for earlier in story.answers)
    return many or believed or any(APART_MS <= ms <= IN_A_ROW_MS for ms in apart)


def a_claim_that_anybody_may_have_made_keeps_nobody_from_being_rung(
    night: Evidence, change: ObservedChange
) -> Iterator[str]:
    """The others hear of it; the ladder climbs, and rings this contact, as if nobody had spoken."""
    before, after = change.before, change.after
    if before is None or before.alarm is None or not change.attempts:
        return
    if not all(is_hearsay(a.what) for a in change.attempts):
        return
    if after.alarm is None or _course(after) != _course(before):
        yield f"a stranger's claim moved the alarm of watch {after.id}"


def _course(watch: Watch) -> tuple[object, ...]:
    """What says whom it rings, and when."""
    a = watch.alarm
    assert a is not None
    held = [c for c in a.claims if c.hold_until_at is not None]
    return watch.state, a.no, a.round, a.rung, a.next_rung_at, a.out, a.gone, a.arrivals, held


def _said(attempts: Sequence[Attempt]) -> str:
    return ", ".join(f"{a.what}" for a in attempts) or "nothing"


def one_contact_ends_one_alarm_until_the_person_is_heard(
    night: Evidence, change: ObservedChange
) -> Iterator[str]:
    """Whoever says again and again that all is well keeps it from the others for one alarm."""
    before, after = change.before, change.after
    if before is None or before.alarm is None or after.alarm is not None:
        return
    who = night.stories[after.id, before.alarm.no].ended_by
    if who is None:
        return
    earlier = [
        story.ended_at
        for story in night.stories.values()
        if (story.watch, story.ended_by) == (after.id, who) and story.no < before.alarm.no
    ]
    lives = [max(a.made_at, a.now) for a in night.attempts if a.watch == after.id and a.is_life]
    for ended_at in earlier:
        if not any(at >= ended_at - SLACK_MS for at in lives) and not night.moves:
            yield f"contact {who} ended two alarms of watch {after.id}, and nobody heard anything"


def whoever_answered_an_alarm_is_asked_again_within_a_minute(
    night: Evidence, change: ObservedChange
) -> Iterator[str]:
    """Someone else may have silenced the phone. And whoever a contact says is well: the contact may
    be lying."""
    before, after = change.before, change.after
    if before is None or before.alarm is None or after.alarm is not None or after.held:
        return
    if before.alarm.cause is Cause.FORCE:
        return  # there is no phone that may be asked
    told = len(change.attempts) == 1 and _is_a_contacts_word(change.attempts[0])
    if told and after.state is State.CLOSED:
        yield f"{_said(change.attempts)} closed watch {after.id}, and nobody asked"
    if after.state is not State.OPEN or not (told or all(a.answers for a in change.attempts)):
        return
    if after.next_ask_at is None or after.next_ask_at > change.now + AGAIN_MS:
        yield f"watch {after.id} is asked again at {after.next_ask_at}, and it is {change.now}"


def _is_a_contacts_word(attempt: Attempt) -> bool:
    return isinstance(attempt.what, ev.Resolved) and attempt.what.contact is not None


def all_holds_together_last_at_most_ten_minutes(
    night: Evidence, change: ObservedChange
) -> Iterator[str]:
    alarm = change.after.alarm
    if change.after.state is not State.CLAIMED or alarm is None:
        return
    ends = [c.hold_until_at for c in alarm.claims if c.hold_until_at is not None]
    story = night.stories[change.after.id, alarm.no]
    assert story.first_hold_t is not None
    held_ms = night.t - story.first_hold_t + max(ends) - change.now
    if held_ms > HOLDS_MS and not night.moved_since(story.first_hold_t):
        yield f"alarm {alarm.no} of watch {change.after.id} would be held for {held_ms} ms"


def no_rung_is_rung_before_its_time(night: Evidence, mail: Mail) -> Iterator[str]:
    story = night.story_of(mail)
    if story is None or mail.word not in CALLS or mail.contact in story.called:
        return
    rung = story.rung_of(mail.contact)
    last_at = max((at for no, at in story.rungs.items() if no < rung), default=None)
    if last_at is None or story.moved_at >= last_at or rung in story.rungs:
        return
    early_ms = last_at + rung_ms(night, story) - mail.created_at
    if early_ms > SLACK_MS and not night.moved_since(story.raised_t):
        yield f"rung {rung} of watch {story.watch} was rung {early_ms} ms too early"


def rung_ms(night: Evidence, story: Story) -> int:
    """How far apart the rungs of an alarm are at least."""
    kept = night.watches.get(story.watch)
    watch = kept.watch if kept is not None else None
    if watch is not None and watch.routine is not None and story.cause is Cause.SILENCE:
        return watch.profile.rung_s * 1000
    return min(RUNG_MS, EVERYONE_MS // max(len(story.alarm.circle.rungs) - 1, 1))


def every_alarm_is_held_attended_or_being_escalated(night: Evidence) -> Iterator[str]:
    for story in night.alarms_open():
        a = story.alarm
        if a.arrivals or a.held(night.now - SLACK_MS):
            continue
        if a.next_rung_at > night.now + LONGEST_REST_MS:
            yield f"alarm {story.no} of watch {story.watch} rests until {a.next_rung_at}"
        ringable = [r for rung in a.circle.rungs for r in rung if r.ways]
        if ringable and not story.called:
            yield f"alarm {story.no} of watch {story.watch} has told nobody"


def nobody_rests_on_one_word_for_more_than_half_an_hour(night: Evidence) -> Iterator[str]:
    for story in night.alarms_open():
        if not story.alarm.arrivals or night.moved_since(story.raised_t):
            continue
        if story.cause is Cause.FORCE:
            continue  # whoever is told in vain is one more who goes there
        up_ms = night.up_ms(story.raised_t, night.t)
        if up_ms < UNTOLD_MS + (2 + 2 * night.restarts_since(story.raised_t)) * SLACK_MS:
            continue
        told = {
            m.contact
            for m in night.mails.values()
            if m.watch == story.watch and m.alarm == story.no
        }
        reaches = (reach for rung in story.alarm.circle.rungs for reach in rung)
        missing = {
            r.contact
            for r in reaches
            if r.confirmed and r.contact not in (*told, *story.acted, *story.alarm.out)
            and _reachable(night, story, r.contact)
        }  # fmt: skip
        if missing:
            yield f"watch {story.watch}: {sorted(missing)} were never told in {up_ms} ms"


def everyone_is_rung_within_three_minutes(night: Evidence) -> Iterator[str]:
    for story in night.alarms_open():
        late = story.cause is Cause.HELP and story.help_t != story.raised_t
        if not story.acute or story.covered or late or night.moved_since(story.raised_t):
            continue
        up_ms = night.up_ms(story.raised_t, night.t)
        slack_ms = (2 + 2 * night.restarts_since(story.raised_t)) * SLACK_MS
        if up_ms < EVERYONE_MS + slack_ms:
            continue
        busy = {claim.contact for claim in story.alarm.claims if claim.known}
        done = story.called | story.acted | busy | set(story.alarm.out) | _said_no(night, story)
        people = {c for c in story.alarm.circle.contacts() if _reachable(night, story, c)}
        if people - done:
            yield f"watch {story.watch}: {sorted(people - done)} were not rung in {up_ms} ms"


def the_ambulance_words_come_at_five_minutes(night: Evidence) -> Iterator[str]:
    for story in night.alarms_open():
        since_t = story.raised_t if story.acute else story.help_t
        if since_t is None or story.alarm.arrivals or night.moved_since(since_t):
            continue
        if story.cause is Cause.FORCE:
            continue  # it would lead more people in unwarned
        if night.t < max(since_t + AMBULANCE_MS, story.alone_t) + SLACK_MS:
            continue
        missing = {c for c in story.called - story.ambulance if _reachable(night, story, c)}
        if missing:
            yield f"watch {story.watch}: nobody told {sorted(missing)} to call an ambulance"


def a_dead_number_moves_the_ladder_at_once(night: Evidence) -> Iterator[str]:
    for owed in night.owed:
        a = owed.story.alarm
        moved = (a.round, a.rung) > (owed.round, owed.rung) or owed.story.ended_t is not None
        held = a.arrivals or any(c.hold_until_at is not None for c in a.claims)
        up_ms = night.up_ms(owed.since_t, night.t)
        if not moved and not held and up_ms > 2 * SLACK_MS:
            yield f"alarm of watch {owed.story.watch}: {owed.contact} is dead, the ladder waits"


def nothing_is_proved_while_an_open_alarm_has_reached_nobody(night: Evidence) -> Iterator[str]:
    """One in secret is the coordinator's: no page may show anything of it."""
    for story in night.alarms_open():
        w = night.watches[story.watch].watch
        if story.cause is Cause.FORCE:
            continue
        if w.state is not State.ALARM or night.t < story.raised_t + UNHEARD_MS or not story.called:
            continue
        mails = [m for m in night.mails.values() if (m.watch, m.alarm) == (story.watch, story.no)]
        mails = [m for m in mails if m.contact is not None and not _was_no_way(night, m)]
        handed = not mails or any(m.accepted for m in mails)
        acted = any(
            a.watch == story.watch and a.now >= story.raised_at
            and getattr(a.what, "contact", None) is not None
            for a in night.attempts
        )  # fmt: skip
        if not handed and not acted:
            yield f"alarm {story.no} of watch {story.watch} was raised at {story.raised_t}, is open"


def _said_no(night: Evidence, story: Story) -> set[int]:
    """Whose no was heeded in this alarm. Where everybody said no, the alarm forgets it after some
    rounds and asks again; those minutes they were rightly not rung."""
    return {
        a.what.contact
        for a in night.attempts
        if a.watch == story.watch and a.now >= story.raised_at
        and isinstance(a.what, ev.Declined) and (a.what.known or a.what.contact in story.called)
    }  # fmt: skip


def _was_no_way(night: Evidence, mail: Mail) -> bool:
    """Whether it says nothing about our ways: to a number that nobody has shown to be theirs, kept
    back or dead."""
    sql = "SELECT 1 FROM address WHERE id = ? AND proved_at = 0"
    kept = mail.address in night.dead or not mail.handed
    return kept and bool(night.storage.look(sql, mail.address))


def _reachable(night: Evidence, story: Story, contact: int) -> bool:
    """Whether a contact may be spoken to, and has a way that no carrier called dead."""
    reach = story.alarm.reach(contact)
    if reach is None or contact in story.alarm.gone or contact in night.left:
        return False
    return bool(set(reach.ways) - night.dead)
