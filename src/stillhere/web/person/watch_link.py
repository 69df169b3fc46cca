"""The page of one watch's key: the giant button, and everything else a person can press.

A GET shows and changes nothing, because scanners and previews follow links. The button itself posts
to the fast lane; mark, more time, help, end and "it is on the screen" are posted here. Whoever has
the key is taken for the person.
"""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST, require_safe

from stillhere.content import helplines
from stillhere.core.events import Ended, Extended, Marked, Shown, State
from stillhere.store.db import clock
from stillhere.store.people import records
from stillhere.store.watches import queries
from stillhere.store.watches.apply import Asked, CallForHelp, Change, ChangeResult
from stillhere.store.watches.group_commit import WRITER
from stillhere.web.access import installed_channels, person_session
from stillhere.web.person.account_forms import OnScreenForm, PressForm
from stillhere.web.site import daily_check_in, errors, page_text, watch_text

MORE_S = 600
PRESSES: dict[str, Asked] = {
    "mark": Marked(),
    "more": Extended(MORE_S),
    "help": CallForHelp(),
    "end": Ended(),
}


@csrf_exempt  # so that the wrong method hears 405
@require_safe
def show(request: HttpRequest, key: str) -> HttpResponse:
    """The button, and the state in words. 410 once the watch is over, with when."""
    shown = queries.watch_by_key(key)
    if shown is None:
        return errors.unknown_key(request)
    now, tz = clock.now_ms(), shown.row.person.tz
    named = person_session.may_name(request, shown.row.person)
    people = watch_text.on_the_list(records.circle_list(shown.row.person), now, named=named)
    routines = queries.routines_of(shown.row.person)
    telling = watch_text.tell(shown, people, now, tz, also_daily=bool(routines))
    over = shown.watch.state is State.CLOSED
    dues = daily_check_in.of(
        routines, people, now, ways=bool(installed_channels.ways_to(shown.row.person))
    )
    said = request.GET.get("said", "")
    if said == "end-early" and not watch_text.may_end(shown):
        said = ""
    given: dict[str, Any] = {
        "shown": shown,
        "dues": [due for due in dues if due.key != key and (over or due.loud)],
        "also_daily": bool(routines),
        "telling": telling,
        "button": watch_text.button(shown),
        "alarmed": shown.watch.alarm is not None,
        "looked_in_on": shown.row.profile == watch_text.LOOKED_IN_ON,
        "emergency": helplines.emergency_at(tz),
        "plain": _plain(shown, now, tz),
        "ring": watch_text.ring(telling, now),
        "over": over,
        "note": page_text.note(said),
        "confirm_end": said == "end-early",
        "refresh": None if over else 10,
        "light": "night",
    }
    return render(request, "person/button.html", given, status=410 if over else 200)


def _plain(shown: queries.ShownWatch, now: int, tz: str) -> str:
    """When it ended, or when the next ask comes, as a time of day."""
    watch = shown.watch
    at = watch.closed_at or watch.next_ask_at or watch.grace_at
    return page_text.clock_time(at, tz, now) if at is not None else ""


@csrf_exempt  # the key in the address is what opens, and no cookie is asked
@require_POST
def press(request: HttpRequest, key: str, do: str) -> HttpResponse:
    """Mark, more, help or end. A form returns to where it came from; a script gets JSON."""
    shown = queries.watch_by_key(key) or (_own_open(request) if do == "help" else None)
    if shown is None:
        return errors.unknown_key(request)
    script = "application/json" in request.headers.get("Accept", "")
    typed = PressForm.read(request.POST)
    back = reverse("person:watch") if typed["back"] else reverse("person:button", args=[shown.key])
    if do == "end" and not typed["sure"] and _too_early(shown):
        return _answer(script, back, "end-early", 409)
    answer = WRITER.commit(Change(PRESSES[do], watch=shown.row.id))
    return _answer(script, back, *_said(answer, do))


def _own_open(request: HttpRequest) -> queries.ShownWatch | None:
    """The open watch of the person whose browser this is: a screen may show a key that was renewed
    a moment ago, and a call for help must not end there."""
    person = person_session.person_of(request)
    if person is None:
        return None
    mine = [queries.watch_of(person), *queries.routines_of(person)]
    return next((one for one in mine if one and one.watch.state is not State.CLOSED), None)


def _too_early(shown: queries.ShownWatch) -> bool:
    calm = shown.watch.state in (State.OPEN, State.ASKING) and shown.watch.routine is None
    return calm and watch_text.is_early(shown.watch, clock.now_ms())


def _said(answer: ChangeResult, do: str) -> tuple[str, int]:
    """What the page says now, and the status a script reads."""
    if answer.refused is not None:
        return answer.refused, 410
    if answer.quarantined or answer.watch is None:
        return "fault", 503
    return ("more" if do == "more" else ""), 200


def _answer(script: bool, back: str, said: str, status: int) -> HttpResponse:
    if script:
        return JsonResponse({"ok": status == 200, "says": page_text.note(said)}, status=status)
    return HttpResponseRedirect(f"{back}?said={said}" if said else back, status=303)


@csrf_exempt  # the key in the address is what opens, and no cookie is asked
@require_POST
def on_screen(request: HttpRequest, key: str) -> HttpResponse:
    """The page confirms that an ask is on the screen. That proves a working phone, not a living
    person."""
    shown = queries.watch_by_key(key)
    if shown is None:
        return errors.unknown_key(request)
    ask = OnScreenForm.read(request.POST)["ask"]
    if ask is not None:
        WRITER.commit(Change(Shown(ask), watch=shown.row.id))
    return JsonResponse({"ok": True})
