"""Everything that is stored about one contact, as one value that they can take away. Changes
nothing.

What the person wrote down for others (place, door) is the person's, and not in it.
"""

from __future__ import annotations

from typing import Any

from stillhere.store.kits import kits
from stillhere.store.models import Contact, Deed, JournalLine, Message, sealed_columns
from stillhere.store.privacy.export import CONTACT_FIELDS, KIT_FIELDS, address_of

# What Sam decided about them and does not tell them.
NOT_TOLD = ("id", "rung", "door", "door_at", "why")
MESSAGE_FIELDS = ("channel", "word", "status", "due_at", "created_at", "done_at")


def everything(contact: Contact) -> dict[str, Any]:
    """All of it, unsealed. Times are ms since 1970 UTC; no key is in it."""
    said = JournalLine.objects.filter(contact=contact.id).order_by("id")
    sent = Message.objects.filter(contact=contact).order_by("id")
    done = Deed.objects.filter(contact=contact).order_by("id")
    fields = [name for name in CONTACT_FIELDS if name not in NOT_TOLD]
    return {
        "name": sealed_columns.contact_name(contact),
        "on_the_list_of": sealed_columns.person_note(contact.person, "name"),
        "addresses": [address_of(a) for a in contact.addresses.order_by("id")],
        "kits": [{name: getattr(kit, name) for name in KIT_FIELDS} for kit in kits.of(contact)],
        "messages": list(sent.values(*MESSAGE_FIELDS)),
        "what_you_said": list(said.values("at", "event")),
        "what_you_did": list(done.values("at", "what", "form")),
    } | {name: getattr(contact, name) for name in fields}
