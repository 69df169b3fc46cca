"""What contacts and the coordinator are told, one function a word.

Owns the sentences of an alarm. They say exactly what is known ("Sam's phone was answered at
22:16"), never "safe", and nothing a stranger may not read over a shoulder. A name comes first, the
need second; how to answer is added after them. Grave news has no sentence here: people tell it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import ceil

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from stillhere.channels.wording import plain
from stillhere.channels.wording.answers import AnswerKind
from stillhere.channels.wording.facts import SentenceParts
from stillhere.core.alarm import HOLDING_ETA_S
from stillhere.core.events import Outcome, Word

Sentence = tuple[str, AnswerKind]


def _alarm(said: SentenceParts) -> Sentence:
    text = said(_("%(Person)s may need help NOW."))
    if said.facts.unasked:
        text += " " + said(_("No word since %(at)s.")) if said.timed else ""
        text += " " + _("We had no way to ask.")
    elif said.timed:
        text += " " + said(_("No answer since %(at)s."))
    return text + _unconfirmed(said), AnswerKind.GOING


def _help(said: SentenceParts) -> Sentence:
    if said.timed:
        text = said(_("%(Person)s asks for help NOW, at %(at)s."))
    else:
        text = said(_("%(Person)s asks for help NOW."))
    return text + _unconfirmed(said), AnswerKind.GOING


def _again(said: SentenceParts) -> Sentence:
    if said.timed:
        text = said(_("%(Person)s may still need help NOW, since %(at)s."))
    else:
        text = said(_("%(Person)s may still need help NOW."))
    text += " " + _("As far as we know nobody is there.")
    return text + _unconfirmed(said), AnswerKind.GOING


def _unconfirmed(said: SentenceParts) -> str:
    """An invitation nobody answered is marked, so that nobody wonders why they are called."""
    if said.facts.confirmed:
        return ""
    if said.named:
        return " " + said(_("You were asked to be on %(person)s's list and have not answered yet."))
    return " " + _("You were asked to be on a list and have not answered yet.")


def _going(said: SentenceParts) -> Sentence:
    eta_s = said.facts.eta_s
    over = " " + _("It is not over.")
    if eta_s is None:
        return said(_("%(Who)s is far away and will phone %(person)s.")) + over, AnswerKind.GOING
    if eta_s <= 0:
        return said(_("%(Who)s is going to %(person)s.")) + over, AnswerKind.GOING
    minutes = ceil(eta_s / 60)
    text = ngettext(
        "%(Who)s is going to %(person)s: about %(minutes)d minute.",
        "%(Who)s is going to %(person)s: about %(minutes)d minutes.",
        minutes,
    )
    # Whoever is that far does not hold the ladder: somebody nearer is still needed.
    answer = AnswerKind.NOTHING if eta_s <= HOLDING_ETA_S else AnswerKind.GOING
    return said(text, minutes=minutes) + over, answer


def _reopened(said: SentenceParts) -> Sentence:
    if said.about_oneself:
        text = said(_("We do not know whether you are with %(person)s."))
    else:
        text = said(_("We do not know whether %(who)s is with %(person)s."))
    return text + " " + said(_("%(Person)s may need help NOW.")), AnswerKind.GOING


def _are_you_there(said: SentenceParts) -> Sentence:
    return said(_("Are you with %(person)s? We have not heard from you.")), AnswerKind.THERE


def _arrived(said: SentenceParts) -> Sentence:
    if said.timed:
        text = said(_("%(Who)s said at %(at)s: I am with %(person)s."))
    else:
        text = said(_("%(Who)s says: I am with %(person)s."))
    return text + " " + _("It is not over."), AnswerKind.NOTHING


def _cannot_get_in(said: SentenceParts) -> Sentence:
    text = said(_("%(Who)s can't get in to %(person)s."))
    return text + " " + _("Do you have a key, or know who has?"), AnswerKind.GOING


def _not_found(said: SentenceParts) -> Sentence:
    text = said(_("%(Who)s did not find %(person)s."))
    return text + " " + _("Do you know another place?"), AnswerKind.GOING


def _ambulance(said: SentenceParts) -> Sentence:
    if said.timed:
        text = said(_("Nobody has reached %(person)s since %(at)s."))
    else:
        text = said(_("Nobody has reached %(person)s."))
    return text + " " + _wish(said), AnswerKind.GOING


def _wish(said: SentenceParts) -> str:
    """The ambulance in the words of the plan's wish."""
    whose = _("%(person)s's wish:") if said.named else _("Their wish:")
    if said.facts.wish == "never":
        return said(whose) + " " + _("no ambulance. It is your decision.")
    if said.facts.wish == "call-now":
        return said(whose) + " " + _("an ambulance. Call now.")
    return _("Call an ambulance now.")


def _answered_once(said: SentenceParts) -> Sentence:
    return _answered(said) + " " + _("Once. It is not over."), AnswerKind.NOTHING


def _answered(said: SentenceParts) -> str:
    if said.named and said.timed:
        return said(_("%(person)s's phone was answered at %(at)s."))
    if said.named:
        return said(_("%(person)s's phone was answered."))
    if said.timed:
        return said(_("The phone of the person who counts on you was answered at %(at)s."))
    return _("The phone of the person who counts on you was answered.")


