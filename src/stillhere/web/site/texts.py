"""What pages say: times in words, and every sentence that answers something a person did.

Owns the one dictionary from what the core and the store refuse (constant English sentences) to what
is shown. Reads no clock and no database.
"""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from django.utils.dateformat import format as date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, gettext_noop, ngettext

from stillhere.core.schedule import Routine, ScheduleError
from stillhere.store.kits import kits

# What the core and the store say no to: the name it has in an address, and how it is put.
REFUSALS = {
    "this watch is over": ("over", gettext_lazy("This watch is over. It asks nothing more.")),
    "there is no alarm now": ("no-alarm", gettext_lazy("There is no alarm now.")),
    "not on this alarm": (
        "not-on-it",
        gettext_lazy("You are not part of this alarm, so nothing was changed."),
    ),
    "only a routine check-in can be paused": (
        "no-pause",
        gettext_lazy("Only a daily check-in can be paused."),
    ),
    "a pause lasts a year at most": (
        "long-pause",
        gettext_lazy("A pause lasts a year at most."),
    ),
    "an alarm does not end quietly": (
        "not-quietly",
        gettext_lazy("An alarm is open. Press “Still here” first."),
    ),
    "not found keeps the alarm open": ("keeps-open", gettext_lazy("The alarm stays open.")),
    "only someone who is with them can end this alarm": (
        "be-there",
        gettext_lazy("Only someone who is with them can end this alarm."),
    ),
    "say how to reach them": ("no-way", gettext_lazy("Say how we reach them.")),
    "say how we reach you": ("no-way-to-me", gettext_lazy("Say how we reach you.")),
    "say how many minutes away they are": (
        "minutes",
        gettext_lazy("Say in minutes how far away they are: a number up to 1440."),
    ),
    "a list holds at most 20 people": (
        "list-full",
        gettext_lazy("A list holds at most 20 people. Take someone off first."),
    ),
    "an alarm is open: end it first, then everything can be erased": (
        "alarm-open",
        gettext_lazy("An alarm is open. End it first, then everything can be erased."),
    ),
    "the people who run this must look at the last alarm first": (
        "look-first",
        gettext_lazy("The people who run this must look at the last alarm first. Ask them."),
    ),
    "nobody on the list can be reached by a drill yet": (
        "no-drill",
        gettext_lazy("Nobody on your list can be reached yet. They must say yes first."),
    ),
    "a drill was held within the hour": (
        "drilled",
        gettext_lazy("A drill was held within the hour. Try again later."),
    ),
    "say what they are called": ("no-name", gettext_lazy("Say what they are called.")),
    "there are too many volunteers already": (
        "volunteers-full",
        gettext_lazy("There are too many volunteers already. Take someone off first."),
    ),
    "a volunteer has this number already": (
        "number-taken",
        gettext_lazy("A volunteer has this number already."),
    ),
    "this is our own number": ("own-number", gettext_lazy("This is the number we call from.")),
    "say what kind of naloxone it is": (
        "kit-form",
        gettext_lazy("Say what kind of naloxone it is."),
    ),
    "say how many doses are in it": ("kit-doses", gettext_lazy("Say how many doses are in it.")),
    "say the month it is good until, like 05/2027": (
        "kit-month",
        gettext_lazy("Say the month it is good until, like 05/2027."),
    ),
    "no kit is good for so long": (
        "kit-far",
        gettext_lazy("No kit is good for so long. Look at the date on the box once more."),
    ),
    "this kit is somebody's already": (
        "kit-taken",
        gettext_lazy("Somebody carries this kit already. Ask the people you have it from."),
    ),
    "this kit is not there any more": (
        "kit-gone",
        gettext_lazy("This kit is not on your list any more. You can add it again here."),
    ),
    "we do not know whose phone this is": (
        "kit-stranger",
        gettext_lazy(
            "We do not know whose phone this is, so nothing was changed. "
            "Use the phone on which you said yes, or keep your watch."
        ),
    ),
    "there are as many kits here as one can hold": (
        "kit-many",
        gettext_lazy("There are as many kits here as one can hold."),
    ),
    f"a sheet holds 1 to {kits.MOST_STICKERS} stickers": (
        "kit-sheet",
        gettext_lazy("A sheet holds 1 to 30 stickers."),
    ),
    "say what was found, and where": (
        "news-what",
        gettext_lazy("Say what was found, and where."),
    ),
    "a warning holds 1 to 90 days": (
        "news-days",
        gettext_lazy("A warning holds 1 to 90 days."),
    ),
    "say who says so": ("who-says", gettext_lazy("Say who says so, so that others can ask.")),
    "say the day it was found, like 2026-11-24": (
        "news-day",
        gettext_lazy("Say the day it was found, like Nov 24, 2026."),
    ),
    "it was found on a day to come": (
        "news-ahead",
        gettext_lazy("This day is still to come. Say the day it was found."),
    ),
    "it was found too long ago": (
        "news-old",
        gettext_lazy("This is more than 60 days ago, and no warning any more."),
    ),
    "choose a file first": ("file-none", gettext_lazy("Choose a file first.")),
    "the file needs columns form, doses, expires": (
        "file-columns",
        gettext_lazy("The file needs the columns form, doses and expires."),
    ),
    "the file has names of columns and no row below them": (
        "file-head",
        gettext_lazy("The file has only the names of its columns, and no row below them."),
    ),
    "the file is no text in UTF-8": (
        "file-text",
        gettext_lazy("The file is no text in UTF-8. Save it as CSV UTF-8."),
    ),
    "the file is neither CSV nor JSON that we can read": (
        "file-form",
        gettext_lazy("The file is neither CSV nor JSON that we can read."),
    ),
    "no row of the file has a day, a place and something to warn of": (
        "file-empty",
        gettext_lazy("No row of the file has a day, a place and something to warn of."),
    ),
    "the feed could not be read": (
        "feed",
        gettext_lazy("The feed could not be read."),
    ),
    "the file has too many rows": ("kit-rows", gettext_lazy("The file has too many rows.")),
    "a shift is 1 to 12 hours": ("shift", gettext_lazy("A shift is 1 to 12 hours.")),
    "they are on an open alarm: end it first": (
        "on-alarm",
        gettext_lazy("They are on an open alarm. End it first. Their shift has ended."),
    ),
    "choose one of the three wishes": ("wish", gettext_lazy("Choose one of the three wishes.")),
}
# What worked, or needs one more step.
NOTES = {
    "added-volunteer": gettext_lazy("Added. Give them their link."),
    "not-a-number": gettext_lazy("That is no phone number we can reach. Type it with its country."),
    "added": gettext_lazy("Added. They get an invitation now."),
    "yours-to-send": gettext_lazy("Added. Now send the invitation from your own phone."),
    "renewed": gettext_lazy("The old link opens nothing now. The new one is below."),
    "tonight": gettext_lazy("Noted. Until noon we reach you last."),
    "back": gettext_lazy("Good. You are counted on again."),
    "test": gettext_lazy("We try every way to you now. Did it ring?"),
    "rang": gettext_lazy("Good. It is noted that it rang."),
    "drill": gettext_lazy("The drill is on its way. Answers stand beside each name."),
    "stands": gettext_lazy("This warning stands there already. Nobody was told again."),
    "kit-there": gettext_lazy(
        "This kit was added a moment ago, and counts once. Have you another one just like it? "
        "Add it in a minute."
    ),
    "taken-back": gettext_lazy("Taken back. No feed brings it again."),
    "drill-me": gettext_lazy("The drill is on its way to you. Answer it as you would at night."),
    "known": gettext_lazy("This person is on your list already."),
    "removed": gettext_lazy("Taken off your list. They were not told."),
    "kept": gettext_lazy("Kept."),
    "own-first": gettext_lazy("Say first how we reach you, so that we can ask you then."),
    "told": gettext_lazy("We told the others who were called."),
    "done": gettext_lazy("Noted. Everyone on the alarm sees it."),
    "prove": gettext_lazy("Type the number we reach you at first. Nothing was changed."),
    "there-unproved": gettext_lazy(
        "The others read that you are there. Type your number below, so that they can count on it."
    ),
    "not-yours": gettext_lazy(
        "Nobody on this list is reached there. Try another number or address."
    ),
    "noted": gettext_lazy("Noted. Nobody else was called."),
    "on-your-way": gettext_lazy("Thank you. The others who were called learn that you are going."),
    "you-go": gettext_lazy("Thank you. It counts on you: nobody else was called."),
    "joined": gettext_lazy("Thank you. You are on the list."),
    "end-early": gettext_lazy("It is early. Press “End now” if you are sure."),
    "more": gettext_lazy("Ten minutes more."),
    "paused": gettext_lazy("Paused."),
    "ended": gettext_lazy("Ended."),
    "started": gettext_lazy("It is set."),
    "looked": gettext_lazy("Noted that you have looked."),
    "fault": gettext_lazy(
        "Something is wrong with this watch, and nothing was changed. "
        "The people on the list were asked to look."
    ),
    **dict(REFUSALS.values()),
}
# Sentences of core/schedule.py, which knows no catalogues.
SCHEDULE = (
    gettext_noop("Choose at least one day of the week."),
    gettext_noop("The time has to be between 00:00 and 23:59."),
    gettext_noop("A pause has to end on a day we can count to."),
    gettext_noop("We do not know this time zone. It looks like America/Denver."),
    gettext_noop("That date is too far away."),
)

