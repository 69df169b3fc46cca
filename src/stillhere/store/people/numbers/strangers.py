"""Strangers: addresses whose owner has not shown yet that they are theirs, and wants to hear us.

Owns what such an address may be sent, and how much of it: a person who has just arrived may type
any number in the world. ``messages/held_back.py`` keeps to it when a message leaves, pages refuse
early. Nothing here is ever asked about a proved address: no budget stops an alarm to those.
"""

from __future__ import annotations

from django.conf import settings
from django.db.models import Q

from stillhere.core.events import CALLS
from stillhere.store.db import budgets
from stillhere.store.db.budgets import BudgetLimit
from stillhere.store.people import suppression

FREE = ("page", "push")  # a browser of theirs, open or asked: nobody types these
PROVED = Q(proved_at__gt=0) | Q(channel__in=FREE)
INVITE, CODE = "invite", "prove"
END = "stand-down"  # whoever was rung is owed it, once
# What a stranger may be sent at all; and an answer to what came from that number.
# That is, of an alarm the first call, once: the contact who never answered.
HEARS = frozenset({INVITE, CODE, END, *CALLS})
ANSWERS = "reply-"

# Two people who know them, and a code once more.
ASKED_A_NUMBER = 3
# A list of twenty, and what went wrong with some of them.
ASKED_A_PERSON = 30
# One code by itself, two when somebody asks for it.
CODES = 3
# Two alarms of a text and a call: who is rung a third time on one day has said that they are no
# help, and everybody else on the list is rung.
RUNG_A_NUMBER = 4
# One alarm of a full list.
RUNG_A_PERSON = 40
# The text and the call of one alarm, which a list that invited a number is owed whatever others did
# to that number. Three lists a day may invite it, so six messages a day are the most of that kind.
OWED = 2

# Tries at a code, a day.
TRIED_BY_OWNER = 10
TRIED_KNOWING = 200
TRIED_UNKNOWING = 20

# Ends of alarms to which somebody came by their link although nothing rang them.
TOLD_A_NUMBER = 4

RUNG_ENOUGH = "was rung often enough today"
LIST_RANG_ENOUGH = "this list has rung enough today"
ALL_RANG_ENOUGH = "enough were rung from here today"
ASKED_BEFORE = "asked once already"
HAD_CODES = "had its codes already"


def is_one(channel: str, proved_at: int | None) -> bool:
    """Whether an address is a stranger's."""
    return not proved_at and channel not in FREE


def may_hear(word: str) -> bool:
    """Whether a stranger may be sent this word at all."""
    return word in HEARS or word.startswith(ANSWERS)


def limits(word: str, person: int | None, channel: str, value: str) -> list[BudgetLimit]:
    """What one more message of this ``word`` to a stranger uses: by the number, by the person who
    has it on their list, and by this installation, a day each; an invitation also once, ever."""
    if word == END or word.startswith(ANSWERS):
        return []
    to, most = _number(channel, value), settings.STILLHERE.strangers_a_day
    if word in CALLS:
        return [
            budgets.limit(RUNG_ENOUGH, RUNG_A_NUMBER, "rung", to),
            budgets.limit(LIST_RANG_ENOUGH, RUNG_A_PERSON, "rung by", person),
            budgets.limit(ALL_RANG_ENOUGH, most, "all rung"),
        ]
    return [
        _once(word, person, to),
        budgets.limit("was asked often enough today", ASKED_A_NUMBER, "asked", to),
        budgets.limit("this list has asked enough today", ASKED_A_PERSON, "asked by", person),
        budgets.limit("enough were asked from here today", most, "all asked"),
    ]


def owed_ring(person: int | None, channel: str, value: str) -> BudgetLimit:
    """The first alarm of a list that invited this number: somebody who has it on ten other lists
    and rings it first takes none of it away."""
    return budgets.limit(RUNG_ENOUGH, OWED, "owed", person, _number(channel, value), ever=True)


def limits_of_an_end(channel: str, value: str) -> list[BudgetLimit]:
    """What the end of an alarm uses for somebody whom nothing rang: anybody may hold a link."""
    to = _number(channel, value)
    return [budgets.limit("was told often enough today", TOLD_A_NUMBER, "told", to)]


def sent(word: str, person: int | None, channel: str, value: str, now: int) -> int:
    """How many invitations, or codes, this person has had sent to this number."""
    return budgets.used(_once(word, person, _number(channel, value)), now)


def used_up(word: str, person: int, channel: str, value: str, now: int) -> str:
    """Why no more of this can be sent to a stranger now, or nothing."""
    return budgets.used_up(limits(word, person, channel, value), now)


def tries_of_owner(owner: str) -> BudgetLimit:
    """How often codes may be tried a day by the owner of a page."""
    return budgets.limit("tried", TRIED_BY_OWNER, "tries", owner)


def tries_at(address: str, *, knows: bool) -> BudgetLimit:
    """How often codes to one number may be tried a day on all pages together. Those who had one
    sent (``knows``) are counted by themselves: whoever can only guess uses up nothing of theirs.

    A number gets three messages a day, so three more owners a day had a code sent. Seven days of it
    fill ``TRIED_KNOWING``, and with the guesses of everybody else it makes 220 tries a day at most,
    each at the two codes of a phone: one of a million is guessed once in six years, by somebody who
    has disturbed that phone every day. Without messages it is one in twenty-five thousand a day.
    """
    if knows:
        return budgets.limit("tried", TRIED_KNOWING, "tries of", address, "known")
    return budgets.limit("tried", TRIED_UNKNOWING, "tries of", address)


def _once(word: str, person: int | None, to: str) -> BudgetLimit:
    if word == CODE:
        return budgets.limit(HAD_CODES, CODES, "code", person, to, ever=True)
    return budgets.limit(ASKED_BEFORE, 1, "invited", person, to, ever=True)


def _number(channel: str, value: str) -> str:
    """Text, call and WhatsApp of one number are one number."""
    return suppression.number_of(channel, value).hex()
