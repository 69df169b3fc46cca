"""The ladder: what happens while an alarm is open. Rungs, claims, and who is told what.

Every function takes an ``Alarm`` and ``now`` (ms UTC), appends what to say to ``out`` and returns
the next ``Alarm``. ``alarm_handlers.py`` decides when to call them. Nothing here ever speaks to a
contact in ``gone``.
"""

from __future__ import annotations

from collections.abc import Iterable

from stillhere.core.alarm import (
    ALL_HOLDS_S,
    HOLDING_ETA_S,
    Alarm,
    Claim,
    begin,
)
from stillhere.core.circle import Reach
from stillhere.core.events import (
    Cause,
    Effect,
    NeedHelp,
    Outcome,
    PageCoordinator,
    Paging,
    Tell,
    Urgency,
    Word,
)
from stillhere.core.watch_state import replace

SAME_TAP_S = 30  # the same claim or locked door within this is a double tap
MOST_CHANGES = 6  # what somebody says anew about their going after this is told to nobody
BUSY_S = 600  # someone who said "I'll phone" is not rung again for this long
ATTENDED_S = 600  # then we ask the one who is there
ATTENDED_GRACE_S = 300  # and then the ladder reopens
UNTOLD_S = 1800  # so long into an alarm, those nobody told hear who says they are there
_FIRST_WORDS = {Cause.SILENCE: Word.ALARM, Cause.HELP: Word.HELP, Cause.FORCE: Word.FORCED}
# Before round 2, 3, ...; the last one for ever.
REPEAT_S = (120, 180, 300, 600, 600, 1200, 1800, 3600)
NO_LASTS_ROUNDS = 2  # the first three pauses: ten minutes, as for who is busy


def call_for_help(alarm: Alarm, now: int, out: list[Effect]) -> Alarm:
    """The person asks for help during an alarm: earlier answers no longer count, everyone is told,
    and the ladder goes on at once, as fast as if it had started with the call for help."""
    urgent = begin(alarm.no, Cause.HELP, alarm.circle, alarm.rung_s, None, now, now)
    if alarm.ambulance_told or alarm.ambulance_at is not None:
        urgent = replace(urgent, ambulance_at=alarm.ambulance_at)
    alarm = replace(
        alarm,
        cause=Cause.HELP,
        since_at=now,
        rung_s=urgent.rung_s,
        next_rung_at=min(alarm.next_rung_at, now),
        ambulance_at=urgent.ambulance_at,
        answered_at=None,
        recheck_at=None,
    )
    tell(alarm, alarm.listeners(), Word.HELP, now, out)
    return alarm


def says_why(alarm: Alarm, cry: NeedHelp) -> Alarm:
    """The alarm after a cry for help that may say that they want to die. In secret nothing of it is
    told: whoever reads it would phone or go."""
    if not cry.wants_to_die or alarm.cause is Cause.FORCE:
        return alarm
    return replace(alarm, wants_to_die=True)


def tell(
    alarm: Alarm,
    to: Iterable[int],
    word: Word,
    at: int,
    out: list[Effect],
    *,
    who: int | None = None,
    eta_s: int | None = None,
    outcome: Outcome | None = None,
) -> None:
    """Send the same news to several contacts who were told about the alarm."""
    for contact in to:
        place = alarm.told.index(contact)
        out.append(Tell(contact, word, at, Urgency.NEWS, place, who, eta_s, outcome, alarm.round))


