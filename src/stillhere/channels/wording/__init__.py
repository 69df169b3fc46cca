"""What we say: facts become words, per language, channel and length.

Owns ``compose`` and the list of words it knows. Every sentence is neutral enough for a lock screen,
says exactly what is known, and where it can fits one text of 160 GSM characters. The same sentence
is shown and spoken; only how to answer differs by channel. Knows the core, no table and no address.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from django.conf import settings
from django.utils import translation
from django.utils.translation import gettext as _

from stillhere.channels.wording import contacts, replies, spoken
from stillhere.channels.wording.answers import PUSH, TEXT, AnswerKind
from stillhere.channels.wording.facts import SentenceParts
from stillhere.core.messages import Facts

__all__ = ["WORDS", "Composed", "compose"]

_SENTENCES = {**contacts.SENTENCES, **replies.SENTENCES, **spoken.SENTENCES}
WORDS = frozenset(map(str, _SENTENCES))


@dataclass(frozen=True, slots=True)
class Composed:
    """One message in words. ``choices`` are the keys that count and what each means."""

    subject: str
    text: str
    choices: Mapping[str, str] = field(default_factory=dict)


def compose(word: str, facts: Facts, lang: str, by: str = TEXT) -> Composed:
    """``word`` (of ``WORDS``) with its facts in ``lang``, for the channel ``by``.

    A language we do not speak is English. Raises KeyError for a word nobody knows, and ValueError
    for an outcome that only people may tell.
    """
    with translation.override(settings.SPOKEN.of(lang).code):
        said = SentenceParts(facts)
        text, answer = _SENTENCES[word](said)
        tail = answer.tail()
        if by == PUSH and answer is AnswerKind.STILL_HERE:
            text = ""  # on a lock screen the title says it, and nothing else
        return Composed(
            subject=_subject(word, answer, said),
            text=f"{text} {tail.by(by)}".strip(),
            choices=dict(tail.choices),
        )


def _subject(word: str, answer: AnswerKind, said: SentenceParts) -> str:
    if word in replies.TO_THE_PERSON:
        return _("Lamp: are you there?") if answer is AnswerKind.STILL_HERE else "Lamp"
    if word == "page-peer-back":
        return _("Stillhere: heard again")
    if word == "page-free":
        return _("Stillhere: it works again")
    if word.startswith("page-"):
        return _("Stillhere: look now")
    if word == "invite":
        return said(_("%(Person)s asks you something"))
    if answer in (AnswerKind.GOING, AnswerKind.THERE):
        return said(_("About %(person)s: answer now"))
    return said(_("About %(person)s"))
