"""Which alarm somebody means who is on several: by its number on their list.

Owns the choice and the question back. A number stands for one alarm until all of them are over, so
an old text is never taken for another alarm; one that is over, or is on no list, is asked back. Who
goes to one of them means that one by everything they say.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from stillhere.core import events as ev
from stillhere.core.replies import Intent
from stillhere.store.db import budgets
from stillhere.store.inbound.intents import ANSWERS, contacts_intent, persons_intent
from stillhere.store.inbound.reply import ParsedInbound, apply_all
from stillhere.store.messages import alarm_lists
from stillhere.store.messages.alarm_lists import Entry
from stillhere.store.models import Message
from stillhere.store.people import suppression
from stillhere.store.watches.apply import Change

FROM_CALL = "list"  # a key in a call that read the list: as the number it stands for
WHICH = "reply-alarms"
CROSSED_MS = 5_000  # so soon after the first list an answer was to what came before it
ASKED_A_DAY = 40
_NUMBER = re.compile(r"#?\s*([0-9]{1,2})\s*[.)!]?")
_NUMBERS = re.compile(r"[0-9#.,;&+/\s)!yandorou]*[0-9][0-9#.,;&+/\s)!yandorou]*")
# What means the same whoever it is about, and is no answer to a list.
_AS_EVER = frozenset({
    Intent.OPT_OUT, Intent.DELETE, Intent.WHO, Intent.NOT_ME, Intent.STEPS, Intent.REPEAT,
    Intent.HELP, Intent.WANTS_TO_DIE, Intent.EMPTY,
})  # fmt: skip


# What was said, about the alarm it is about; and the word, with its facts, that answers it already.
Choice = tuple[ParsedInbound, str, Mapping[str, Any]]


def choose(parsed: ParsedInbound, now: int) -> Choice:
    """What somebody's text or key is about, where they are on several alarms."""
    inbound = parsed.inbound
    by_list = inbound.kind == "text" or inbound.at == FROM_CALL
    if parsed.contact is None or inbound.channel not in suppression.PHONE or not by_list:
        return parsed, "", {}
    listed = alarm_lists.entries(inbound.sender)
    alive = [each for each in listed if not each.over]
    if not alive or inbound.opted_out or _is_about_another(parsed, listed):
        return parsed, "", {}
    mine = [each for each in alive if each.mine]
    if inbound.kind == "text" and persons_intent(inbound, watching=False) is Intent.LIST:
        return _shows(parsed, alive, mine)
    if mine and inbound.kind == "text":
        theirs = any(parsed.contact.id == each.contact for each in mine)
        return parsed if theirs else _about(parsed, mine[0]), "", {}
    return _picks(parsed, listed, alive, now)


def _is_about_another(parsed: ParsedInbound, listed: Sequence[Entry]) -> bool:
    """Whether it answers a message about an alarm that is on no list, and came after it."""
    message, texted_at = parsed.message, alarm_lists.texted_at(parsed.inbound.sender)
    if message is None or message.watch_id is None or message.contact_id is None:
        return False
    return message.created_at > texted_at and message.watch_id not in {e.watch for e in listed}


def _picks(
    parsed: ParsedInbound, listed: Sequence[Entry], alive: Sequence[Entry], now: int
) -> Choice:
    inbound = parsed.inbound
    number = _NUMBER.fullmatch(inbound.text.strip())
    if number is not None:
        entry = next((each for each in listed if each.number == int(number[1])), None)
        said_at = now - inbound.age_ms
        made_at = alarm_lists.made_at(inbound.sender)
        crossed = inbound.kind == "text" and said_at - made_at < CROSSED_MS
        if entry is None or entry.over or crossed:
            over = entry.watch if entry is not None and entry.over else None
            return _asks(parsed, alive, now, over=over)
        return _about(parsed, entry, says="1"), "", {}
    if _NUMBERS.fullmatch(inbound.text.strip().lower()):
        return _asks(parsed, alive, now)
    intent = contacts_intent(inbound, watching=True)
    if intent in _AS_EVER:
        return parsed, "", {}
    if intent is Intent.DECLINE:
        apply_all([Change(ev.Declined(each.contact), watch=each.watch) for each in alive])
        return parsed, "reply-cannot", {}
    if intent in ANSWERS and len(alive) == 1:
        return _about(parsed, alive[0]), "", {}
    return _asks(parsed, alive, now)


def _about(parsed: ParsedInbound, entry: Entry, says: str = "") -> ParsedInbound:
    """The same, said by the contact that they are of this alarm's person."""
    theirs = [each for each in parsed.known if each.contact_id == entry.contact]
    if not theirs:  # taken off that list since
        return parsed
    address = min(theirs, key=lambda each: (each.channel != parsed.inbound.channel, each.id))
    told = Message.objects.filter(contact=entry.contact, watch=entry.watch, attempts__gt=0)
    message = told.select_related("watch", "contact").order_by("-id").first()
    inbound = replace(parsed.inbound, text=says) if says else parsed.inbound
    return replace(parsed, inbound=inbound, address=address, message=message)


def _shows(parsed: ParsedInbound, alive: Sequence[Entry], mine: Sequence[Entry]) -> Choice:
    """LIST: what still needs somebody; to whoever is going to one, by names alone."""
    facts = {"list": [(each.number, each.watch) for each in alive if each.open]}
    if mine and facts["list"]:
        return _about(parsed, mine[0]), alarm_lists.BUSY, {**facts, "busy": mine[0].watch}
    return parsed, WHICH, facts


def _asks(
    parsed: ParsedInbound, alive: Sequence[Entry], now: int, *, over: int | None = None
) -> Choice:
    """Which one? Not for ever: a machine may be at the other end."""
    if parsed.inbound.kind == "key":
        return parsed, "reply-over", {}
    limit = budgets.limit("asked enough", ASKED_A_DAY, "which alarm", parsed.inbound.sender)
    if budgets.take([limit], now):
        return parsed, "reply-unclear", {}
    facts = {"list": [(each.number, each.watch) for each in alive if each.open], "over": over}
    return parsed, WHICH, facts
