"""What we say: facts become words, per language, channel and length.

Owns ``compose`` and the list of words it knows. Every sentence is neutral enough for a lock screen,
says exactly what is known, and where it can fits one text of 160 GSM characters. The same sentence
is shown and spoken; only how to answer differs by channel. Knows the core, no table and no address.
"""

from __future__ import annotations

from dataclasses import replace

from django.conf import settings
from django.utils import translation
from django.utils.translation import gettext as _

from stillhere.channels.base import Outgoing
from stillhere.channels.wording import alarm_lists, answers, contacts, pages, plain, replies, spoken
from stillhere.channels.wording.answers import CALL, PUSH, TEXT, AnswerKind
from stillhere.channels.wording.facts import fill
from stillhere.core.messages import WRITTEN, Facts

__all__ = ["WORDS", "compose"]

_SENTENCES = {
    **contacts.SENTENCES,
    **pages.SENTENCES,
    **alarm_lists.SENTENCES,
    **replies.SENTENCES,
    **spoken.SENTENCES,
}
WORDS = frozenset(map(str, _SENTENCES))


def compose(word: str, facts: Facts, lang: str, by: str = TEXT) -> Outgoing:
    """``word`` (of ``WORDS``) with its facts in ``lang``, for the channel ``by``: a message
    in words that has no address yet.

    A language we do not speak is English. Raises KeyError for a word nobody knows, and ValueError
    for an outcome that only people may tell.
    """
    with translation.override(settings.SPOKEN.of(lang).code):
        text, answer = _SENTENCES[word](replace(facts, by=by))
        if by == PUSH and answer is answers.STILL_HERE:
            text = ""  # on a lock screen the title says it, and nothing else
        text = f"{text} {_asks(answer, facts, by)}".strip()
        if by != CALL and translation.get_language_bidi():
            text = plain.isolated(text)
        return Outgoing(
            subject=_subject(word, answer, facts),
            text=text,
            lang=lang,
            choices=answer.choices(),
        )


def _asks(answer: AnswerKind, facts: Facts, by: str) -> str:
    """How to answer; of one that stands on a list, by its number there."""
    if facts.number is None or answer is not answers.GOING or by not in WRITTEN:
        return answer.by(by)
    there = _("Reply %(n)d if you are going there.")
    return there % {"n": facts.number} if facts.number else ""


def _subject(word: str, answer: AnswerKind, facts: Facts) -> str:
    if word in replies.TO_THE_PERSON:
        return _("Lamp: are you there?") if answer is answers.STILL_HERE else "Lamp"
    if word == "page-peer-back":
        return _("Stillhere: heard again")
    if word == "page-free":
        return _("Stillhere: it works again")
    if word == "page-gap":
        return _("Stillhere: a list has a gap")
    if word.startswith("page-"):
        return _("Stillhere: look now")
    if word == "invite":
        return fill(facts, _("%(Person)s asks you something"))
    if answer in (answers.GOING, answers.THERE):
        return fill(facts, _("About %(person)s: answer now"))
    return fill(facts, _("About %(person)s"))
