"""What a careful onlooker knows of a night: who sent what, what was answered, what left, what
arrived, and every state a watch was seen in.

Owns the records the invariants are judged on. They are taken from outside wherever that is
possible (phones, carriers, answers), from the committed rows otherwise; never from what the code
under test says about itself in passing. Judges nothing.

``_t`` is true time of the night, ``_at`` is the installation's own time; both in ms.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field

from stillhere.core import events as ev
from stillhere.core.alarm import Alarm
from stillhere.core.circle import Circle
from stillhere.core.events import Cause, Outcome, State
from stillhere.core.watch import Watch
from stillhere.sim.whole.storage import Storage
from stillhere.sim.whole.troubles import Troubles
from stillhere.store.watches import rows
from stillhere.store.watches.apply import CallForHelp, ChangeResult, CheckIn

OUTAGE_MS = 15_000  # a gap longer than this is an outage, a shorter one is a restart
KEPT_MS = 5_000
SIGNS_OF_LIFE = (CheckIn, CallForHelp, ev.StillHere, ev.Marked, ev.Extended, ev.Paused, ev.Ended)
CALLS = ("alarm", "help", "forced")  # what is sent to who is rung the first time
MOVES_THE_LADDER = (ev.Declined, ev.CannotGetIn, ev.Resolved, ev.Claimed, ev.Arrived, CallForHelp)


@dataclass(slots=True)
class Attempt:
    """Something a phone or page sent. ``made_at`` is when, for a check-in that says so. It may
    have been stored without the sender ever hearing of it; ``answered`` means they did.
    ``old_news``: it was kept for a while, and a later one of the page had got through."""

    watch: int
    what: object
    now: int
    made_at: int
    in_alarm: bool = False
    old_news: bool = False
    answered: bool = False

    @property
    def is_life(self) -> bool:
        return isinstance(self.what, SIGNS_OF_LIFE)

    @property
    def answers(self) -> bool:
        """Whether an open alarm takes it as an answer."""
        return self.is_life and not isinstance(self.what, CallForHelp)

    @property
    def comes(self) -> int | None:
        """Who came onto the alarm by saying this, themselves."""
        match self.what:
            case (
                ev.Claimed(contact=who, known=True)
                | ev.Arrived(contact=who)
                | ev.CannotGetIn(contact=who)
                | ev.Resolved(contact=who, outcome=Outcome.NOT_FOUND)
            ):
                return who
            case _:
                return None


@dataclass(slots=True)
class Mail:
    """One message of the outbox, and what happened to it outside. ``accepted``: a carrier took it
    and has not taken that back."""

    id: int
    watch: int | None
    contact: int | None
    address: int | None
    word: str
    alarm: int
    urgency: int
    at: int | None
    created_at: int
    to: str = ""
    handed: int = 0
    accepted: bool = False
    arrived: bool = False


@dataclass(slots=True)
class Story:
    """One alarm as seen from outside.

    ``moved_at`` is the last instant at which something other than time may have moved the ladder;
    ``rungs`` when each rung was to be rung; ``called`` who was rung, ``reached`` whose phone got
    it, ``acted`` who came of themselves; ``alone_t`` since when nobody is there.
    """

    watch: int
    no: int
    cause: Cause
    raised_t: int
    raised_at: int
    alarm: Alarm
    acute: bool
    help_t: int | None
    alone_t: int
    moved_at: int = 0
    rungs: dict[int, int] = field(default_factory=dict)
    called: set[int] = field(default_factory=set)
    ambulance: set[int] = field(default_factory=set)
    reached: set[int] = field(default_factory=set)
    acted: set[int] = field(default_factory=set)
    answers: list[int] = field(default_factory=list)
    covered: bool = False
    first_hold_t: int | None = None
    ended_t: int | None = None
    ended_at: int = 0
    ended_by: int | None = None  # the contact whose word alone ended it
    untold: bool = False  # how it ended is for people to say

    def rung_of(self, contact: int | None) -> int:
        """The rung a contact stands on, -1 if on none."""
        for no, rung in enumerate(self.alarm.circle.rungs):
            if any(reach.contact == contact for reach in rung):
                return no
        return -1


@dataclass(slots=True)
class Kept:
    """A watch as it was last seen. ``asked_t`` is when the first ask went out that no sign of life
    has answered since; ``alive_at`` the newest sign of life that was acknowledged, ``checked_at``
    the newest one outside an alarm; up to ``known_at`` they do not speak for the open ask, up to
    ``late_at`` they answered one about a deadline that was over."""

    id: int
    version: int
    watch: Watch
    changed_at: int = 0
    asked_t: int | None = None
    asked_at: int = 0
    alive_at: int = 0
    checked_at: int = 0
    known_at: int = 0
    late_at: int = 0


@dataclass(frozen=True, slots=True)
class ObservedChange:
    """One watch, before and after one deed of one process, and what phones had sent into it."""

    before: Watch | None
    after: Watch
    attempts: tuple[Attempt, ...]
    now: int
    asked_t: int | None
    asked_at: int
    checked_at: int
    known_at: int


@dataclass(frozen=True, slots=True)
class Owed:
    """An alarm's ladder has to move past a rung, because a contact on it turned out dead."""

    story: Story
    round: int
    rung: int
    contact: int
    since_t: int


