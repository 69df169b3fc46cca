"""The six digits that DELETE brings, and that erase somebody when they are texted back.

Whoever forges a number can text from it, and never reads what we send to it. Owns the code and how
it is read; erasing is ``privacy/erasure.py``'s.
"""

from __future__ import annotations

import hmac
import re

from django.conf import settings

from stillhere.core.replies import Intent, Role, read_text
from stillhere.store.db import budgets, encryption
from stillhere.store.models import Address, Message
from stillhere.store.people.numbers import address_proof, strangers

WORD = "reply-delete"
_SAID = re.compile(r"(\D{0,40}?)[\s:.,-]*(\d{6})[.!]?")


def code_of(nonce: bytes | memoryview) -> str:
    """The code of the address with this nonce: always the same, and never stored."""
    return address_proof.code_from(encryption.key_for("erase", nonce))


def is_said(address: Address, text: str, now: int) -> bool:
    """Whether a text is the code that this address was sent. A try is counted before it is looked
    at."""
    if not _typed(text) or not Message.objects.filter(address=address, word=WORD).exists():
        return False
    if budgets.take([strangers.tries_of_owner(f"erase {address.person_id}")], now):
        return False
    return is_of(address, text)


def is_of(address: Address, text: str) -> bool:
    """Whether this is the code of that address, whoever says it."""
    return hmac.compare_digest(code_of(address.nonce), _typed(text))


def _typed(text: str) -> str:
    """Six digits, alone or after DELETE, or nothing."""
    found = _SAID.fullmatch(text.strip())
    if found is None:
        return ""
    read = read_text(found[1], Role.PERSON, settings.UNDERSTOOD, watching=False)
    return "" if found[1].strip() and read is not Intent.DELETE else address_proof.digits(found[2])
