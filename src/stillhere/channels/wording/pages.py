"""What whoever is on call is told, one function a word: pages, and what is said back to an answer.

Owns these sentences. They name the person, because somebody has to act, and never a place.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from stillhere.channels.wording import answers, plain
from stillhere.channels.wording.answers import AnswerKind
from stillhere.channels.wording.facts import fill
from stillhere.core.messages import Facts

Sentence = tuple[str, AnswerKind]


def _answer(facts: Facts) -> AnswerKind:
    """Whoever is paged by name says that they look."""
    return answers.LOOKING if facts.asks else answers.NOTHING


def _page_exhausted(facts: Facts) -> Sentence:
    text = fill(
        facts,
        _("Everyone on %(person)s's list was tried (round %(round)d). Nobody is going."),
        person=plain.name(facts.person) or _("somebody"),
        round=facts.round + 1,
    )
    return text + " " + _("Look now."), _answer(facts)


def _page_quarantine(facts: Facts) -> Sentence:
    if facts.untold:
        text = _(
            "A fault of ours: we no longer ask %(person)s. We could not tell any of their contacts."
        )
    else:
        text = _("A fault of ours: we no longer ask %(person)s. We try to reach the contacts.")
    text = fill(facts, text, person=plain.name(facts.person) or _("somebody"))
    return text + " " + _("Look now, and phone."), _answer(facts)


def _page_grave(facts: Facts) -> Sentence:
    text = _(
        "One person alone says how it ended for %(person)s, and it is grave. We call nobody any "
        "more."
    )
    text = fill(facts, text, person=plain.name(facts.person) or _("somebody"))
    return text + " " + _("Look now, and phone them."), _answer(facts)


def _page_peer_silent(facts: Facts) -> Sentence:
    other = plain.name(facts.who) or _("An installation you look after")
    if facts.at is not None:
        text = fill(facts, _("%(other)s has not been heard since %(at)s."), other=other)
    else:
        text = fill(facts, _("%(other)s is not heard any more."), other=other)
    text += " " + _("It stopped, or cannot reach us. Tell its coordinator, by phone.")
    return text, _answer(facts)


def _page_peer_back(facts: Facts) -> Sentence:
    other = plain.name(facts.who) or _("An installation you look after")
    if facts.at is not None:
        return fill(facts, _("%(other)s is back since %(at)s."), other=other), _answer(facts)
    return fill(facts, _("%(other)s is back."), other=other), _answer(facts)


def _page_stuck(facts: Facts) -> Sentence:
    if facts.at is not None:
        text = fill(facts, _("Some of what we send has not arrived since %(at)s."))
    else:
        text = _("Some of what we send does not arrive.")
    return text + " " + _("Somebody may be waiting for help. Look now, and phone."), _answer(facts)


def _page_gap(facts: Facts) -> Sentence:
    text = _("Somebody on %(person)s's list can no longer be reached.")
    text = fill(facts, text, person=plain.name(facts.person) or _("somebody"))
    return text + " " + _("Help them find somebody else."), _answer(facts)


def _page_free(facts: Facts) -> Sentence:
    if facts.at is not None:
        return fill(facts, _("What we send leaves again, since %(at)s.")), _answer(facts)
    return _("What we send leaves again."), _answer(facts)


def _page_many(facts: Facts) -> Sentence:
    if facts.at is not None:
        text = ngettext(
            "%(n)d thing needs you since %(at)s.", "%(n)d things need you since %(at)s.", facts.n
        )
    else:
        text = ngettext("%(n)d thing needs you.", "%(n)d things need you.", facts.n)
    text = fill(facts, text, n=facts.n)
    return text + " " + _("People may be waiting for help. Look at the desk now."), _answer(facts)


def _looking(facts: Facts) -> Sentence:
    text = ngettext(
        "Thank you. %(n)d thing needs you: look at the desk.",
        "Thank you. %(n)d things need you: look at the desk.",
        facts.n,
    )
    return fill(facts, text, n=facts.n) + " " + _("Nobody else is woken."), answers.NOTHING


def _look_soon(facts: Facts) -> Sentence:
    text = ngettext(
        "Thank you. %(n)d thing needs you.", "Thank you. %(n)d things need you.", facts.n
    )
    text = fill(facts, text, n=facts.n)
    text += " " + _("Now open the link we sent, or the desk, and press the button.")
    return text + " " + _("If nobody does soon, we page the next."), answers.NOTHING


def _looked(facts: Facts) -> Sentence:
    return _("Thank you. Nothing waits for you now, or somebody looks already."), answers.NOTHING


def _look_how(facts: Facts) -> Sentence:
    return _("Text 0 to say that you are looking: then we wait a while for you."), answers.NOTHING


SENTENCES: Mapping[str, Callable[[Facts], Sentence]] = {
    "page-exhausted": _page_exhausted,
    "page-quarantine": _page_quarantine,
    "page-grave": _page_grave,
    "page-peer-silent": _page_peer_silent,
    "page-peer-back": _page_peer_back,
    "page-stuck": _page_stuck,
    "page-free": _page_free,
    "page-gap": _page_gap,
    "page-many": _page_many,
    "reply-looking": _looking,
    "reply-look-soon": _look_soon,
    "reply-looked": _looked,
    "reply-look-how": _look_how,
}