@dataclass(frozen=True, slots=True)
class DailyEvidence:
    """What one watch promised over weeks: ``due`` are its deadlines in true time, from when it
    began; ``opens_ms`` before each a check-in counts."""

    person: int
    due: tuple[int, ...]
    opens_ms: int
    reminders_ms: tuple[int, ...]
    grace_ms: int


@dataclass(slots=True)
class Evidence:
    """Everything seen so far."""

    storage: Storage
    begins_at: int = 0
    dailies: dict[int, DailyEvidence] = field(default_factory=dict)
    t: int = 0
    now: int = 0
    watches: dict[int, Kept] = field(default_factory=dict)
    stories: dict[tuple[int, int], Story] = field(default_factory=dict)
    mails: dict[int, Mail] = field(default_factory=dict)
    attempts: list[Attempt] = field(default_factory=list)
    away: list[tuple[int, int]] = field(default_factory=list)  # when there was no engine
    gone_t: list[int] = field(default_factory=list)  # since when there is none, where it lasts
    moves: list[tuple[int, int]] = field(default_factory=list)  # (t, by) somebody moved the clock
    left: set[int] = field(default_factory=set)  # contacts who said no more
    silenced: set[str] = field(default_factory=set)  # numbers from which STOP came, and no START
    unwanted: set[tuple[int, str]] = field(default_factory=set)  # and those of one person's alone
    chosen: dict[int, set[bytes]] = field(default_factory=dict)  # by person, who hears their word
    dead: set[int] = field(default_factory=set)  # addresses a carrier called dead
    owed: list[Owed] = field(default_factory=list)
    quarantined: set[int] = field(default_factory=set)
    troubles: Troubles = field(default_factory=Troubles)
    turned_away: set[int] = field(default_factory=set)  # messages for a way that was taken out
    full_t: dict[str, int] = field(default_factory=dict)  # when a channel had no place left
    counts: dict[str, int] = field(default_factory=dict)

    def count(self, what: str, by: int = 1) -> None:
        self.counts[what] = self.counts.get(what, 0) + by

    # --- time -----------------------------------------------------------------------------------

    def gaps(self) -> list[tuple[int, int]]:
        """When there was no engine, what has not ended yet among it: that lasts until now."""
        return with_gap(self.away, min(self.gone_t), self.t) if self.gone_t else self.away

    def up_ms(self, from_t: int, to_t: int, least_ms: int = 0) -> int:
        """How long between two times there was an engine; gaps up to ``least_ms`` do not count."""
        gaps = ((start, end) for start, end in self.gaps() if end - start > least_ms)
        gone = (min(end, to_t) - max(start, from_t) for start, end in gaps)
        return to_t - from_t - sum(ms for ms in gone if ms > 0)

    def out_at(self, t: int) -> bool:
        """Whether an outage, not a mere restart, lay over this time."""
        return any(a <= t <= b and b - a > OUTAGE_MS for a, b in self.gaps())

    def restarts_since(self, t: int) -> int:
        return sum(1 for _, end in self.away if end >= t)

    def full_since(self, t: int, channel: str | None = None) -> bool:
        """Whether a channel, or any, had no place for another message since ``t``."""
        return any(at >= t for name, at in self.full_t.items() if channel in (None, name))

    def moved_since(self, t: int) -> bool:
        """Whether somebody moved the clock since ``t``."""
        return any(at >= t for at, _ in self.moves)

    # --- seeing ---------------------------------------------------------------------------------

    def see(self, t: int, now: int, attempts: Sequence[Attempt]) -> list[ObservedChange]:
        """Look at what one deed left behind: the watches that changed."""
        self.t, self.now = t, now
        known = {id: kept.version for id, kept in self.watches.items()}
        changes = []
        for id, version, quarantined, row in self.storage.watch_rows(known, self.troubles.damaged):
            if quarantined:
                self.quarantined.add(id)
            changes.append(self._changed(id, version, rows.thaw(row), attempts))
        return changes

    def _changed(
        self, id: int, version: int, watch: Watch, attempts: Iterable[Attempt]
    ) -> ObservedChange:
        kept = self.watches.get(id)
        before = kept.watch if kept is not None else None
        if kept is None:
            kept = self.watches[id] = Kept(id, version, watch)
            self.count("watches")
        mine = tuple(a for a in attempts if a.watch == id)
        asked = kept.asked_t, kept.asked_at, kept.checked_at, kept.known_at
        change = ObservedChange(before, watch, mine, self.now, *asked)
        kept.watch, kept.version, kept.changed_at = watch, version, self.now
        if watch.state is not State.ASKING:
            if before is not None and before.state is State.ASKING and before.deadline_at:
                kept.late_at = self.now if before.deadline_at <= self.now else 0
            kept.asked_t = None
        elif kept.asked_t is None:
            kept.asked_t, kept.asked_at = self.t, self.now
            by_text = watch.unclear_at is not None and watch.unclear_at == watch.base_at
            kept.known_at = kept.checked_at if by_text else kept.late_at
        self._follow(watch, before, mine)
        return change

    def _follow(self, w: Watch, before: Watch | None, mine: Sequence[Attempt]) -> None:
        """Keep the stories of this watch's alarms up to date."""
        old = before.alarm if before is not None else None
        if old is not None and (w.alarm is None or w.alarm.no != old.no):
            self._end_story(self.stories[w.id, old.no], mine, untold=w.outcome is Outcome.DIED)
        for no in range((before.alarms if before is not None else 0) + 1, w.alarms + 1):
            self._begin_story(w, no)
        if w.alarm is None:
            return
        story, was = self.stories[w.id, w.alarm.no], story_state(before)
        story.acted |= {who for a in mine if (who := a.comes) is not None}
        if any(isinstance(a.what, MOVES_THE_LADDER) and not is_hearsay(a.what) for a in mine):
            story.moved_at = self.now
        story.answers += [a.made_at for a in mine if a.answers]
        if any(isinstance(a.what, CallForHelp) for a in mine):
            story.answers = []  # a call for help is not answered by what was said before it
        if w.alarm.cause is Cause.HELP and story.cause is not Cause.HELP:
            story.cause, story.help_t = Cause.HELP, self.t
        if State.CLAIMED in (was, w.state) or State.ATTENDED in (was, w.state):
            story.covered, story.moved_at = True, self.now
        if was is State.ATTENDED and w.state is not State.ATTENDED:
            story.alone_t = self.t
        if w.state is State.CLAIMED and story.first_hold_t is None:
            story.first_hold_t = self.t
        story.alarm = w.alarm

    def _end_story(self, story: Story, mine: Sequence[Attempt], *, untold: bool) -> None:
        story.ended_t, story.ended_at, story.untold = self.t, self.now, untold
        if len(mine) == 1 and isinstance(mine[0].what, ev.Resolved):
            story.ended_by = mine[0].what.contact

    def _begin_story(self, w: Watch, no: int) -> None:
        now = w.alarm is not None and w.alarm.no == no
        # One that is raised and over within a single deed can only be a call for help.
        a = w.alarm if now and w.alarm is not None else _unseen(no, self.now)
        acute, helped = w.routine is None or a.cause is Cause.HELP, a.cause is Cause.HELP
        story = Story(
            w.id, no, a.cause, self.t, a.raised_at, a, acute, self.t if helped else None, self.t
        )
        story.ended_t = None if now else self.t
        self.stories[w.id, no] = story
        self.count("alarms")

    def new_mail(self) -> list[Mail]:
        """The messages that one deed left behind."""
        found = self.storage.look(
            "SELECT id, watch_id, contact_id, address_id, word, alarm, urgency, facts, "
            "created_at FROM message WHERE id > ? ORDER BY id",
            next(reversed(self.mails), 0),
        )
        fresh = []
        for id, watch, contact, address, word, alarm, urgency, facts, created_at in found:
            at = json.loads(facts).get("at")
            mail = Mail(id, watch, contact, address, word, alarm, urgency, at, created_at)
            self.mails[mail.id] = mail
            fresh.append(mail)
        return fresh

    def file(self, mail: Mail, rung_ms: int) -> None:
        """Remember what a new message says about its alarm."""
        story = self.story_of(mail)
        if story is None or mail.contact is None:
            return
        if mail.word == "ambulance":
            story.ambulance.add(mail.contact)
        if mail.word in CALLS and mail.contact not in story.called:
            story.called.add(mail.contact)
            rung = story.rung_of(mail.contact)
            if rung not in story.rungs:
                story.rungs[rung] = _planned_at(story, mail.created_at, rung_ms)

    # --- hearing --------------------------------------------------------------------------------

    def tried(self, sent: Sequence[tuple[int, object]], now: int) -> list[Attempt]:
        """These are sent to us together; whether they will be stored nobody knows yet."""
        seqs = {id: kept.watch.seq for id, kept in self.watches.items()}
        attempts = []
        for watch, what in sent:
            attempt = Attempt(watch, what, now, now)
            kept = self.watches.get(watch)
            attempt.in_alarm = kept is not None and kept.watch.alarm is not None
            if isinstance(what, CheckIn):
                attempt.made_at -= max(what.age_ms, 0)
                if what.seq is not None:
                    attempt.old_news = what.age_ms > KEPT_MS and what.seq <= seqs.get(watch, -1)
                    seqs[watch] = max(seqs.get(watch, -1), what.seq)
            attempts.append(attempt)
        self.attempts += attempts
        return attempts

    def answered(self, attempt: Attempt, answer: ChangeResult) -> None:
        """The sender heard that it was kept."""
        attempt.answered = True
        kept = self.watches.get(attempt.watch)
        if kept is None or not attempt.is_life or answer.refused is not None:
            return
        if attempt.old_news and not attempt.in_alarm:
            return
        kept.alive_at = max(kept.alive_at, attempt.made_at)
        if not attempt.in_alarm and attempt.answers and not isinstance(attempt.what, ev.Paused):
            kept.checked_at = max(kept.checked_at, attempt.made_at)
        if isinstance(attempt.what, CheckIn):
            self.count("check-ins")

    def story_of(self, mail: Mail) -> Story | None:
        """The alarm a message speaks of."""
        return self.stories.get((mail.watch, mail.alarm)) if mail.watch is not None else None

    def open_watches(self) -> list[Kept]:
        return [kept for kept in self.watches.values() if kept.watch.state is not State.CLOSED]

    def alarms_open(self) -> list[Story]:
        return [story for story in self.stories.values() if story.ended_t is None]

    def gone(self, contact: int) -> None:
        """A contact said no more, and heard that we heard it."""
        self.left.add(contact)
        self.may_move(contact)

    def may_move(self, contact: int) -> None:
        """Something about this contact may move the ladders they stand on."""
        for story in self.alarms_open():
            if story.rung_of(contact) >= 0:
                story.moved_at = self.now

    def died(self, addresses: Collection[int], before: dict[int, Alarm]) -> None:
        """Carriers called these addresses dead, and that was recorded. ``before`` holds the open
        alarms as they stood, by watch."""
        fresh = set(addresses) - self.dead
        self.dead |= fresh
        for story in self.alarms_open():
            alarm = before.get(story.watch)
            if alarm is None or alarm.no != story.no:
                continue
            for no, rung in enumerate(alarm.circle.rungs):
                for reach in rung:
                    ways = set(reach.ways)
                    if not ways & fresh or not ways <= self.dead:
                        continue
                    story.moved_at = self.now
                    if no == alarm.rung - 1 and reach.contact not in alarm.out:
                        owed = Owed(story, alarm.round, alarm.rung, reach.contact, self.t)
                        self.owed.append(owed)


def is_hearsay(what: object) -> bool:
    """Whether it is a claim from a phone that may be anybody's."""
    return isinstance(what, ev.Claimed) and not what.known


def with_gap(away: Sequence[tuple[int, int]], from_t: int, to_t: int) -> list[tuple[int, int]]:
    """These absences and one more, the newest. What overlaps was one absence."""
    from_t = min([from_t, *(at for at, until in away if until >= from_t)])
    return [*(gap for gap in away if gap[1] < from_t), (from_t, to_t)]


def _planned_at(story: Story, rung_at: int, rung_ms: int) -> int:
    """When a rung that was rung at ``rung_at`` had been due: a late one puts off no other."""
    last_at = max(story.rungs.values(), default=0)
    due = (last_at + rung_ms, story.moved_at, story.moved_at + rung_ms)
    return min((at for at in due if 0 <= rung_at - at < rung_ms), default=rung_at)


def story_state(watch: Watch | None) -> State | None:
    return watch.state if watch is not None else None


def _unseen(no: int, now: int) -> Alarm:
    return Alarm(no, Cause.HELP, now, now, Circle(), 45, now, None)
