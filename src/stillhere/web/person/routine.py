"""The daily check-in: a time, some days, a time zone; pausing and ending it."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods

from stillhere.core.events import Ended, Paused
from stillhere.store.db import clock
from stillhere.store.models import Person
from stillhere.store.people import address_book, records
from stillhere.store.people.numbers import address_proof
from stillhere.store.problems import Problem
from stillhere.store.watches import apply, queries
from stillhere.store.watches.apply import Change
from stillhere.store.watches.group_commit import WRITER
from stillhere.store.watches.queries import ShownWatch
from stillhere.web.access import addresses, installed_channels, person_session, rate_limit
from stillhere.web.access.fields import Reachable, pressed
from stillhere.web.person.routine_form import KINDS, DailyForm, PauseForm, WhichForm
from stillhere.web.site import links, page_text, unproved, watch_text
from stillhere.web.site.context import light

MOST = 6  # daily check-ins of one person
DAYS = (
    gettext_lazy("Monday"),
    gettext_lazy("Tuesday"),
    gettext_lazy("Wednesday"),
    gettext_lazy("Thursday"),
    gettext_lazy("Friday"),
    gettext_lazy("Saturday"),
    gettext_lazy("Sunday"),
)
# A short list to choose from; any other can be typed.
ZONES = (
    "America/New_York", "America/Chicago", "America/Denver", "America/Phoenix",
    "America/Los_Angeles", "America/Anchorage", "Pacific/Honolulu", "America/Puerto_Rico",
    "America/Toronto", "America/Vancouver", "America/Mexico_City", "America/Bogota",
    "America/Argentina/Buenos_Aires", "Europe/London", "Europe/Dublin", "Europe/Madrid",
    "Europe/Berlin", "Australia/Sydney", "Australia/Perth", "Pacific/Auckland",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class ShownRoutine:
    """One open daily check-in as the page shows it."""

    shown: ShownWatch
    at: str
    days: str
    due: str
    telling: watch_text.Telling
    paused: str


@person_session.private
@require_http_methods(["GET", "HEAD", "POST"])
def routine(request: HttpRequest, person: Person) -> HttpResponse:
    """The daily check-ins, and the forms that change them."""
    if request.method != "POST":
        return _page(request, person, page_text.note(request.GET.get("said", "")))
    work = {"add": _add, "pause": _pause, "end": _end}.get(pressed(request))
    if work is None:
        return _page(request, person)
    said, wrong = work(person, request.POST)
    if wrong:
        return _page(request, person, wrong=wrong, typed=request.POST, status=422)
    if work is _add:
        with suppress(Problem):  # this page goes on saying that the number is not proved
            address_proof.send_codes(person, allowed=lambda: rate_limit.may_invite(request))
    return links.see_other("person:routine", said=said, status=302)


def _add(person: Person, typed: QueryDict) -> tuple[str, str]:
    """A new one; the same form sent twice is one."""
    form = DailyForm(typed)
    if not form.is_valid():
        return "", form.wrong[""]
    if len(_dailies(person)) >= MOST:
        return "", _("That is enough: %(n)d daily check-ins. End one first.") % {"n": MOST}
    if wrong := _no_way(person, typed, alone=form.cleaned_data["alone"]):
        return "", wrong
    apply.start(person.id, form.cleaned_data["kind"] or KINDS[0], routine=form.routine)
    return "started", ""


def _no_way(person: Person, typed: QueryDict, *, alone: bool) -> str:
    """Why nothing can be set for somebody whom we cannot ask, or nothing. The ways to reach them
    that they typed are stored; otherwise they have to confirm that they know."""
    if installed_channels.ways_to(person):
        return ""
    form = Reachable(typed)
    if not form.is_valid():
        return " ".join(form.wrong.values())
    if form.ways:
        try:
            address_book.add_own_addresses(person, form.ways)
        except Problem as problem:
            return page_text.put(problem.why)
    elif not alone:
        return _(
            "We have no way to ask you, so nothing was set. Say below how we reach you, or choose "
            "“I'll open this page myself by then”."
        )
    return ""


def _pause(person: Person, typed: QueryDict) -> tuple[str, str]:
    """Pause until the morning of a day. A day far in the future is a slip of the finger."""
    mine = _mine(person, typed)
    if mine is None:
        return "over", ""
    assert mine.watch.routine is not None
    form = PauseForm(typed, zone=page_text.zone(mine.watch.routine.tz), now=clock.now_ms())
    if not form.is_valid():
        return "", form.wrong["until"]
    answer = WRITER.commit(Change(Paused(form.cleaned_data["until"]), watch=mine.row.id))
    return (answer.refused or "paused"), ""


def _end(person: Person, typed: QueryDict) -> tuple[str, str]:
    mine = _mine(person, typed)
    if mine is None:
        return "ended", ""
    answer = WRITER.commit(Change(Ended(), watch=mine.row.id))
    closed = answer.watch is not None and answer.watch.closed_at is not None
    return ("ended" if closed else "not-quietly"), ""


def _dailies(person: Person) -> list[ShownWatch]:
    """The open daily check-ins; an ask that happens only once is shown on the watch's page."""
    return [s for s in queries.routines_of(person) if s.watch.routine and not s.watch.routine.once]


def _mine(person: Person, typed: Mapping[str, str]) -> ShownWatch | None:
    wanted = WhichForm.read(typed)["watch"]
    return next((s for s in queries.routines_of(person) if s.row.id == wanted), None)


def _page(
    request: HttpRequest,
    person: Person,
    note: str = "",
    *,
    wrong: str = "",
    typed: QueryDict | None = None,
    status: int = 200,
) -> HttpResponse:
    now = clock.now_ms()
    people = watch_text.on_the_list(records.circle_list(person), now)
    given: dict[str, Any] = {
        "dailies": [_daily(s, people, now) for s in _dailies(person)],
        "days": [(str(number), name) for number, name in enumerate(DAYS)],
        "chosen": typed.getlist("day") if typed is not None else [str(n) for n in range(7)],
        "typed": typed or {"at": "22:00", "kind": "routine"},
        "tz": typed.get("tz", "") if typed is not None else _known(person.tz),
        "zones": ZONES,
        "people": people,
        "reachable": any(someone.reachable for someone in people),
        "ways": installed_channels.ways_to(person),
        "kinds": addresses.kinds(),
        "unproved": unproved.unproved(person),
        "failed": Reachable(typed).wrong if typed is not None else {},
        "wrong": wrong,
        "note": note,
        "light": light(now, person.tz),
    }
    return render(request, "person/routine.html", given, status=status)


def _known(tz: str) -> str:
    return "" if tz == "UTC" else tz


def _daily(shown: ShownWatch, people: list[watch_text.Someone], now: int) -> ShownRoutine:
    watch = shown.watch
    assert watch.routine is not None
    assert watch.deadline_at is not None
    every, tz = watch.routine.days, watch.routine.tz
    days = (
        _("every day")
        if len(every) == 7
        else page_text.names([str(DAYS[d]) for d in sorted(every)])
    )
    until_at = watch.routine.pause_until_at or 0
    return ShownRoutine(
        shown,
        f"{watch.routine.at // 60:02d}:{watch.routine.at % 60:02d}",
        days,
        page_text.clock_time(watch.deadline_at, tz, now),
        watch_text.tell(shown, people, now, tz),
        page_text.clock_time(until_at, tz, now) if until_at > now else "",
    )
