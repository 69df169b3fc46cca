"""What only a call says: menus, staying on the line, and how soon.

Owns these sentences. A name first, the need second, the keys third; nothing here says what it is
about. One breath each: whoever hears it has not slept, or is not well.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import ceil

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from stillhere.channels.wording.answers import AnswerKind
from stillhere.channels.wording.contacts import Sentence
from stillhere.channels.wording.facts import SentenceParts


def _menu(said: SentenceParts) -> Sentence:
    text = _("This is Lamp. Press 1 and we ring this phone from time to time.")
    return text + " " + _("Press 2 to stay on the line with us."), AnswerKind.NOTHING


def _soon(said: SentenceParts) -> str:
    minutes = max(1, ceil((said.facts.eta_s or 0) / 60))
    text = ngettext(
        "It's on. We ring in %(minutes)d minute.",
        "It's on. We ring in %(minutes)d minutes.",
        minutes,
    )
    return said(text, minutes=minutes)


def _started(said: SentenceParts) -> Sentence:
    return _soon(said) + " " + _(
        "Then any key means: still here. 9 means: help."
    ), AnswerKind.NOTHING


def _started_alone(said: SentenceParts) -> Sentence:
    text = _soon(said) + " " + _("Nobody is on your list: nobody else would be told.")
    return text + " " + _("Text ADD and a phone number to add somebody."), AnswerKind.NOTHING


def _on_watch(said: SentenceParts) -> Sentence:
    text = _("Lamp is on. Press any key if you are here, 9 if you need somebody.")
    return text + " " + _("Press 2 to stay on the line with us."), AnswerKind.NOTHING


def _stay(said: SentenceParts) -> Sentence:
    text = _("We stay with you. After each tone press any key or say a word.")
    return text + " " + _("9 is help."), AnswerKind.NOTHING


def _stay_asks(said: SentenceParts) -> Sentence:
    return _("Are you still here? Press any key or say a word."), AnswerKind.NOTHING


def _stay_over(said: SentenceParts) -> Sentence:
    return _("We do not hear you. We ring this phone now."), AnswerKind.NOTHING


def _unknown(said: SentenceParts) -> Sentence:
    """Somebody we have never heard of, and nobody is there to come: that is said first."""
    text = _("This is Lamp. Nobody can come to you now.")
    if said.who:
        text += " " + said(_("Press 3 to talk to a person: %(line)s."), line=said.who)
    text += " " + _("Press 1 and we ring you; nobody else is told.")
    return text, AnswerKind.NOTHING


def _unknown_shift(said: SentenceParts) -> Sentence:
    """Somebody we have never heard of, and people on shift would come."""
    text = _("This is Lamp. People on shift come if you stop answering.")
    text += " " + _("Press 1 and we ring you from time to time.")
    text += " " + _("Press 2 to stay on the line.")
    if said.who:
        text += " " + _("Press 3 to talk to a person.")
    return text, AnswerKind.NOTHING


def _withheld(said: SentenceParts) -> Sentence:
    """Somebody whose number we do not see: nothing can ring them."""
    text = _("This is Lamp. Your number is hidden, so we cannot ring you.")
    text += " " + _("Hang up, and call again with your number shown.")
    if said.who:
        text += " " + _("Press 3 to talk to a person.")
    return text, AnswerKind.NOTHING


def _where(said: SentenceParts) -> Sentence:
    text = _("It's on. Say where you are and how to get in, then press a key.")
    text += " " + _("Only people on shift hear it, if you stop answering.")
    return text + " " + _("It is destroyed when all is well."), AnswerKind.NOTHING


def _line(said: SentenceParts) -> Sentence:
    if not said.who:
        return _("Nobody answers calls now."), AnswerKind.NOTHING
    return said(_("People answer at %(line)s."), line=said.who), AnswerKind.NOTHING


def _connecting(said: SentenceParts) -> Sentence:
    return _("We connect you now."), AnswerKind.NOTHING


def _how_soon(said: SentenceParts) -> Sentence:
    text = _("Thank you. In how many minutes are you there?")
    return text + " " + _("Press 1 to 5, or 9 if it takes longer."), AnswerKind.NOTHING


def _no_key(said: SentenceParts) -> Sentence:
    return _("No key was pressed. We try again."), AnswerKind.NOTHING


SENTENCES: Mapping[str, Callable[[SentenceParts], Sentence]] = {
    "call-menu": _menu,
    "call-started": _started,
    "call-started-alone": _started_alone,
    "call-on-watch": _on_watch,
    "call-stay": _stay,
    "call-stay-asks": _stay_asks,
    "call-stay-over": _stay_over,
    "call-unknown": _unknown,
    "call-unknown-shift": _unknown_shift,
    "call-where": _where,
    "call-withheld": _withheld,
    "call-connecting": _connecting,
    "call-line": _line,
    "call-soon": _how_soon,
    "call-no-key": _no_key,
}
