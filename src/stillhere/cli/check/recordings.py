"""What people said in a call: what of it still lies where we cannot delete it.

None of this makes an installation count as practice. Changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterator

from stillhere.config.environment import Stillhere
from stillhere.store.recordings import at_carriers

Finding = tuple[bool, str]


def left_behind(stillhere: Stillhere) -> Iterator[Finding]:
    """Sounds that lie at a carrier which is not in the settings any more."""
    ours = {carrier.name for carrier in stillhere.carriers}
    for name, count in at_carriers.owed_to().items():
        if name not in ours:
            lies = "1 recording still lies" if count == 1 else f"{count} recordings still lie"
            where = f"{lies} at {name}, which is not among STILLHERE_CARRIERS any more."
            yield False, f"{where} Delete it there, or name {name} again: then we delete it."
