"""What `stillhere check` has proved about this installation, and for how long that counts.

Owns the two columns of the installation's row that store it. Proves nothing itself.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection

from stillhere.store.installation import desk_key
from stillhere.store.models import Installation
from stillhere.store.watches import queries

PUBLIC, HEARTBEAT, AWAKE, RINGS = "public", "heartbeat", "awake", "rings"
EVERYTHING = (PUBLIC, HEARTBEAT, AWAKE, RINGS)
COUNTS_MS = 30 * 24 * 3600 * 1000  # after that the machine may be another


def keep(proved: Collection[str], base_url: str, now: int) -> None:
    """Store what was proved at ``now`` about the installation that is reached at ``base_url``."""
    found = json.dumps({"base_url": base_url, "proved": sorted(proved)})
    Installation.objects.filter(id=1).update(checked=found, checked_at=now)


def proved(here: Installation, base_url: str, now: int) -> frozenset[str]:
    """What still counts as proved: nothing old, and nothing that was proved for another address."""
    if not here.checked or not 0 <= now - here.checked_at <= COUNTS_MS:
        return frozenset()
    try:
        found = json.loads(here.checked)
        same = found["base_url"] == base_url
        return frozenset(found["proved"]) if same else frozenset()
    except (ValueError, KeyError, TypeError):
        return frozenset()


def identity() -> str:
    """Distinguishes this installation from another at the same address; opens nothing."""
    desk_key.key()  # makes what it is derived from, the first time
    return identity_of(queries.installation())


def identity_of(here: Installation) -> str:
    """The same, from a row that has been read; "" before there is one."""
    nonce = bytes(here.desk_nonce)
    return hashlib.sha256(b"identity" + nonce).hexdigest()[:16] if nonce else ""
