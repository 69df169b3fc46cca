"""One message on its way from the outbox to a channel: a plain value, for the time of one lease.

``delivery.py`` makes it, the engine sends it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from stillhere.core.messages import AGAIN, LEFT, DeliveryResult, Facts, Fate, Receipt

ONE_BY_ONE = "the list was refused: one by one"
OUR_FAULT = "our own fault"


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
    also: tuple[DeliveryResult, ...] = ()

    def result(self, receipt: Receipt) -> DeliveryResult:
        """What became of it, and of those that left within it: where it was refused, or we could
        not send it, each of them goes by itself."""
        alone = receipt.fate not in LEFT | AGAIN or receipt.why == OUR_FAULT
        theirs = (
            Receipt(Fate.BUSY, why=ONE_BY_ONE) if alone else replace(receipt, carrier="", cost=None)
        )
        return DeliveryResult(
            self.channel,
            receipt,
            message=self.id,
            watch=self.watch,
            contact=self.contact,
            address=self.address,
            attempts=self.attempts,
            also=tuple(replace(each, receipt=theirs) for each in self.also),
        )
