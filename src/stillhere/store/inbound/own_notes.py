"""What a person writes of themselves for their plan: a name, where they are, how to get in.

Owns which texts are kept as such a note: one that begins with NAME, ADDRESS or DOOR stands in place
of what was there; one that only looks like a place fills an empty note; so does the answer to our
question where they are. In an alarm nothing is replaced: what comes then may be forged, and stands
beside what was there. Refuses everything else, which is read as any text and rings. A cry for help
comes before all of it.
"""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from django.conf import settings
from django.utils import translation
from django.utils.translation import gettext as _

from stillhere.core.reading.notes import Note
from stillhere.core.replies import read_note, read_where, read_where_in_cry
from stillhere.store.inbound import place
from stillhere.store.inbound.list_commands import NOBODY, Said
from stillhere.store.inbound.reply import ParsedInbound
from stillhere.store.models import Contact, Message, Person, WatchRow, sealed_columns
from stillhere.store.people import clean_text, contacts, persons
from stillhere.store.recordings import notes
from stillhere.store.watches.queries import ALARMED

# What asks where they are.
ASKS = ("reply-welcome-shift", "reply-helping-shift", "reply-named", "reply-note-how")
BESIDE_MOST = 200  # letters of what is put beside a note


def read(parsed: ParsedInbound) -> Note | None:
    """The note that a text is which means nothing else, or None."""
    if parsed.inbound.kind != "text":
        return None
    person, text = parsed.person, parsed.inbound.text
    note, in_alarm = read_note(text, settings.UNDERSTOOD), _in_alarm(person)
    if note is not None and note.sure:
        renames = note.field == "name" and in_alarm and _has(person, "name")
        return None if renames else note
    if not parsed.address.proved_at or person.pin:
        return None
    if note is not None and (not _has(person, note.field) or (in_alarm and note.field == "place")):
        return note
    if _has(person, "place") or not _was_asked(person):
        return None
    return read_where(text, settings.UNDERSTOOD, anything=in_alarm)


def keep(parsed: ParsedInbound, note: Note, now: int) -> Said:
    """A note of the plan, sealed. With a PIN, on the page: whoever holds the phone must not send
    people elsewhere. In an alarm whoever comes reads it at once."""
    person = parsed.person
    if person.pin:
        return "reply-pin", NOBODY
    if not note.text:
        return "reply-note-how", NOBODY
    before, in_alarm = sealed_columns.person_note(person, note.field), _in_alarm(person)
    beside = in_alarm and before
    text = _beside(person, before, note.text, now) if beside else note.text
    persons.set_plan(person, **{note.field: text})
    if note.sure:
        notes.take_away(person, note.field)
    if note.field == "name":
        return "reply-named", NOBODY
    if in_alarm and text != before:
        place.tell_of_change(person, f"r{parsed.arrival}", now)
    return "reply-kept", NOBODY


def show_door(parsed: ParsedInbound, now: int) -> Contact | None:
    """The contact whose code this text is: they hear the place from now on, in an open alarm too.
    The code says that whoever wrote reads this phone."""
    if parsed.inbound.kind != "text" or not parsed.address.proved_at:
        return None
    contact = contacts.show_door_by_code(parsed.person, parsed.inbound.text, now)
    if contact is not None:
        place.tell_of_change(parsed.person, f"r{parsed.arrival}", now)
    return contact


def keep_where_of_cry(parsed: ParsedInbound, now: int) -> None:
    """A cry in which an address stands says where, if nothing did before."""
    person, mine = parsed.person, parsed.address.proved_at and not parsed.person.pin
    if parsed.inbound.kind == "text" and mine and not _has(person, "place"):
        note = read_where_in_cry(parsed.inbound.text, settings.UNDERSTOOD)
        if note is not None:
            persons.set_plan(person, place=note.text)
            place.tell_of_change(person, f"r{parsed.arrival}", now)


def _beside(person: Person, before: str, said: str, now: int) -> str:
    """Both, and since when, in the language of who wrote it. What was there first stays whole, and
    the newest."""
    if said.casefold() in before.casefold():
        return before
    there = datetime.fromtimestamp(now / 1000, UTC).astimezone(ZoneInfo(person.tz or "UTC"))
    with translation.override(settings.SPOKEN.of(person.lang).code):
        facts = {"time": f"{there:%H:%M}", "said": said[:BESIDE_MOST]}
        more = _("; and since %(time)s, by text: %(said)s") % facts
    return before[: clean_text.LONGEST_NOTE - len(more)] + more


def _has(person: Person, field: str) -> bool:
    return bool(sealed_columns.person_note(person, field))


def _in_alarm(person: Person) -> bool:
    return WatchRow.objects.filter(person=person, state__in=ALARMED).exists()


def _was_asked(person: Person) -> bool:
    """Whether we asked where they are, in a watch that is open."""
    asked = Message.objects.filter(person=person, contact=None, word__in=ASKS)
    return asked.filter(watch__closed_at=None, watch__isnull=False).exists()
