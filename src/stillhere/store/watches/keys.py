"""New keys for the watches of somebody who makes a new link or puts a browser out.

Whoever was let in, or was sent a question, knows the address of an open watch and may answer there.
Owns what dies with those keys, and that a question which is open is asked once more with the new
one. The row itself is written by ``apply.py``.
"""

from __future__ import annotations

import json

from django.db import transaction

from stillhere.core.events import State
from stillhere.store.db import encryption
from stillhere.store.models import Message, WatchRow
from stillhere.store.watches import apply, damage, queries
from stillhere.store.watches.outbox import ASK_WORDS

_NO_LINK = "call"  # a voice reads out no address
_ONCE_MS = 60_000  # however often somebody presses


def renew(person: int, now: int) -> None:
    """Give every watch of ``person`` a new key, also those that are over: their pages lead to the
    open ones. In the caller's transaction, and before it locks the person: whoever steps a watch
    locks in that order."""
    assert transaction.get_connection().in_atomic_block
    for row in _locked(person):
        nonce = encryption.new_nonce()
        apply.replace_key(row, nonce)
        if row.state == State.ASKING:
            _ask_again(row, now)


def _locked(person: int) -> list[WatchRow]:
    mine = WatchRow.objects.select_for_update().filter(person=person).order_by("id")
    return damage.around(
        lambda: list(mine),
        lambda: queries.readable_rows(queries.named("person_id = %s", person)),
    )


def _ask_again(row: WatchRow, now: int) -> None:
    """What was sent for the open question leads nowhere now. Its next stages bring the new key by
    themselves; until then this does."""
    sent = Message.objects.filter(
        watch=row,
        word__in=ASK_WORDS.values(),
        address__isnull=False,
        lapses_at__gt=now,
        attempts__gt=0,
    )
    newest = {
        m.address_id: m
        for m in sent.exclude(channel=_NO_LINK).order_by("id")
        if json.loads(m.facts)["ask"] == row.asks
    }
    Message.objects.bulk_create(
        [_copy(m, f"k{row.id}.{now // _ONCE_MS}.{address}", now) for address, m in newest.items()],
        ignore_conflicts=True,
    )


def _copy(m: Message, key: str, now: int) -> Message:
    same = ("watch_id", "person_id", "address_id", "channel", "word", "facts", "alarm", "urgency")
    return Message(
        **{name: getattr(m, name) for name in same},
        key=key, lapses_at=m.lapses_at, due_at=now, created_at=now,
    )  # fmt: skip
