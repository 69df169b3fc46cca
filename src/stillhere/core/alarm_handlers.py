"""Alarms: what raises one, what happens to it, and whose word ends it.

Owns the step from silence or a call for help to an open ``Alarm``, and back. Who is told what on
the way is in ``ladder.py``; which function handles which event is in the table of ``watch.py``.
"""

from __future__ import annotations

from stillhere.core import events as ev
from stillhere.core import ladder, lost_time, quiet_handlers
from stillhere.core.alarm import Alarm, begin
from stillhere.core.circle import Circle
from stillhere.core.events import Ask, Cause, Effect, Event, Outcome, State, Way, Withdraw, Word
from stillhere.core.profiles import TRIAL
from stillhere.core.refusals import Refusal
from stillhere.core.watch_state import Watch, replace

RECHECKS_S = (60, 180)  # after a stand-down: someone else may have silenced the phone
APART_S = 30  # two answers closer than this are one tap
IN_A_ROW_S = 300  # and further apart than this are not in a row
Acts = (
    ev.Claimed
    | ev.Declined
    | ev.CannotGetIn
    | ev.Arrived
    | ev.Undeliverable
    | ev.Unheard
    | ev.OptedOut
)
SOON_S = 60  # "I'm with them" from a link whose holder never said yes is "I'm nearly there"


# --- raising --------------------------------------------------------------------------------------


def grace_runs(w: Watch, e: ev.TimePassed, now: int, out: list[Effect]) -> Watch:
    """The open ask grows louder until its time to answer is up; time while our service was down
    does not count."""
    assert w.grace_at is not None
    if now < w.grace_at:
        return quiet_handlers.louder(w, now, out)
    owed_ms = lost_time.owed_ms(w, e.away, now)
    if owed_ms > 0:
        return lost_time.wait_longer(w, owed_ms, now, out)
    rang = any(way is Way.RING for _, way in quiet_handlers.stages(w)[: w.stage])
    w = _raise(w, Cause.SILENCE, e.circle, now, out)
    # We were late for the ring, but not for the alarm: the phone rings together with it.
    return w if rang else _ring_person(w, now, out)


def _raise(w: Watch, cause: Cause, circle: Circle, now: int, out: list[Effect]) -> Watch:
    no = w.alarms + 1
    p = w.profile
    alarm = begin(no, cause, circle, p.rung_s, p.ambulance_s, now, w.seen_at)
    w = replace(quiet_handlers.quiet(w), alarms=no)
    return _settle(w, ladder.climb(alarm, now, out), now, out)


def _settle(w: Watch, alarm: Alarm, now: int, out: list[Effect]) -> Watch:
    """Set the state of an open alarm: somebody is there, somebody is going, or nobody yet. A
    hold that has run out is over whatever else happened, and anyone told about that claim hears
    so now."""
    if alarm.arrivals:
        return replace(w, state=State.ATTENDED, alarm=alarm)
    alarm = ladder.lapse(alarm, now, out)
    held = alarm.held(now)
    return replace(w, state=State.CLAIMED if held else State.ALARM, alarm=alarm)


def need_help(w: Watch, e: ev.NeedHelp, now: int, out: list[Effect]) -> Watch:
    """Raise an alarm at once. An alarm that is already open becomes a call for help, and an answer
    given before it no longer counts. That they want to die is told once, whenever it is said."""
    w = replace(w, seen_at=max(w.seen_at, now), ended_by=())
    if w.alarm is None:
        w = _raise(w, Cause.FORCE if e.forced else Cause.HELP, e.circle, now, out)
        assert w.alarm is not None
        return replace(w, alarm=ladder.says_why(w.alarm, e))
    before = w.alarm
    alarm = ladder.says_why(before, e)
    if before.cause is Cause.SILENCE or before.answered_at is not None:
        return _settle(w, ladder.call_for_help(alarm, now, out), now, out)
    if alarm.wants_to_die and not before.wants_to_die:
        ladder.tell(alarm, alarm.listeners(), Word.HELP, now, out)
    return replace(w, alarm=alarm)


# --- answering ------------------------------------------------------------------------------------


def answered(w: Watch, e: ev.StillHere, now: int, out: list[Effect]) -> Watch:
    """A check-in during an alarm. One tap ends an alarm raised by silence; a call for help, or a
    room with somebody already in it, takes two answers in a row. A check-in made before the alarm
    never ends it. Under force no answer counts: it may not be theirs."""
    assert w.alarm is not None
    if w.alarm.cause is Cause.FORCE:
        return w
    a, made_at, live = w.alarm, min(e.made_at, now), e.made_at >= now
    seq = w.seq if e.seq is None else max(w.seq, e.seq)
    w = replace(w, seq=seq, seen_at=max(w.seen_at, made_at))
    if made_at < a.raised_at and not live:
        return w
    w = replace(w, ended_by=())
    if a.cause is Cause.SILENCE and not a.arrivals:
        return _stand_down(w, made_at, now, out)
    if a.answered_at is not None:
        apart_ms = made_at - a.answered_at
        if APART_S * 1000 <= apart_ms <= IN_A_ROW_S * 1000:
            return _stand_down(w, made_at, now, out)
        if 0 <= apart_ms < APART_S * 1000 or (apart_ms < 0 and not live):
            return w  # the same tap, or an older one
    ladder.tell(a, a.listeners(), Word.ANSWERED_ONCE, made_at, out)
    return replace(w, alarm=replace(a, answered_at=made_at, recheck_at=now + APART_S * 1000))


