"""What a person is answered about their list: who is on it, who was added, and who is not.

Owns these sentences. What an answer of theirs does is the store's.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from django.utils.translation import gettext as _

from stillhere.channels.wording import answers, plain
from stillhere.channels.wording.contacts import Sentence
from stillhere.channels.wording.facts import fill
from stillhere.core.messages import Facts


def _list(facts: Facts) -> Sentence:
    if not plain.listed(facts.who):
        return _list_empty(facts)
    text = fill(
        facts,
        _("On your list: %(who)s. A ? has not said yes. ADD adds."),
        who=plain.listed(facts.who),
    )
    return text, answers.NOTHING


def _list_empty(facts: Facts) -> Sentence:
    return _("Nobody is on your list. Reply ADD, a name and a phone number."), answers.NOTHING


def _list_full(facts: Facts) -> Sentence:
    return _("Your list is full. Nobody was added."), answers.NOTHING


def _added(facts: Facts) -> Sentence:
    text = fill(facts, _("%(Who)s is asked by text. Reply LIST to see who said yes."))
    text += " " + _("They hear where you are from tomorrow on.")
    if facts.code:
        text += " " + _("For tonight, reply %(code)s.") % {"code": facts.code}
    return text, answers.NOTHING


def _door_code(facts: Facts) -> Sentence:
    if not facts.code:  # their day is over meanwhile, or they were taken off
        return _("Reply LIST to see who is on your list."), answers.NOTHING
    text = _("To let %(who)s hear where you are from tonight on, reply %(code)s.")
    return fill(facts, text, code=facts.code), answers.NOTHING


def _door_now(facts: Facts) -> Sentence:
    text = _("Thank you. From now on %(who)s hears where you are once they are coming.")
    return fill(facts, text), answers.NOTHING


def _add_pin(facts: Facts) -> Sentence:
    """Where there is a PIN: the same for every number, whoever has it."""
    return _("If we may text that number, we ask it. Your page says who said yes."), (
        answers.NOTHING
    )


def _added_later(facts: Facts) -> Sentence:
    text = fill(facts, _("%(Who)s is on your list. We ask them as soon as we may send it."))
    return text, answers.NOTHING


def _on_it_already(facts: Facts) -> Sentence:
    if not plain.name(facts.who):  # in a call
        return _("That number is on your list already."), answers.NOTHING
    return fill(facts, _("That number is on your list already: %(who)s.")), answers.NOTHING


def _added_asked(facts: Facts) -> Sentence:
    """They are not asked twice: a number that says nothing may be a stranger's."""
    text = fill(facts, _("%(Who)s is on your list. We ask a number once only."))
    return text + " " + fill(facts, _("Tell them to text us YES.")), answers.NOTHING


def _asked_enough(facts: Facts) -> Sentence:
    return _("We cannot ask more people today. Nobody was added. Try again tomorrow."), (
        answers.NOTHING
    )


def _add_how(facts: Facts) -> Sentence:
    return _("Reply ADD, a name and a phone number: ADD Maya 202-555-0102"), answers.NOTHING


def _add_not(facts: Facts) -> Sentence:
    text = _("We cannot reach that number from here.")
    how = _("Reply ADD, a name and a number of this country with +1: ADD Maya +1 202-555-0102")
    text += f" {how}"
    return text, answers.NOTHING


def _add_own(facts: Facts) -> Sentence:
    return _("This is your own number. Add somebody who can come to you."), answers.NOTHING


def _add_stopped(facts: Facts) -> Sentence:
    text = _(
        "That number asked us not to contact it. Only its owner can change that: they text START."
    )
    return text, answers.NOTHING


SENTENCES: Mapping[str, Callable[[Facts], Sentence]] = {
    "reply-list": _list,
    "reply-list-empty": _list_empty,
    "reply-list-full": _list_full,
    "reply-added": _added,
    "reply-added-tomorrow": _added,
    "reply-door-code": _door_code,
    "reply-door-now": _door_now,
    "reply-add-pin": _add_pin,
    "reply-added-later": _added_later,
    "reply-on-it-already": _on_it_already,
    "reply-added-asked": _added_asked,
    "reply-asked-enough": _asked_enough,
    "reply-add-how": _add_how,
    "reply-add-not": _add_not,
    "reply-add-own": _add_own,
    "reply-add-stopped": _add_stopped,
}
