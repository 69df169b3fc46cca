"""Warnings about the supply: posted by the coordinator, read from files and feeds, and passed on.

Owns all writes of them. They are public, name nobody, and end by themselves; a warning that has
ended is remembered until it would be too old to be imported again. What somebody posts here never
blocks a file or a feed, nor the other way round. People who asked for it are told that there is
something new, in words that give nothing away on a lock screen.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from django.db import IntegrityError, transaction
from django.db.models import Q, QuerySet

from stillhere.core.refusals import Refusal
from stillhere.store.db import clock
from stillhere.store.kits import dates as days
from stillhere.store.models import Address, Message, Person, SupplyWarning
from stillhere.store.people.clean_text import readable
from stillhere.store.people.notices import calm_message
from stillhere.store.problems import Problem

DAY_MS = 86_400_000
KEPT_DAYS = 30
TOGETHER_MS = 600_000  # what comes within this is one message, whichever engine found it
LONGEST_DAYS = 90
MOST_KEPT = 500  # of files and feeds
MOST_SHOWN, MOST_OF_AREA = 40, 5  # to a person
OLD_DAYS = 60  # what was found longer ago is no warning any more
REMEMBERED_DAYS, MOST_REMEMBERED = OLD_DAYS + 2, 5_000
HERE = "here/"  # begins the ref of what somebody posted here


@dataclass(frozen=True, slots=True)
class ReportedWarning:
    """One warning as it came. ``found_on`` is a day like "2026-11-24"; ``row`` is its place in the
    file or the feed, for whoever looks for it there."""

    ref: str
    area: str
    text: str
    source: str
    found_on: str
    days: int = KEPT_DAYS
    row: int = 0


class Left(Problem):
    """Why one was left out: ``kind`` as a word, and a sentence for whoever posted it."""

    def __init__(self, kind: str, why: Refusal) -> None:
        super().__init__(why)
        self.kind = kind


@dataclass(slots=True)
class WarningImport:
    """What became of a file or a feed: how many were new, how many older ones ended to make room,
    and which rows were left out, by kind: known, old, ahead, unsaid, plain (nothing surprises)
    or full."""

    new: int = 0
    ended: int = 0
    left: dict[str, list[int]] = field(default_factory=dict)

    def leave(self, kind: str, row: int) -> None:
        self.left.setdefault(kind, []).append(row)


def holding(now: int) -> QuerySet[SupplyWarning]:
    """What has not ended, newest first."""
    return SupplyWarning.objects.filter(ends_at__gt=now).order_by("-found_on", "-id")


def current(now: int) -> list[SupplyWarning]:
    """The same, all of it."""
    return list(holding(now))


def shown(now: int, town: str = "") -> tuple[list[SupplyWarning], int]:
    """What a person reads, area by area: those in their town first, then where something was found
    most recently, the newest of each; and how many more there are."""
    areas: dict[str, list[SupplyWarning]] = {}
    found = current(now)
    for each in found:
        areas.setdefault(each.area.casefold(), []).append(each)
    near_first = sorted(areas.values(), key=lambda rows: not near(rows[0].area, town))
    told = [each for rows in near_first for each in rows[:MOST_OF_AREA]][:MOST_SHOWN]
    return told, len(found) - len(told)


@dataclass(frozen=True, slots=True)
class WarningCount:
    """How many warnings there are, and how many of them for somebody's town."""

    all: int
    near: int


def count(now: int, town: str) -> WarningCount:
    areas = SupplyWarning.objects.filter(ends_at__gt=now).values_list("area", flat=True)
    return WarningCount(len(areas), sum(near(area, town) for area in areas) if town else 0)


def near(area: str, town: str) -> bool:
    """Whether a warning's area matches a person's town, as far as words can tell. "Denver County"
    is near "Denver, CO", and so is "CO"; "Springfield, IL" is not near "Springfield, MA"."""
    (head, tail), (other, rest) = _head_and_tail(area), _head_and_tail(town)
    codes = [{len(word) == 2 for word in words} for words in (tail, rest)]
    elsewhere = tail and rest and not tail & rest and codes[0] == codes[1]  # CO is Colorado
    alike = (head and head <= other | rest) or (other and other <= head | tail)
    return bool(alike and not elsewhere)


def _head_and_tail(typed: str) -> tuple[set[str], set[str]]:
    """The words of a place before the first comma, and after it."""
    head, _, tail = typed.casefold().partition(",")
    return set(re.findall(r"\w+", head)), set(re.findall(r"\w+", tail))


def post(found: ReportedWarning) -> bool:
    """Store what somebody posts here, and tell those who asked for it; False if it is already
    known. One that was withdrawn, or has ended, is valid again. Raises Problem if it says
    nothing."""
    now = clock.now_ms()
    row = _row(found, now)
    row.ref = f"{HERE}{hashlib.sha256(_content(row)).hexdigest()}"
    same = SupplyWarning.objects.filter(area=row.area, text=row.text, found_on=row.found_on)
    try:
        with transaction.atomic():
            if same.filter(ref=row.ref, ends_at__gt=now).exists():
                return False
            same.delete()
            row.save()
            _tell(now)
    except IntegrityError:  # pressed twice: the other one was faster
        return False
    return True


