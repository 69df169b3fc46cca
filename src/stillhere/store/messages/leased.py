"""One message on its way from the outbox to a channel: a plain value, for the time of one lease.

``delivery.py`` makes it, the engine sends it.
"""

from __future__ import annotations

from dataclasses import dataclass

from stillhere.core.messages import DeliveryResult, Facts, Receipt


@dataclass(frozen=True, slots=True)
class LeasedMessage:
    """One message with everything needed to render and send it, read a moment ago.

    ``to`` is the address in clear, for the coordinator several, or ``""``. ``watch_nonce`` and
    ``contact_nonce`` are what the links are derived from, ``carried`` is what the link
    carries to prove whose phone it is opened on, or in a page what it ends with.
    """

    id: int
    key: str
    channel: str
    word: str
    facts: Facts
    attempts: int
    to: str
    lang: str
    watch: int | None
    watch_nonce: bytes
    contact: int | None
    contact_nonce: bytes
    address: int | None
    lapses_at: int | None
    carrier: str = ""
    carried: str = ""

    def result(self, receipt: Receipt) -> DeliveryResult:
        """What became of it."""
        return DeliveryResult(
            self.channel,
            receipt,
            message=self.id,
            watch=self.watch,
            contact=self.contact,
            address=self.address,
            attempts=self.attempts,
        )
