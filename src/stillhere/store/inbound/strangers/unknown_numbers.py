"""What is said back to a number that nobody has here, where no watch begins: one text a day.

To a cry for help from a country whose numbers are never texted or rung here: silence would be taken
for help on its way. To anybody else who says anything, once: what this is, and whom to call. Owns
these answers and how many there are, because each costs money and a machine may be at the other
end. The number is found by nothing that comes in later.
"""

from __future__ import annotations

import hashlib

from django.conf import settings
from django.db import transaction

from stillhere.core.events import Urgency
from stillhere.core.messages import TELEGRAM, Inbound
from stillhere.core.replies import language_of
from stillhere.store.db import budgets, encryption
from stillhere.store.models import Address
from stillhere.store.people import notices, persons, suppression

ABROAD, HELLO, OLD_CODE = "reply-abroad", "reply-hello", "reply-code-old"
OF_A_NUMBER = 1  # a day
ALL_ABROAD = 20
ALL_HELLOS = 200
_OF_ALL = {ABROAD: ALL_ABROAD, HELLO: ALL_HELLOS, OLD_CODE: ALL_HELLOS}


def answer(inbound: Inbound, now: int, *, cries: bool) -> None:
    """Say the one thing that can be said to this number, if there is one. ``cries``: they ask for
    help."""
    word = HELLO if may_reach(inbound) else ABROAD if cries else ""
    if word and may_reach(inbound, anywhere=True):
        say(inbound, word, now)


def may_reach(inbound: Inbound, *, anywhere: bool = False) -> bool:
    """Whether whoever says this may be written to: a chat has no country."""
    return inbound.channel == TELEGRAM or settings.MAY_REACH(inbound.sender, anywhere=anywhere)


def say(inbound: Inbound, word: str, now: int) -> None:
    """This one word, back to where it came from, if enough were not said already."""
    channel, number = inbound.channel, inbound.sender
    limits = [
        budgets.limit("answered today", OF_A_NUMBER, word, number),
        budgets.limit("enough were answered today", _OF_ALL[word], f"all {word}"),
    ]
    if suppression.refuses([(channel, number)]) or budgets.take(limits, now):
        return
    lang = language_of(inbound.text, settings.UNDERSTOOD) or settings.LANGUAGE_CODE
    with transaction.atomic():
        way = _way_back(channel, number, lang, now)
        message = notices.calm_message(way, way.person_id, word, f"q{way.id}", now)
        message.urgency = Urgency.NEWS
        message.save()


def _way_back(channel: str, number: str, lang: str, now: int) -> Address:
    """The number as somebody's who is erased in a day; its look-up is that of no number."""
    person, _ = persons.new_person(lang)
    person.caller = True
    person.save(update_fields=["caller"])
    nonce = encryption.new_nonce()
    return Address.objects.create(
        person=person,
        nonce=nonce,
        channel=channel,
        value=encryption.seal(number, "address.value", nonce),
        lookup=hashlib.sha256(nonce).digest(),
        since_at=now,
        proved_at=now,
    )
