"""Warnings about the supply: posted by the coordinator, read from files and feeds, and told.

Owns all writes of them. They are public, name nobody, and end by themselves. Whoever asked for it
is told that there is something new, in words that say nothing on a lock screen.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime

from django.db import transaction

from stillhere.core.events import Urgency
from stillhere.store import clock
from stillhere.store.models import Address, Message, Person, SupplyWarning
from stillhere.store.services import Problem, readable

DAY_MS = 86_400_000
KEPT_DAYS = 30
TOGETHER_MS = 600_000  # what comes within this is one message, whichever engine found it
LONGEST_DAYS = 90
MOST_ROWS = 2_000
MOST_KEPT = 500
OLD_DAYS = 60  # what was found longer ago is no warning any more
# Columns of files of drug-checking results, among them the Street Drug Analysis Lab's.
_FOUND_ON = ("found_on", "date_collect", "date", "sample_date", "date_complete")
_AREA = ("area", "location", "city", "county", "state", "program")
_SOLD_AS = ("sold_as", "expectedsubstance", "expected", "sold as")
_HOLDS = ("text", "substance", "primary", "substances", "lab_result", "results", "trace")
_WORTH = re.compile(
    r"xylazine|medetomidine|nitazene|carfentanil|bromazolam|fentanyl|btmps", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class Found:
    """One warning as it came. ``found_on`` is a day like "2026-11-24"."""

    ref: str
    area: str
    text: str
    source: str
    found_on: str
    days: int = KEPT_DAYS


def current(now: int) -> list[SupplyWarning]:
    """What has not ended, newest first."""
    return list(SupplyWarning.objects.filter(ends_at__gt=now).order_by("-found_on", "-id"))


def post(found: Sequence[Found]) -> int:
    """Keep what is new, and tell those who asked for it, once for all of it; how many were new.
    Raises Problem for what says nothing."""
    now = clock.now_ms()
    rows = [_row(each, now) for each in found[:MOST_ROWS]]
    with transaction.atomic():
        refs = [row.ref for row in rows]
        known = set(SupplyWarning.objects.filter(ref__in=refs).values_list("ref", flat=True))
        fresh = list({row.ref: row for row in rows if row.ref not in known}.values())
        SupplyWarning.objects.bulk_create(fresh, ignore_conflicts=True)
        keep = SupplyWarning.objects.order_by("-id").values_list("id", flat=True)[:MOST_KEPT]
        SupplyWarning.objects.exclude(id__in=list(keep)).delete()
        if fresh:
            _tell(now)
    return len(fresh)


def take_back(id: int) -> None:
    """It was wrong, or is over."""
    SupplyWarning.objects.filter(id=id).delete()


def end_due(now: int) -> None:
    SupplyWarning.objects.filter(ends_at__lte=now).delete()


def want(person: Person, wants: bool) -> None:
    """Whether somebody hears of warnings."""
    person.news = wants
    person.save(update_fields=["news"])


def _row(found: Found, now: int) -> SupplyWarning:
    text, area = _plain(found.text)[:600], _plain(found.area)[:80]
    if not text or not area:
        raise Problem("say what was found, and where")
    if not 1 <= found.days <= LONGEST_DAYS:
        raise Problem("a warning holds 1 to 90 days")
    today = datetime.fromtimestamp(now / 1000, UTC).date()
    day = _day(found.found_on) if found.found_on.strip() else today
    if day is None or (day - today).days > 1:  # a day ahead: another time zone
        raise Problem("say the day it was found, like 2026-11-24")
    return SupplyWarning(
        ref=found.ref[:200] or hashlib.sha256(f"{area}\n{text}\n{day}".encode()).hexdigest(),
        area=area,
        text=text,
        source=_plain(found.source)[:200],
        found_on=day.isoformat(),
        created_at=now,
        ends_at=now + found.days * DAY_MS,
    )


def _plain(typed: str) -> str:
    """Without what no feed can carry."""
    return "".join(c for c in readable(typed) if c == "\n" or c.isprintable())


def _tell(now: int) -> None:
    """One quiet message a person, however many warnings came; none where one still waits."""
    wanting = Person.objects.filter(news=True, trial=False).values("id")
    ways = Address.objects.filter(person__in=wanting, state=Address.State.OK, rings=False)
    waiting = Message.objects.filter(word="news", status=Message.Status.QUEUED).values("address")
    rows = [
        Message(
            key=f"n{way.id}.{now // TOGETHER_MS}",
            person_id=way.person_id,
            address=way,
            channel=way.channel,
            word="news",
            facts="{}",
            urgency=Urgency.CALM,
            due_at=now,
            created_at=now,
        )
        for way in ways.exclude(id__in=waiting).order_by("id")
    ]
    Message.objects.bulk_create(rows, ignore_conflicts=True)


# --- files ----------------------------------------------------------------------------------------


def read_file(name: str, body: bytes, source: str, now: int) -> list[Found]:
    """Rows of a CSV or JSON file of results that are worth a warning. Raises Problem."""
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise Problem("the file is no text in UTF-8") from None
    try:
        rows = _json(text) if text.lstrip()[:1] in ("[", "{") else _csv(text)
    except (ValueError, csv.Error, RecursionError):
        raise Problem("the file is neither CSV nor JSON that we can read") from None
    found = [each for each in (_of(row, source or name, now) for row in rows) if each is not None]
    if not found:
        raise Problem("no row of the file has a day, a place and something to warn of")
    return found


def _csv(text: str) -> list[dict[str, str]]:
    rows = list(csv.DictReader(io.StringIO(text)))[:MOST_ROWS]
    return [{str(k): str(v) for k, v in row.items() if k and v} for row in rows]


def _json(text: str) -> list[dict[str, str]]:
    told = json.loads(text)
    if isinstance(told, dict):
        told = next((value for value in told.values() if isinstance(value, list)), [told])
    rows = [row for row in told if isinstance(row, dict)][:MOST_ROWS]
    return [{str(k): str(v) for k, v in row.items() if v is not None} for row in rows]


def _of(row: Mapping[str, str], source: str, now: int) -> Found | None:
    """A row of results as a warning, or nothing: too old, or nothing in it that surprises."""
    low = {name.strip().lower(): value.strip() for name, value in row.items()}
    day, area = _day(_first(low, _FOUND_ON)), _first(low, _AREA)
    holds = "; ".join(dict.fromkeys(low[name] for name in _HOLDS if low.get(name)))
    if day is None or not area or not holds:
        return None
    old = (datetime.fromtimestamp(now / 1000, UTC).date() - day).days > OLD_DAYS
    told = "text" in low
    if old or not (told or _WORTH.search(holds)):
        return None
    sold = _first(low, _SOLD_AS)
    text = holds if told or not sold else f"{sold}: {holds}"
    ref = _first(low, ("ref", "id", "sampleid", "sample_id"))
    return Found(f"{source}/{ref}" if ref else "", area, text, source, day.isoformat())


def _first(row: Mapping[str, str], names: Iterable[str]) -> str:
    return next((row[name] for name in names if row.get(name)), "")


def _day(typed: str) -> date | None:
    typed = typed.strip()
    for form in ("%Y-%m-%d", "%m/%d/%Y", "%d.%m.%Y", "%Y%m%d"):
        try:
            return datetime.strptime(typed[:10], form).replace(tzinfo=UTC).date()
        except ValueError:
            continue
    return None