def answered_now(w: Watch, e: Event, now: int, out: list[Effect]) -> Watch:
    """Any other sign of life from the person's phone. For the alarm it counts as an answer and no
    more, but what they asked for is kept: a new mark, more time, a pause."""
    match e:
        case ev.Marked():
            w = quiet_handlers.marked(w, now)
        case ev.Extended(by_s):
            w = quiet_handlers.longer(w, by_s, now)
        case ev.Paused(until_at):
            rested = quiet_handlers.rest(w, until_at, now)
            w = w if isinstance(rested, str) else rested
        case _:
            pass
    return answered(w, ev.StillHere(now), now, out)


def _stand_down(
    w: Watch,
    at: int,
    now: int,
    out: list[Effect],
    who: int | None = None,
    outcome: Outcome | None = None,
) -> Watch:
    """The person answered, or the contact ``who`` gave their word: tell everyone who was told
    exactly that, and keep asking the person for a while."""
    assert w.alarm is not None
    out.append(Withdraw(asks_only=False))
    ladder.stand_down(w.alarm, at, out, who, outcome)
    owed = tuple(now + s * 1000 for s in RECHECKS_S)
    ended_by = w.ended_by if who is None else (*w.ended_by, who)
    w = replace(w, alarm=None, rechecks=owed, ended_by=ended_by)
    return quiet_handlers.go_on(quiet_handlers.missed(w, now), now)


def unclear_in_alarm(w: Watch, e: ev.Unclear, now: int, out: list[Effect]) -> Watch:
    """A sign from the person's phone that nobody can read ends nothing; whoever is going hears of
    it."""
    assert w.alarm is not None
    if not quiet_handlers.heeds_unclear(w, now):
        return w
    going = w.alarm.only(*w.alarm.going())
    ladder.tell(w.alarm, going, Word.UNREADABLE, now, out)
    return replace(w, unclear_at=now) if going else w


# --- an open alarm --------------------------------------------------------------------------------


def time_in_alarm(w: Watch, e: ev.TimePassed, now: int, out: list[Effect]) -> Watch:
    """Run the timers that are due: the look-in, holds that ran out, the next rung, the ambulance
    message. While somebody is there, nobody else is called."""
    assert w.alarm is not None
    a = w.alarm
    if a.recheck_at is not None and a.recheck_at <= now:
        w, a = _ring_person(w, now, out), replace(a, recheck_at=None)
    if a.check_at is not None and a.check_at <= now:
        a = ladder.look_in(a, now, out)
    if a.arrivals:
        untold_at = ladder.untold_at(a)
        if untold_at is not None and untold_at <= now:
            a = ladder.tell_untold(a, out)
        return _settle(w, a, now, out)
    a = ladder.lapse(a, now, out)
    if not a.held(now) and a.next_rung_at <= now:
        rounds = a.round
        a = ladder.climb(a, now, out)
        if a.round > rounds:  # the whole ladder was tried: the person's own phone rings again too
            w = _ring_person(w, now, out)
    if a.ambulance_at is not None and a.ambulance_at <= now:
        a = ladder.ambulance(a, now, out)
    return _settle(w, a, now, out)


def _ring_person(w: Watch, now: int, out: list[Effect], *, after_outage: bool = False) -> Watch:
    """Ring the person's own phone while an alarm is open; not where somebody holds it who must not
    know of the alarm."""
    if w.alarm is not None and w.alarm.cause is Cause.FORCE:
        return w
    w = replace(w, asks=w.asks + 1)
    out.append(Ask(w.asks, Way.RING, now + w.profile.grace_s * 1000, after_outage))
    return w


def was_down_in_alarm(w: Watch, e: ev.ServiceWasDown, now: int, out: list[Effect]) -> Watch:
    """After an outage the alarm continues where it was; the person is rung again, and the circle
    learns why it was quiet."""
    a = w.alarm
    assert a is not None
    w = _ring_person(w, now, out, after_outage=True)
    ladder.tell(a, a.listeners(), Word.SERVICE_WAS_DOWN, e.from_at, out)
    return time_in_alarm(w, ev.TimePassed(a.circle), now, out)