def climb(alarm: Alarm, now: int, out: list[Effect]) -> Alarm:
    """Start the next rung that has anyone to ring; after the last one, start over at a capped rate.
    Always moves ``next_rung_at`` into the future: counted from when this rung was due, so that
    slightly late ticks do not add up, or from now if the rung was held or missed."""
    pace_ms = alarm.rung_s * 1000
    from_at = alarm.next_rung_at if now - alarm.next_rung_at < pace_ms else now
    while alarm.rung < len(alarm.circle.rungs):
        rung = alarm.circle.rungs[alarm.rung]
        alarm = replace(alarm, rung=alarm.rung + 1, next_rung_at=from_at + pace_ms)
        ready = [reach.contact for reach in rung if _rings(alarm, reach, now)]
        for contact in ready:
            alarm = _ring(alarm, contact, now, out)
        if ready:
            return alarm
    out.append(PageCoordinator(Paging.EXHAUSTED, alarm.round))
    wait_s = REPEAT_S[min(alarm.round, len(REPEAT_S) - 1)]
    if alarm.round >= NO_LASTS_ROUNDS and not _is_anybody_left(alarm):
        alarm = replace(alarm, out=alarm.gone)
    return replace(alarm, round=alarm.round + 1, rung=0, next_rung_at=now + wait_s * 1000)


def _is_anybody_left(alarm: Alarm) -> bool:
    """Whether a later round rings anybody, as far as it is known now. Where nobody is left, a no
    said ten minutes ago is asked about again: it may have been sent by somebody else."""
    return any(
        reach.contact not in alarm.out
        and not set(reach.ways) <= set(alarm.broken)
        and (reach.confirmed or reach.contact not in alarm.told)
        for rung in alarm.circle.rungs
        for reach in rung
    )


def _rings(alarm: Alarm, reach: Reach, now: int) -> bool:
    if reach.contact in alarm.out or reach.contact in alarm.gone:
        return False
    if set(reach.ways) <= set(alarm.broken):
        return False
    if not reach.confirmed and reach.contact in alarm.told:
        return False  # an invitation nobody answered is rung once
    claim = _claim_of(alarm, reach.contact)
    return claim is None or now >= claim.at + BUSY_S * 1000


def _ring(alarm: Alarm, contact: int, now: int, out: list[Effect]) -> Alarm:
    first = contact not in alarm.told
    word = _FIRST_WORDS[alarm.cause] if first or alarm.cause is Cause.FORCE else Word.AGAIN
    urgency = Urgency.ALARM if first else Urgency.REPEAT
    place = len(alarm.told) if first else alarm.told.index(contact)
    out.append(Tell(contact, word, alarm.since_at, urgency, place, round=alarm.round))
    return _join(alarm, contact, out)


def _join(alarm: Alarm, contact: int, out: list[Effect]) -> Alarm:
    """Put ``contact`` on the alarm, whether we rang them or they came on their own. A latecomer
    also hears what the others were told about an ambulance."""
    if contact in alarm.told:
        return alarm
    alarm = replace(alarm, told=(*alarm.told, contact))
    if alarm.ambulance_told and not alarm.arrivals:
        _call_an_ambulance(alarm, contact, out)
    return alarm


def _call_an_ambulance(alarm: Alarm, contact: int, out: list[Effect]) -> None:
    place = alarm.told.index(contact)
    out.append(
        Tell(contact, Word.AMBULANCE, alarm.raised_at, Urgency.ALARM, place, round=alarm.round)
    )


def drop(alarm: Alarm, contact: int, now: int, out: list[Effect]) -> Alarm:
    """Someone cannot come (declined, dead address, opted out). A gap in the newest rung is filled
    at once."""
    if contact in alarm.out:
        return alarm
    newest = alarm.circle.rungs[alarm.rung - 1] if alarm.rung else ()
    was_covered = alarm.covered_by(contact)
    was_there = bool(alarm.arrivals)
    alarm = replace(
        alarm,
        out=(*alarm.out, contact),
        claims=_release(alarm.claims, contact),
        arrivals=_without(alarm.arrivals, contact),
    )
    if not alarm.arrivals:
        alarm = _left_alone(replace(alarm, check_at=None, checked=False), was_there, now)
    heard = _is_heard(alarm, contact)
    alarm = _took_back(alarm, contact) if was_covered else alarm
    if alarm.arrivals or alarm.held(now):
        return alarm
    if was_covered:
        if heard:
            tell(alarm, alarm.listeners(contact), Word.REOPENED, now, out, who=contact)
        return replace(alarm, next_rung_at=now)
    if any(reach.contact == contact for reach in newest):
        return replace(alarm, next_rung_at=now)
    return alarm


