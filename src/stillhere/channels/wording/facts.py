"""How the facts of a message stand in its sentences.

Owns the parts that fill a translated sentence: names and times.
"""

from __future__ import annotations

from django.utils.translation import gettext as _

from stillhere.channels.wording import plain
from stillhere.core.messages import Facts


def fill(facts: Facts, sentence: str, **more: object) -> str:
    """A sentence that was just translated, with its parts.

    ``Person`` and ``Who`` stand at a beginning, ``person`` and ``who`` inside. A name that is
    missing becomes words that are still true.
    """
    person, who = plain.name(facts.person), plain.name(facts.who)
    parts = {
        "Person": person or _("Someone who counts on you"),
        "person": person or _("the person who counts on you"),
        "Who": who or _("Somebody"),
        "who": who or _("somebody"),
        "at": "" if facts.at is None else plain.hour(facts.at, facts.tz),
    }
    return sentence % (parts | more)


def of_themselves(facts: Facts) -> bool:
    """Whether somebody is told about themselves; two people of one name read the same, and true."""
    who = plain.name(facts.who)
    return bool(who) and who == plain.name(facts.contact)
