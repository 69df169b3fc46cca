"""A cry for help by text from a country whose numbers are never texted or rung here.

Nobody can be called for it, and silence would be taken for help on its way. So one text a day says
to call the emergency number. Owns that answer and how many there are: each costs what a text abroad
costs, and somebody earns by it. Its number is found by nothing that comes in later: no watch can
begin from it.
"""

from __future__ import annotations

import hashlib

from django.conf import settings
from django.db import transaction

from stillhere.core.events import Urgency
from stillhere.core.messages import Inbound
from stillhere.core.replies import language_of
from stillhere.store.db import budgets, encryption
from stillhere.store.models import Address
from stillhere.store.people import notices, persons, suppression

WORD = "reply-abroad"
OF_A_NUMBER = 1  # a day
OF_ALL = 20


def answer(inbound: Inbound, now: int) -> None:
    """Say to whoever asks for help by text that nobody comes from here."""
    number = inbound.sender
    if settings.MAY_REACH(number) or not settings.MAY_REACH(number, anywhere=True):
        return
    limits = [
        budgets.limit("answered today", OF_A_NUMBER, "abroad", number),
        budgets.limit("enough were answered today", OF_ALL, "all abroad"),
    ]
    if suppression.refuses([("text", number)]) or budgets.take(limits, now):
        return
    lang = language_of(inbound.text, settings.UNDERSTOOD) or settings.LANGUAGE_CODE
    with transaction.atomic():
        way = _way_back(number, lang, now)
        message = notices.calm_message(way, way.person_id, WORD, f"q{way.id}", now)
        message.urgency = Urgency.NEWS
        message.save()


def _way_back(number: str, lang: str, now: int) -> Address:
    """The number as somebody's who is erased in a day; its look-up is that of no number."""
    person, _ = persons.new_person(lang)
    person.caller = True
    person.save(update_fields=["caller"])
    nonce = encryption.new_nonce()
    return Address.objects.create(
        person=person,
        nonce=nonce,
        channel="text",
        value=encryption.seal(number, "address.value", nonce),
        lookup=hashlib.sha256(nonce).digest(),
        since_at=now,
        proved_at=now,
    )