def _stand_down(said: SentenceParts) -> Sentence:
    outcome = said.facts.outcome
    if not outcome:
        text = _answered(said) + " " + _("Thank you. We go on asking for a while.")
        return text, AnswerKind.NOTHING
    text = " ".join((_heard(said), _how_it_ended(said, outcome), _("Thank you.")))
    return text, AnswerKind.NOTHING


def _heard(said: SentenceParts) -> str:
    """Who says how it ended; without a name it was somebody of the programme."""
    if said.who:
        return said(_("%(Who)s said at %(at)s:") if said.timed else _("%(Who)s says:"))
    return said(_("We were told at %(at)s:") if said.timed else _("We were told:"))


def _how_it_ended(said: SentenceParts, outcome: str) -> str:
    """Raises ValueError for what no machine may tell: it is for people to say."""
    if outcome == Outcome.FINE:
        return said(_("%(person)s is fine."))
    if outcome == Outcome.REVIVED:
        return said(_("%(person)s needed help and is alive."))
    if outcome == Outcome.FALSE_ALARM:
        return _("it was a false alarm.")
    raise ValueError(f"no automatic words for the outcome {outcome!r}")


def _service_was_down(said: SentenceParts) -> Sentence:
    if said.timed:
        text = said(_("We were away since %(at)s and are back."))
    else:
        text = _("We were away and are back.")
    return text + " " + said(_("The alarm about %(person)s is still open.")), AnswerKind.GOING


def _well(said: SentenceParts) -> Sentence:
    return _answered(said) + " " + _("As planned. You need do nothing."), AnswerKind.NOTHING


def _test(said: SentenceParts) -> Sentence:
    text = _("This is only a test. Nobody is in need.")
    return text + " " + said(_("%(Person)s asked us to show you how it rings.")), AnswerKind.NOTHING


def _drill(said: SentenceParts) -> Sentence:
    text = said(_("Only a drill, nobody is in need: would you come to %(person)s now?"))
    return text, AnswerKind.YES_OR_NO


def _invite(said: SentenceParts) -> Sentence:
    text = said(_("%(Person)s asks: may we reach you, day or night, when they don't answer us?"))
    program = plain.name(said.facts.program, plain.PROGRAM_MOST)
    if program:
        text += " " + said(_("This is %(program)s."), program=program)
    return text, AnswerKind.YES_OR_NO


def _page_exhausted(said: SentenceParts) -> Sentence:
    text = said(
        _("Everyone on %(person)s's list was tried (round %(round)d). Nobody is going."),
        person=said.named or _("somebody"),
        round=said.facts.round + 1,
    )
    return text + " " + _("Look now."), AnswerKind.NOTHING


def _page_quarantine(said: SentenceParts) -> Sentence:
    if said.facts.untold:
        text = _(
            "A fault of ours: we no longer ask %(person)s. We could not tell any of their contacts."
        )
    else:
        text = _("A fault of ours: we no longer ask %(person)s. We try to reach the contacts.")
    text = said(text, person=said.named or _("somebody"))
    return text + " " + _("Look now, and phone."), AnswerKind.NOTHING


def _page_peer_silent(said: SentenceParts) -> Sentence:
    other = said.who or _("An installation you look after")
    if said.timed:
        text = said(_("%(other)s has not been heard since %(at)s."), other=other)
    else:
        text = said(_("%(other)s is not heard any more."), other=other)
    text += " " + _("It stopped, or cannot reach us. Tell its coordinator, by phone.")
    return text, AnswerKind.NOTHING


def _page_peer_back(said: SentenceParts) -> Sentence:
    other = said.who or _("An installation you look after")
    if said.timed:
        return said(_("%(other)s is back since %(at)s."), other=other), AnswerKind.NOTHING
    return said(_("%(other)s is back."), other=other), AnswerKind.NOTHING


def _page_stuck(said: SentenceParts) -> Sentence:
    if said.timed:
        text = said(_("Some of what we send has not arrived since %(at)s."))
    else:
        text = _("Some of what we send does not arrive.")
    return text + " " + _(
        "Somebody may be waiting for help. Look now, and phone."
    ), AnswerKind.NOTHING


def _page_free(said: SentenceParts) -> Sentence:
    if said.timed:
        return said(_("What we send leaves again, since %(at)s.")), AnswerKind.NOTHING
    return _("What we send leaves again."), AnswerKind.NOTHING


SENTENCES: Mapping[str, Callable[[SentenceParts], Sentence]] = {
    Word.ALARM: _alarm,
    Word.HELP: _help,
    Word.AGAIN: _again,
    Word.GOING: _going,
    Word.REOPENED: _reopened,
    Word.ARE_YOU_THERE: _are_you_there,
    Word.ARRIVED: _arrived,
    Word.CANNOT_GET_IN: _cannot_get_in,
    Word.NOT_FOUND: _not_found,
    Word.AMBULANCE: _ambulance,
    Word.ANSWERED_ONCE: _answered_once,
    Word.STAND_DOWN: _stand_down,
    Word.SERVICE_WAS_DOWN: _service_was_down,
    Word.WELL: _well,
    "invite": _invite,
    "test": _test,
    "drill": _drill,
    "page-exhausted": _page_exhausted,
    "page-quarantine": _page_quarantine,
    "page-peer-silent": _page_peer_silent,
    "page-peer-back": _page_peer_back,
    "page-stuck": _page_stuck,
    "page-free": _page_free,
}
