"""A watch in words, for the person it is about: what is on their page at this moment.

Turns values into sentences and decides nothing. "Watching" is never said when nobody would come. A
watch asks for no PIN; where one was set and not typed, people are counted and not named.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from stillhere.core.events import Cause, Outcome, State
from stillhere.core.watch import Watch
from stillhere.store.models import sealed_columns
from stillhere.store.people.records import Listed
from stillhere.store.watches import queries
from stillhere.store.watches.queries import ShownWatch
from stillhere.web.access import installed_channels
from stillhere.web.site import page_text

EARLY_MS = 10 * 60 * 1000  # ending before this takes two taps
RECENT_MS = 12 * 3600 * 1000  # for so long an ended watch is spoken of
BEHIND = "!"  # at the end of a version
LOOKED_IN_ON = "hours"  # the profile after a rescue: nothing is used, so it begins without a mark
NEAR_MIN = 4  # injury from lack of oxygen starts after four to five minutes (core/profiles.py)


@dataclass(frozen=True, slots=True)
class Someone:
    """One person on the list as Sam sees them: ``how`` in words, ``trouble`` a sentence or "".
    Neither says who it is unless they are ``named``."""

    id: int
    name: str
    how: str
    trouble: str
    reachable: bool
    broken: bool
    confirmed: bool
    away: bool
    minutes: int | None
    named: bool


def on_the_list(listed: Sequence[Listed], now: int, *, named: bool = True) -> list[Someone]:
    """Who would be reached, in order, and whether they could be; without their names unless they
    may be ``named``."""
    return [_someone(each, now, named) for each in listed]


def _someone(each: Listed, now: int, named: bool) -> Someone:
    name = page_text.someone(each.name if named else "")
    well = _well(each)
    working = [str(page_text.CHANNELS.get(channel, channel)) for channel in well]
    broken = [state for _c, _value, state in each.ways if state != "ok"]
    away = each.contact.away_until_at > now
    confirmed = each.contact.status == "confirmed"
    return Someone(
        each.contact.id,
        name,
        page_text.names(working) if named else "",
        _trouble(each, name, broken, away),
        bool(working),
        bool(broken) or bool(each.ways and not working),
        confirmed,
        away,
        each.contact.minutes,
        named,
    )


def _well(each: Listed) -> list[str]:
    """The channels that reach them: they work, and this installation has them."""
    ok = dict.fromkeys(channel for channel, _value, state in each.ways if state == "ok")
    return installed_channels.here(ok)


def _trouble(each: Listed, name: str, broken: list[str], away: bool) -> str:
    """What Sam should know about one of them before the night, or nothing."""
    well = _well(each)
    if not each.ways:
        return _("%(name)s has not opened your invitation yet.") % {"name": name}
    if not well and "opted-out" in broken:
        return _("%(name)s does not want messages.") % {"name": name}
    if not well and each.reachable:
        return _("Nothing from here can reach %(name)s yet.") % {"name": name}
    if not well:
        return _("No way to reach %(name)s works.") % {"name": name}
    if broken:
        return _("One way to reach %(name)s does not work.") % {"name": name}
    if each.contact.status == "invited":
        says = _("%(name)s has not said yes yet, so we ring them once at most in an alarm.")
        return says % {"name": name}
    return _doubt(each, name, well, away)


def _doubt(each: Listed, name: str, well: list[str], away: bool) -> str:
    """What is still wanting with one who said yes, or nothing."""
    if not each.proved:
        says = _("%(name)s has not shown yet that the number is theirs: it rings once in an alarm.")
        return says % {"name": name}
    if away:
        return _("%(name)s said: not tonight.") % {"name": name}
    if well == ["page"]:
        return _("%(name)s is reached only while their page is open.") % {"name": name}
    if not installed_channels.rings(well):
        return _("Nothing rings at %(name)s, so it may wake nobody.") % {"name": name}
    return ""


@dataclass(frozen=True, slots=True)
class Closest:
    """Who could be there first. ``near`` is whether that is within ``NEAR_MIN``."""

    says: str
    near: bool


def closest(people: Sequence[Someone]) -> Closest | None:
    """ "Closest tonight: Leo, 3 min", or that nobody is near; None where nobody would come."""
    coming = [one for one in people if one.reachable and one.confirmed and not one.away]
    known = [(one.minutes, called([one])) for one in coming if one.minutes is not None]
    if not any(one.reachable for one in people):
        return None
    if not known:
        return Closest(
            _("We do not know how far anybody is from you. Naloxone may come too late."), False
        )
    minutes, name = min(known)
    says = _("Closest tonight: %(name)s, %(n)d min.") % {"name": name, "n": minutes}
    if minutes <= NEAR_MIN:
        return Closest(says, True)
    late = _("Nobody within 4 minutes: naloxone may come too late.")
    return Closest(f"{late} {says}", False)


@dataclass(frozen=True, slots=True)
class Telling:
    """What the page says. ``until_at`` is what the ring runs to, ``since_at`` where it began."""

    head: str
    says: str
    until_at: int | None = None
    since_at: int | None = None
    calm: bool = True


def tell(
    shown: ShownWatch, people: Sequence[Someone], now: int, tz: str, *, also_daily: bool = False
) -> Telling:
    """The state of a watch in two sentences. ``also_daily``: they are asked something else too, so
    "nobody is watching" would not be true."""
    watch = shown.watch
    if shown.row.quarantined_at is not None:
        return Telling(
            _("Something is wrong with this watch."),
            _("Nobody is watching. The people on your list were asked to look. Call someone."),
            calm=False,
        )
    if watch.state is State.OPEN:
        return _open(watch, people)
    if watch.state is State.ASKING:
        return _asking(watch, people, who_is_asked(shown))
    if watch.state is State.CLOSED:
        return _closed(shown, now, tz, also_daily=also_daily)
    return _alarm(watch, people, now)


def _open(watch: Watch, people: Sequence[Someone]) -> Telling:
    """Nothing is being asked. Without a headline, the time to the next ask is the headline."""
    head, says = "", _going_quiet(people)
    if watch.rechecks and watch.ended_by:
        known = {someone.id: someone.name for someone in people}
        who = page_text.someone(known.get(watch.ended_by[-1], ""))
        head = _("%(who)s told us that it is over.") % {"who": who}
        says = _("We ask you soon. If you do not answer, we reach your people again.")
    elif watch.rechecks and watch.alarms:
        head = _("Glad you're here. Everyone has been told.")
        says = _("We ask again soon, because somebody else may have picked up your phone.")
    elif not any(someone.reachable for someone in people):
        head, says = _("Nobody will come."), ""  # the page says below what to do about it
    return Telling(head, says, watch.next_ask_at, watch.seen_at)


def _asking(watch: Watch, people: Sequence[Someone], you: Sequence[str]) -> Telling:
    names = order(people)
    says = (
        _("Press the button. If you do not, we reach %(names)s.") % {"names": names}
        if names
        else _("Press the button. Nobody else hears this.")
    )
    return Telling(_asks(you), says, watch.grace_at, watch.base_at, calm=False)


def _asks(you: Sequence[str]) -> str:
    """The ask, by name, so that nobody answers for somebody else."""
    named = [name for name in you if name]
    if len(you) > 1:
        both = page_text.names(named) if len(named) > 1 else page_text.someone("".join(named))
        return _("%(names)s: are you both there?") % {"names": both}
    return _("%(name)s, are you there?") % {"name": named[0]} if named else _("Are you there?")


def _alarm(watch: Watch, people: Sequence[Someone], now: int) -> Telling:
    alarm = watch.alarm
    assert alarm is not None
    known = {someone.id: someone for someone in people}
    reachable = {someone.id for someone in people if someone.reachable}
    told = called([known[c] for c in alarm.listeners() if c in reachable])
    there = called([known[c] for c in alarm.arrivals if c in known])
    going = called(
        [known[c.contact] for c in alarm.claims if c.hold_until_at and c.contact in known]
    )
    if there:
        head = _("With you now: %(names)s.") % {"names": there}
    elif going:
        head = _("On the way to you: %(names)s.") % {"names": going}
    elif told:
        head = _("We are reaching %(names)s.") % {"names": told}
    else:
        head = _("Nobody on your list can be reached.")
    if alarm.answered_at is not None:
        says = _("We heard you once. Press again in half a minute, so that we know it is you.")
    elif not told:
        says = _("Shout. Go where people are. Call your emergency number.")
    elif alarm.cause is Cause.HELP or there:
        says = _("Fine now? Press, and press again after half a minute.")
    else:
        says = _("Fine? Press the button. Everyone who was told hears it.")
    return Telling(head, says, calm=False)


def _closed(shown: ShownWatch, now: int, tz: str, *, also_daily: bool) -> Telling:
    watch = shown.watch
    at = page_text.clock_time(watch.closed_at or now, tz, now)
    over = (
        _("These asks have stopped.")
        if also_daily
        else _("Asks have stopped. Nobody is watching now.")
    )
    if rescued(shown):  # what to do comes next, and that nobody watches beside the offer to
        return Telling(_("You're alive. Stay with someone for the next hours."), "")
    if for_nothing(watch):
        return Telling(_("Glad you're here. Everyone has been told."), over)
    if watch.outcome is Outcome.ENDED and watch.marked_at is not None:
        return Telling(over, _("It can come back for hours. Again is one tap."))
    return Telling(over, _("This watch ended at %(time)s.") % {"time": at})


def rescued(shown: ShownWatch) -> bool:
    """Whether it ended with somebody brought back. Grave news is left for people to tell: if a page
    celebrated the one, its silence would give away the other."""
    return shown.watch.state is State.CLOSED and queries.brought_back(shown)


def for_nothing(watch: Watch) -> bool:
    """Whether it ended well after an alarm."""
    well = (Outcome.FINE, Outcome.FALSE_ALARM, Outcome.ENDED)
    return watch.alarms > 0 and watch.outcome in well


def who_is_asked(shown: ShownWatch) -> list[str]:
    """The name of the person, and of the other one of "two of us". A name may be empty."""
    you = [sealed_columns.person_note(shown.row.person, "name")]
    partner = queries.partner(shown.row)
    return [*you, partner] if partner else you


def _going_quiet(people: Sequence[Someone]) -> str:
    """Whom we reach. Somebody who has not said yes is tried once, and is not a promise."""
    if any(one.reachable and one.confirmed for one in people) or not order(people):
        return _("If you go quiet, we reach %(names)s.") % {"names": order(people)}
    return _("If you go quiet, we try %(names)s once. Nobody has said yes yet.") % {
        "names": order(people)
    }


def order(people: Sequence[Someone]) -> str:
    """ "Leo, then Maya": those who could be reached, as many as can be read at a glance."""
    reachable = [someone for someone in people if someone.reachable]
    names = [someone.name for someone in reachable]
    if len(reachable) > 3 and reachable[0].named:
        others = _("%(n)d others") % {"n": len(reachable) - 2}
        return page_text.names([*names[:2], others])
    return called(reachable)


def called(people: Sequence[Someone]) -> str:
    """ "Leo and Maya"; or "2 people" where they are not to be named."""
    if all(someone.named for someone in people):
        return page_text.names([someone.name for someone in people])
    return ngettext("%(n)d person", "%(n)d people", len(people)) % {"n": len(people)}


def button(shown: ShownWatch, *, aloud: bool = False) -> str:
    """What the one large button says. While the phone calls out, it names who may press it: a
    stranger who comes to help must not answer for them."""
    if shown.row.partner:
        return _("We are both here")
    if not aloud:
        return _("Still here")
    name = sealed_columns.person_note(shown.row.person, "name")
    return (
        _("I am %(name)s, and I am here") % {"name": name}
        if name
        else _("It is my phone. I am here")
    )


def may_end(shown: ShownWatch) -> bool:
    """Whether a press could end this watch now."""
    return shown.watch.state in (State.OPEN, State.ASKING) and shown.row.quarantined_at is None


def is_early(watch: Watch, now: int) -> bool:
    """Whether ending now deserves a second tap."""
    return now - (watch.marked_at or watch.started_at) < EARLY_MS


def of_late(shown: ShownWatch | None, now: int) -> bool:
    """Whether there is a watch worth mentioning: open, or ended not long ago."""
    if shown is None:
        return False
    closed_at = shown.watch.closed_at
    return closed_at is None or now - closed_at < RECENT_MS


def told_version(version: str, *, behind: bool) -> str:
    """What a page compares. While nobody is watching it differs: pages of the release before learn
    only so that they must say it."""
    return version + BEHIND if behind else version


def version(shown: ShownWatch | None) -> str:
    """Changes whenever the page must show something else."""
    return f"{shown.row.id}.{shown.row.version}" if shown is not None else "0"


def ring(telling: Telling, now: int) -> dict[str, Any]:
    """The ring of time: what is left of it in hundredths, and in words."""
    if telling.until_at is None:
        return {"left": 0, "words": ""}
    whole = max(telling.until_at - (telling.since_at or now), 1)
    left_ms = max(telling.until_at - now, 0)
    return {
        "left": min(round(100 * left_ms / whole), 100),
        "words": page_text.span(left_ms),
        "over": left_ms < 500,
    }
