"""What we ask the person, and what we say back to somebody who wrote or pressed a key.

Owns these sentences. To the person they never say what it is: nobody who looks over a shoulder
learns more than "Still here?".
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from django.utils.translation import gettext as _

from stillhere.channels.wording.answers import AnswerKind
from stillhere.channels.wording.contacts import Sentence
from stillhere.channels.wording.facts import SentenceParts


def _ask(said: SentenceParts) -> Sentence:
    away = _("We were away for a while.") + " " if said.facts.after_outage else ""
    return away + _still_here(said), AnswerKind.STILL_HERE


def _still_here(said: SentenceParts) -> str:
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


def _got_it(said: SentenceParts) -> Sentence:
    return _("Got it."), AnswerKind.NOTHING


def _started(said: SentenceParts) -> Sentence:
    return _(
        "It's on. We ask soon: reply OK each time. MORE adds time, DONE ends it."
    ), AnswerKind.NOTHING


def _alone(said: SentenceParts) -> Sentence:
    return _(
        "It's on, but nobody on your list can be reached: nobody would be told."
    ), AnswerKind.NOTHING


def _marked(said: SentenceParts) -> Sentence:
    return _("Noted. We ask soon: reply OK each time."), AnswerKind.NOTHING


def _more(said: SentenceParts) -> Sentence:
    return _("More time. We keep asking."), AnswerKind.NOTHING


def _ended(said: SentenceParts) -> Sentence:
    return _("It ended. Nobody is watching now. GO starts again."), AnswerKind.NOTHING


def _ended_daily(said: SentenceParts) -> Sentence:
    return _("It ended. What is asked every day goes on. GO starts again."), AnswerKind.NOTHING


def _not_on(said: SentenceParts) -> Sentence:
    return _("Nobody is watching now. Reply GO to start."), AnswerKind.NOTHING


def _only_daily(said: SentenceParts) -> Sentence:
    return _("Only what is asked every day is on. Reply GO to start a watch."), AnswerKind.NOTHING


def _helping(said: SentenceParts) -> Sentence:
    return _("We are reaching the people on your list now."), AnswerKind.NOTHING


def _nobody(said: SentenceParts) -> Sentence:
    return _(
        "Nobody on your list can be reached. Call somebody, or an ambulance."
    ), AnswerKind.NOTHING


def _fault(said: SentenceParts) -> Sentence:
    text = _("Something is wrong on our side and nothing is counted. Call somebody.")
    return text, AnswerKind.NOTHING


def _welcome(said: SentenceParts) -> Sentence:
    text = _("It's on. We ask soon: reply OK. Nobody is on your list: ADD and a number.")
    return text + " " + _("DONE ends it. Your plan's text prices apply."), AnswerKind.NOTHING


def _list(said: SentenceParts) -> Sentence:
    if not said.listed:
        return _list_empty(said)
    text = said(_("On your list: %(who)s. A ? has not said yes. ADD adds."), who=said.listed)
    return text, AnswerKind.NOTHING


def _list_empty(said: SentenceParts) -> Sentence:
    return _("Nobody is on your list. Reply ADD, a name and a phone number."), AnswerKind.NOTHING


def _list_full(said: SentenceParts) -> Sentence:
    return _("Your list is full. Nobody was added."), AnswerKind.NOTHING


def _added(said: SentenceParts) -> Sentence:
    text = said(_("%(Who)s is asked by text. Reply LIST to see who said yes."))
    return text, AnswerKind.NOTHING


def _added_later(said: SentenceParts) -> Sentence:
    text = said(_("%(Who)s is on your list. We ask them as soon as we may send it."))
    return text, AnswerKind.NOTHING


def _on_it_already(said: SentenceParts) -> Sentence:
    return said(_("That number is on your list already: %(who)s.")), AnswerKind.NOTHING


def _add_how(said: SentenceParts) -> Sentence:
    return _("Reply ADD, a name and a phone number: ADD Maya 202-555-0102"), AnswerKind.NOTHING


def _add_own(said: SentenceParts) -> Sentence:
    return _("This is your own number. Add somebody who can come to you."), AnswerKind.NOTHING


def _paused(said: SentenceParts) -> Sentence:
    return _("We rest that long, then ask again as usual."), AnswerKind.NOTHING


def _no_routine(said: SentenceParts) -> Sentence:
    return _("There is no daily question to rest. DONE ends what is on."), AnswerKind.NOTHING


def _delete(said: SentenceParts) -> Sentence:
    text = _("Reply DELETE once more within ten minutes and all about you is erased.")
    return text + " " + _("You will hear no more."), AnswerKind.NOTHING


def _delete_later(said: SentenceParts) -> Sentence:
    return _(
        "Not while people are being reached. Answer them first, then DELETE."
    ), AnswerKind.NOTHING


def _unblocked(said: SentenceParts) -> Sentence:
    return _("We can text you again. GO starts."), AnswerKind.NOTHING


def _news(said: SentenceParts) -> Sentence:
    return _("There is news that may matter to you. See our page."), AnswerKind.NOTHING


def _kit_soon(said: SentenceParts) -> Sentence:
    text = _("What you carry for an emergency runs out soon. Our page says how to get more.")
    return text, AnswerKind.NOTHING


def _kit_used(said: SentenceParts) -> Sentence:
    text = _("What you carry for an emergency is empty now. Our page says how to get more.")
    return text, AnswerKind.NOTHING


def _who_person(said: SentenceParts) -> Sentence:
    return _("This is Lamp. GO starts, OK says you are here, DONE ends."), AnswerKind.NOTHING


def _gap(said: SentenceParts) -> Sentence:
    text = said(_("%(Who)s cannot be reached any more. Who else could come? ADD and a number."))
    return text, AnswerKind.NOTHING


def _way_gone(said: SentenceParts) -> Sentence:
    text = _("One way to reach you does not work any more. Open your list and type it again.")
    return text, AnswerKind.NOTHING


# --- to a contact ---------------------------------------------------------------------------------


def _unclear(said: SentenceParts) -> Sentence:
    return said(_("We could not read your answer about %(person)s.")), AnswerKind.GOING


def _going(said: SentenceParts) -> Sentence:
    return said(_("Thank you. The others hear that you are going to %(person)s.")), AnswerKind.LATER


def _far(said: SentenceParts) -> Sentence:
    text = said(_("Thank you. Phone %(person)s now. We go on looking for somebody near."))
    return text, AnswerKind.NOTHING


def _cannot(said: SentenceParts) -> Sentence:
    return _("All right. We ask the others."), AnswerKind.NOTHING


def _there(said: SentenceParts) -> Sentence:
    return _(
        "Good that you are there. Our link shows what to do, step by step."
    ), AnswerKind.NOTHING


def _locked(said: SentenceParts) -> Sentence:
    text = _("The others hear that the door is shut. Emergency services can open it.")
    return text, AnswerKind.NOTHING


def _steps(said: SentenceParts) -> Sentence:
    text = _("Our link shows what to do, step by step. In doubt call an ambulance.")
    return text, AnswerKind.NOTHING


def _over(said: SentenceParts) -> Sentence:
    return said(_("There is no open alarm about %(person)s now. Thank you.")), AnswerKind.NOTHING


def _not_on_it(said: SentenceParts) -> Sentence:
    text = _("You are not part of this alarm. If you can, phone %(person)s.")
    return said(text), AnswerKind.NOTHING


def _who(said: SentenceParts) -> Sentence:
    text = said(_("This is Lamp. %(Person)s chose you to be reached when they do not answer."))
    return text + " " + _("STOP ends it."), AnswerKind.NOTHING


def _drilled(said: SentenceParts) -> Sentence:
    return said(_("Thank you. %(Person)s sees that you answered the drill.")), AnswerKind.NOTHING


def _rang(said: SentenceParts) -> Sentence:
    return _("Good: it rang."), AnswerKind.NOTHING


def _joined(said: SentenceParts) -> Sentence:
    text = said(_("Thank you. You are on the list of %(person)s."))
    return text + " " + _("Save this number, so that it can wake you."), AnswerKind.NOTHING


def _left(said: SentenceParts) -> Sentence:
    return _("All right. We will not reach you again."), AnswerKind.NOTHING


TO_THE_PERSON: Mapping[str, Callable[[SentenceParts], Sentence]] = {
    "ask": _ask,
    "ask-ring": _ask,
    "reply-got-it": _got_it,
    "reply-started": _started,
    "reply-alone": _alone,
    "reply-marked": _marked,
    "reply-more": _more,
    "reply-ended": _ended,
    "reply-ended-daily": _ended_daily,
    "reply-only-daily": _only_daily,
    "reply-not-on": _not_on,
    "reply-helping": _helping,
    "reply-nobody": _nobody,
    "reply-fault": _fault,
    "reply-welcome": _welcome,
    "reply-list": _list,
    "reply-list-empty": _list_empty,
    "reply-list-full": _list_full,
    "reply-added": _added,
    "reply-added-later": _added_later,
    "reply-on-it-already": _on_it_already,
    "reply-add-how": _add_how,
    "reply-add-own": _add_own,
    "reply-paused": _paused,
    "reply-no-routine": _no_routine,
    "reply-delete": _delete,
    "reply-delete-later": _delete_later,
    "reply-unblocked": _unblocked,
    "reply-who-person": _who_person,
    "gap": _gap,
    "way-gone": _way_gone,
    "news": _news,
    "kit-soon": _kit_soon,
    "kit-used": _kit_used,
}
SENTENCES: Mapping[str, Callable[[SentenceParts], Sentence]] = {
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
    "reply-who": _who,
    "reply-drill": _drilled,
    "reply-rang": _rang,
    "reply-joined": _joined,
    "reply-left": _left,
}
