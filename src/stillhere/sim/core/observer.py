"""What anybody outside could know of one watch: what was sent in and taken, what was said and
asked, and when.

Owns the records the rules of a core night are judged on. It counts for itself: how far apart asks
may be, when a rung is due, who is going and until when. It reads no limit from the code under
test, and of a watch only its state, its outcome, when it was last seen and which alarm it is.
Judges nothing. All ``_at`` are what the clock showed, in ms.
"""

from __future__ import annotations

from stillhere.core import events as ev
from stillhere.core.events import Ask, Cause, Event, Outcome, State, Tell, Way, Word
from stillhere.sim.core.days import Days
from stillhere.sim.core.plan import OPENS_MS, Plan
from stillhere.sim.core.story import CoreStory, Moment

KEPT_MS = 5_000
SLIP_MS = 1_000  # how far apart two transactions may read the clock
SAME_TAP_MS, LAST_ASK_MS, FURTHEST_ASK_MS = 30_000, 30_000, 600_000
HOLDING_ETA_S = 300
SOON_S = 60
HELP_RUNG_MS, EVERYONE_MS, AMBULANCE_MS = 45_000, 180_000, 300_000
ALL_HOLDS_MS, LOOK_IN_MS = 600_000, 900_000
RESTS_MS = (120_000, 180_000, 300_000, 600_000, 600_000, 1_200_000, 1_800_000, 3_600_000)
SECOND_LOOK_MS = 180_000
COUNTED = ("steps", "asks", "alarms", "told", "outages")
ACTS = (ev.Claimed, ev.Declined, ev.CannotGetIn, ev.Arrived, ev.OptedOut)
CALLS = (Word.ALARM, Word.HELP, Word.AGAIN)


