"""Who is on the list, and adding somebody, by the keys of a phone.

Owns where these keys lead. Who may be added, how often and what is said of it is the store's, as by
text. A call that ends before "keep it" has changed nothing.
"""

from __future__ import annotations

from dataclasses import replace

from stillhere.channels.wording import plain
from stillhere.store.inbound import calls
from stillhere.store.inbound.reply import Reply
from stillhere.web.hooks.call_turns import CallStep, NextTurn, listen, say

KEYS_S = 15  # for a whole number
FEWEST = 7  # digits of a number, at least
MOST_TURNS = 60  # of one call: then nobody is at the keys


def hear(step: CallStep) -> NextTurn:
    """The list, and the way to add somebody."""
    reply = calls.on_list(step.number, step.told.ref)
    if reply is None or step.turn > MOST_TURNS:
        return NextTurn(say("call-bye", reply))
    return _and_the_keys(reply)


def choose(step: CallStep) -> NextTurn:
    """4 adds somebody; any other key says the list again."""
    if not step.told.key:
        return NextTurn(say("call-bye", calls.on_list(step.number)))
    return ask(step) if step.told.key == "4" else hear(step)


def ask(step: CallStep, word: str = "call-add") -> NextTurn:
    """Which number?"""
    reply = calls.on_list(step.number)
    if reply is None or step.turn > MOST_TURNS:
        return NextTurn(say("call-bye", reply))
    asked = listen(say(word, reply), "number", KEYS_S)
    return replace(asked, turn=replace(asked.turn, number=True))


def read_back(step: CallStep) -> NextTurn:
    """What was keyed, digit by digit."""
    if not step.told.typed:
        return NextTurn(say("call-bye", calls.on_list(step.number)))
    if len(step.told.typed) < FEWEST:
        return ask(step, "call-add-not")
    return _check(step, step.told.typed)


def keep(step: CallStep) -> NextTurn:
    """1 adds the number, 2 keys it again; any other key hears it again."""
    digits = calls.opened(step.at.partition(".")[2])
    if not step.told.key or not digits:
        return NextTurn(say("call-bye", calls.on_list(step.number)))
    if step.told.key == "2":
        return ask(step)
    if step.told.key != "1":
        return _check(step, digits)
    reply = calls.adds(step.number, digits)
    if reply is None:
        return NextTurn(say("call-bye"))
    if reply.word in ("reply-add-not", "reply-add-how"):
        return ask(step, "call-add-not")
    return _and_the_keys(reply)


def _check(step: CallStep, digits: str) -> NextTurn:
    said = say("call-add-check", calls.on_list(step.number), says=plain.digit_by_digit(digits))
    return listen(said, f"keep.{calls.sealed(digits)}")


def _and_the_keys(reply: Reply) -> NextTurn:
    said = say(reply.word, reply)
    return listen(replace(said, say=(*said.say, *say("call-people-keys", reply).say)), "list")


STEPS = {"list": choose, "number": read_back, "keep": keep}
