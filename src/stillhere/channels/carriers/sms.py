"""Texts through Twilio's API and whoever speaks it. See ``twilio.py`` for the account."""

from __future__ import annotations

from urllib.parse import quote

from stillhere.channels.base import Outgoing, text_with_link
from stillhere.channels.carriers.carrier import Carrier
from stillhere.channels.carriers.twilio import DEADLINE_S, MOST_TEXT, Account
from stillhere.channels.http import HttpClient
from stillhere.core.messages import Cost, Receipt


class SmsCarrier:
    """One account that carries texts. ``hooks`` is where it tells us what became of them."""

    def __init__(
        self,
        carrier: Carrier,
        hooks: str,
        http: HttpClient,
        *,
        concurrency: int = 256,
        deadline_s: float = DEADLINE_S,
    ) -> None:
        self.carrier = carrier
        self.name = carrier.name
        self.concurrency = concurrency
        self.deadline_s = deadline_s
        self._account = Account(carrier, http, deadline_s)
        self._hooks = hooks

    async def send(self, message: Outgoing) -> Receipt:
        """Hand one text over. What the provider learns later comes to ``hooks``."""
        receipts = f"{self._hooks}/status?m={quote(message.reply_ref)}"
        form = [*self.form(message), ("StatusCallback", receipts)]
        return await self._account.create("Messages", form)

    def form(self, message: Outgoing) -> list[tuple[str, str]]:
        """To whom, from where, and the words."""
        return [
            ("To", message.to),
            ("From", self.carrier.sender),
            ("Body", text_with_link(message, MOST_TEXT)),
        ]

    async def price(self, ref: str) -> Cost | None:
        return await self._account.price("Messages", ref)

    async def erase(self, ref: str) -> bool:
        """Delete the text at the provider: its words and the number it went to."""
        return await self._account.erase("Messages", ref)

    async def balance(self) -> Cost | None:
        return await self._account.balance()

    async def close(self) -> None:
        await self._account.close()