def unheard(alarm: Alarm, contact: int, now: int) -> Alarm:
    """One way brought no answer from anyone: the next rung does not wait. The contact is rung again
    in the next round, and what they say themselves counts for more."""
    newest = alarm.circle.rungs[alarm.rung - 1] if alarm.rung else ()
    quiet = not alarm.arrivals and not alarm.held(now) and contact not in alarm.out
    said = _claim_of(alarm, contact) is not None
    if quiet and not said and any(reach.contact == contact for reach in newest):
        return replace(alarm, next_rung_at=min(alarm.next_rung_at, now))
    return alarm


def _left_alone(alarm: Alarm, was_there: bool, now: int) -> Alarm:
    """Nobody is there any more: what everyone was told about an ambulance applies again, also to
    those who joined the alarm meanwhile."""
    if was_there and alarm.ambulance_told:
        return replace(alarm, ambulance_at=now, ambulance_told=False)
    return alarm


def opt_out(alarm: Alarm, contact: int, now: int, out: list[Effect]) -> Alarm:
    """They never hear from us again, not even that it is over. The rung they leave is filled at
    once."""
    return drop(replace(alarm, gone=tuple(sorted({*alarm.gone, contact}))), contact, now, out)


def break_way(alarm: Alarm, contact: int, way: int, now: int, out: list[Effect]) -> Alarm:
    """One way of reaching ``contact`` failed for good. If it was the last one they are out, unless
    they are there or on their way: a dead number says nothing about that."""
    alarm = replace(alarm, broken=tuple(sorted({*alarm.broken, way})))
    reach = alarm.reach(contact)
    dead = reach is not None and set(reach.ways) <= set(alarm.broken)
    if dead and not alarm.covered_by(contact):
        return drop(alarm, contact, now, out)
    return alarm


def claim(
    alarm: Alarm, contact: int, eta_s: int | None, now: int, out: list[Effect], *, holds: bool
) -> Alarm:
    """A claim, "I'm going": if it comes from somebody near who said yes, it ``holds`` the ladder.
    The others are told who is going, and that it is not over. A claim that is repeated again and
    again is no longer announced, and one that is not announced can only shorten a hold. Arriving,
    or being unable to come, is always announced."""
    before = _claim_of(alarm, contact)
    changes = 0 if before is None else before.changes + 1
    from_at, until_at = _hold(alarm, eta_s if holds else None, now)
    if before is not None and changes > MOST_CHANGES:
        from_at, until_at = alarm.held_from_at, _shorter(before.hold_until_at, until_at)
    anew = Claim(contact, now, eta_s, until_at, min(changes, MOST_CHANGES + 1))
    if _same_tap(alarm, before, anew):
        return alarm
    alarm = replace(
        _join(alarm, contact, out),
        claims=(*(c for c in alarm.claims if c.contact != contact), anew),
        held_from_at=from_at,
        out=_without(alarm.out, contact),
    )
    if changes <= MOST_CHANGES:
        tell(alarm, alarm.listeners(contact), Word.GOING, now, out, who=contact, eta_s=eta_s)
    return alarm


def hearsay(alarm: Alarm, contact: int, eta_s: int | None, now: int, out: list[Effect]) -> Alarm:
    """A claim from a phone that may be anybody's: the others hear it once, and the contact is rung
    as if nobody had spoken. It changes nothing that the contact said."""
    spoke = any(c.contact == contact for c in alarm.claims)
    if spoke or contact in alarm.out or contact in alarm.arrivals:
        return alarm
    if alarm.cause is Cause.FORCE and eta_s is None:
        return alarm  # nobody must phone
    tell(alarm, alarm.listeners(contact), Word.GOING, now, out, who=contact, eta_s=eta_s)
    heard = Claim(contact, now, eta_s, None, known=False)
    return replace(alarm, claims=(*alarm.claims, heard))


