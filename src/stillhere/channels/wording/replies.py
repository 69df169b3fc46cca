"""What we ask the person, and what we say back to somebody who wrote or pressed a key.

Owns these sentences. To the person they never say what it is: nobody who looks over a shoulder
learns more than "Still here?".
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from django.utils.translation import gettext as _

from stillhere.channels.wording.answers import Answer
from stillhere.channels.wording.contacts import Sentence
from stillhere.channels.wording.facts import Said


def _ask(said: Said) -> Sentence:
    away = _("We were away for a while.") + " " if said.facts.after_outage else ""
    return away + _still_here(said), Answer.STILL_HERE


def _still_here(said: Said) -> str:
    """By name, so that nobody answers for somebody else; of two, both are asked."""
    if said.partner and said.named:
        return _("%(one)s and %(other)s: both still here?") % {
            "one": said.named,
            "other": said.partner,
        }
    if said.partner:
        return _("You and %(other)s: both still here?") % {"other": said.partner}
    return _("%(name)s: still here?") % {"name": said.named} if said.named else _("Still here?")


# --- to the person --------------------------------------------------------------------------------


def _got_it(said: Said) -> Sentence:
    return _("Got it."), Answer.NOTHING


def _started(said: Said) -> Sentence:
    return _(
        "It's on. We ask soon: reply OK each time. MORE adds time, DONE ends it."
    ), Answer.NOTHING


def _alone(said: Said) -> Sentence:
    return _(
        "It's on, but nobody on your list can be reached: nobody would be told."
    ), Answer.NOTHING


def _marked(said: Said) -> Sentence:
    return _("Noted. We ask soon: reply OK each time."), Answer.NOTHING


def _more(said: Said) -> Sentence:
    return _("More time. We keep asking."), Answer.NOTHING


def _ended(said: Said) -> Sentence:
    return _("It ended. Nobody is watching now. GO starts again."), Answer.NOTHING


def _not_on(said: Said) -> Sentence:
    return _("Nobody is watching now. Reply GO to start."), Answer.NOTHING


def _helping(said: Said) -> Sentence:
    return _("We are reaching the people on your list now."), Answer.NOTHING


def _nobody(said: Said) -> Sentence:
    return _("Nobody on your list can be reached. Call somebody, or an ambulance."), Answer.NOTHING


def _fault(said: Said) -> Sentence:
    text = _("Something is wrong on our side and nothing is counted. Call somebody.")
    return text, Answer.NOTHING


# --- to a contact ---------------------------------------------------------------------------------


def _unclear(said: Said) -> Sentence:
    return said(_("We could not read your answer about %(person)s.")), Answer.GOING


def _going(said: Said) -> Sentence:
    return said(_("Thank you. The others hear that you are going to %(person)s.")), Answer.LATER


def _far(said: Said) -> Sentence:
    text = said(_("Thank you. Phone %(person)s now. We go on looking for somebody near."))
    return text, Answer.NOTHING


def _cannot(said: Said) -> Sentence:
    return _("All right. We ask the others."), Answer.NOTHING


def _there(said: Said) -> Sentence:
    return _("Good that you are there. Our link shows what to do, step by step."), Answer.NOTHING


def _locked(said: Said) -> Sentence:
    text = _("The others hear that the door is shut. Emergency services can open it.")
    return text, Answer.NOTHING


def _steps(said: Said) -> Sentence:
    text = _("Our link shows what to do, step by step. In doubt call an ambulance.")
    return text, Answer.NOTHING


def _over(said: Said) -> Sentence:
    return said(_("There is no open alarm about %(person)s now. Thank you.")), Answer.NOTHING


def _not_on_it(said: Said) -> Sentence:
    text = _("You are not part of this alarm. If you can, phone %(person)s.")
    return said(text), Answer.NOTHING


def _joined(said: Said) -> Sentence:
    text = said(_("Thank you. You are on the list of %(person)s."))
    return text + " " + _("Save this number, so that it can wake you."), Answer.NOTHING


def _left(said: Said) -> Sentence:
    return _("All right. We will not reach you again."), Answer.NOTHING


TO_THE_PERSON: Mapping[str, Callable[[Said], Sentence]] = {
    "ask": _ask,
    "ask-ring": _ask,
    "reply-got-it": _got_it,
    "reply-started": _started,
    "reply-alone": _alone,
    "reply-marked": _marked,
    "reply-more": _more,
    "reply-ended": _ended,
    "reply-not-on": _not_on,
    "reply-helping": _helping,
    "reply-nobody": _nobody,
    "reply-fault": _fault,
}
SENTENCES: Mapping[str, Callable[[Said], Sentence]] = {
    **TO_THE_PERSON,
    "reply-unclear": _unclear,
    "reply-going": _going,
    "reply-far": _far,
    "reply-cannot": _cannot,
    "reply-there": _there,
    "reply-locked": _locked,
    "reply-steps": _steps,
    "reply-over": _over,
    "reply-not-on-it": _not_on_it,
    "reply-joined": _joined,
    "reply-left": _left,
}
