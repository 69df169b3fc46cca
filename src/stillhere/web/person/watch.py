"""Sam's own pages: the watch, and the link that leads back to them.

Shows, and passes on what Sam presses. Check-ins take the fast lane (``check_in.py``), the other
presses ``watch_link.py``.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from stillhere.content import helplines, reading
from stillhere.core.events import State
from stillhere.store.kits import supply_warnings
from stillhere.store.models import Address, Person, sealed_columns
from stillhere.store.people import address_book, clean_text, drills, persons, records
from stillhere.store.watches import apply, damage, page_states, queries
from stillhere.store.watches.page_states import PageState
from stillhere.store.watches.queries import ShownWatch
from stillhere.web.access import installed_channels, person_session
from stillhere.web.contact import on_scene
from stillhere.web.person import ask_later, offline
from stillhere.web.person.account_forms import PROFILES, StartForm
from stillhere.web.site import (
    daily_check_in,
    health,
    page_text,
    standing,
    unproved,
    watch_text,
)
from stillhere.web.site.context import light

SHORT_GRACE = json.dumps({"grace_s": 30})
REFRESH_S = {State.OPEN: 10}  # without scripts; every other state is looked at more often
REFRESH_SOON_S = 5
CALLING_OUT = (State.ALARM, State.CLAIMED)  # nobody is with them: their phone may call out


@person_session.own
@require_http_methods(["GET", "HEAD", "POST"])
def watch(request: HttpRequest, person: Person) -> HttpResponse:
    """The watch, or the choice of one. A form sent twice starts it once."""
    if request.method == "POST":
        return _start(request, person)
    ways = address_book.of_person(person.id)
    given = _given(request, person, ways)
    said = request.GET.get("said", "")
    if said == "end-early" and not given.get("may_end"):
        said = ""  # the note speaks of a watch that could still be ended
    given |= {"note": page_text.note(said), "confirm_end": said == "end-early"}
    given |= {"push_key": installed_channels.public_key(), "push_to": reverse("hooks:person_push")}
    if person.pin_off_at:
        given["pin_off"] = page_text.clock_time(person.pin_off_at, person.tz, given["now"])
    here = given["browser"] = person_session.browser_of(request)
    if here is not None and here.out_at:
        given["out"] = page_text.clock_time(here.out_at, person.tz, given["now"])
    given["unproved"] = unproved.unproved(person, ways)
    return _kept(request, render(request, "person/watch.html", given), given)


def _sms(ways: Sequence[Address]) -> str:
    """Where they may text "OK" when the page cannot reach us: only for people we know by their
    number."""
    known = any(a.channel == "text" and a.state == "ok" for a in ways)
    return installed_channels.text_number() if known else ""


def _kept(request: HttpRequest, page: HttpResponse, given: dict[str, Any]) -> HttpResponse:
    """Let this phone store the page of an open watch, for when it has no connection."""
    if given["open_now"] and not person_session.borrowed(request):
        page[offline.KEEP] = "1"
    return page


def _start(request: HttpRequest, person: Person) -> HttpResponse:
    typed = StartForm.read(request.POST)
    if person.tz == "UTC" and typed["tz"] not in ("", "UTC"):
        persons.set_plan(person, tz=typed["tz"])
    own = SHORT_GRACE if typed["short"] else ""
    partner = clean_text.readable(typed["partner"])[: clean_text.LONGEST_NAME]
    apply.start(person.id, typed["profile"] or PROFILES[0], own, partner=partner)
    return redirect("person:watch")


def _given(request: HttpRequest, person: Person, own: Sequence[Address]) -> dict[str, Any]:
    """Everything the page of a watch shows; ``own`` are the person's own ways."""
    here = standing.of(request)
    now = health.now_of(here)
    persons.note_use(person, now)
    shown = queries.watch_of(person)
    named = person_session.may_name(request, person)
    people = watch_text.on_the_list(records.circle_list(person), now, named=named)
    open_now = _is_open(shown)
    routines = queries.routines_of(person)
    ways = bool(installed_channels.ways_to(person, own)) if open_now or routines else True
    given: dict[str, Any] = {
        "person": person,
        "people": people,
        "named": named,
        "reachable": any(someone.reachable for someone in people),
        "closest": watch_text.closest(people),
        "lines": helplines.staffed(now),
        "later": ask_later.pending_of(routines, person, now),
        "alarmed_lately": shown is not None and shown.watch.alarms > 0,
        "reviewed": on_scene.reviewed(shown, named=named) if shown is not None else [],
        "warnings": supply_warnings.count(now, sealed_columns.person_note(person, "town"))
        if not open_now
        else {},
        "undrilled": not open_now and drills.stale(person, now),
        "shown": shown if watch_text.of_late(shown, now) else None,
        "open_now": open_now,
        "sms": _sms(own) if open_now else "",
        "dues": daily_check_in.of(routines, people, now, ways=ways),
        "page_only": open_now and not ways,
        "stopped": (open_now or bool(routines)) and records.has_stopped(person, own),
        "version": watch_text.told_version(
            page_states.of_shown(shown, routines).version, behind=health.behind(here)
        ),
        "aside": not open_now and damage.is_aside(person.id),
        "profile": _usual(shown),
        "short": shown is not None and bool(shown.row.own),
        "light": light(now, person.tz),
        "now": now,
        "rate": here.clock_rate,
    }
    if given["shown"] is not None and shown is not None:
        given |= _telling(person, shown, people, now, also_daily=bool(routines))
    return given


