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


def _ended_daily(said: Said) -> Sentence:
    return _("It ended. What is asked every day goes on. GO starts again."), Answer.NOTHING


def _not_on(said: Said) -> Sentence:
    return _("Nobody is watching now. Reply GO to start."), Answer.NOTHING


def _only_daily(said: Said) -> Sentence:
    return _("Only what is asked every day is on. Reply GO to start a watch."), Answer.NOTHING


def _helping(said: Said) -> Sentence:
    return _("We are reaching the people on your list now."), Answer.NOTHING


def _nobody(said: Said) -> Sentence:
    return _("Nobody on your list can be reached. Call somebody, or an ambulance."), Answer.NOTHING


def _fault(said: Said) -> Sentence:
    text = _("Something is wrong on our side and nothing is counted. Call somebody.")
    return text, Answer.NOTHING


def _welcome(said: Said) -> Sentence:
    text = _("It's on. We ask soon: reply OK. Nobody is on your list: ADD and a number.")
    return text + " " + _("DONE ends it. Your plan's text prices apply."), Answer.NOTHING


def _list(said: Said) -> Sentence:
    if not said.listed:
        return _list_empty(said)
    text = said(_("On your list: %(who)s. A ? has not said yes. ADD adds."), who=said.listed)
    return text, Answer.NOTHING


def _list_empty(said: Said) -> Sentence:
    return _("Nobody is on your list. Reply ADD, a name and a phone number."), Answer.NOTHING


def _list_full(said: Said) -> Sentence:
    return _("Your list is full. Nobody was added."), Answer.NOTHING


def _added(said: Said) -> Sentence:
    text = said(_("%(Who)s is asked by text. Reply LIST to see who said yes."))
    return text, Answer.NOTHING


def _added_later(said: Said) -> Sentence:
    text = said(_("%(Who)s is on your list. We ask them as soon as we may send it."))
    return text, Answer.NOTHING


def _on_it_already(said: Said) -> Sentence:
    return said(_("That number is on your list already: %(who)s.")), Answer.NOTHING


def _add_how(said: Said) -> Sentence:
    return _("Reply ADD, a name and a phone number: ADD Maya 202-555-0102"), Answer.NOTHING


def _add_own(said: Said) -> Sentence:
    return _("This is your own number. Add somebody who can come to you."), Answer.NOTHING


def _paused(said: Said) -> Sentence:
    return _("We rest that long, then ask again as usual."), Answer.NOTHING


def _no_routine(said: Said) -> Sentence:
    return _("There is no daily question to rest. DONE ends what is on."), Answer.NOTHING


def _delete(said: Said) -> Sentence:
    text = _("Reply DELETE once more within ten minutes and all about you is erased.")
    return text + " " + _("You will hear no more."), Answer.NOTHING


def _delete_later(said: Said) -> Sentence:
    return _("Not while people are being reached. Answer them first, then DELETE."), Answer.NOTHING


def _unblocked(said: Said) -> Sentence:
    return _("We can text you again. GO starts."), Answer.NOTHING


def _news(said: Said) -> Sentence:
    return _("There is news that may matter to you. See our page."), Answer.NOTHING


def _kit_soon(said: Said) -> Sentence:
    text = _("What you carry for an emergency runs out soon. Our page says how to get more.")
    return text, Answer.NOTHING


def _kit_used(said: Said) -> Sentence:
    text = _("What you carry for an emergency is empty now. Our page says how to get more.")
    return text, Answer.NOTHING


def _who_person(said: Said) -> Sentence:
    return _("This is Lamp. GO starts, OK says you are here, DONE ends."), Answer.NOTHING


def _gap(said: Said) -> Sentence:
    text = said(_("%(Who)s cannot be reached any more. Who else could come? ADD and a number."))
    return text, Answer.NOTHING


def _way_gone(said: Said) -> Sentence:
    text = _("One way to reach you does not work any more. Open your list and type it again.")
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


def _who(said: Said) -> Sentence:
    text = said(_("This is Lamp. %(Person)s chose you to be reached when they do not answer."))
    return text + " " + _("STOP ends it."), Answer.NOTHING


def _drilled(said: Said) -> Sentence:
    return said(_("Thank you. %(Person)s sees that you answered the drill.")), Answer.NOTHING


def _rang(said: Said) -> Sentence:
    return _("Good: it rang."), Answer.NOTHING


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
    "reply-who": _who,
    "reply-drill": _drilled,
    "reply-rang": _rang,
    "reply-joined": _joined,
    "reply-left": _left,
}
