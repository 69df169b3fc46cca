"""Which alarm somebody means who is on several: by its number on their list.

Owns the choice and the question back. A number stands for one alarm until all of them are over, so
an old text is never taken for another alarm; one that is over, or is on no list, is asked back, and
so is what may be meant for an invitation that came after the list. Who goes to one of them means
that one by everything they say.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from django.db.models import Q

from stillhere.core import events as ev
from stillhere.core.messages import Inbound
from stillhere.core.replies import Intent
from stillhere.store.db import budgets
from stillhere.store.inbound.contact_says import tells_how
from stillhere.store.inbound.intents import ANSWERS, contacts_intent, persons_intent
from stillhere.store.inbound.reply import ParsedInbound, apply_all
from stillhere.store.messages.alarm_lists import BUSY, BY_THEMSELVES, WHICH
from stillhere.store.messages.alarm_numbers import CRIES, Entry, entries, of
from stillhere.store.models import Contact, Message
from stillhere.store.people import suppression
from stillhere.store.watches.apply import Change

FROM_CALL = "list"  # a key in a call that read the list: as the number it stands for
CROSSED_MS = 5_000  # so soon after the first list an answer was to what came before it
ASKED_A_DAY = 40
_NUMBER = re.compile(r"#?\s*([0-9]{1,4})\s*[.)!]?")
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
    listed = entries(inbound.sender)
    alive = [each for each in listed if not each.over]
    if not alive or inbound.opted_out or _is_about_another(parsed, listed):
        return parsed, "", {}
    mine = [each for each in alive if each.mine]
    if _asks_for_the_list(inbound):
        return _shows(parsed, mine)
    if mine and inbound.kind == "text":
        theirs = any(parsed.contact.id == each.contact for each in mine)
        return parsed if theirs else _about(parsed, mine[0]) or parsed, "", {}
    return _picks(parsed, listed, alive, now)


def is_answered_by(inbound: Inbound) -> bool:
    """Whether a text chooses from a list that this phone has, or asks to see it: whoever also keeps
    a watch means the list by it."""
    if inbound.kind != "text" or inbound.channel not in suppression.PHONE:
        return False
    number = _number(inbound)
    if number is None and not _asks_for_the_list(inbound):
        return False
    alive = [each.number for each in entries(inbound.sender) if not each.over]
    return bool(alive) if number is None else number in alive


def _number(inbound: Inbound) -> int | None:
    """The one number that a text is; no cry for help is one."""
    typed = _NUMBER.fullmatch(inbound.text.strip())
    return int(typed[1]) if typed is not None and int(typed[1]) not in CRIES else None


def _asks_for_the_list(inbound: Inbound) -> bool:
    if inbound.kind != "text":
        return False
    return persons_intent(inbound, watching=False) is Intent.LIST


def _is_about_another(parsed: ParsedInbound, listed: Sequence[Entry]) -> bool:
    """Whether it answers a message that came after the list and is about an alarm on none, or asks
    for more than a number."""
    message, kept = parsed.message, of(parsed.inbound.sender)
    if message is None or message.contact_id is None:
        return False
    if tells_how(parsed.inbound, message):
        return True
    if message.watch is None or message.alarm != message.watch.alarms:
        return False  # of an alarm before the one that is open
    about = {(each.watch, each.alarm) for each in listed if not each.over}
    alone = (message.watch_id, message.alarm) not in about or (
        message.word in BY_THEMSELVES and _number(parsed.inbound) is None
    )
    return alone and message.created_at > (kept.texted_at if kept is not None else 0)


def _picks(
    parsed: ParsedInbound, listed: Sequence[Entry], alive: Sequence[Entry], now: int
) -> Choice:
    inbound, number = parsed.inbound, _number(parsed.inbound)
    if number is not None:
        entry = next((each for each in listed if each.number == number), None)
        to_another = _crossed(parsed, now) or _was_asked_since(parsed)
        if entry is None or entry.over or to_another:
            return _asks(parsed, now, over=number if entry is not None else None)
        about = _about(parsed, entry, says="1")
        return (about, "", {}) if about is not None else _asks(parsed, now)
    intent = contacts_intent(inbound, watching=True)
    if intent in _AS_EVER:
        return parsed, "", {}
    if _NUMBERS.fullmatch(inbound.text.strip().lower()):
        return _asks(parsed, now)
    if intent in ANSWERS and _was_asked_since(parsed):
        return _asks(parsed, now)
    if intent is Intent.DECLINE:
        apply_all([Change(ev.Declined(each.contact), watch=each.watch) for each in alive])
        return parsed, "reply-cannot", {}
    about = _about(parsed, alive[0]) if intent in ANSWERS and len(alive) == 1 else None
    return (about, "", {}) if about is not None else _asks(parsed, now)


def _crossed(parsed: ParsedInbound, now: int) -> bool:
    """Whether a number was said before its list could be read."""
    kept = of(parsed.inbound.sender)
    told_at = kept.made_at if kept is not None else 0
    return parsed.inbound.kind == "text" and now - parsed.inbound.age_ms - told_at < CROSSED_MS


def _was_asked_since(parsed: ParsedInbound) -> bool:
    """Whether something else that is answered by digits came after the list."""
    if parsed.inbound.kind != "text":
        return False
    kept = of(parsed.inbound.sender)
    since = Message.objects.filter(
        address__in=[each.id for each in parsed.known],
        attempts__gt=0,
        created_at__gt=kept.texted_at if kept is not None else 0,
    )
    invited = Q(word="invite", contact__status=Contact.Status.INVITED)
    return since.filter(invited | Q(word="drill")).exists()


def _about(parsed: ParsedInbound, entry: Entry, says: str = "") -> ParsedInbound | None:
    """The same, said by the contact that they are of this alarm's person; None where this number is
    theirs no longer."""
    theirs = [each for each in parsed.known if each.contact_id == entry.contact]
    if not theirs:
        return None
    address = min(theirs, key=lambda each: (each.channel != parsed.inbound.channel, each.id))
    told = Message.objects.filter(contact=entry.contact, watch=entry.watch, attempts__gt=0)
    message = told.select_related("watch", "contact").order_by("-id").first()
    inbound = replace(parsed.inbound, text=says) if says else parsed.inbound
    return replace(parsed, inbound=inbound, address=address, message=message)


def _shows(parsed: ParsedInbound, mine: Sequence[Entry]) -> Choice:
    """LIST: what still needs somebody; to whoever is going to one, by names alone."""
    about = _about(parsed, mine[0]) if mine else None
    return (about, BUSY, {}) if about is not None else (parsed, WHICH, {})


def _asks(parsed: ParsedInbound, now: int, *, over: int | None = None) -> Choice:
    """Which one? Not for ever: a machine may be at the other end."""
    if parsed.inbound.kind == "key":
        return parsed, "reply-over", {}
    limit = budgets.limit("asked enough", ASKED_A_DAY, "which alarm", parsed.inbound.sender)
    if budgets.take([limit], now):
        return parsed, "reply-unclear", {}
    return parsed, WHICH, {} if over is None else {"over": over}