def contact_acts(w: Watch, e: Event, now: int, out: list[Effect]) -> Watch:
    """Handle what a contact said, or a receipt about a message to them."""
    a = w.alarm
    assert a is not None
    if isinstance(e, ev.Undeliverable | ev.Unheard) and e.contact is None:
        return w
    assert isinstance(e, Acts)
    contact = e.contact
    assert contact is not None
    reach = a.reach(contact)
    if reach is None or contact in a.gone:
        return quiet_handlers.refuse(w, out, Refusal.NOT_ON_IT)
    if isinstance(e, ev.Declined) and not e.known and contact not in a.told:
        return w
    believed = reach.confirmed and contact not in w.ended_by
    return _settle(w, _moved(a, e, contact, now, out, believed=believed), now, out)


def _moved(a: Alarm, e: Acts, who: int, now: int, out: list[Effect], *, believed: bool) -> Alarm:
    """The alarm after a contact acted, or after news about them. Who is not ``believed`` is heard,
    and rests nothing: it may be an invitation that was passed on, or the person has not answered
    since the contact ended an alarm."""
    match e:
        case ev.Arrived() if not believed:
            return ladder.claim(a, who, SOON_S, now, out, holds=False)
        case ev.Claimed():
            return _going(a, e, now, out, believed=believed)
        case ev.Declined():
            return ladder.drop(a, who, now, out)
        case ev.CannotGetIn():
            return ladder.obstacle(a, who, Word.CANNOT_GET_IN, now, out)
        case ev.Arrived():
            return ladder.arrive(a, who, now, out)
        case ev.Undeliverable(_, way):
            return ladder.break_way(a, who, way, now, out)
        case ev.Unheard():
            return ladder.unheard(a, who, now)
        case ev.OptedOut():
            return ladder.opt_out(a, who, now, out)


def _going(a: Alarm, e: ev.Claimed, now: int, out: list[Effect], *, believed: bool) -> Alarm:
    """The alarm after "I'm going"."""
    if not e.known:
        return ladder.hearsay(a, e.contact, e.eta_s, now, out)
    if e.eta_s is None and a.cause is Cause.FORCE:
        return ladder.drop(a, e.contact, now, out)  # who cannot come must not phone
    return ladder.claim(a, e.contact, e.eta_s, now, out, holds=believed)


def resolved(w: Watch, e: ev.Resolved, now: int, out: list[Effect]) -> Watch:
    """Somebody says how it ended, once: after that only the person or somebody else can end the
    next alarm. It takes the coordinator or somebody who is there. Anyone who said yes and spoke
    with the person can end an alarm raised by silence. Grave news is never passed on by us: people
    tell people."""
    assert w.alarm is not None
    a, who = w.alarm, e.contact
    reach = a.reach(who) if who is not None else None
    if who is not None and (reach is None or who in a.gone):
        return quiet_handlers.refuse(w, out, Refusal.NOT_ON_IT)
    if e.outcome is Outcome.ENDED:
        return quiet_handlers.refuse(w, out, Refusal.NOT_QUIETLY)
    if e.outcome is Outcome.NOT_FOUND:
        if who is None:
            return quiet_handlers.refuse(w, out, Refusal.KEEPS_OPEN)
        return _settle(w, ladder.obstacle(a, who, Word.NOT_FOUND, now, out), now, out)
    if who in w.ended_by:
        return quiet_handlers.refuse(w, out, Refusal.TOLD_BEFORE)
    if who is None or who in a.arrivals:
        return _over(w, who, e.outcome, now, out)
    spoke = (
        e.outcome in (Outcome.FINE, Outcome.FALSE_ALARM) and reach is not None and reach.confirmed
    )
    if spoke and a.cause is Cause.SILENCE and not a.arrivals:
        return _stand_down(w, now, now, out, who, e.outcome)
    return quiet_handlers.refuse(w, out, Refusal.BE_THERE)


def _over(w: Watch, who: int | None, outcome: Outcome, now: int, out: list[Effect]) -> Watch:
    """The coordinator or a contact who is there says that it is over. An acute watch closes; a
    daily check-in continues with the next day, and one that was asked for only once is done. After
    a contact's word the person is asked first, unless it is grave news, and neither in a try-out
    nor under force, where no phone of theirs may ring."""
    assert w.alarm is not None
    if outcome in ev.GRAVE:
        out.append(Withdraw(asks_only=False))
        if outcome not in ev.UNTOLD:
            ladder.stand_down(w.alarm, now, out, who, outcome)
        if who is not None:  # whoever lies ends it for good: somebody looks
            out.append(ev.PageCoordinator(ev.Paging.GRAVE, w.alarm.round))
        return quiet_handlers.close(w, outcome, now)
    if who is not None and w.alarm.cause is not Cause.FORCE and w.profile.key != TRIAL:
        ends_at = None if w.ends_at is None else min(w.ends_at, now)
        return _stand_down(replace(w, ends_at=ends_at), now, now, out, who, outcome)
    out.append(Withdraw(asks_only=False))
    ladder.stand_down(w.alarm, now, out, who, outcome)
    if w.routine is None or w.routine.once:
        return quiet_handlers.close(w, outcome, now)
    return quiet_handlers.go_on(quiet_handlers.missed(replace(w, alarm=None), now), now)
