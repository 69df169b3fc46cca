"""Other installations that this one looks after: they call in, and their silence is reported.

Owns the ``Peer`` rows and the pages about them, which belong to no watch. A peer calls in as long
as its own proof holds (the heartbeat of ``engine/loop.py`` over there), with a key of ours that
only says "we are alive" and opens nothing. Never holds a period against a peer in which we
ourselves were down or behind, because then it could not be heard.
"""

from __future__ import annotations

import json
from dataclasses import dataclass

from django.db import IntegrityError, transaction

from stillhere.core.events import Urgency
from stillhere.store.db import clock, encryption
from stillhere.store.db.optional_tables import OUTAGES
from stillhere.store.models import Message, Outage, Peer
from stillhere.store.people.clean_text import LONGEST_NAME, readable
from stillhere.store.watches.outbox import COORDINATOR

SILENT_MS = 180_000  # three beats missed, in real time
REPEAT_MS = 30 * 60_000
KEPT_MS = 5_000  # beats closer than this are one
SILENT, BACK = "page-peer-silent", "page-peer-back"


@dataclass(frozen=True, slots=True)
class PeerStatus:
    """A peer as it stands. ``heard_at`` 0: never."""

    name: str
    heard_at: int
    silent: bool


class NameWrong(ValueError):
    """A peer cannot have this name. The message says why, to the coordinator at the terminal."""


def add(name: str) -> str:
    """Look after one more; returns the key it calls in with, which is not stored anywhere. Raises
    ``NameWrong`` for a name that is taken or empty."""
    name = readable(name.replace("\n", " "))[:LONGEST_NAME]
    if not name:
        raise NameWrong("give it a name")
    nonce = encryption.new_nonce()
    key = encryption.key_for("peer", nonce)
    try:
        with transaction.atomic():
            Peer.objects.create(
                name=name,
                nonce=nonce,
                key_hash=encryption.key_hash(key),
                created_at=clock.now_ms(),
            )
    except IntegrityError:
        raise NameWrong(f"there is one called {name} already") from None
    return key


def remove(name: str) -> bool:
    """Stop looking after it; its key opens nothing from now on. False if there is none."""
    return Peer.objects.filter(name=name).delete()[0] > 0


def seen(now: int, rate: float | None = None) -> list[PeerStatus]:
    """All of them, by name. ``rate`` is the clock's, where the caller has read it."""
    silent_ms = SILENT_MS * (clock.read().rate if rate is None else rate)
    return [
        PeerStatus(peer.name, peer.heard_at, 0 < peer.heard_at <= now - silent_ms)
        for peer in Peer.objects.order_by("name")
    ]


def beat(key: str, now: int) -> bool:
    """A peer calls in; False for a key that opens nothing. Written at most once every few
    seconds."""
    peer = Peer.objects.filter(key_hash=encryption.key_hash(key)).values("id", "heard_at").first()
    if peer is None:
        return False
    if not 0 <= now - peer["heard_at"] < KEPT_MS:
        Peer.objects.filter(id=peer["id"]).update(heard_at=now)
    return True


def look(now: int, well_since_at: int) -> list[str]:
    """Page the coordinator about peers that fell silent or are back; returns the words that were
    queued.

    ``well_since_at`` is since when we ourselves could hear. Our own outages are looked up here, and
    silence before either does not count. Two engines may look at once: whichever moves ``told_at``
    queues the page.
    """
    rate = clock.read().rate
    ended = Outage.objects.order_by("-to_at").values_list("to_at", flat=True)
    outage_at = OUTAGES.around(ended.first, None) or 0
    well_since_at = max(well_since_at, outage_at)
    # A clock that was set back may have left beats in the future, where none would be missed.
    Peer.objects.filter(heard_at__gt=now).update(heard_at=now)
    Peer.objects.filter(told_at__gt=now).update(told_at=now)
    return [
        word
        for peer in Peer.objects.filter(heard_at__gt=0).order_by("id")
        if (word := _due(peer, now, well_since_at, rate)) and _page(peer, word, now)
    ]


def _due(peer: Peer, now: int, well_since_at: int, rate: float) -> str:
    """The word that is to be said about a peer now, or nothing."""
    if peer.told_at and peer.heard_at > peer.told_at:
        return BACK
    if now - max(peer.heard_at, well_since_at) < SILENT_MS * rate:
        return ""
    if peer.told_at and now - peer.told_at < REPEAT_MS * rate:
        return ""
    return SILENT


def _page(peer: Peer, word: str, now: int) -> bool:
    """Queue one page; False if another engine was first, or the peer has been heard meanwhile."""
    with transaction.atomic():
        same = Peer.objects.filter(id=peer.id, told_at=peer.told_at, heard_at=peer.heard_at)
        if not same.update(told_at=now if word == SILENT else 0):
            return False
        Message.objects.create(
            key=f"peer{peer.id}.{now}.{word}",
            channel=COORDINATOR,
            word=word,
            facts=json.dumps({"peer": peer.id, "at": peer.heard_at}),
            urgency=Urgency.RING,
            due_at=now,
            # What could not leave until it is said again need not leave any more.
            lapses_at=now + REPEAT_MS if word == SILENT else None,
            created_at=now,
        )
    return True


def erase_pages(now: int, days: int) -> int:
    """Erase pages that belong to no watch after ``days``, since nothing else would; returns how
    many."""
    old = Message.objects.filter(
        channel=COORDINATOR, watch__isnull=True, created_at__lt=now - days * 86_400_000
    )
    return old.exclude(status=Message.Status.QUEUED).delete()[0]


def names(ids: list[int]) -> dict[int, str]:
    """The names of the peers whom messages speak of."""
    return dict(Peer.objects.filter(id__in=ids).values_list("id", "name")) if ids else {}
