"""Where the person is, by text, for a contact whose phone opens no page.

Owns who may be told: the same as on the page (``web/contact/alarm_text.py``), a contact who said
yes, to whom the person shows the door, once they said in this alarm that they are going. The place
itself is opened only when the message leaves.
"""

from __future__ import annotations

from collections.abc import Sequence

from stillhere.store.inbound.reply import ParsedInbound, queue
from stillhere.store.messages.spoken_of import PLACE
from stillhere.store.models import Contact, WatchRow
from stillhere.store.watches import rows

ASK_FIRST = "reply-where"
AFTER_MS = 1_000  # after the thanks


def answer(contact: Contact, alarms: Sequence[int]) -> str:
    """What "where?" is answered with."""
    return PLACE if _may_be_told(contact, alarms) else ASK_FIRST


def tell_after_claim(
    parsed: ParsedInbound, contact: Contact, alarms: Sequence[int], now: int
) -> None:
    """Whoever is going to somebody without a page reads where, unasked."""
    told = parsed.person.caller and parsed.person.place and parsed.inbound.kind == "text"
    if told and _may_be_told(contact, alarms):
        queue(parsed, PLACE, {}, now, due_at=now + AFTER_MS)


def _may_be_told(contact: Contact, alarms: Sequence[int]) -> bool:
    if contact.status != Contact.Status.CONFIRMED or not contact.door:
        return False
    texts = WatchRow.objects.filter(id__in=list(alarms)).values_list("alarm", flat=True)
    open_ones = filter(None, map(rows.alarm_or_none, texts))
    return any(
        contact.id not in alarm.out
        and (
            contact.id in alarm.arrivals
            or any(c.contact == contact.id and c.known for c in alarm.claims)
        )
        for alarm in open_ones
    )
