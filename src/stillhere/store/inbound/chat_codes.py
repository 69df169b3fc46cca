"""Codes that connect a chat with our bot to somebody, and what happens when one comes in.

A code has 128 bits, counts once and for a quarter of an hour, and is stored as its hash. Whoever
shows it in a chat is taken for whoever asked for it on their page; a newer chat takes the place of
an older one. Always beside their other ways, never instead of them.
"""

from __future__ import annotations

import hashlib
import secrets

from django.db import transaction
from django.db.models import QuerySet

from stillhere.core.messages import TELEGRAM, Inbound
from stillhere.store.db import clock
from stillhere.store.inbound.reply import ParsedInbound, queue
from stillhere.store.inbound.strangers import unknown_numbers
from stillhere.store.models import Address, Browser, ChatCode, Contact, Person
from stillhere.store.people import address_book, notices, suppression
from stillhere.store.problems import Reached

BYTES = 16
GOOD_MS = 15 * 60_000


def new(owner: Person | Contact, browser: Browser | None = None) -> str:
    """A code for this owner, who asked for it in this ``browser``. One before it ends."""
    code = secrets.token_urlsafe(BYTES)
    whose = _whose(owner)
    with transaction.atomic():
        ChatCode.objects.filter(**whose).delete()
        until_at = clock.now_ms() + GOOD_MS
        ChatCode.objects.create(**whose, browser=browser, code_hash=_hash(code), until_at=until_at)
    return code


def is_connected(owner: Person | Contact) -> bool:
    """Whether a chat of theirs works."""
    return _chats(owner).filter(state=Address.State.OK).exists()


def disconnect(owner: Person | Contact) -> None:
    """No chat is theirs any more, and no code makes one so."""
    with transaction.atomic():
        ChatCode.objects.filter(**_whose(owner)).delete()
        _chats(owner).delete()


def connect(inbound: Inbound, arrival: int, now: int) -> None:
    """Whoever wrote this is whom its code was made for; the chat hears so, or that the code is no
    good. Always inside the transaction of ``inbox.take``."""
    row = (
        ChatCode.objects.select_for_update(of=("self",))
        .filter(code_hash=_hash(inbound.connects), until_at__gt=now)
        .first()
    )
    owner = (row.person or row.contact) if row is not None else None
    if row is None or owner is None:
        unknown_numbers.say(inbound, unknown_numbers.OLD_CODE, now)
        return
    browser = row.browser
    row.delete()
    suppression.lift(TELEGRAM, inbound.sender)  # they opened the chat themselves
    _chats(owner).delete()
    address = address_book.add_address(
        Reached(TELEGRAM, inbound.sender, rings=False),
        person=owner if isinstance(owner, Person) else None,
        contact=owner if isinstance(owner, Contact) else None,
        browser=browser,
        now=now,
        proved_at=now,
    )
    mine = ParsedInbound(inbound, arrival, address, None, (address,))
    notices.tell_of_chat(address, now)  # who holds an unlocked phone can connect their own
    whose = "reply-chat" if isinstance(owner, Person) else "reply-chat-contact"
    queue(mine, whose, {}, now)


def forget(now: int) -> None:
    """Drop the codes whose time is over."""
    ChatCode.objects.filter(until_at__lte=now).delete()


def _whose(owner: Person | Contact) -> dict[str, Person | Contact]:
    return {"person" if isinstance(owner, Person) else "contact": owner}


def _chats(owner: Person | Contact) -> QuerySet[Address]:
    return Address.objects.filter(**_whose(owner), channel=TELEGRAM)


def _hash(code: str) -> bytes:
    return hashlib.sha256(code.encode()).digest()
