"""What a person writes of themselves for their plan: a name, where they are, how to get in.

Owns which texts are kept as such a note: one that begins with NAME, ADDRESS or DOOR stands in place
of what was there; one that only looks like a place fills an empty note. Refuses everything else,
which is read as any text and rings. A cry for help comes before all of it.
"""

from __future__ import annotations

from django.conf import settings

from stillhere.core.reading.notes import Note
from stillhere.core.replies import read_note
from stillhere.store.inbound.list_commands import NOBODY, Said
from stillhere.store.inbound.reply import ParsedInbound
from stillhere.store.models import Person, sealed_columns
from stillhere.store.people import persons


def read(parsed: ParsedInbound) -> Note | None:
    """The note that a text is which means nothing else, or None."""
    if parsed.inbound.kind != "text":
        return None
    note = read_note(parsed.inbound.text, settings.UNDERSTOOD)
    if note is None or note.sure:
        return note
    fills = parsed.address.proved_at and not parsed.person.pin
    return note if fills and not sealed_columns.person_note(parsed.person, note.field) else None


def keep(person: Person, note: Note) -> Said:
    """A note of the plan, sealed. With a PIN, on the page: whoever holds the phone must not send
    people elsewhere."""
    if person.pin:
        return "reply-pin", NOBODY
    if not note.text:
        return "reply-note-how", NOBODY
    persons.set_plan(person, **{note.field: note.text})
    return ("reply-named" if note.field == "name" else "reply-kept"), NOBODY
