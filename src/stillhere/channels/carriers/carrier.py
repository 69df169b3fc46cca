"""Who carries texts and calls, as a value. Read from the settings by ``config/carriers.py``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

MOST_PICTURE = 3 * 1024 * 1024  # a phone sends the pictures of a message along
MOST_WEBHOOK = 32 * 1024  # bytes: ten segments of emoji are 19 KB, and carriers tell no more
# What speaks Twilio's API, and where an account's resources live there.
ACCOUNTS = {
    "twilio": "/2010-04-01/Accounts/{}",
    "whatsapp": "/2010-04-01/Accounts/{}",  # a sender of WhatsApp, at Twilio
    "signalwire": "/api/laml/2010-04-01/Accounts/{}",
    "telnyx": "/v2/texml/Accounts/{}",
    "sip": "/2010-04-01/Accounts/{}",  # our own line, on this machine (``line/``)
}
RECORDS = ("twilio", "signalwire")  # whose recordings we can fetch and delete
PLAYS = ("twilio", "signalwire", "telnyx")  # who plays in a call what lies with us


@dataclass(frozen=True, slots=True)
class Carrier:
    """One company or device that carries texts, calls or both.

    ``name`` is in our web address for its webhooks and in the log. ``sender`` is our number there
    (E.164; empty where the carrier knows it). ``carries``: of ``text``, ``call`` and ``whatsapp``.
    ``per_s`` is how many messages it takes a second, None for no limit of its own. ``low`` is the
    balance, in whole units of its currency, below which `stillhere check` warns; ``cap`` what it
    may take in a month before what can wait does wait.
    """

    name: str
    kind: str
    base_url: str
    account: str
    secret: str = field(repr=False)
    sender: str
    carries: tuple[str, ...]
    per_s: float | None = None
    low: int | None = None
    cap: int | None = None
    options: Mapping[str, str] = field(
        default_factory=lambda: MappingProxyType({}), repr=False, hash=False
    )