def _hold(alarm: Alarm, eta_s: int | None, now: int) -> tuple[int | None, int | None]:
    """Since when the ladder has been held in all, and until when a claim made now would hold it."""
    from_at = alarm.held_from_at
    if eta_s is None or not 0 < eta_s <= HOLDING_ETA_S:
        return from_at, None
    from_at = now if from_at is None else from_at
    until_at = min(now + eta_s * 1000, from_at + ALL_HOLDS_S * 1000)
    return from_at, until_at if until_at > now else None


def _shorter(one: int | None, other: int | None) -> int | None:
    """The hold that ends first; None means no hold."""
    return None if one is None or other is None else min(one, other)


def _claim_of(alarm: Alarm, contact: int) -> Claim | None:
    """What they said last themselves."""
    return next((c for c in alarm.claims if c.contact == contact and c.known), None)


def _same_tap(alarm: Alarm, before: Claim | None, anew: Claim) -> bool:
    """Whether a claim was made a moment ago and still stands. A claim withdrawn since, by a no or a
    locked door, has to be made again. If it was holding the ladder, the claim itself shows that it
    was withdrawn: others may have found a locked door after them."""
    if before is None or before.eta_s != anew.eta_s or anew.contact in alarm.out:
        return False
    if anew.hold_until_at is not None and not alarm.covered_by(anew.contact):
        return False
    if anew.contact == alarm.obstacle_by and before.at <= alarm.obstacle_at:
        return False
    return anew.at < before.at + SAME_TAP_S * 1000


def lapse(alarm: Alarm, now: int, out: list[Effect]) -> Alarm:
    """Holds that ran out without an arrival: ask whoever was going; if no hold is left, go on to
    the next rung at once."""
    late = [c for c in alarm.claims if c.hold_until_at is not None and c.hold_until_at <= now]
    for who in (c.contact for c in late):
        alarm = replace(alarm, claims=_release(alarm.claims, who))
        tell(alarm, alarm.only(who), Word.ARE_YOU_THERE, now, out)
        tell(alarm, alarm.listeners(who), Word.REOPENED, now, out, who=who)
    if late and not alarm.held(now):
        return replace(alarm, next_rung_at=now)
    return alarm


def obstacle(alarm: Alarm, contact: int, word: Word, now: int, out: list[Effect]) -> Alarm:
    """Somebody is there but cannot help (locked door, nobody found): no hold, no arrival, and
    everyone is told, at once by the next rung. Who says so again and again is no longer passed
    on, and hurries nothing that did not wait for them."""
    again = alarm.obstacle_by == contact and alarm.obstacle == word
    fresh, covered = now < alarm.obstacle_at + SAME_TAP_S * 1000, alarm.covered_by(contact)
    if again and fresh and not covered:
        return alarm
    heard = _is_heard(alarm, contact)
    was_there = bool(alarm.arrivals)
    alarm = replace(
        _took_back(_join(alarm, contact, out), contact),
        claims=_release(alarm.claims, contact),
        arrivals=_without(alarm.arrivals, contact),
        out=_without(alarm.out, contact),
        obstacle=word,
        obstacle_by=contact,
        obstacle_at=now,
    )
    if heard:
        tell(alarm, alarm.listeners(contact), word, now, out, who=contact)
    if alarm.arrivals or not (heard or covered):
        return alarm
    return _left_alone(replace(alarm, check_at=None, next_rung_at=now), was_there, now)


def _is_heard(alarm: Alarm, contact: int) -> bool:
    """Whether the others still hear of what this one does: not of whoever took it back too often,
    and then of none of it, neither that they are there nor that they are not."""
    return alarm.taken_back.count(contact) <= MOST_CHANGES


