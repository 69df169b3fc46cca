"""What somebody reads who wrote to us first, and whoever has nobody: what this is, whom to call.

Owns these sentences, by text and by call. The numbers to call are reviewed content and are handed
in.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from django.utils.translation import gettext as _

from stillhere.channels.wording import answers
from stillhere.channels.wording.contacts import Sentence
from stillhere.core.messages import Facts


def _welcome(facts: Facts) -> Sentence:
    text = _("It's on. We ask soon: reply OK. Nobody is on your list: ADD and a number.")
    return text + _ends_and_costs(facts), answers.NOTHING


def _welcome_shift(facts: Facts) -> Sentence:
    text = _("It's on. We ask soon: reply OK. If you stop, people on shift come:")
    text += " " + _("reply ADDRESS and where you are.")
    return text + _ends_and_costs(facts), answers.NOTHING


def _ends_and_costs(facts: Facts) -> str:
    """How it ends; and what it costs, where it goes by texts."""
    costs = " " + _("Your plan's text prices apply.") if facts.by == answers.TEXT else ""
    return " " + _("DONE ends it.") + costs


def _helping_shift(facts: Facts) -> Sentence:
    text = _("People on shift are being called. Reply ADDRESS and where you are.")
    return text, answers.NOTHING


def _nobody(facts: Facts) -> Sentence:
    if not facts.says:
        text = _("Nobody on your list can be reached. Call somebody, or an ambulance.")
        return text, answers.NOTHING
    return _("Nobody on your list can be reached.") + " " + _whom_to_call(facts), answers.NOTHING


def _whom_to_call(facts: Facts) -> str:
    return _("Call now: %(line)s.") % {"line": facts.says}


def _hint(facts: Facts) -> Sentence:
    """To a person whose text does nothing, because nothing is on: what would do something."""
    text = _("Nobody is watching now. SOS: your people are called now. GO: we watch.")
    return text + " " + _("LIST: your people."), answers.NOTHING


def _hello(facts: Facts) -> Sentence:
    """To a number that we do not know, once: what this is, and whom to call."""
    text = _("This is Lamp. We check that people are OK. SOS: need help. GO: start, some 24 texts.")
    return text + (" " + _whom_to_call(facts) if facts.says else ""), answers.NOTHING


def _abroad(facts: Facts) -> Sentence:
    """To a cry for help from a country whose numbers are never reached: silence would be taken for
    help on its way."""
    text = _("We cannot reach anybody for your number. Call your local emergency number now.")
    return text, answers.NOTHING


SENTENCES: Mapping[str, Callable[[Facts], Sentence]] = {
    "reply-nobody": _nobody,
    "reply-helping-shift": _helping_shift,
    "reply-hello": _hello,
    "reply-hint": _hint,
    "reply-welcome-shift": _welcome_shift,
    "reply-welcome": _welcome,
    "reply-abroad": _abroad,
}
