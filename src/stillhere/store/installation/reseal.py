"""Sealing under the newest data key what an older one sealed, a few rows at a time.

Owns which rows name which key. A value is replaced while its row is locked, and only by what opens
to the same; one that is in use is left for later, and one that does not open stays as it is.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from django.db import connection, transaction
from django.db.models import BinaryField, F
from django.db.models.functions import Substr

from stillhere.store.db import encryption
from stillhere.store.db.encryption import SealBroken
from stillhere.store.models import WatchRow
from stillhere.store.models.sealed_columns import SealedTable
from stillhere.store.watches import apply

log = logging.getLogger("stillhere.keys")

MOST_READ = 500
MOST_SEALED = 50  # in one transaction: whoever checks in waits for two milliseconds, no longer


@dataclass(frozen=True, slots=True)
class Resealed:
    """What a look at some rows did: the last id that was looked at (None: the table is at its end),
    how many rows were sealed anew, and how many had to stay as they are."""

    last: int | None
    done: int = 0
    left: int = 0


def some(table: SealedTable, after: int, newest: int) -> Resealed:
    """Look at the rows after this id, and seal anew those that name a key before ``newest``."""
    found = list(_prefixes(table, after)[:MOST_READ])
    old = [id for id, *prefixes in found if any(0 < _number(p) < newest for p in prefixes)]
    part = old[:MOST_SEALED]
    done = _reseal(table, part) if part else 0
    if len(old) > len(part):
        return Resealed(part[-1], done, len(part) - done)
    return Resealed(found[-1][0] if found else None, done, len(part) - done)


def _prefixes(table: SealedTable, after: int = 0):  # type: ignore[no-untyped-def]  # of two bytes
    starts = [Substr(F(name), 1, 2, output_field=BinaryField()) for name in table.columns]
    rows = table.model._default_manager.filter(pk__gt=after).order_by("pk")
    return rows.values_list("pk", *starts)


def _number(prefix: bytes | memoryview | None) -> int:
    return encryption.key_id(prefix) if prefix else 0


def _reseal(table: SealedTable, ids: Iterable[int]) -> int:
    """How many of these rows could be sealed anew. Nothing else of a row is written."""
    done = 0
    with transaction.atomic():
        rows = table.model._default_manager.filter(pk__in=ids).order_by("pk")
        free = rows.select_for_update(skip_locked=connection.features.has_select_for_update)
        for id, nonce, *blobs in free.values_list("pk", "nonce", *table.columns):
            try:
                fresh = {
                    name: encryption.seal(
                        encryption.unseal(blob, table.field(name), nonce), table.field(name), nonce
                    )
                    for name, blob in zip(table.columns, blobs, strict=True)
                    if blob
                }
            except SealBroken:
                log.warning("does not open and stays table=%s id=%d", table.model.__name__, id)
                continue
            if table.model is WatchRow:  # only one file writes watches
                apply.replace_sealed(id, **fresh)
            else:
                table.model._default_manager.filter(pk=id).update(**fresh)
            done += 1
    return done


def named(tables: Iterable[SealedTable]) -> Counter[int]:
    """How many values name each data key. Reads the beginnings of all of them."""
    found: Counter[int] = Counter()
    for table in tables:
        for _id, *prefixes in _prefixes(table).iterator(chunk_size=MOST_READ):
            found.update(number for number in map(_number, prefixes) if number)
    return found
