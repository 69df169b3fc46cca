"""What people say in a call: where it cannot be recorded, and what of it lies where we cannot
delete it.

None of this makes an installation count as practice. Changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterator

from stillhere.channels.carriers.carrier import RECORDS
from stillhere.config.environment import Stillhere
from stillhere.store.recordings import at_carriers

Finding = tuple[bool, str]


def by_call(stillhere: Stillhere) -> Iterator[Finding]:
    """Whoever rings can say where they are only where the call is recorded."""
    calls = [carrier for carrier in stillhere.carriers if "call" in carrier.carries]
    mute = sorted(carrier.name for carrier in calls if carrier.kind not in RECORDS)
    if mute:
        how = "They are told to text it." if _texts(stillhere) else "Nor can they text it here."
        who = f"Calls by {', '.join(mute)} cannot be recorded: who rings there cannot say"
        yield False, f"{who} their name, where they are or how to get in. {how}"


def _texts(stillhere: Stillhere) -> bool:
    return any("text" in carrier.carries for carrier in stillhere.carriers)


def left_behind(stillhere: Stillhere) -> Iterator[Finding]:
    """Sounds that lie at a carrier which is not in the settings any more."""
    ours = {carrier.name for carrier in stillhere.carriers}
    for name, count in at_carriers.owed_to().items():
        if name not in ours:
            lies = "1 recording still lies" if count == 1 else f"{count} recordings still lie"
            where = f"{lies} at {name}, which is not among STILLHERE_CARRIERS any more."
            yield False, f"{where} Delete it there, or name {name} again: then we delete it."
