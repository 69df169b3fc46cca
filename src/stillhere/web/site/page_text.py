"""What pages say: times in words, and every sentence that answers something a person did.

Owns the sentence of each refusal of the core and the store. Reads no clock and no database.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.utils.dateformat import format as date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, gettext_noop, ngettext

from stillhere.core.refusals import Refusal
from stillhere.core.schedule import Routine, ScheduleError

# How each refusal is put.
REFUSALS = {
    Refusal.OVER: gettext_lazy("This watch is over. It asks nothing more."),
    Refusal.NO_ALARM: gettext_lazy("There is no alarm now."),
    Refusal.NOT_ON_IT: gettext_lazy("You are not part of this alarm, so nothing was changed."),
    Refusal.NO_PAUSE: gettext_lazy("Only a daily check-in can be paused."),
    Refusal.LONG_PAUSE: gettext_lazy("A pause lasts a year at most."),
    Refusal.NOT_QUIETLY: gettext_lazy("An alarm is open. Press “Still here” first."),
    Refusal.KEEPS_OPEN: gettext_lazy("The alarm stays open."),
    Refusal.BE_THERE: gettext_lazy("Only someone who is with them can end this alarm."),
    Refusal.TOLD_BEFORE: gettext_lazy(
        "You told us before that it was over, and they have not answered us since. So we go on "
        "calling the others. Go there if you can. They can answer us on their own phone, or "
        "somebody else who is with them can end this."
    ),
    Refusal.NO_WAY: gettext_lazy("Say how we reach them."),
    Refusal.NO_WAY_TO_ME: gettext_lazy("Say how we reach you."),
    Refusal.MINUTES: gettext_lazy("Say in minutes how far away they are: a number up to 1440."),
    Refusal.LIST_FULL: gettext_lazy("A list holds at most 20 people. Take someone off first."),
    # Says neither when nor to whom: an ex who tries a number learns no more than from the silence
    # that would follow, and whoever counts on somebody must not believe that they were asked.
    Refusal.SUPPRESSED: gettext_lazy(
        "This number or address asked us not to contact it. Only its owner can change that, for a "
        "phone by texting START to us."
    ),
    Refusal.ALARM_OPEN: gettext_lazy(
        "An alarm is open. End it first, then everything can be erased."
    ),
    Refusal.STAYS_ON: gettext_lazy(
        "Your people are being reached now. Whoever is on it stays on it until it is over. Do this "
        "afterwards."
    ),
    Refusal.LOOK_FIRST: gettext_lazy(
        "The people who run this must look at the last alarm first. Ask them."
    ),
    Refusal.NO_DRILL: gettext_lazy(
        "Nobody on your list can be reached yet. They must say yes first."
    ),
    Refusal.DRILLED: gettext_lazy("A drill was held within the hour. Try again later."),
    Refusal.WRONG_CODE: gettext_lazy(
        "This is not the code we sent. Look at our newest message and type its six digits. "
        "After ten tries it waits until tomorrow."
    ),
    Refusal.NO_WAY_FOR_CODE: gettext_lazy(
        "We have no number of yours to send a code to. Phone them and ask where they are, or open "
        "this page on a phone on which you said yes before this alarm."
    ),
    Refusal.NO_MORE_CODES: gettext_lazy(
        "We cannot send another code to this number today. Answer the one you have, "
        "or try again tomorrow."
    ),
    Refusal.ASKED_ENOUGH: gettext_lazy(
        "We cannot invite anybody at that number or address today. Try again tomorrow, "
        "or press “Only the name: I send the invitation”."
    ),
    Refusal.NO_NAME: gettext_lazy("Say what they are called."),
    Refusal.VOLUNTEERS_FULL: gettext_lazy(
        "There are too many volunteers already. Take someone off first."
    ),
    Refusal.NUMBER_TAKEN: gettext_lazy("A volunteer has this number already."),
    Refusal.OWN_NUMBER: gettext_lazy("This is the number we call from."),
    Refusal.KIT_FORM: gettext_lazy("Say what kind of naloxone it is."),
    Refusal.KIT_DOSES: gettext_lazy("Say how many doses are in it."),
    Refusal.KIT_MONTH: gettext_lazy("Say the month it is good until, like 05/2027."),
    Refusal.KIT_FAR: gettext_lazy(
        "No kit is good for so long. Look at the date on the box once more."
    ),
    Refusal.KIT_TAKEN: gettext_lazy(
        "Somebody carries this kit already. Ask the people you have it from."
    ),
    Refusal.KIT_GONE: gettext_lazy(
        "This kit is not on your list any more. You can add it again here."
    ),
    Refusal.KIT_STRANGER: gettext_lazy(
        "We do not know whose phone this is, so nothing was changed. "
        "Use the phone on which you said yes, or keep your watch."
    ),
    Refusal.KIT_MANY: gettext_lazy("There are as many kits here as one can hold."),
    Refusal.KIT_SHEET: gettext_lazy("A sheet holds 1 to 30 stickers."),
    Refusal.NEWS_WHAT: gettext_lazy("Say what was found, and where."),
    Refusal.NEWS_DAYS: gettext_lazy("A warning holds 1 to 90 days."),
    Refusal.WHO_SAYS: gettext_lazy("Say who says so, so that others can ask."),
    Refusal.NEWS_DAY: gettext_lazy("Say the day it was found, like Nov 24, 2026."),
    Refusal.NEWS_AHEAD: gettext_lazy("This day is still to come. Say the day it was found."),
    Refusal.NEWS_OLD: gettext_lazy("This is more than 60 days ago, and no warning any more."),
    Refusal.NEWS_PLAIN: gettext_lazy("There is nothing in it to warn of."),
    Refusal.FILE_NONE: gettext_lazy("Choose a file first."),
    Refusal.FILE_COLUMNS: gettext_lazy("The file needs the columns form, doses and expires."),
    Refusal.FILE_HEAD: gettext_lazy(
        "The file has only the names of its columns, and no row below them."
    ),
    Refusal.FILE_TEXT: gettext_lazy(
        "This is no CSV file. Open it in your spreadsheet and save it as CSV."
    ),
    Refusal.FILE_FORM: gettext_lazy("The file is neither CSV nor JSON that we can read."),
    Refusal.FILE_EMPTY: gettext_lazy(
        "No row of the file has a day, a place and something to warn of."
    ),
    Refusal.KIT_ROWS: gettext_lazy("The file has too many rows."),
    Refusal.SHIFT: gettext_lazy("A shift is 1 to 12 hours."),
    Refusal.ON_ALARM: gettext_lazy(
        "They are on an open alarm. End it first. Their shift has ended."
    ),
    Refusal.FORCE_LENGTH: gettext_lazy("Choose 4 to 40 letters or digits."),
    Refusal.FORCE_COMMON: gettext_lazy(
        "People say that anyway, and then it would call for help by mistake. Choose two words or "
        "more that you would never text us otherwise."
    ),
    Refusal.FORCE_PIN: gettext_lazy("This is your PIN. Choose something else."),
    Refusal.FORCE_NOBODY: gettext_lazy("Choose somebody who has said yes to being on your list."),
    Refusal.FORCE_UNREACHED: gettext_lazy(
        "Nothing was kept. We have no number that reaches one of the people you chose, so they "
        "would not hear your word. Add their number and let them answer from it, or choose "
        "somebody else."
    ),
    Refusal.FORCE_UNPROVED: gettext_lazy(
        "Show us first that your number is yours: type the code that we texted to it."
    ),
    Refusal.WISH: gettext_lazy("Choose one of the three wishes."),
}
# What worked, or needs one more step.
NOTES = {
    "added-volunteer": gettext_lazy("Added. Give them their link."),
    "not-a-number": gettext_lazy(
        "We cannot reach that number from here. Type the phone number of somebody in this country, "
        "with its area code."
    ),
    "added": gettext_lazy("Added. They get an invitation now."),
    "yours-to-send": gettext_lazy("Added. Now send the invitation from your own phone."),
    "added-asked": gettext_lazy(
        "Added. We asked this number once already and do not ask twice. "
        "Send the invitation from your own phone."
    ),
    "code-sent": gettext_lazy("Kept. We sent you a code. Type it here, so that we can ring you."),
    "no-code": gettext_lazy(
        "Kept. But we cannot send a code to it now, and until you type one we do not use it. "
        "Ask for the code again later."
    ),
    "send-code": gettext_lazy("The code is on its way. Type it here."),
    "proved": gettext_lazy("Thank you. Now we know it is yours."),
    "prove-first": gettext_lazy(
        "The test comes when we know that the number is yours. Type the code we sent, "
        "or let us send it now."
    ),
    "renewed": gettext_lazy("The old link no longer works. The new one is below."),
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
    "put-out": gettext_lazy("Removed. It no longer opens your pages or gets your notifications."),
    "out-later": gettext_lazy(
        "It was here before this phone, so it goes in a day, unless somebody keeps it there."
    ),
    "removed": gettext_lazy("Taken off your list. They were not told."),
    "kept": gettext_lazy("Kept."),
    "own-first": gettext_lazy("Say first how we reach you, so that we can ask you then."),
    "told": gettext_lazy("We told the others who were called."),
    "done": gettext_lazy("Noted. Everyone on the alarm sees it."),
    "prove": gettext_lazy("First show us below that this is your phone. Nothing was changed."),
    "there-unproved": gettext_lazy(
        "The others read that you are there. Show us below that this is your phone, so that they "
        "can count on it."
    ),
    "not-yours": gettext_lazy(
        "That is not the code. Look at the newest one, or have it sent again."
    ),
    "page-code": gettext_lazy("The code is on its way to where we reach you. Type it below."),
    "noted": gettext_lazy("Noted. Nobody else was called."),
    "untold": gettext_lazy(
        "It is closed, and we told nobody: that is for people to say. Those who were called wait "
        "to hear it from somebody."
    ),
    "on-your-way": gettext_lazy("Thank you. The others who were called learn that you are going."),
    "called-on": gettext_lazy(
        "The others hear it, and we go on calling them: you told us before that it was over, and "
        "they have not answered us since. If you are with them, let them answer on their phone."
    ),
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
    **{str(why): said for why, said in REFUSALS.items()},
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
    "whatsapp": "WhatsApp",
    "telegram": "Telegram",
    "chat": gettext_lazy("chat"),
    "page": gettext_lazy("an open page"),
    "push": gettext_lazy("a notification"),
}


def put(why: Refusal) -> str:
    """A refusal as a sentence."""
    return str(REFUSALS[why])


def way(address: Mapping[str, Any]) -> str:
    """One way to reach somebody, as what they can take away holds it."""
    channel = str(CHANNELS.get(address["channel"], address["channel"]))
    shown = "" if address["channel"] == "page" else address.get("address", "")
    return f"{channel} {shown}".rstrip()


def note(name: str) -> str:
    """The sentence with this name, or nothing: names come from the address bar."""
    return str(NOTES.get(name, ""))


def names(people: list[str]) -> str:
    """ "Leo", "Leo and Maya", "Leo, Maya and Ana"."""
    if len(people) < 2:
        return "".join(people)
    return _("%(these)s and %(last)s") % {"these": ", ".join(people[:-1]), "last": people[-1]}


def someone(name: str) -> str:
    """A name, or a stand-in if none was given."""
    return name or _("Someone")


def the_person(name: str) -> dict[str, str]:
    """Whose list it is, to a contact: ``Name`` stands at a beginning, ``name`` inside."""
    return {
        "Name": name or _("Someone who counts on you"),
        "name": name or _("the person who counts on you"),
    }


# --- time -----------------------------------------------------------------------------------------


def zone(tz: str) -> ZoneInfo:
    """A time zone by name; an unknown one is UTC."""
    return ZoneInfo(tz) if zone_known(tz) else ZoneInfo("UTC")


def zone_known(tz: str) -> bool:
    try:
        Routine(frozenset({0}), 0, tz)
    except ScheduleError:
        return False
    return True


def clock_time(at: int, tz: str, now: int) -> str:
    """ "22:16", with the day if it is another one, and the zone if we do not know theirs."""
    there = zone(tz)
    local, today = (datetime.fromtimestamp(ms / 1000, UTC).astimezone(there) for ms in (at, now))
    told = f"{local:%H:%M}" if there.key != "UTC" else f"{local:%H:%M} UTC"
    if local.date() == today.date():
        return told
    day = date_format(local, _("F j"))
    return _("%(day)s, %(time)s") % {"day": day, "time": told}


def hour(at: int, tz: str) -> int:
    """The hour of the day there."""
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
