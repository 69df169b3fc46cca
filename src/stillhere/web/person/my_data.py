"""What is stored about Sam: to look at, to take away, to move to another phone, to erase now."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.dateformat import format as date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from stillhere.core.messages import TELEGRAM
from stillhere.store.db import clock
from stillhere.store.models import Browser, Person, sealed_columns
from stillhere.store.people import browsers
from stillhere.store.privacy import erasure
from stillhere.store.privacy import export as kept
from stillhere.store.problems import Problem
from stillhere.web.access import cookies, person_session, user_agent
from stillhere.web.access.fields import pressed
from stillhere.web.person import pin, recovery
from stillhere.web.person.account_forms import EraseForm, RemoveForm
from stillhere.web.site import page_text
from stillhere.web.site.context import light

PLAN = {
    "name": gettext_lazy("What they call you"),
    "place": gettext_lazy("Where you usually are"),
    "entry": gettext_lazy("How to get in, and who has a key"),
    "town": gettext_lazy("Your town"),
    "dispatch": gettext_lazy("Number of your local dispatch"),
}


@person_session.private
@require_http_methods(["GET", "HEAD", "POST"])
def mine(request: HttpRequest, person: Person) -> HttpResponse:
    """Everything about one's own data on one page."""
    do = pressed(request) if request.method == "POST" else ""
    if do == "link":
        return _page(request, person, {"link": recovery.link_of(sealed_columns.person_key(person))})
    if do == "print":
        return recovery.printed(request, sealed_columns.person_key(person))
    if do == "new-link":
        return _new_link(request, person)
    if do == "remove":
        return _remove(request, person)
    if do == "pin":
        wrong = pin.change(
            person,
            request.POST,
            person_session.browser_of(request),
            forced=person_session.opened_by_word(request, person),
        )
        if wrong:
            return _page(request, person, {"wrong_pin": wrong}, status=422)
        return _page(request, person, {"note": page_text.note("kept")})
    if do == "forget":
        return forgotten(request)
    if do == "erase":
        return _erase(request, person)
    return _page(request, person, {})


@person_session.own
@require_POST
def stay(request: HttpRequest, person: Person) -> HttpResponse:
    """This phone stays, whichever younger one asks to put it out. Without a PIN: a guest may have
    set one."""
    here = person_session.browser_of(request)
    if here is not None:
        browsers.stay(here)
    return redirect("person:watch")


@person_session.own
@require_POST
def forget(request: HttpRequest, person: Person) -> HttpResponse:
    """This phone forgets. Whoever holds a borrowed phone may always log out; on the person's own
    phone it takes the page that asks them away, so it takes their PIN."""
    if not person_session.borrowed(request) and person_session.locked(request, person):
        return redirect(f"{reverse('person:pin')}?next={reverse('person:data')}")
    return forgotten(request)


def forgotten(request: HttpRequest) -> HttpResponse:
    """Back to the first page as a stranger."""
    response = redirect("person:first")
    person_session.forget(request, response)
    return response


def _new_link(request: HttpRequest, person: Person) -> HttpResponse:
    """Another link; the other browsers are out, those from before this one a day later."""
    here = person_session.browser_of(request)
    assert here is not None  # a page of the person's own
    key, out_at = browsers.new_link(person, here)
    return _page(
        request,
        person,
        {"link": recovery.link_of(key), "renewed": True, "others_stay": bool(out_at)},
    )


def _remove(request: HttpRequest, person: Person) -> HttpResponse:
    """Put out one of the browsers; this one goes as if it forgot."""
    wanted, here = RemoveForm.read(request.POST)["browser"], person_session.browser_of(request)
    if here is not None and wanted == here.id:
        return forgotten(request)
    assert here is not None  # a page of the person's own
    later = browsers.remove(person, wanted or 0, here)
    return _page(request, person, {"note": page_text.note("out-later" if later else "put-out")})


def _erase(request: HttpRequest, person: Person) -> HttpResponse:
    """Everything, now; with a second press, because nothing brings it back."""
    if not EraseForm.read(request.POST)["sure"]:
        return _page(request, person, {"confirm": True})
    try:
        erasure.erase_person(person)
    except Problem as problem:
        return _page(request, person, {"note": page_text.put(problem.why)}, status=409)
    response = render(request, "person/erased.html", {"light": "night"})
    cookies.drop_all(response)
    return response


def _opened(kept: dict[str, Any], tz: str, now: int) -> list[tuple[str, list[str]]]:
    """What is stored, readable: headings, and what belongs under each."""
    plan = kept["plan"]
    notes = [f"{label}: {plan[note]}" for note, label in PLAN.items() if plan[note]]
    people = []
    for each in kept["people"]:
        since = page_text.clock_time(each["created_at"], tz, now)
        ways = (page_text.way(address) for address in each["addresses"])
        people.append(" · ".join(filter(None, [each["name"], *ways, since])))
    watches = []
    for each in kept["watches"]:
        times = [each["started_at"], *(x["at"] for x in each["what_happened"][-1:])]
        ended = str(page_text.OUTCOMES.get(each["outcome"] or "", ""))
        told = [*(page_text.clock_time(at, tz, now) for at in times), ended]
        watches.append(" · ".join(filter(None, told)))
    return [
        (_("Your plan"), [*notes, *(page_text.way(a) for a in kept["how_to_reach_me"])]),
        (_("Your people"), people),
        (_("Your watches: when they began, what was last, how they ended"), watches),
    ]


@dataclass(frozen=True, slots=True)
class BrowserRow:
    """One browser that opens these pages. ``here``: the one that asks."""

    id: int
    name: str
    since: str
    here: bool
    borrowed: bool
    told: bool
    lost: bool
    reached: str
    out: str


def _browser(each: browsers.ListedBrowser, here: Browser | None, tz: str, now: int) -> BrowserRow:
    mine = here is not None and each.id == here.id
    name = user_agent.in_words(each.kind)
    since = date_format(each.since, _("F j, Y"))
    out = page_text.clock_time(each.out_at, tz, now) if each.out_at else ""
    reached = page_text.clock_time(each.reached_at, tz, now) if each.reached_at else ""
    return BrowserRow(each.id, name, since, mine, each.borrowed, each.told, each.lost, reached, out)


def _page(
    request: HttpRequest, person: Person, more: dict[str, Any], status: int = 200
) -> HttpResponse:
    here, here_now = settings.STILLHERE, person_session.browser_of(request)
    all_of_it, now = kept.everything(person), clock.now_ms()
    given = {
        "kept": all_of_it,
        "opened": _opened(all_of_it, person.tz, now),
        "browsers": [_browser(each, here_now, person.tz, now) for each in browsers.listed(person)],
        "has_pin": bool(person.pin),
        "chat": any(way["channel"] == TELEGRAM for way in all_of_it["how_to_reach_me"]),
        "quiet_h": here.keep_quiet_h,
        "alarm_days": here.keep_alarm_days,
        "light": light(now, person.tz),
        **more,
    }
    return render(request, "person/mine.html", given, status=status)


@person_session.private
@require_safe
def take(request: HttpRequest, person: Person) -> HttpResponse:
    """All of it, as a file."""
    response = JsonResponse(kept.everything(person), json_dumps_params={"indent": 1})
    response["Content-Disposition"] = 'attachment; filename="lamp.json"'
    return response
