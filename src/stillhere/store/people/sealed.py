"""Whether the keys that this process holds open what is sealed in the database.

Owns the question while it runs; at a start ``cli/check/key_fit.py`` asks it. A few of the newest
rows are tried, because a single one may be damaged; where nothing is sealed nothing is proved.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from stillhere.store.db import encryption
from stillhere.store.models import Address, Contact, Person

FAULT = "the keys do not open this database, and nobody can be reached"
MISSING = "a key that sealed some of this database is not here, and not everybody can be reached"
_SOME = 20  # rows of each table


def opens() -> bool:
    """Whether at least one of them opens, or there are none."""
    empty = True
    for field, nonce, blob in _newest():
        empty = False
        with contextlib.suppress(encryption.SealBroken):
            encryption.unseal(blob, field, nonce)
            return True
    return empty


def lacks_a_key() -> bool:
    """Whether one of the newest rows names a data key that is not here: another machine has it."""
    return any(not encryption.is_known(blob) for _field, _nonce, blob in _newest())


def _newest() -> Iterator[tuple[str, bytes, bytes]]:
    for field, rows in (
        ("address.value", Address.objects.values_list("nonce", "value")),
        ("contact.name", Contact.objects.values_list("nonce", "name")),
        ("person.name", Person.objects.values_list("nonce", "name")),
    ):
        for nonce, blob in rows.order_by("-id")[:_SOME]:
            if blob:
                yield field, bytes(nonce), bytes(blob)
