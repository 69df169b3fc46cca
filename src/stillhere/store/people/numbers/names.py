"""What is plainly a name. Whatever a stranger types as theirs travels to people who never said yes.

Owns the rule and nothing else: a name in any one script stays whole; what could be dialled, opened
or taken for something it is not is no name here.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import replace

from stillhere.core.messages import Facts

LONGEST = 40
MOST_WORDS = 5
_SIGNS = "'\u2019-."
_JOINERS = "\u200c\u200d"  # without these, names in some scripts fall apart
_LINKING_DOT = re.compile(r"(?<=\w\w)\.(?=\w)|(?<=\w)\.(?=\w\w)")  # "J.R." is a name
# Letters made to look like others: wide, in a circle, in another hand, raised, and the like.
_DRESSED = ("<font>", "<wide>", "<narrow>", "<circle>", "<square>", "<super>", "<sub>")
_MIXED_WITHOUT_JOINERS = frozenset({"LATIN", "GREEK", "CYRILLIC"})
# Scripts that one word of one language mixes.
_WRITTEN_TOGETHER = dict.fromkeys(
    ("CJK", "HIRAGANA", "KATAKANA", "KATAKANA-HIRAGANA", "IDEOGRAPHIC"), "JAPANESE"
)


def plainly(typed: str) -> str:
    """The name as it was typed, if it is plainly one, else ``""``: then neutral words stand for
    it."""
    if len(typed) > LONGEST or not _is_seen(typed):
        return ""
    words = [word for word in typed.split(" ") if word]
    if len(words) > MOST_WORDS or _LINKING_DOT.search(typed):
        return ""
    return typed if all(_is_word(word) for word in words) else ""


def to_stranger(facts: Facts) -> Facts:
    """What a message speaks of, for somebody who has not said yes: nothing that was typed, unless
    it is plainly a name, and nothing of how they are."""
    person, partner, who = map(plainly, (facts.person, facts.partner, facts.who))
    return replace(facts, person=person, partner=partner, who=who, wants_to_die=False)


def _is_seen(typed: str) -> bool:
    """Whether all that is not seen in it only joins letters."""
    return all(char.isprintable() or char in _JOINERS for char in typed)


def _is_word(word: str) -> bool:
    """Letters of one script, with the signs of names."""
    scripts = set()
    for char in unicodedata.normalize("NFC", word):
        if char in _SIGNS or char in _JOINERS or unicodedata.category(char)[0] == "M":
            continue
        if not char.isalpha() or unicodedata.decomposition(char).startswith(_DRESSED):
            return False
        script = unicodedata.name(char, "").partition(" ")[0]
        if script != "MODIFIER":  # an apostrophe that is a letter
            scripts.add(_WRITTEN_TOGETHER.get(script, script))
    joined = any(char in _JOINERS for char in word)
    return len(scripts) == 1 and not (joined and scripts & _MIXED_WITHOUT_JOINERS)
