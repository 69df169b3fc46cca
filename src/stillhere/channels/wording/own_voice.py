"""What only a call says about notes of the plan that are spoken: how to say one, what we have of
it, and what comes before each where somebody who is going hears it.

Owns these sentences, and the text by which their own phone learns that one was changed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from django.utils.translation import gettext as _

from stillhere.channels.wording import answers
from stillhere.channels.wording.contacts import Sentence
from stillhere.channels.wording.facts import fill
from stillhere.core.messages import Facts


def _key(facts: Facts) -> Sentence:
    return _("Press 4 to say where you are."), answers.NOTHING


def _by_text(facts: Facts) -> Sentence:
    return _("To tell us where you are, text ADDRESS and the place."), answers.NOTHING


def _which(facts: Facts) -> Sentence:
    text = _("Only who is on the way hears it, in an emergency.")
    text += " " + _("Press 1 to say where you are, 2 to say how to get in.")
    return text + " " + _("Press 3 to say your first name."), answers.NOTHING


def _say_place(facts: Facts) -> Sentence:
    return _("After the tone say where you are, then press a key."), answers.NOTHING


def _say_entry(facts: Facts) -> Sentence:
    return _("After the tone say how to get in, then press a key."), answers.NOTHING


def _say_name(facts: Facts) -> Sentence:
    return _("After the tone say your first name, then press a key."), answers.NOTHING


def _there(facts: Facts) -> Sentence:
    text = _("You told us that before. Press 2 to say it again, 3 to take it away.")
    return text, answers.NOTHING


def _stays(facts: Facts) -> Sentence:
    text = _("While we call your people, what you told us before stays.")
    text += " " + _("Are you somewhere else? Text ADDRESS and where you are.")
    return text, answers.NOTHING


def _wait(facts: Facts) -> Sentence:
    return _("One moment."), answers.NOTHING


def _heard(facts: Facts) -> Sentence:
    return _("We have:"), answers.NOTHING


def _keys(facts: Facts) -> Sentence:
    return _("Press 1 to keep it, 2 to say it again, 3 to take it away."), answers.NOTHING


def _kept(facts: Facts) -> Sentence:
    return _("It is kept."), answers.NOTHING


def _gone(facts: Facts) -> Sentence:
    return _("It is gone. We keep nothing of it."), answers.NOTHING


def _lost(facts: Facts) -> Sentence:
    return _("We did not get that. Please say it again, or text it to us."), answers.NOTHING


def _name(facts: Facts) -> Sentence:
    return _("In their own voice. Their name:"), answers.NOTHING


def _place(facts: Facts) -> Sentence:
    return _("In their own voice. Where they are:"), answers.NOTHING


def _entry(facts: Facts) -> Sentence:
    return _("In their own voice. How to get in:"), answers.NOTHING


def _on_page(facts: Facts) -> Sentence:
    text = _("%(Person)s said in a call where they are. The link in our text plays it.")
    return fill(facts, text), answers.NOTHING


def _changed(facts: Facts) -> Sentence:
    text = _("Somebody rang from your number and changed what you told us about yourself.")
    return text + " " + _("Not you? Ring us and press 4."), answers.NOTHING


SENTENCES: Mapping[str, Callable[[Facts], Sentence]] = {
    "call-notes-key": _key,
    "call-notes-text": _by_text,
    "call-notes": _which,
    "call-say-place": _say_place,
    "call-say-entry": _say_entry,
    "call-say-name": _say_name,
    "call-note-there": _there,
    "call-note-stays": _stays,
    "call-note-wait": _wait,
    "call-note-heard": _heard,
    "call-note-keys": _keys,
    "call-note-kept": _kept,
    "call-note-gone": _gone,
    "call-note-lost": _lost,
    "call-spoken-name": _name,
    "call-spoken-place": _place,
    "call-spoken-entry": _entry,
    "call-spoken-page": _on_page,
}
TO_THE_PERSON: Mapping[str, Callable[[Facts], Sentence]] = {"reply-spoken": _changed}
