"""The numbers by which somebody who is on several open alarms chooses one: what each stands for.

Owns the rows of ``alarm_list``. A number stands for one alarm, and for the contact that this phone
is to that person: it is over when the alarm is, and when they were taken off. A new alarm of the
same watch keeps the number of the one before. No alarm has a number that is a cry for help. What
cannot be read is no list.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import astuple, dataclass

from django.db.models import F, Q

from stillhere.store.db import encryption
from stillhere.store.models import Address, AlarmList, Contact, Message, WatchRow, sealed_columns
from stillhere.store.people import suppression
from stillhere.store.watches import rows as watch_rows
from stillhere.store.watches.queries import ALARMED

log = logging.getLogger("stillhere.alarm_lists")

CRIES = frozenset({9, 112, 911, 988, 999})
MOST_OVER = 40  # that are still known by their numbers
KEPT_MS = 2 * 86_400_000
UNREADABLE = ""  # the numbers of a list that was given up
# What a phone is texted back that says who goes, and who does not.
_GOES = ("reply-going", "reply-at-door", "reply-there", "reply-called-on")
_NOT = ("reply-cannot", "reply-far", "reply-not-found", "reply-not-on-it")

State = tuple[str, int, str]  # of a watch: its state, the number of its alarm, and that as text


@dataclass(frozen=True, slots=True)
class Line:
    """What a number stands for, as it is stored. ``named_at``: when a text last named it."""

    watch: int
    contact: int
    alarm: int
    named_at: int = 0


Lines = dict[int, Line]


@dataclass(frozen=True, slots=True)
class Entry:
    """One alarm on somebody's list: its number, and whether it is ``open`` with nobody going;
    ``over``: it is none of theirs any more; ``ended``: and nobody else's; ``mine``: they go
    themselves, as this phone said."""

    number: int
    watch: int
    contact: int
    alarm: int
    named_at: int
    open: bool
    over: bool
    ended: bool
    mine: bool


def lookup_of(number: str) -> bytes:
    """Under what the list of a phone is kept."""
    return suppression.lookup_of("text", number)


def of(number: str) -> AlarmList | None:
    """The list of this phone as it is stored."""
    return AlarmList.objects.filter(lookup=lookup_of(number)).first()


def entries(number: str) -> list[Entry]:
    """The list of this phone, by number; empty where it has none."""
    kept = of(number)
    return read(number, lines(kept) or {}) if kept is not None else []


def lines(kept: AlarmList) -> Lines | None:
    """What its numbers stand for; None where that cannot be read: then the phone has no list."""
    try:
        told = json.loads(kept.numbers)
        return {int(no): Line(*map(int, line)) for no, line in told.items()}
    except (ValueError, TypeError, AttributeError):
        if kept.numbers != UNREADABLE:
            log.error("alarm_list=%s cannot be read: alarms go one by one", kept.pk)
            AlarmList.objects.filter(pk=kept.pk).update(numbers=UNREADABLE)
        return None


def text_of(those: Lines) -> str:
    """The same to be stored: of those that are over only the newest numbers."""
    return json.dumps({str(no): astuple(line) for no, line in those.items()})


def read(number: str, those: Lines) -> list[Entry]:
    """How each of these alarms stands now, for this phone."""
    watches = states(line.watch for line in those.values())
    theirs = {line.contact for line in those.values()}
    wanted = set(
        Contact.objects.filter(id__in=theirs, status=Contact.Status.CONFIRMED).values_list(
            "id", flat=True
        )
    )
    found = []
    for no, line in sorted(those.items()):
        state, alarm, text = watches.get(line.watch, ("", 0, ""))
        alarmed = state in ALARMED
        over = not alarmed or alarm != line.alarm or line.contact not in wanted
        ended = not alarmed and line.contact in wanted
        is_open = state == "alarm" and not over
        mine = not over and not is_open and _goes(number, line, text)
        found.append(
            Entry(
                no, line.watch, line.contact, line.alarm, line.named_at,
                open=is_open, over=over, ended=ended, mine=mine,
            )
        )  # fmt: skip
    return found


def states(ids: Iterable[int]) -> Mapping[int, State]:
    """How these watches stand."""
    found = WatchRow.objects.filter(id__in={*ids}).values_list("id", "state", "alarms", "alarm")
    return {id: (state, alarms, alarm) for id, state, alarms, alarm in found}


def _goes(number: str, line: Line, text: str) -> bool:
    """Whether they go to this alarm, and it was this phone that said so: another address that is
    theirs on that list alone may be anybody's."""
    alarm = watch_rows.alarm_or_none(text)
    if alarm is None or not alarm.covered_by(line.contact):
        return False
    phone = [encryption.lookup(channel, number) for channel in suppression.PHONE]
    if not Address.objects.filter(contact=line.contact).exclude(lookup__in=phone).exists():
        return True
    said = Message.objects.filter(
        contact=line.contact, watch=line.watch, alarm=line.alarm,
        word__in=[*_GOES, *_NOT], address__lookup__in=phone,
    )  # fmt: skip
    return said.order_by("-id").values_list("word", flat=True).first() in _GOES


def with_new(those: Lines, listed: Iterable[Entry], told: Mapping[int, Line]) -> Lines:
    """The same with the alarms, by watch, that this phone is told of besides: one of a watch that
    has a number keeps it, every other one gets the next."""
    over = {each.number for each in listed if each.over}
    of_watch = {line.watch: no for no, line in those.items()}
    after = max(those, default=0)
    more: Lines = {}
    for watch, line in told.items():
        no = of_watch.get(watch)
        if no is not None and no not in over:
            continue
        if no is None:
            after += 1
            while after in CRIES:
                after += 1
        more[no or after] = line
    forgotten = sorted(over - more.keys())[:-MOST_OVER]
    return {no: line for no, line in (those | more).items() if no not in forgotten}


def refused(addresses: Sequence[int]) -> None:
    """Lists that could not be sent to these addresses: where it was the first one, nobody has seen
    its numbers."""
    if not addresses:  # as nearly always
        return
    first = Q(texted_at__lte=F("made_at"), called_at__lte=F("made_at"))
    for address in Address.objects.filter(id__in=addresses):
        number = sealed_columns.address_value(address)
        AlarmList.objects.filter(first, lookup=lookup_of(number)).delete()


def erase(now: int) -> int:
    """Erase lists that are long over; returns how many."""
    old = AlarmList.objects.filter(texted_at__lt=now - KEPT_MS, called_at__lt=now - KEPT_MS)
    return old.delete()[0]
