"""Which ways to somebody are not proved yet, as a page may name them to whoever looks at it.

A link may have been passed on, so a number is named by its end only.
"""

from __future__ import annotations

from collections.abc import Sequence

from stillhere.store.models import Address, Contact, Person, sealed_columns
from stillhere.store.people.numbers import address_proof
from stillhere.web.site import page_text


def unproved(owner: Person | Contact, ways: Sequence[Address] | None = None) -> list[str]:
    """Each of them, a phone once: "…0101", "e-mail". Of their ``ways``, where the caller has
    them."""
    names = []
    for way in address_proof.unproved(owner, ways):
        phone = way.channel in ("text", "call", "whatsapp")
        end = f"…{sealed_columns.address_value(way)[-4:]}"
        names.append(end if phone else str(page_text.CHANNELS.get(way.channel, way.channel)))
    return list(dict.fromkeys(names))
