"""WhatsApp through Twilio's API: the resource of texts, with another kind of address.

Owns what differs from a text. An address there begins with ``whatsapp:``. Words of our own arrive
only within 24 hours of theirs; before and after, only a template that was approved does, and our
words are the one thing filled into it. So what answers them leaves as it is, and everything else in
the template, if the carrier names one; without one it may be refused (63016), and goes no further
this way. A text's words, links and deadlines: a lock screen shows nothing more.

Sources (read 2026-11): https://www.twilio.com/docs/api/errors/63016 (the 24 hours; ``ContentSid``
and ``ContentVariables`` in place of ``Body``), https://www.twilio.com/docs/api/errors/63021 (1,024
characters with the template's own), https://www.twilio.com/docs/content/faqs-and-troubleshooting
(a ContentSid is ``HX`` and 34 characters long),
https://www.twilio.com/docs/content/using-variables-with-content-api
"""

from __future__ import annotations

import json

from stillhere.channels.base import Outgoing, one_line, text_with_link
from stillhere.channels.carriers.sms import SmsCarrier
from stillhere.channels.carriers.twilio import MOST_TEXT, WHATSAPP

MOST_IN_TEMPLATE = 800  # of 1,024 characters: the template has words of its own


class WhatsAppCarrier(SmsCarrier):
    """One WhatsApp sender of an account."""

    def form(self, message: Outgoing) -> list[tuple[str, str]]:
        """To whom, from where, and the words: as they are, or in the template of their language."""
        ends = [
            ("To", f"{WHATSAPP}{message.to}"),
            ("From", f"{WHATSAPP}{self.carrier.sender}"),
        ]
        template = self._template(message.lang)
        if message.answers or not template:
            return [*ends, ("Body", text_with_link(message, MOST_TEXT))]
        words = one_line(text_with_link(message, MOST_IN_TEMPLATE), MOST_IN_TEMPLATE)
        filled = json.dumps({"1": words}, ensure_ascii=False)
        return [*ends, ("ContentSid", template), ("ContentVariables", filled)]

    def _template(self, lang: str) -> str:
        options = self.carrier.options
        return options.get(f"template-{lang}") or options.get("template", "")
