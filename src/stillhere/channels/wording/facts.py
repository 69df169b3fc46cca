"""How the facts of a message stand in its sentences.

Owns ``SentenceParts``, which fills a translated sentence with names and times.
"""

from __future__ import annotations

from django.utils.translation import gettext as _

from stillhere.channels.wording import plain
from stillhere.core.messages import Facts


class SentenceParts:
    """The facts as parts of a sentence, in the language that is active while it is made.

    ``parts`` fills the sentences: ``Person`` and ``Who`` stand at a beginning, ``person`` and
    ``who`` inside. A name that is missing becomes words that are still true.
    """

    def __init__(self, facts: Facts) -> None:
        self.facts = facts
        self.named = plain.name(facts.person)
        self.partner = plain.name(facts.partner)
        who = plain.name(facts.who)
        self.parts = {
            "Person": self.named or _("Someone who counts on you"),
            "person": self.named or _("the person who counts on you"),
            "Who": who or _("Somebody"),
            "who": who or _("somebody"),
            "at": "" if facts.at is None else plain.hour(facts.at, facts.tz),
        }
        self.who = who
        self.listed = plain.listed(facts.who)
        # Somebody may be told about themselves; two people of one name read the same, and true.
        self.about_oneself = bool(who) and who == plain.name(facts.contact)

    def __call__(self, sentence: str, **more: object) -> str:
        """A sentence that was just translated, with its parts."""
        return sentence % (self.parts | more)

    @property
    def timed(self) -> bool:
        """Whether the instant is known."""
        return self.facts.at is not None
