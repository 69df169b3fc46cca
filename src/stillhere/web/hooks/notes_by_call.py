"""A first name, where they are, how to get in: spoken by whoever rings us, and heard once.

Owns where these keys lead. What is kept, and what an alarm leaves as it was, is the store's. What
was kept before is never played here: whoever rings may have forged the number.
"""

from __future__ import annotations

from dataclasses import replace

from django.conf import settings

from stillhere.channels.base import Turn
from stillhere.channels.carriers.carrier import RECORDS
from stillhere.store.inbound.by_call import spoken_notes
from stillhere.store.inbound.reply import Reply
from stillhere.web.access.fields import whole
from stillhere.web.hooks.call_turns import CallStep, NextTurn, listen, say, sound_of
from stillhere.web.hooks.list_by_call import MOST_TURNS

KINDS = {"1": "place", "2": "entry", "3": "name"}
SAYS_S = 20
LOOKS_S = 1  # between two looks whether it has come from the carrier
MOST_LOOKS = 15


def offer(step: CallStep) -> Turn:
    """The sentence that is added to a menu; where calls are not recorded, the way by text."""
    reply = spoken_notes.asks_notes(step.number)
    if reply is None or reply.word == "reply-pin":
        return Turn()
    if not _records(step):
        return _by_text(step, reply)
    return say("call-notes-key", reply)


def after_cry(step: CallStep, word: str, said: Turn) -> NextTurn:
    """What is said to a cry for help; where their people are called and nobody knows where they
    are, they are asked."""
    called = word in ("reply-helping", "reply-coming") and step.turn <= MOST_TURNS
    if not (called and _records(step) and spoken_notes.lacks_place(step.number)):
        return NextTurn(said)
    asked = say("call-notes-key", spoken_notes.asks_notes(step.number))
    return listen(replace(said, say=(*said.say, *asked.say)), "cried")


def where(step: CallStep) -> NextTurn:
    """4 says it; no other key means anything now, and none ends an alarm."""
    if step.told.key == "4":
        return _one(step, "place")
    return after_cry(step, "reply-helping", Turn()) if step.told.key else _bye(step)


def ask(step: CallStep, before: Turn | None = None) -> NextTurn:
    """Which one? ``before`` is said first."""
    reply = spoken_notes.asks_notes(step.number)
    if reply is None or step.turn > MOST_TURNS:
        return NextTurn(say("call-bye", reply))
    if not _records(step):
        return NextTurn(_by_text(step, reply))
    if reply.word == "reply-pin":
        return NextTurn(say(reply.word, reply))
    said = say(reply.word, reply)
    return listen(replace(said, say=(*(before.say if before else ()), *said.say)), "notes")


def choose(step: CallStep) -> NextTurn:
    """The key of a kind; any other says the choices again."""
    if not step.told.key:
        return _bye(step)
    kind = KINDS.get(step.told.key)
    return _one(step, kind) if kind else ask(step)


def change(step: CallStep) -> NextTurn:
    """One is kept already: 2 says it anew, 3 takes it away; any other leaves it."""
    kind = step.at.partition(".")[2]
    if step.told.key == "2":
        return _record(step, kind)
    if step.told.key != "3":
        return ask(step) if step.told.key else _bye(step)
    return _and_the_choices(step, spoken_notes.takes_note_away(step.number, step.told.ref, kind))


def hear(step: CallStep) -> NextTurn:
    """Something was said; it comes from the carrier in a moment."""
    kind = step.at.partition(".")[2]
    if not step.told.recording:
        return ask(step) if step.told.key else _bye(step)
    note = spoken_notes.says_note(
        step.number, step.told.ref, kind, step.carrier.name, step.told.recording
    )
    return _look(step, note, 0) if note is not None else _bye(step)


def look(step: CallStep) -> NextTurn:
    """Whether it has come."""
    _, note, looks = [*step.at.split("."), "", ""][:3]
    return _look(step, whole(note, 18) or 0, (whole(looks, 2) or 0) + 1)


def keep(step: CallStep) -> NextTurn:
    """1 keeps it, 2 says it again, 3 takes it away; any other key plays it again."""
    note = whole(step.at.partition(".")[2], 18) or 0
    if not step.told.key:
        return _bye(step)
    if step.told.key == "1":
        return _and_the_choices(step, spoken_notes.keeps_note(step.number, step.told.ref, note))
    if step.told.key not in ("2", "3"):
        return _look(step, note, 0)
    kind = spoken_notes.takes_back_note(step.number, note)
    if step.told.key == "2" and kind:
        return _record(step, kind)
    gone = spoken_notes.takes_note_away(step.number, step.told.ref, kind) if kind else None
    return _and_the_choices(step, gone)


def _records(step: CallStep) -> bool:
    """Whether what is said in this call can be kept."""
    return step.carrier.kind in RECORDS


def _by_text(step: CallStep, reply: Reply) -> Turn:
    """The way by text, if somebody reads texts here."""
    texts = any("text" in c.carries for c in (*settings.STILLHERE.carriers, step.carrier))
    return say("call-notes-text", reply) if texts else Turn()


def _one(step: CallStep, kind: str) -> NextTurn:
    reply = spoken_notes.asks_note(step.number, kind)
    if reply is not None and reply.word == "call-note-there":
        return listen(say(reply.word, reply), f"change.{kind}")
    if reply is None or reply.word == "call-note-stays":
        return _and_the_choices(step, reply)
    return _record(step, kind)


def _record(step: CallStep, kind: str) -> NextTurn:
    reply = spoken_notes.asks_notes(step.number)
    if reply is None or reply.word == "reply-pin" or not _records(step):
        return ask(step)
    return NextTurn(replace(say(f"call-say-{kind}", reply), record_s=SAYS_S), f"spoke.{kind}")


def _look(step: CallStep, note: int, looks: int) -> NextTurn:
    """Play it once it is here; until then they wait, not long."""
    reply, key = spoken_notes.hears_note(step.number, note)
    if not key and (looks > MOST_LOOKS or reply.word == "call-note-lost"):
        return ask(step, say("call-note-lost", reply))
    if not key:
        said = say("call-note-wait", reply) if not looks else Turn(lang=reply.lang)
        return listen(said, f"look.{note}.{looks}", LOOKS_S)
    said, keys = say("call-note-heard", reply), say("call-note-keys", reply)
    return listen(replace(said, say=(*said.say, sound_of(step, key), *keys.say)), f"noted.{note}")


def _and_the_choices(step: CallStep, reply: Reply | None) -> NextTurn:
    return ask(step, say(reply.word, reply)) if reply is not None else _bye(step)


def _bye(step: CallStep) -> NextTurn:
    return NextTurn(say("call-bye", spoken_notes.asks_notes(step.number)))


STEPS = {
    "cried": where,
    "notes": choose,
    "change": change,
    "spoke": hear,
    "look": look,
    "noted": keep,
}