def _took_back(alarm: Alarm, contact: int) -> Alarm:
    if not _is_heard(alarm, contact):
        return alarm
    return replace(alarm, taken_back=(*alarm.taken_back, contact))


def arrive(alarm: Alarm, contact: int, now: int, out: list[Effect]) -> Alarm:
    """Somebody is with the person: the ladder stops, and after a while we check on the one who is
    there."""
    first = contact not in alarm.arrivals
    alarm = replace(
        _join(alarm, contact, out),
        arrivals=(*alarm.arrivals, contact) if first else alarm.arrivals,
        out=_without(alarm.out, contact),
        claims=_release(alarm.claims, contact),
        check_at=now + ATTENDED_S * 1000,
        checked=False,
    )
    if first and _is_heard(alarm, contact):
        tell(alarm, alarm.listeners(contact), Word.ARRIVED, now, out, who=contact)
    return alarm


def untold_at(alarm: Alarm) -> int | None:
    """When those nobody told hear who is there; None if they need not. Nor under force: whoever
    reads it would phone or go."""
    if not alarm.arrivals or alarm.cause is Cause.FORCE or not _untold(alarm):
        return None
    return alarm.raised_at + UNTOLD_S * 1000


def _untold(alarm: Alarm) -> list[int]:
    """Those who said yes, can be reached, and were never told."""
    known = (*alarm.told, *alarm.out)
    broken = set(alarm.broken)
    reaches = (reach for rung in alarm.circle.rungs for reach in rung)
    return [
        r.contact
        for r in reaches
        if r.confirmed and r.contact not in known and not set(r.ways) <= broken
    ]


def tell_untold(alarm: Alarm, out: list[Effect]) -> Alarm:
    """An alarm rests on one word for half an hour: those nobody told hear of it, without a ring."""
    untold = _untold(alarm)
    alarm = replace(alarm, told=(*alarm.told, *untold))
    who = alarm.arrivals[-1]
    tell(alarm, untold, Word.STILL_THERE, alarm.raised_at, out, who=who)
    return alarm


def look_in(alarm: Alarm, now: int, out: list[Effect]) -> Alarm:
    """``check_at`` has passed: ask those who are there. If they were asked before and are still
    silent, restart the ladder."""
    if not alarm.checked:
        tell(alarm, alarm.only(*alarm.arrivals), Word.ARE_YOU_THERE, now, out)
        return replace(alarm, checked=True, check_at=now + ATTENDED_GRACE_S * 1000)
    who = alarm.arrivals[-1]
    alarm = replace(alarm, arrivals=(), claims=(), check_at=None, checked=False, next_rung_at=now)
    tell(alarm, alarm.listeners(who), Word.REOPENED, now, out, who=who)
    return _left_alone(alarm, True, now)


def ambulance(alarm: Alarm, now: int, out: list[Effect]) -> Alarm:
    """Five minutes in and nobody is with the person: tell everyone on the alarm to call an
    ambulance now."""
    for contact in alarm.listeners():
        _call_an_ambulance(alarm, contact, out)
    return replace(alarm, ambulance_at=None, ambulance_told=True)


def stand_down(
    alarm: Alarm, at: int, out: list[Effect], who: int | None = None, outcome: Outcome | None = None
) -> None:
    """Tell everyone who was told exactly what is known: the phone was answered at ``at``, or what
    ``who`` says."""
    tell(alarm, alarm.listeners(), Word.STAND_DOWN, at, out, who=who, outcome=outcome)


def _release(claims: tuple[Claim, ...], contact: int) -> tuple[Claim, ...]:
    return tuple(replace(c, hold_until_at=None) if c.contact == contact else c for c in claims)


def _without(contacts: tuple[int, ...], contact: int) -> tuple[int, ...]:
    return tuple(c for c in contacts if c != contact)
