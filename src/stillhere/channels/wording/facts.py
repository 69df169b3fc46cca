"""What a message may speak of, and how names and times stand in its sentences.

Owns ``Facts`` (names as they were typed, instants) and ``SentenceParts``, which fills a translated
sentence with them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from stillhere.channels.wording import plain


@dataclass(frozen=True, slots=True)
class Facts:
    """Everything known about one message. Names are as people typed them; ``at`` is ms UTC.

    ``partner`` is the other one of "two of us", ``who`` the contact the words speak of, ``contact``
    the one they are spoken to. ``wish`` is the plan's ambulance wish, ``outcome`` one of
    ``core.events.Outcome``. ``unasked``: no ask found a way to the person; ``untold``: nothing was
    queued for anybody on their list.
    """

    person: str = ""
    partner: str = ""
    contact: str = ""
    who: str = ""
    at: int | None = None
    tz: str = "UTC"
    eta_s: int | None = None
    outcome: str = ""
    round: int = 0
    after_outage: bool = False
    confirmed: bool = True
    unasked: bool = False
    untold: bool = False
    wish: str = "phone-first"
    program: str = ""

    @classmethod
    def of(cls, kept: Mapping[str, Any], **known: Any) -> Facts:
        """From what a message keeps (ids and instants) and what is known besides, by name."""
        return cls(
            at=kept.get("at"),
            eta_s=kept.get("eta_s"),
            outcome=kept.get("outcome") or "",
            round=kept.get("round") or 0,
            after_outage=bool(kept.get("after_outage")),
            unasked=bool(kept.get("unasked")),
            untold=bool(kept.get("untold")),
            **known,
        )


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