OUTCOMES = {
    "ended": gettext_lazy("ended quietly"),
    "fine": gettext_lazy("fine"),
    "revived": gettext_lazy("brought back, breathing"),
    "hospital": gettext_lazy("taken to hospital"),
    "died": gettext_lazy("died"),
    "not-found": gettext_lazy("not found"),
    "false-alarm": gettext_lazy("a false alarm"),
}
CHANNELS = {
    "email": gettext_lazy("e-mail"),
    "text": gettext_lazy("text"),
    "call": gettext_lazy("call"),
    "chat": gettext_lazy("chat"),
    "page": gettext_lazy("an open page"),
    "push": gettext_lazy("a notification"),
}


def refusal(why: str) -> str:
    """The name of a refusal, to be carried in an address; an unknown one is still not silent."""
    name, _sentence = REFUSALS.get(why, ("no-alarm", ""))
    return name


def put(why: str) -> str:
    """A refusal as a sentence."""
    return str(REFUSALS[why][1]) if why in REFUSALS else why


def note(name: str) -> str:
    """The sentence of this name, or nothing: names come from the address bar."""
    return str(NOTES.get(name, ""))


def names(people: list[str]) -> str:
    """ "Leo", "Leo and Maya", "Leo, Maya and Ana"."""
    if len(people) < 2:
        return "".join(people)
    return _("%(these)s and %(last)s") % {"these": ", ".join(people[:-1]), "last": people[-1]}


