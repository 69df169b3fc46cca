"""The coordinator's desk: open alarms, what a person must look at, and whether all is well.

Opened by one key (`stillhere desk` prints the link); the key in the address gives access. Shows
names, because whoever uses it may have to act on them, and never a place or a door.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_POST, require_safe

from stillhere.content import helplines, steps
from stillhere.core.events import UNTOLD, Outcome, Resolved
from stillhere.store.db import clock
from stillhere.store.installation import desk_key as kept
from stillhere.store.installation import peers
from stillhere.store.kits import kits
from stillhere.store.messages import pages
from stillhere.store.messages import reach as reaching
from stillhere.store.messages.reach import Told
from stillhere.store.models import Responder, SetAside
from stillhere.store.problems import Problem
from stillhere.store.program import shifts
from stillhere.store.watches import apply, damage, queries
from stillhere.store.watches.apply import Change, ChangeResult
from stillhere.store.watches.group_commit import WRITER
from stillhere.web.access import desk_session, installed_channels
from stillhere.web.access.fields import pressed
from stillhere.web.program import alarm_cards
from stillhere.web.program.list_page import FIRST, PageTurner
from stillhere.web.program.program_forms import DismissForm, VolunteerForm, WatchForm
from stillhere.web.site import errors, health, links, page_text

DAYS = 30
PAGES_H, HOUR_MS = 24, 3_600_000  # how far back the desk shows who was paged
ENOUGH = 30  # watches: from here on a share is worth reading
FOR_NOTHING = ("fine", "false-alarm")
LISTS = (FIRST, "look", "paged", "volunteers", "waiting", "peers")
COUNTED = {
    "acute.started": gettext_lazy("watches started"),
    "acute.ended": gettext_lazy("ended quietly"),
    "acute.alarm.silence": gettext_lazy("alarms because nobody answered"),
    "acute.alarm.help": gettext_lazy("calls for help"),
    "acute.alarm.force": gettext_lazy("calls for help in secret"),
    "acute.stood-down": gettext_lazy("for nothing: a tap answered the alarm"),
    "acute.false-alarm": gettext_lazy("for nothing: those who came said so"),
    "acute.fine": gettext_lazy("for nothing: found well"),
    "acute.revived": gettext_lazy("brought back"),
    "acute.hospital": gettext_lazy("taken to hospital"),
    "acute.died": gettext_lazy("died"),
    "routine.started": gettext_lazy("daily check-ins set"),
    "routine.alarm.silence": gettext_lazy("daily check-ins missed"),
}


@require_safe
def enter(request: HttpRequest, key: str, page: str = "program:desk") -> HttpResponse:
    """The desk's link: it opens the desk in this browser, and leaves the address. A page of the
    desk may be kept with the key in it, from before."""
    if not kept.opens(key):
        return errors.unknown_key(request)
    response = redirect(page)
    desk_session.begin(response)
    return response


@require_safe
@desk_session.at_the_desk
def desk(request: HttpRequest) -> HttpResponse:
    """Everything that needs a person, on one page. Messages to the coordinator lead here."""
    return _page(request, {"note": page_text.note(request.GET.get("said", ""))})


def _page(request: HttpRequest, more: Mapping[str, Any], status: int = 200) -> HttpResponse:
    here = desk_session.installation_of(request)
    now, part = health.now_of(here), Parts()
    turner = PageTurner("program:desk", request.GET, LISTS)
    aside = part.read(_("what a person must look at"), damage.aside, None)
    alarms = turner.page(FIRST, part.read(_("open alarms"), queries.open_alarms, []))
    look = turner.page("look", _look(part, aside))
    ids = [*alarms.rows, *(each for each in look.rows if isinstance(each, int))]
    shown = part.read(_("open alarms"), lambda: queries.shown_by_id(ids), {})
    opened = [shown[id] for id in alarms.rows if id in shown]
    told = part.read(
        (_("who was told"), _("why somebody is not rung")),
        lambda: reaching.told([each.row.id for each in opened]),
        Told(),
    )
    given: dict[str, Any] = {
        "alarms": alarm_cards.open_alarms(opened, told, now),
        "alarm_page": alarms,
        "look": alarm_cards.to_look_at(look.rows, shown, now),
        "look_page": look,
        **_rest(part, turner, now, clock.row_of(here).rate),
        "act": f"{reverse('program:act')}{turner.query}",
        "endings": render_to_string("program/parts/endings.html"),  # the same for each of them
        "reasons": health.reasons(here, now, aside),
        "stopped": part.read(_("who was paged"), lambda: ", ".join(pages.stopped()), ""),
        "reach_them": installed_channels.here(shifts.WAYS),
        "overdue": helplines.overdue(now),
        "signed": steps.signature(),
        "steps_fault": steps.own_fault(),
        "unread": part.unread,
        "refresh": 30,
        "light": "",
        **more,
    }
    return render(request, "program/desk.html", given, status=status)


class Parts:
    """The parts of the page, each read separately; ``unread`` are those that met damage."""

    def __init__(self) -> None:
        self.unread: list[str] = []

    def read(self, name: str | tuple[str, ...], read: Callable[[], Any], empty: Any) -> Any:
        """What ``read`` finds; ``empty`` if it cannot be read, and then the page says so."""

        def beside() -> Any:
            names = (name,) if isinstance(name, str) else name
            self.unread += [each for each in names if each not in self.unread]
            return empty

        return damage.around(read, beside)


def _look(part: Parts, aside: Sequence[SetAside] | None) -> list[SetAside | int]:
    """What a person must look at: what cannot be read, and the ids of what must be judged."""
    waiting = part.read(_("what a person must look at"), queries.to_look_at, [])
    return [*(each for each in aside or () if each.looked_at is None), *waiting]


def _rest(part: Parts, turner: PageTurner, now: int, rate: float) -> dict[str, Any]:
    """What is not about a single watch."""
    counts = part.read(_("the counts"), lambda: kept.counts(now, DAYS), {})
    paged = part.read(_("who was paged"), lambda: _pages(now), [])
    responders = part.read(_("volunteers"), shifts.everyone, [])
    backlog = part.read(_("what waits to be sent"), lambda: kept.backlog(now), [])
    others = part.read(_("the installations we look after"), lambda: peers.seen(now, rate), [])
    on_shift_first = sorted(responders, key=lambda each: each.until_at <= now)
    volunteers = turner.page("volunteers", on_shift_first)
    return {
        "counts": [(name, counts.get(what, 0)) for what, name in COUNTED.items()],
        "days": DAYS,
        "wolf": _wolf(counts),
        "backlog": turner.page("waiting", backlog),
        "failed": part.read(_("what could not be delivered"), lambda: kept.failed_lately(now), 0),
        "volunteers": part.read(_("volunteers"), lambda: _volunteers(volunteers.rows, now), []),
        "volunteer_page": volunteers,
        "pages": turner.page("paged", [_paged(page, now) for page in paged]),
        "page_waits": any(page.waits for page in paged),
        "peers": turner.page(
            "peers",
            [(peer.name, peer.silent, _heard(peer, now)) for peer in _silent_first(others)],
        ),
    }


def _silent_first(others: Sequence[peers.PeerStatus]) -> list[peers.PeerStatus]:
    return sorted(others, key=lambda peer: not peer.silent)


def _wolf(counts: Mapping[str, int]) -> str:
    """How often an alarm was for nothing, in one sentence; a few watches say nothing about it. An
    alarm was for nothing if a tap answered it, or if those who came found the person fine, or a
    false alarm."""
    started = counts.get("acute.started", 0)
    nothing = sum(counts.get(f"acute.{what}", 0) for what in ("stood-down", *FOR_NOTHING))
    days = ngettext("in the last %(n)d day", "in the last %(n)d days", DAYS) % {"n": DAYS}
    if started < ENOUGH:
        many = ngettext("%(n)d watch", "%(n)d watches", started) % {"n": started}
        woken = ngettext(
            "%(n)d woke somebody for nothing", "%(n)d woke somebody for nothing", nothing
        ) % {"n": nothing}
        facts = {"watches": many, "days": days, "nothing": woken}
        return _("%(watches)s %(days)s, %(nothing)s: too few to say how often.") % facts
    facts = {"n": f"{100 * nothing / started:.1f}", "days": days}
    return _("%(n)s of 100 watches %(days)s. The goal is 3 at most.") % facts


@dataclass(frozen=True, slots=True)
class Paged:
    """A page, as the desk shows it."""

    at: str
    count: int
    told: str
    looks: str
    waits: bool


def _pages(now: int) -> list[pages.ShownPage]:
    return pages.lately(now - PAGES_H * HOUR_MS)


def _paged(page: pages.ShownPage, now: int) -> Paged:
    """Who was told when, and who looks since when."""

    def hour(at: int) -> str:
        return page_text.clock_time(at, "UTC", now)

    told = ", ".join(f"{page_text.someone(name)} {hour(at)}" for name, at in page.told)
    facts = {"name": page.looked_by or _("The desk"), "time": hour(page.looked_at)}
    looks = ""
    if page.looked_at:
        by_text = _("A text from %(name)s at %(time)s: looking.")
        looks = (by_text if page.waits else _("%(name)s looks since %(time)s.")) % facts
    return Paged(hour(page.opened_at), page.count, told, looks, page.waits)


def _heard(peer: peers.PeerStatus, now: int) -> str:
    """How an installation that we look after is doing."""
    if not peer.heard_at:
        return _("never heard: its coordinator has not set the address yet")
    at = page_text.clock_time(peer.heard_at, "UTC", now)
    if peer.silent:
        return _("not heard since %(time)s: tell its coordinator, by phone") % {"time": at}
    return _("heard at %(time)s") % {"time": at}


@dataclass(frozen=True, slots=True)
class Volunteer:
    """Somebody who takes shifts, as the desk shows them."""

    id: int
    name: str
    link: str
    until: bool
    left: str
    stopped: bool
    trained: bool
    kit: bool


def _volunteers(responders: Sequence[Responder], now: int) -> list[Volunteer]:
    stopped, carried = shifts.all_stopped(responders), kits.of_each(responders)
    return [
        _volunteer(
            each, now, stopped=each.id in stopped, kit=kits.best(carried[each.id], now) is not None
        )
        for each in responders
    ]


def _volunteer(responder: Responder, now: int, *, stopped: bool, kit: bool) -> Volunteer:
    on = responder.until_at > now
    left = page_text.span(responder.until_at - now) if on else ""
    link = links.full("program:responder", shifts.key_of(responder))
    trained, name = bool(responder.trained_at), shifts.name_of(responder)
    return Volunteer(responder.id, name, link, on, left, stopped, trained, kit)


def _volunteer_added(request: HttpRequest) -> HttpResponse:
    """A new one; or the page with what is wrong, which does not reload while it is corrected."""
    form, wrong = VolunteerForm(request.POST), ""
    if form.is_valid():
        new = form.cleaned_data
        try:
            shifts.add(new["name"], new["phone"], settings.SPOKEN.of(new["lang"]).code)
        except Problem as problem:
            wrong = page_text.put(problem.why)
    else:
        wrong = next(iter(form.wrong.values()))
    if not wrong:
        return _back(request, "added-volunteer")
    more = {"wrong_volunteer": wrong, "typed": request.POST, "refresh": None}
    return _page(request, more, status=422)


def _volunteer_dismissed(typed: QueryDict) -> str:
    wanted = DismissForm.read(typed)["responder"]
    for each in shifts.everyone():
        if each.id == wanted:
            shifts.dismiss(each)
    return "removed"


@require_POST
@desk_session.at_the_desk
def act(request: HttpRequest) -> HttpResponse:
    """ "I have looked", how an alarm ended, or who takes shifts."""
    do, typed = pressed(request), request.POST
    if do == "look":
        pages.looks("", clock.now_ms())
        return _back(request)
    if do == "volunteer":
        return _volunteer_added(request)
    try:
        said = _volunteer_dismissed(typed) if do == "dismiss" else _about_watch(do, typed)
    except Problem as problem:
        said = problem.why
    return _back(request, said)


def _back(request: HttpRequest, said: str = "") -> HttpResponse:
    """To the desk, with every list at the page where something was pressed."""
    numbers = PageTurner("program:desk", request.GET, LISTS).numbers
    return links.see_other("program:desk", said=said, more=numbers)


def _what_was_told(answer: ChangeResult) -> str:
    """What the page says after the coordinator ended an alarm: exactly what was sent."""
    before = answer.before.alarm if answer.before is not None else None
    if answer.watch is None or answer.watch.alarm is not None or before is None:
        return "fault"
    if answer.watch.outcome in UNTOLD:
        return "untold"
    return "told" if before.listeners() else "noted"


def _about_watch(do: str, typed: QueryDict) -> str:
    """ "I have looked", or how an alarm ended; returns what the page then says."""
    about = WatchForm.read(typed)
    watch, outcome = about["watch"] or 0, about["outcome"]
    if do == "looked" and watch in queries.to_look_at():
        apply.looked(watch)
        return "looked"
    if do == "looked" and damage.looked(watch, clock.now_ms()):
        return "looked"
    if do == "resolve" and outcome:
        answer = WRITER.commit(Change(Resolved(None, Outcome(outcome)), watch=watch))
        return answer.refused or _what_was_told(answer)
    return ""
