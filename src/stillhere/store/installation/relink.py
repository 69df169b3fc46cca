"""Another links' key: what dies with the old one, and the new hash for every row that has a link.

Owns which rows have one. A row whose hash is not that of the old key keeps it: it was taken away on
purpose, or is done already, so that whatever was interrupted can be begun again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.db import transaction
from django.db.models import Model

from stillhere.store.db import encryption
from stillhere.store.models import (
    Contact,
    Kit,
    Peer,
    Person,
    Recording,
    Responder,
    SpokenNote,
    WatchRow,
)
from stillhere.store.watches import apply

MOST = 500  # rows in one transaction
KEYED: Sequence[type[Model]] = (
    Person, Contact, Responder, Kit, Recording, SpokenNote, Peer, WatchRow,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Links:
    """How many links there are of each kind. ``phones`` are people's own that still hold the key
    itself, as they did until there were sessions."""

    contacts: int
    watches: int
    volunteers: int
    stickers: int
    peers: int
    phones: int


def count() -> Links:
    """What dies with the links' key."""
    return Links(
        Contact.objects.filter(status__in=["invited", "confirmed"]).count(),
        WatchRow.objects.filter(closed_at__isnull=True).count(),
        Responder.objects.count(),
        Kit.objects.count(),
        Peer.objects.count(),
        Person.objects.filter(key_in_cookie=True, trial=False).count(),
    )


def rekey(old: bytes, new: bytes) -> int:
    """Store the hashes of the keys that ``new`` gives, in place of those of ``old``; returns how
    many rows that was. Nobody may work with either meanwhile."""
    done = 0
    for model in KEYED:
        purpose, last = model._meta.db_table, 0
        while True:
            rows = model._default_manager.filter(pk__gt=last).order_by("pk")
            part = list(rows.values_list("pk", "nonce", "key_hash")[:MOST])
            if not part:
                break
            last = part[-1][0]
            fresh = {
                pk: encryption.key_hash(encryption.key_from(new, purpose, nonce))
                for pk, nonce, known in part
                if encryption.key_hash(encryption.key_from(old, purpose, nonce)) == bytes(known)
            }
            _store(model, fresh)
            done += len(fresh)
    return done


def _store(model: type[Model], fresh: dict[int, bytes]) -> None:
    with transaction.atomic():
        for pk, key_hash in fresh.items():
            if model is WatchRow:  # only one file writes watches
                apply.replace_sealed(pk, key_hash=key_hash)
            else:
                model._default_manager.filter(pk=pk).update(key_hash=key_hash)