def _usual(shown: ShownWatch | None) -> str:
    """How they used the last time, as the first choice."""
    return shown.row.profile if shown and shown.row.profile in PROFILES else PROFILES[0]


def _is_open(shown: ShownWatch | None) -> bool:
    """Whether this watch listens to the person. One that was set aside does not: they may start a
    new one."""
    if shown is None or shown.row.quarantined_at is not None:
        return False
    return shown.watch.state is not State.CLOSED


def _telling(
    person: Person,
    shown: ShownWatch,
    people: list[watch_text.Someone],
    now: int,
    *,
    also_daily: bool,
) -> dict[str, Any]:
    telling = watch_text.tell(shown, people, now, person.tz, also_daily=also_daily)
    rescued = watch_text.rescued(shown)
    aloud = person.speak and shown.watch.state in CALLING_OUT
    return {
        "telling": telling,
        "button": watch_text.button(shown, aloud=aloud),
        "aloud": aloud,
        "alarmed": shown.watch.alarm is not None,
        "looked_in_on": shown.row.profile == watch_text.LOOKED_IN_ON,
        "rescued": reading.parts("after", "you") if rescued else [],
        "for_nothing": reading.parts("after", "fine")
        if watch_text.for_nothing(shown.watch) and not rescued
        else [],
        "emergency": helplines.emergency_at(person.tz),
        "may_end": watch_text.may_end(shown),
        "ring": watch_text.ring(telling, now),
        "refresh": REFRESH_S.get(shown.watch.state, REFRESH_SOON_S),
    }


@person_session.own
@require_safe
def part(request: HttpRequest, person: Person) -> HttpResponse:
    """The changing part of the watch's page, for its script."""
    given = _given(request, person, address_book.of_person(person.id))
    return _kept(request, render(request, "person/parts/watch_part.html", given), given)


@require_safe
def state(request: HttpRequest) -> HttpResponse:
    """Small and often: whether the page must change, and whether an ask is open."""
    person = person_session.person_of(request)
    if person is None:
        raise Http404
    shown = page_states.of_persons([person.id])[person.id]
    if shown == PageState():
        raise Http404
    here = standing.of(request)
    return JsonResponse(said_of(shown, health.now_of(here), behind=health.behind(here)))


def said_of(shown: PageState, now: int, *, behind: bool) -> dict[str, Any]:
    """What the page's script is told of it; ``now`` is ms UTC."""
    version = watch_text.told_version(shown.version, behind=behind)
    said: dict[str, Any] = {"v": version, "now": now, "behind": behind, "open": False}
    if shown.watch is not None:
        watch = shown.watch
        said |= {
            "state": watch.state,
            "open": watch.open,
            "ask": watch.asks,
            "next_ask_at": watch.next_ask_at,
            "grace_at": watch.grace_at,
        }
    return said


@require_safe
def out(request: HttpRequest) -> HttpResponse:
    """Where the quick exit leads: to somebody else's plain page, or to an empty one of ours."""
    if settings.STILLHERE.exit_url:
        return HttpResponseRedirect(settings.STILLHERE.exit_url, status=303)
    return render(request, "person/out.html")