def someone(name: str) -> str:
    """A name, or what stands for it where none was given."""
    return name or _("Someone")


# --- time -----------------------------------------------------------------------------------------


def zone(tz: str) -> ZoneInfo:
    """A time zone by name; one we do not know is UTC."""
    return ZoneInfo(tz) if zone_known(tz) else ZoneInfo("UTC")


def zone_known(tz: str) -> bool:
    try:
        Routine(frozenset({0}), 0, tz)
    except ScheduleError:
        return False
    return True


def clock_time(at: int, tz: str, now: int) -> str:
    """ "22:16", with the day when it is another one, and the zone where we do not know theirs."""
    there = zone(tz)
    local, today = (datetime.fromtimestamp(ms / 1000, UTC).astimezone(there) for ms in (at, now))
    told = f"{local:%H:%M}" if there.key != "UTC" else f"{local:%H:%M} UTC"
    if local.date() == today.date():
        return told
    day = date_format(local, _("j F"))
    return _("%(day)s, %(time)s") % {"day": day, "time": told}


def hour(at: int, tz: str) -> int:
    """The hour of the day on the wall there."""
    return datetime.fromtimestamp(at / 1000, UTC).astimezone(zone(tz)).hour


def span(ms: int) -> str:
    """How long, in words: seconds up to a minute and a half, then minutes, then hours."""
    seconds = max(round(ms / 1000), 0)
    if seconds <= 90:
        return ngettext("%(n)d second", "%(n)d seconds", seconds) % {"n": seconds}
    minutes = round(seconds / 60)
    if minutes < 120:
        return ngettext("%(n)d minute", "%(n)d minutes", minutes) % {"n": minutes}
    hours = round(minutes / 60)
    return ngettext("%(n)d hour", "%(n)d hours", hours) % {"n": hours}
