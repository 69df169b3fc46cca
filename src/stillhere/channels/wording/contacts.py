"""What contacts are told, one function a word.

Owns the sentences of an alarm. They say exactly what is known ("Sam's phone was answered at
22:16"), never "safe", and nothing a stranger may not read over a shoulder. A name comes first, the
need second; how to answer is added after them. Grave news has no sentence here: people tell it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import ceil

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from stillhere.channels.wording import answers, plain
from stillhere.channels.wording.answers import AnswerKind
from stillhere.channels.wording.facts import fill, of_themselves
from stillhere.core.alarm import HOLDING_ETA_S
from stillhere.core.events import Outcome, Word
from stillhere.core.messages import Facts

Sentence = tuple[str, AnswerKind]


def _alarm(facts: Facts) -> Sentence:
    text = fill(facts, _("%(Person)s may need help NOW."))
    if facts.unasked:
        text += " " + fill(facts, _("No word since %(at)s.")) if facts.at is not None else ""
        text += " " + _("We had no way to ask.")
    elif facts.at is not None:
        text += " " + fill(facts, _("No answer since %(at)s."))
    return text + _phone(facts) + _unconfirmed(facts), answers.GOING


def _help(facts: Facts) -> Sentence:
    if facts.wants_to_die:
        text = fill(facts, _("%(Person)s says they want to die."))
        return text + " " + _ask_and_stay() + _unconfirmed(facts), answers.GOING
    if facts.at is not None:
        text = fill(facts, _("%(Person)s asks for help NOW, at %(at)s."))
    else:
        text = fill(facts, _("%(Person)s asks for help NOW."))
    return text + _phone(facts) + _unconfirmed(facts), answers.GOING


def _ask_and_stay() -> str:
    """To ask puts the thought into nobody's head, and whoever is not alone is safer."""
    return _("Phone or go NOW: ask them straight, listen, stay.")


def _forced(facts: Facts) -> Sentence:
    text = _(
        "%(Person)s needs help NOW. Somebody may be with them: do NOT phone or text, "
        "do not go alone."
    )
    return fill(facts, text), answers.GOING


def _again(facts: Facts) -> Sentence:
    if facts.wants_to_die:
        text = fill(facts, _("%(Person)s said they want to die.")) + " " + _ask_and_stay()
    elif facts.at is not None:
        text = fill(facts, _("%(Person)s may still need help NOW, since %(at)s."))
    else:
        text = fill(facts, _("%(Person)s may still need help NOW."))
    text += " " + _("As far as we know nobody is there.")
    return text + _unconfirmed(facts), answers.GOING


def _phone(facts: Facts) -> str:
    """The number of somebody without a page."""
    return " " + _("Their phone: %(phone)s.") % {"phone": facts.phone} if facts.phone else ""


def _unconfirmed(facts: Facts) -> str:
    """An invitation nobody answered is marked, so that nobody wonders why they are called."""
    if facts.confirmed:
        return ""
    if plain.name(facts.person):
        return " " + fill(
            facts, _("You were asked to be on %(person)s's list and have not answered yet.")
        )
    return " " + _("You were asked to be on a list and have not answered yet.")


def _going(facts: Facts) -> Sentence:
    eta_s = facts.eta_s
    over = " " + _("It is not over.")
    if eta_s is None:
        return fill(
            facts, _("%(Who)s is far away and will phone %(person)s.")
        ) + over, answers.GOING
    if eta_s <= 0:
        return fill(facts, _("%(Who)s is going to %(person)s.")) + over, answers.GOING
    minutes = ceil(eta_s / 60)
    text = ngettext(
        "%(Who)s is going to %(person)s: about %(minutes)d minute.",
        "%(Who)s is going to %(person)s: about %(minutes)d minutes.",
        minutes,
    )
    # Whoever is that far does not hold the ladder: somebody nearer is still needed.
    answer = answers.NOTHING if eta_s <= HOLDING_ETA_S else answers.GOING
    return fill(facts, text, minutes=minutes) + over, answer


def _reopened(facts: Facts) -> Sentence:
    if of_themselves(facts):
        text = fill(facts, _("We do not know whether you are with %(person)s."))
    else:
        text = fill(facts, _("We do not know whether %(who)s is with %(person)s."))
    return text + " " + fill(facts, _("%(Person)s may need help NOW.")), answers.GOING


def _are_you_there(facts: Facts) -> Sentence:
    return fill(facts, _("Are you with %(person)s? We have not heard from you.")), answers.THERE


def _arrived(facts: Facts) -> Sentence:
    if facts.at is not None:
        text = fill(facts, _("%(Who)s said at %(at)s: I am with %(person)s."))
    else:
        text = fill(facts, _("%(Who)s says: I am with %(person)s."))
    return text + " " + _("It is not over."), answers.NOTHING


def _still_there(facts: Facts) -> Sentence:
    """To somebody whom nobody had told: all there is to know, and that it rests on one word."""
    if facts.at is not None:
        text = fill(facts, _("%(Person)s may have needed help since %(at)s."))
    else:
        text = fill(facts, _("%(Person)s may have needed help."))
    text += " " + fill(facts, _("%(Who)s says: I am with them."))
    return text + " " + _("It is not over. To be sure, phone or go."), answers.NOTHING


def _cannot_get_in(facts: Facts) -> Sentence:
    text = fill(facts, _("%(Who)s can't get in to %(person)s."))
    return text + " " + _("Do you have a key, or know who has?"), answers.GOING