def take_in(found: Iterable[ReportedWarning], taken: WarningImport | None = None) -> WarningImport:
    """Store what is new in a file or a feed, and tell those who asked for it, once for all of it.
    What cannot be a warning is left out, and the rest is kept."""
    now, taken = clock.now_ms(), taken or WarningImport()
    rows: list[tuple[int, SupplyWarning]] = []
    for each in found:
        try:
            rows.append((each.row, _row(each, now)))
        except Left as left:
            taken.leave(left.kind, each.row)
    with transaction.atomic():
        fresh = _with_room(_unknown(rows, taken), now, taken)
        SupplyWarning.objects.bulk_create(fresh, ignore_conflicts=True)
        taken.new = len(fresh)
        if fresh:
            _tell(now)
    return taken


def _unknown(
    rows: Sequence[tuple[int, SupplyWarning]], taken: WarningImport
) -> list[tuple[int, SupplyWarning]]:
    """Those that have never been here, by their source's name for them or by their exact words."""
    refs, dates = {row.ref for _, row in rows}, {row.found_on for _, row in rows}
    there = SupplyWarning.objects.filter(Q(ref__in=refs) | Q(found_on__in=dates))
    known: set[object] = set()
    for row in there.iterator():
        known |= {row.ref, _content(row)}
    fresh = []
    for number, row in rows:
        if {row.ref, _content(row)} & known:
            taken.leave("known", number)
        else:
            known |= {row.ref, _content(row)}
            fresh.append((number, row))
    return fresh


def _with_room(
    fresh: Sequence[tuple[int, SupplyWarning]], now: int, taken: WarningImport
) -> list[SupplyWarning]:
    """Those there is room for: of everything from files and feeds, the newest are kept."""
    there = list(_came().filter(ends_at__gt=now).order_by("id"))
    newest = sorted(
        [*there, *(row for _, row in fresh)], key=lambda row: row.found_on, reverse=True
    )
    stay = {row.ref for row in newest[:MOST_KEPT]}
    over = [row.id for row in there if row.ref not in stay]
    taken.ended = _came().filter(id__in=over).update(ends_at=now)
    for number, row in fresh:
        if row.ref not in stay:
            taken.leave("full", number)
    return [row for _, row in fresh if row.ref in stay]


def _came() -> QuerySet[SupplyWarning]:
    """What was imported from files and feeds."""
    return SupplyWarning.objects.exclude(ref__startswith=HERE)


def take_back(id: int) -> bool:
    """It was wrong, or is over. It is remembered, so that no feed brings it back. False if it has
    already ended."""
    now = clock.now_ms()
    return bool(SupplyWarning.objects.filter(id=id, ends_at__gt=now).update(ends_at=now))


def end_due(now: int) -> None:
    """Forget what has ended and would be too old to be imported again."""
    over = SupplyWarning.objects.filter(ends_at__lte=now)
    over.filter(created_at__lte=now - REMEMBERED_DAYS * DAY_MS).delete()
    most = list(
        over.order_by("-id").values_list("id", flat=True)[MOST_REMEMBERED:][:MOST_REMEMBERED]
    )
    SupplyWarning.objects.filter(id__in=most).delete()


def want(person: Person, wants: bool) -> None:
    """Whether somebody wants to hear about warnings."""
    person.news = wants
    person.save(update_fields=["news"])


def _row(found: ReportedWarning, now: int) -> SupplyWarning:
    """It as a row. Raises Left."""
    text, area = _plain(found.text)[:600].strip(), _line(found.area)[:80].strip()
    if not text or not area:
        raise Left("unsaid", Refusal.NEWS_WHAT)
    if not 1 <= found.days <= LONGEST_DAYS:
        raise Left("unsaid", Refusal.NEWS_DAYS)
    today = datetime.fromtimestamp(now / 1000, UTC).date()
    day = days.day(found.found_on) if found.found_on.strip() else today
    if day is None:
        raise Left("unsaid", Refusal.NEWS_DAY)
    if (day - today).days > 1:  # a day ahead: another time zone
        raise Left("ahead", Refusal.NEWS_AHEAD)
    if (today - day).days > OLD_DAYS:
        raise Left("old", Refusal.NEWS_OLD)
    row = SupplyWarning(
        area=area,
        text=text,
        source=_line(found.source)[:200].strip(),
        found_on=day.isoformat(),
        created_at=now,
        ends_at=now + found.days * DAY_MS,
    )
    row.ref = _ref(_line(found.ref) or hashlib.sha256(_content(row)).hexdigest())
    return row


def _ref(given: str) -> str:
    """A source's name for it, short enough to keep, and never like one of ours."""
    if len(given) >= 200:
        return f"urn:sha256:{hashlib.sha256(given.encode()).hexdigest()}"
    return f"/{given}" if given.startswith(HERE) else given


def _content(row: SupplyWarning) -> bytes:
    """Its content: the same words from two sources are one warning."""
    return f"{row.area}\n{row.text}\n{row.found_on}".encode()


def _plain(typed: str) -> str:
    """The text without the characters that no feed can carry."""
    return "".join(c for c in readable(typed) if c == "\n" or c.isprintable())


def _line(typed: str) -> str:
    return " ".join(_plain(typed).split())


def _tell(now: int) -> None:
    """One quiet message per person, however many warnings there are; none while one is still
    waiting to be sent."""
    wanting = Person.objects.filter(news=True, trial=False).values("id")
    ways = Address.objects.filter(person__in=wanting, state=Address.State.OK, rings=False)
    waiting = Message.objects.filter(word="news", status=Message.Status.QUEUED).values("address")
    rows = [
        calm_message(way, way.person_id, "news", f"n{way.id}.{now // TOGETHER_MS}", now)
        for way in ways.exclude(id__in=waiting).order_by("id")
    ]
    Message.objects.bulk_create(rows, ignore_conflicts=True)
