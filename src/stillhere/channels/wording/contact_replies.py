"""What we say back to a contact who told us in words of their own how it goes, or asked where.

Owns these sentences, in an alarm. The digits that they ask for stand in ``answers.py``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from django.utils.translation import gettext as _

from stillhere.channels.wording import answers, plain
from stillhere.channels.wording.contacts import Sentence
from stillhere.channels.wording.facts import fill
from stillhere.core.messages import Facts

TOWN_MOST = 40


def _stay(facts: Facts) -> Sentence:
    """Before the steps, where somebody says they want to die. Source: ``ask-directly`` in
    ``content/sources.toml``; that waking comes first is our own."""
    text = fill(facts, _("Ask %(person)s: are you thinking of killing yourself? Listen. Stay."))
    text += " " + _("Move away what could hurt them.")
    text += " " + fill(facts, _("To talk: %(line)s."), line=facts.says) if facts.says else ""
    return text, answers.STAY


def _called(_facts: Facts) -> Sentence:
    return _("Good. Stay on the phone with them."), answers.CALLED


def _at_door(facts: Facts) -> Sentence:
    return fill(facts, _("The others hear that you are almost with %(person)s.")), answers.LATER


def _where(facts: Facts) -> Sentence:
    text = _("Say that you are going: then you hear where %(person)s is.")
    return fill(facts, text), answers.GOING


def where(facts: Facts) -> str:
    """Where somebody is and how to get in, as they typed it; opened only for who may hear it."""
    said = [fill(facts, _("%(Person)s: %(place)s."), place=facts.place)] if facts.place else []
    said += [_("To get in: %(entry)s.") % {"entry": facts.entry}] if facts.entry else []
    return " ".join(said)


def _aloud(facts: Facts) -> str:
    """That they said it in a call, and how that is heard."""
    if facts.says:
        text = _("%(Person)s said where in a call. Ring %(number)s and press 1 to hear it.")
        return fill(facts, text, number=facts.says)
    return fill(facts, _("%(Person)s said where in a call: our link plays it."))


def from_afar(facts: Facts) -> str:
    """What an ambulance is called with by somebody far away, whose own number reaches another
    town."""
    if town := plain.name(facts.town, TOWN_MOST):
        text = _(
            "Your own emergency number reaches your town. Say first: I need dispatch in %(town)s."
        ) % {"town": town}
    else:
        text = _("Your own emergency number reaches your town: say first which city it is.")
    if number := plain.number(facts.dispatch):
        text += " " + _("The dispatch there: %(number)s.") % {"number": number}
    return text


def _place(facts: Facts) -> Sentence:
    if facts.spoken:
        return f"{where(facts)} {_aloud(facts)}".strip(), answers.LATER
    if not where(facts):
        return fill(facts, _("%(Person)s told us no place. Phone them.")), answers.LATER
    return " ".join([where(facts), _("Delete this text afterwards.")]), answers.LATER


def _no_place(facts: Facts) -> Sentence:
    """Nothing about why: it may be that none was kept, or that they are not to be told."""
    return fill(facts, _("We have no place to tell you. Phone %(person)s.")), answers.LATER


def _missed(facts: Facts) -> Sentence:
    text = fill(facts, _("The others hear that you did not find %(person)s."))
    return text + " " + _("Somebody may know another place."), answers.LATER


def _how(facts: Facts) -> Sentence:
    return fill(facts, _("How is %(person)s?")), answers.HOW


def _thanks(facts: Facts) -> Sentence:
    text = _("Thank you. Stay if you can: %(person)s can still get worse.")
    return fill(facts, text), answers.NOTHING


def _taken_over(facts: Facts) -> Sentence:
    text = _("Thank you. Those we called hear that help has taken over.")
    return text, answers.NOTHING


def _be_there(facts: Facts) -> Sentence:
    text = fill(facts, _("First somebody must be with %(person)s."))
    return text, answers.LATER


def _told_before(facts: Facts) -> Sentence:
    text = _("You ended an alarm before, and %(person)s has not answered since.")
    text += " " + _("Go there if you can. Somebody else who is there can end it.")
    return fill(facts, text), answers.NOTHING


SENTENCES: Mapping[str, Callable[[Facts], Sentence]] = {
    "reply-stay": _stay,
    "reply-at-door": _at_door,
    "reply-called": _called,
    "reply-where": _where,
    "reply-place": _place,
    "reply-no-place": _no_place,
    "reply-not-found": _missed,
    "reply-how": _how,
    "reply-thanks": _thanks,
    "reply-taken-over": _taken_over,
    "reply-be-there": _be_there,
    "reply-told-before": _told_before,
}
