"""Rules about what leaves: in what order, to whom no more, and that nothing false is said."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from stillhere.core import events as ev
from stillhere.core.events import State
from stillhere.sim.whole.evidence import Attempt, Evidence, Mail, Story

URGENT_MS = 5_000
Rank = tuple[int, int, int]  # urgency, place within its alarm, due


def each_lease_takes_the_most_urgent_first(
    night: Evidence, taken: Sequence[Rank], left: Sequence[Rank]
) -> Iterator[str]:
    if list(taken) != sorted(taken):
        yield f"leased out of order: {taken}"
    if taken and left and min(left) < max(taken):
        yield f"{min(left)} waits though {max(taken)} was leased"


def urgent_words_leave_at_once(night: Evidence) -> Iterator[str]:
    waiting = night.storage.look(
        "SELECT id, word, channel FROM message WHERE status = 'queued' AND urgency <= 1 "
        "AND attempts = 0 AND due_at < ?",
        night.now - URGENT_MS,
    )
    for id, word, channel in waiting:
        if not night.full_since(night.t - 2 * URGENT_MS, channel):
            yield f"message {id} ({word}) was never tried"


def nobody_who_said_no_more_is_contacted(night: Evidence, mail: Mail) -> Iterator[str]:
    if mail.contact in night.left:
        yield f"contact {mail.contact} left, and is sent {mail.word}"


def no_number_that_said_no_is_reached_before_it_says_start(
    night: Evidence, mail: Mail
) -> Iterator[str]:
    """By anybody, after STOP; by one person, after a no to that person."""
    if mail.to in night.silenced:
        yield f"a number that said STOP is sent {mail.word}, as contact {mail.contact}"
    about = night.storage.look("SELECT person_id FROM contact WHERE id = ?", mail.contact)
    for (person,) in about if night.unwanted else ():
        if (person, mail.to) in night.unwanted:
            yield f"a number that said no to person {person} is sent {mail.word}"


def no_word_leaves_after_its_alarm_is_over(night: Evidence, mail: Mail) -> Iterator[str]:
    story = night.story_of(mail)
    if story is None or story.ended_t is None or mail.contact is None:
        return
    if story.untold:
        yield f"{mail.word} to contact {mail.contact} after watch {mail.watch} ended in a death"
    elif mail.word != "stand-down":
        yield f"{mail.word} to contact {mail.contact} after alarm {story.no} was over"


def nobody_is_told_falsely_that_it_is_over(night: Evidence, mail: Mail) -> Iterator[str]:
    if mail.word != "stand-down" or mail.watch is None:
        return
    story = night.story_of(mail)
    damaged = night.troubles.damaged.get(mail.watch)
    if story is None and damaged is not None and mail.alarm in damaged.over:
        return
    if story is None or story.ended_t is None:
        yield f"contact {mail.contact} is told that alarm {mail.alarm} is over, and it is not"
        return
    if not any(a.watch == mail.watch and _speaks_of(a, mail, story) for a in night.attempts):
        yield f"contact {mail.contact} is told of an answer at {mail.at} that nobody gave"
    newer = night.stories.get((mail.watch, mail.alarm + 1))
    if newer is not None and newer.ended_t is None and mail.contact in newer.reached:
        yield f"contact {mail.contact} goes to a newer alarm, and hears that the old one is over"


def nobody_is_told_of_an_answer_that_nobody_gave(night: Evidence, mail: Mail) -> Iterator[str]:
    """Neither of one answer that is not yet believed, nor that all is well."""
    if mail.word not in ("answered-once", "well"):
        return
    mine = (a for a in night.attempts if a.watch == mail.watch and a.is_life)
    if not any(mail.at in (a.made_at, a.now) for a in mine):
        yield f"contact {mail.contact} is told of an answer at {mail.at} that nobody gave"


def _speaks_of(attempt: Attempt, mail: Mail, story: Story) -> bool:
    if isinstance(attempt.what, ev.Resolved):
        return attempt.now == mail.at
    return attempt.is_life and attempt.made_at == mail.at and attempt.made_at >= story.raised_at


def everyone_told_of_an_alarm_is_told_of_its_end(night: Evidence) -> Iterator[str]:
    for story in night.stories.values():
        later = (s for s in night.stories.values() if s.watch == story.watch and s.no >= story.no)
        if story.ended_t is None or any(s.untold for s in later):
            continue  # still open; or news that people tell
        for contact in sorted(story.reached | story.acted):
            if contact in night.left or contact in story.alarm.gone:
                continue
            if _called_anew(night, story, contact):
                continue
            if not _heard_the_end(night, story, contact) and _could_hear(night, contact):
                yield f"contact {contact} never heard that alarm {story.no} was over"


def _heard_the_end(night: Evidence, story: Story, contact: int) -> bool:
    """Handed to a carrier that did not refuse it; the end of a later alarm of the watch does. Where
    somebody took the only way out of the settings meanwhile, nobody can tell them."""
    return any(
        m.word == "stand-down" and (m.accepted or m.id in night.turned_away) and m.alarm >= story.no
        for m in night.mails.values()
        if m.contact == contact and m.watch == story.watch
    )


def _called_anew(night: Evidence, story: Story, contact: int) -> bool:
    """Its row became garbage and they were called about that: they no longer hear of an end."""
    damaged = night.troubles.damaged.get(story.watch)
    return damaged is not None and any(
        m.word == "alarm" and m.created_at >= damaged.at
        for m in night.mails.values()
        if m.contact == contact and m.watch == story.watch
    )


def _could_hear(night: Evidence, contact: int) -> bool:
    ways = night.storage.look(
        "SELECT id FROM address WHERE contact_id = ? AND state = 'ok'", contact
    )
    return bool(ways)


def what_is_marked_sent_was_handed_over(night: Evidence) -> Iterator[str]:
    sent = night.storage.look("SELECT id FROM message WHERE status IN ('sent', 'delivered')")
    for (id,) in sent:
        if id in night.mails and not night.mails[id].handed:
            yield f"message {id} ({night.mails[id].word}) is marked sent and never left"


def everything_has_come_to_an_end(night: Evidence) -> Iterator[str]:
    for kept in night.watches.values():
        if kept.watch.state is not State.CLOSED:
            yield f"watch {kept.id} is still {kept.watch.state}"
    for id, word in night.storage.look("SELECT id, word FROM message WHERE status = 'queued'"):
        yield f"message {id} ({word}) still waits"