class Onlooker:
    """Everything seen so far of one night."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        p = plan.profile
        self.grace_ms = p.grace_s * 1000
        self.late_ms = max(plan.lates) + 2_100  # of a tick; and clocks read a moment earlier
        self.acute = plan.routine is None
        self.rung_of = {r.contact: no for no, rung in enumerate(plan.circle.rungs) for r in rung}
        self.ways = {r.contact: r.ways for rung in plan.circle.rungs for r in rung}
        unsure = (r.contact for rung in plan.circle.rungs for r in rung if not r.confirmed)
        self.strangers = set(unsure)  # whoever holds their invitation never said yes
        self.ended_by: set[int] = set()  # ended an alarm, and nothing was heard of Sam since
        self.left: set[int] = set()
        self.steps = 0
        self.ticks_here = 0
        self.ticked_at = -1
        self.alive_at = self.checked_at = plan.begins_at
        self.deadline_seen_at = 0  # the newest sign of life that does for a routine's first evening
        self.seq = -1
        self.marked_at: int | None = None
        self.next_by = plan.begins_at + p.unmarked_ask_s * 1000 if self.acute else None
        self.ends_at = plan.begins_at + p.unmarked_end_s * 1000  # of an acute watch
        self.second_look_at: int | None = None
        self.paused = False
        self.asked_at: int | None = None
        self.rang = False
        self.known_at = 0  # the newest check-in that was here when a text began the open ask
        self.unclear_at: int | None = None  # when something unclear last made the phone ring
        self.away: list[tuple[int, int]] = []  # when there was nobody to hear anything
        self.outages: list[tuple[int, int, int]] = []  # since the open ask: from, to, heard at
        self.story: CoreStory | None = None
        self.days = Days(plan) if plan.weeks else None
        self.counts: dict[str, int] = dict.fromkeys(COUNTED, 0)

    def pace_ms(self, at: int) -> int:
        """How far apart an acute watch may ask at most at this moment."""
        p = self.plan.profile
        if self.marked_at is None:
            return p.unmarked_ask_s * 1000
        since_s = (at - self.marked_at) // 1000
        fits = (every_s for until_s, every_s in p.steps if since_s < until_s)
        return next(fits, p.steps[-1][1]) * 1000

    # --- seeing ---------------------------------------------------------------------------------

    def take(self, m: Moment) -> None:
        """Remember one moment."""
        self.steps += 1
        m.asked_at, m.outages, m.ended_by = self.asked_at, self.outages, frozenset(self.ended_by)
        m.unclear_at = self.unclear_at
        self._ticks(m)
        if m.life:
            self._lives(m)
        if m.ended and self.acute and m.after.state is State.OPEN:
            self.next_by, self.second_look_at = m.now + 60_000, m.now + SECOND_LOOK_MS
        if m.ended and isinstance(m.event, ev.Resolved) and m.event.contact is not None:
            self._ends_one(m, m.event.contact)
        if m.raised:
            self._begins(m)
        if self.story is not None and (m.before.alarm is not None or m.raised):
            self._in_alarm(self.story, m)
        if m.effects or m.was is not m.after.state:
            self._asks(m)
        if isinstance(m.event, ev.TimePassed) and m.was is m.after.state is State.ASKING:
            self._given_back(m)
        if isinstance(m.event, ev.ServiceWasDown | ev.Unclear | ev.OptedOut):
            self._news(m)
        if self.days is not None:
            self.days.take(m)

    def _ends_one(self, m: Moment, contact: int) -> None:
        """A contact's word ended an alarm. Of one who was there it is the end of the evening."""
        self.ended_by.add(contact)
        if self.story is not None and contact in self.story.there:
            self.ends_at = min(self.ends_at, m.now)

    def is_heard_only(self, contact: int) -> bool:
        """Whether what a contact says of going or being there rests nothing."""
        return contact in self.strangers or contact in self.ended_by

    def _ticks(self, m: Moment) -> None:
        """How many ticks in a row found something due at one instant."""
        if not isinstance(m.event, ev.TimePassed):
            self.ticks_here = 0
        elif m.due_at is not None and m.due_at <= m.now:
            self.ticks_here = self.ticks_here + 1 if self.ticked_at == m.now else 1
            self.ticked_at = m.now

    def _given_back(self, m: Moment) -> None:
        """An outage in which nothing fell due is made up for when the time is up."""
        assert isinstance(m.event, ev.TimePassed)
        if self.asked_at is None or m.due_at is None or m.due_at > m.now:
            return
        for from_at, to_at in m.event.away:
            known = any(a <= from_at and to_at <= b for a, b, _ in self.outages)
            if to_at > self.asked_at and not known:
                self.outages.append((from_at, to_at, self.asked_at))

    def _news(self, m: Moment) -> None:
        match m.event:
            case ev.ServiceWasDown(from_at, to_at):
                self.counts["outages"] += 1
                again = any((from_at, to_at) == known[:2] for known in self.outages)
                if not again:  # told twice, it was one
                    self.outages.append((from_at, to_at, m.now))
                if self.story is not None and not again:
                    self.story.outages += 1
                    self.story.away_ms += to_at - from_at
            case ev.Unclear() if m.effects:
                self.unclear_at = m.now
            case ev.OptedOut(contact):
                self.left.add(contact)
            case _:
                pass

    def _lives(self, m: Moment) -> None:
        """A sign of life that was taken. One that was kept while a later one got through is old
        news, unless an alarm is open."""
        e, now, alarmed = m.event, m.now, m.before.alarm is not None
        if isinstance(e, ev.StillHere) and e.seq is not None:
            if e.seq <= self.seq and m.made_at < now - KEPT_MS and not alarmed:
                m.taken = False
                return
            self.seq = max(self.seq, e.seq)
        newest = m.made_at >= min(self.alive_at, now)
        if self._is_news(m, newest=newest):
            self.ended_by.clear()
        self.alive_at = max(self.alive_at, m.made_at)
        if not alarmed and not isinstance(e, ev.NeedHelp):
            self.checked_at = max(self.checked_at, m.made_at)
        at = self.plan.deadline_at
        asks_for_rest = isinstance(e, ev.Paused)  # which is no check-in
        if at is not None and m.made_at >= at - OPENS_MS and not asks_for_rest:
            self.deadline_seen_at = max(self.deadline_seen_at, m.made_at)
        self.paused = self.paused or asks_for_rest
        if isinstance(e, ev.Marked) and self.acute:
            self.marked_at, self.ends_at = now, now + self.plan.profile.ends_s * 1000
        elif isinstance(e, ev.Extended):
            self.ends_at = max(self.ends_at, now) + min(e.by_s, 3_600) * 1000
        if self.acute and newest and not m.ended and m.after.state is State.OPEN:
            self._paced(m)

    def _is_news(self, m: Moment, *, newest: bool) -> bool:
        """Whether it says anything of Sam since a contact's word ended an alarm: an old tap that an
        open alarm or ask does not take for an answer says nothing."""
        live = not isinstance(m.event, ev.StillHere) or m.event.made_at >= m.now
        if m.before.alarm is not None:
            return live or (self.story is not None and m.made_at >= self.story.raised_at)
        return live or (newest and not m.was is m.after.state is State.ASKING)

    def _paced(self, m: Moment) -> None:
        """When the next ask is due at the latest, after a sign of life."""
        first_ms = self.plan.profile.first_ask_s * 1000
        fresh_at = max(m.made_at, self.checked_at)
        pace_ms = max(self.pace_ms(fresh_at), self.pace_ms(m.made_at))
        by = m.now + first_ms if isinstance(m.event, ev.Marked) else fresh_at + pace_ms
        if m.made_at >= self.ends_at - LAST_ASK_MS:
            by = m.now + FURTHEST_ASK_MS  # the last answer; only a look after an alarm is owed
        look = self.second_look_at
        if look is not None:
            by = min(by, look) if look > m.made_at else by
        self.next_by = max(by, m.now)

    def _asks(self, m: Moment) -> None:
        """The open ask, if there is one, as the phone saw it."""
        for e in m.effects:
            if isinstance(e, Ask):
                self.counts["asks"] += 1
                self.rang = self.rang or e.way is Way.RING
        if m.after.state is not State.ASKING:
            if m.was is State.ASKING:
                self.asked_at, self.outages = None, []
        elif m.was is not State.ASKING:
            self.asked_at, self.outages = m.now, []
            self.known_at = self.checked_at if isinstance(m.event, ev.Unclear) else 0
            self.rang = any(isinstance(e, Ask) and e.way is Way.RING for e in m.effects)
            if self.second_look_at is not None and self.second_look_at <= m.now:
                self.second_look_at = None

    # --- an alarm -------------------------------------------------------------------------------

    def _begins(self, m: Moment) -> None:
        p, helped = self.plan.profile, isinstance(m.event, ev.NeedHelp)
        cause = Cause.HELP if helped else Cause.SILENCE
        self.counts["alarms"] += 1
        ambulance_ms = p.ambulance_s * 1000 if p.ambulance_s is not None else None
        if helped and ambulance_ms is None:
            ambulance_ms = AMBULANCE_MS
        rungs = {self.rung_of[c] for c in self.rung_of if c not in self.left}
        story = CoreStory(
            m.after.alarms, cause, m.now, self.acute or helped,
            self._rung_ms(len(rungs), urgent=self.acute or helped, helped=helped),
            m.now + ambulance_ms if ambulance_ms is not None else None, m.now,
        )  # fmt: skip
        self.story = story
        self.next_by = self.second_look_at = None

    def _rung_ms(self, rungs: int, *, urgent: bool, helped: bool) -> int:
        """How far apart the rungs of an alarm are."""
        ms = self.plan.profile.rung_s * 1000
        if helped:
            ms = min(ms, HELP_RUNG_MS)
        if urgent:
            ms = min(ms, EVERYONE_MS // 1000 // max(rungs - 1, 1) * 1000)
        return ms

    def _in_alarm(self, story: CoreStory, m: Moment) -> None:
        """What came in about an alarm, and what left about it."""
        e, now = m.event, m.now
        self._as_it_stood(story)
        if not m.refused and not isinstance(e, ev.TimePassed):
            self._acts(story, m)
        self._time(story, m)
        for effect in m.effects:
            if isinstance(effect, Tell):
                self._told(story, effect, now)
            elif isinstance(effect, ev.PageCoordinator):
                story.pages, story.paged_at, story.rung = story.pages + 1, now, -1
        if story.going or story.there:
            story.covered_at = now

    def _as_it_stood(self, story: CoreStory) -> None:
        story.early_ms = story.given_up_early_ms = 0
        story.fresh = set()
        story.on_before, story.there_before = tuple(story.heard), tuple(story.there)
        story.covered_before = tuple(story.counted_on)
        story.dropped = story.cannot | story.gone

    def _acts(self, story: CoreStory, m: Moment) -> None:
        """Somebody said or did something that counts."""
        e, now = m.event, m.now
        if isinstance(e, ev.NeedHelp):
            if not m.raised:
                self._more_urgent(story, now)
        elif m.life:
            if m.made_at >= story.raised_at or m.made_at >= now:
                story.answers.append(m.made_at)
        elif isinstance(e, ev.Undeliverable | ev.Unheard):
            self._way_fails(story, e, now)
        elif isinstance(e, ev.Resolved):
            if e.contact is not None and e.outcome is Outcome.NOT_FOUND:
                self._contact_acts(story, e, e.contact, now)
        elif isinstance(e, ACTS):
            self._contact_acts(story, e, e.contact, now)

    def _way_fails(self, story: CoreStory, e: ev.Undeliverable | ev.Unheard, now: int) -> None:
        if e.contact is None:
            return
        if isinstance(e, ev.Unheard):
            if self.rung_of[e.contact] == story.rung:
                story.moved_at = now
            return
        story.dead.add(e.way)
        if set(self.ways[e.contact]) <= story.dead and e.contact not in story.covered_before:
            story.moved_at = now
            story.cannot.add(e.contact)

    def _contact_acts(self, story: CoreStory, e: Event, contact: int, now: int) -> None:
        """Somebody on the list goes, is there, stands before the door, or will not come."""
        if isinstance(e, ev.Declined) and not e.known and contact not in story.heard:
            return
        story.moved_at = now
        if isinstance(e, ev.Arrived) and self.is_heard_only(contact):
            e = ev.Claimed(contact, SOON_S)  # no more than "nearly there"
        if isinstance(e, ev.Claimed):
            self._goes(story, contact, e.eta_s, now)
        else:
            story.going.pop(contact, None)
            story.there.pop(contact, None)
            if not isinstance(e, ev.Arrived):
                story.claimed.pop(contact, None)
        if isinstance(e, ev.Arrived):
            story.there[contact] = story.word_at = now
            story.counted_on.add(contact)
        elif not isinstance(e, ev.Claimed):
            story.counted_on.discard(contact)
        if isinstance(e, ev.Declined | ev.OptedOut):
            story.cannot.add(contact)
            if isinstance(e, ev.OptedOut):
                story.gone.add(contact)
            return
        story.cannot.discard(contact)
        if contact not in story.heard:
            story.heard.append(contact)

    def _more_urgent(self, story: CoreStory, now: int) -> None:
        """A call for help in an open alarm: what was answered before no longer counts."""
        if story.cause is not Cause.HELP or story.answers:
            story.moved_at = now
            rungs = len({self.rung_of[c] for c in self.rung_of if c not in self.left})
            most_ms = EVERYONE_MS // 1000 // max(rungs - 1, 1) * 1000
            story.rung_ms = min(story.rung_ms, HELP_RUNG_MS, most_ms)
            if story.ambulance_at is None:
                story.ambulance_at = now + AMBULANCE_MS
        story.cause, story.answers = Cause.HELP, []

    def _goes(self, story: CoreStory, contact: int, eta_s: int | None, now: int) -> None:
        """A claim holds as long as it says, if it is near; the same tap twice is one."""
        before = story.claimed.get(contact)
        believed = not self.is_heard_only(contact)
        since_ms = SAME_TAP_MS if before is None else now - before[0]
        again = before is not None and before[1:] == (eta_s, believed) and since_ms < SAME_TAP_MS
        if again and contact not in story.dropped:
            return
        story.claimed[contact] = (now, eta_s, believed)
        story.spoke.add(contact)
        story.going.pop(contact, None)
        if eta_s is None or not 0 < eta_s <= HOLDING_ETA_S or not believed:
            return
        if story.first_hold_at is None:
            story.first_hold_at = now
        until_at = min(now + eta_s * 1000, story.first_hold_at + ALL_HOLDS_MS)
        if until_at > now:
            story.going[contact] = until_at
            story.counted_on.add(contact)

    def _time(self, story: CoreStory, m: Moment) -> None:
        """Holds run out, and somebody who is there and silent is given up."""
        now, timer = m.now, isinstance(m.event, ev.TimePassed | ev.ServiceWasDown)
        if timer and m.was is State.ATTENDED and m.after.state is not State.ATTENDED:
            story.given_up_early_ms = story.word_at + LOOK_IN_MS - now
            story.there, story.going, story.claimed, story.counted_on = {}, {}, {}, set()
            story.moved_at = now
        if story.there:
            return
        late = [c for c, until_at in story.going.items() if until_at <= now]
        for contact in late:
            del story.going[contact], story.claimed[contact]
        if late and not story.going:
            story.moved_at = now

    def _told(self, story: CoreStory, tell: Tell, now: int) -> None:
        """A word left for somebody."""
        self.counts["told"] += 1
        contact = tell.contact
        if contact not in story.heard:
            story.heard.append(contact)
        if tell.word is Word.AMBULANCE:
            story.ambulance.add(contact)
        elif tell.word is Word.REOPENED and tell.who is not None:
            story.counted_on.discard(tell.who)
        elif tell.word in CALLS and tell.urgency is not ev.Urgency.NEWS:
            story.called.setdefault(contact, now)
            if contact not in story.on_before:
                story.fresh.add(contact)
            if self.rung_of[contact] > story.rung:
                self._rung(story, self.rung_of[contact], now)

    def _rung(self, story: CoreStory, rung: int, now: int) -> None:
        """The next rung is rung. A late tick puts off no later one."""
        due_at = story.planned_at + story.rung_ms
        if story.rung < 0:
            due_at, story.sure = story.raised_at, True
            if story.pages:
                due_at = story.paged_at + RESTS_MS[min(story.pages, len(RESTS_MS)) - 1]
        if story.moved_at >= max(story.planned_at, story.paged_at) - SLIP_MS:
            story.planned_at = max(story.moved_at, now - story.rung_ms)  # at the earliest
            story.sure = False
        else:
            story.early_ms = due_at - now
            in_time = now - due_at < story.rung_ms
            missed_at = now if story.sure else now - story.rung_ms
            story.planned_at = due_at if in_time else missed_at
        story.rung = rung