def _not_found(facts: Facts) -> Sentence:
    text = fill(facts, _("%(Who)s did not find %(person)s."))
    return text + " " + _("Do you know another place?"), answers.GOING


def _ambulance(facts: Facts) -> Sentence:
    if facts.at is not None:
        text = fill(facts, _("Nobody has reached %(person)s since %(at)s."))
    else:
        text = fill(facts, _("Nobody has reached %(person)s."))
    return text + " " + _wish(facts), answers.GOING


def _wish(facts: Facts) -> str:
    """The ambulance in the words of the plan's wish."""
    whose = _("%(person)s's wish:") if plain.name(facts.person) else _("Their wish:")
    if facts.wish == "never":
        return fill(facts, whose) + " " + _("no ambulance. It is your decision.")
    if facts.wish == "call-now":
        return fill(facts, whose) + " " + _("an ambulance. Call now.")
    return _("Call an ambulance now.")


def _answered_once(facts: Facts) -> Sentence:
    return _answered(facts) + " " + _("Once. It is not over."), answers.NOTHING


def _unreadable(facts: Facts) -> Sentence:
    if plain.name(facts.person) and facts.at is not None:
        text = _("%(person)s's phone sent us something at %(at)s that we can't read.")
    elif plain.name(facts.person):
        text = _("%(person)s's phone sent us something that we can't read.")
    else:
        text = _("The phone of the person who counts on you sent us something that we can't read.")
    return fill(facts, text) + " " + _("It may be a call for help."), answers.NOTHING


def _answered(facts: Facts) -> str:
    if plain.name(facts.person) and facts.at is not None:
        return fill(facts, _("%(person)s's phone was answered at %(at)s."))
    if plain.name(facts.person):
        return fill(facts, _("%(person)s's phone was answered."))
    if facts.at is not None:
        return fill(facts, _("The phone of the person who counts on you was answered at %(at)s."))
    return _("The phone of the person who counts on you was answered.")


def _stand_down(facts: Facts) -> Sentence:
    outcome = facts.outcome
    if not outcome:
        text = _answered(facts) + " " + _("Thank you. We go on asking for a while.")
        return text, answers.NOTHING
    text = " ".join((_heard(facts), _how_it_ended(facts, outcome), _("Thank you.")))
    return text, answers.NOTHING


def _heard(facts: Facts) -> str:
    """Who says how it ended; without a name it was somebody of the programme."""
    if plain.name(facts.who):
        return fill(
            facts, _("%(Who)s said at %(at)s:") if facts.at is not None else _("%(Who)s says:")
        )
    return fill(facts, _("We were told at %(at)s:") if facts.at is not None else _("We were told:"))


def _how_it_ended(facts: Facts, outcome: str) -> str:
    """Raises ValueError for what no machine may tell: it is for people to say."""
    if outcome == Outcome.FINE:
        return fill(facts, _("%(person)s is fine."))
    if outcome == Outcome.REVIVED:
        return fill(facts, _("%(person)s needed help and is alive."))
    if outcome == Outcome.FALSE_ALARM:
        return _("it was a false alarm.")
    if outcome == Outcome.HOSPITAL:
        return _("help has taken over. Nobody needs to come.")
    raise ValueError(f"no automatic words for the outcome {outcome!r}")


def _service_was_down(facts: Facts) -> Sentence:
    if facts.at is not None:
        text = fill(facts, _("We were away since %(at)s and are back."))
    else:
        text = _("We were away and are back.")
    return text + " " + fill(facts, _("The alarm about %(person)s is still open.")), answers.GOING


def _well(facts: Facts) -> Sentence:
    return _answered(facts) + " " + _("As planned. You need do nothing."), answers.NOTHING


def _test(facts: Facts) -> Sentence:
    text = _("This is only a test. Nobody is in need.")
    return text + " " + fill(
        facts, _("%(Person)s asked us to show you how it rings.")
    ), answers.NOTHING


def _drill(facts: Facts) -> Sentence:
    text = fill(facts, _("Only a drill, nobody is in need: would you come to %(person)s now?"))
    return text, answers.YES_OR_NO


def _invite(facts: Facts) -> Sentence:
    text = fill(
        facts, _("%(Person)s asks: may we reach you, day or night, when they don't answer us?")
    )
    program = plain.name(facts.program, plain.PROGRAM_MOST)
    if program:
        text += " " + fill(facts, _("This is %(program)s."), program=program)
    return text, answers.YES_OR_NO


SENTENCES: Mapping[str, Callable[[Facts], Sentence]] = {
    Word.ALARM: _alarm,
    Word.HELP: _help,
    Word.FORCED: _forced,
    Word.AGAIN: _again,
    Word.GOING: _going,
    Word.REOPENED: _reopened,
    Word.ARE_YOU_THERE: _are_you_there,
    Word.ARRIVED: _arrived,
    Word.STILL_THERE: _still_there,
    Word.CANNOT_GET_IN: _cannot_get_in,
    Word.NOT_FOUND: _not_found,
    Word.AMBULANCE: _ambulance,
    Word.ANSWERED_ONCE: _answered_once,
    Word.UNREADABLE: _unreadable,
    Word.STAND_DOWN: _stand_down,
    Word.SERVICE_WAS_DOWN: _service_was_down,
    Word.WELL: _well,
    "invite": _invite,
    "test": _test,
    "drill": _drill,
}
