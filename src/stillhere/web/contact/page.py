"""The contact's page: one address, kept in a phone, for everything that concerns this contact.

Invitation, quiet days, an open alarm and its aftermath stand at the same place. The key in the
address opens it, without a cookie. Owns what is shown and the words of each answer; whether a press
counts is decided in the store. A GET changes nothing.
"""

from __future__ import annotations

import hashlib
import re
from email.utils import parseaddr
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext_lazy
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST, require_safe

from stillhere.core.alarm import Alarm
from stillhere.core.events import (
    GRAVE,
    Arrived,
    CannotGetIn,
    Claimed,
    Declined,
    Event,
    Outcome,
    Resolved,
    State,
)
from stillhere.core.refusals import Refusal
from stillhere.store.messages.spoken_of import WHERE
from stillhere.store.models import Contact, sealed_columns
from stillhere.store.people import records
from stillhere.store.people.numbers import address_proof, known_before, names, page_code
from stillhere.store.problems import Problem
from stillhere.store.recordings import notes, strangers
from stillhere.store.watches import care_log, contact_alarm, damage, queries
from stillhere.store.watches.contact_alarm import PressResult
from stillhere.store.watches.queries import ShownWatch
from stillhere.web.access import contact_device, cookies, installed_channels
from stillhere.web.contact import aftermath_text, alarm_text, invitation, on_scene
from stillhere.web.site import errors, health, links, page_text, standing, watch_text
from stillhere.web.site.context import light

# How soon, in seconds: up to five minutes the others wait for you. None: far away, phones.
SOON: dict[str, int | None] = {"2": 120, "3": 180, "5": 300, "10": 600, "far": None}
ETAS = (
    ("2", gettext_lazy("2 min")),
    ("3", gettext_lazy("3 min")),
    ("5", gettext_lazy("5 min")),
    ("10", gettext_lazy("10 minutes or more")),
    ("far", gettext_lazy("I'm far, I'll phone")),
)
# The note that says what became of a press, and the other words of an "I'm going".
SAID = {
    PressResult.TOLD: "told",
    PressResult.NOTED: "noted",
    PressResult.UNTOLD: "untold",
    PressResult.CALLED_ON: "called-on",
    PressResult.UNPROVED: "prove",
    PressResult.FAULT: "fault",
    PressResult.NOTHING: "",
}
GOING = {**SAID, PressResult.TOLD: "on-your-way", PressResult.NOTED: "you-go"}
OF_AN_ALARM = {*SAID.values(), *GOING.values()} - {"", "fault", "prove", "untold"}
LONGEST_CODE = 40
AFTERWARDS_MS = 7 * 24 * 3600 * 1000  # for so long the page speaks of the last alarm


@require_safe
def page(request: HttpRequest, key: str) -> HttpResponse:
    """Whatever there is to know now."""
    contact = records.contact_by_key(key)
    if contact is None:
        return errors.unknown_key(request)
    given = _given(request, contact, key)
    given["note"] = _note(request.GET.get("said", ""), contact, given.get("alarm"))
    given |= {
        "push_key": installed_channels.public_key(),
        "push_to": reverse("hooks:contact_push", args=[key]),
    }
    response = render(request, "contact/contact.html", given)
    if code := _carried(request):  # nothing is changed by a GET
        cookies.keep(
            response,
            cookies.CODE.format(contact.id),
            code,
            None,
            reverse("contact:page", args=[key]),
        )
    return response


def _note(said: str, contact: Contact, alarm: Alarm | None) -> str:
    """What became of a press. Its address stays in a phone: in an alarm in which they have said
    nothing yet, nothing came of it."""
    if said in OF_AN_ALARM and alarm is not None and not _spoke(alarm, contact.id):
        return ""
    return page_text.note(said)


def _spoke(alarm: Alarm, contact: int) -> bool:
    claimed = (claim.contact for claim in alarm.claims)
    return contact in (*alarm.out, *alarm.arrivals, *claimed, alarm.obstacle_by)


def _carried(request: HttpRequest) -> str:
    """What the link in our message carries; six digits, until links carried more."""
    found = re.fullmatch(r"[0-9]{6}|[\w-]{12}", request.GET.get("c", ""), re.ASCII)
    return found[0] if found else ""


def _kept(request: HttpRequest, contact: Contact) -> str:
    """The same as this browser kept it."""
    return request.COOKIES.get(cookies.CODE.format(contact.id), "")


def _by_link(request: HttpRequest, contact: Contact) -> bool:
    """Whether a message of ours led here, so that a press is enough to know this phone."""
    carried = _carried(request) or _kept(request, contact)
    return bool(carried) and page_code.is_carried(contact, carried)


@require_safe
def part(request: HttpRequest, key: str) -> HttpResponse:
    """The changing part of the page, for its script."""
    contact = records.contact_by_key(key)
    if contact is None:
        return errors.unknown_key(request)
    return render(request, "contact/parts/contact.html", _given(request, contact, key))


@require_safe
def number(request: HttpRequest, key: str) -> HttpResponse:
    """Every number and the address our messages come from, as a contact card for the phone's
    address book, plainly named: phones that screen unknown callers let them through."""
    if records.contact_by_key(key) is None:
        return errors.unknown_key(request)
    mail = parseaddr(settings.STILLHERE.mail_from)[1]
    card = ["BEGIN:VCARD", "VERSION:3.0", "N:Lamp;;;;", "FN:Lamp"]
    card += [f"TEL;TYPE=VOICE,CELL:{each}" for each in installed_channels.own_numbers()]
    card += [f"EMAIL:{mail}"] if mail else []
    response = HttpResponse(
        "\r\n".join([*card, "END:VCARD", ""]), content_type="text/vcard; charset=utf-8"
    )
    response["Content-Disposition"] = 'attachment; filename="lamp.vcf"'
    return response


@require_safe
def state(request: HttpRequest, key: str) -> HttpResponse:
    """Small and often: whether the page must change."""
    contact = records.contact_by_key(key)
    if contact is None:
        return errors.unknown_key(request)
    here = standing.of(request)
    return JsonResponse(said_of(contact, health.now_of(here), behind=health.behind(here)))


def said_of(contact: Contact, now: int, *, behind: bool) -> dict[str, Any]:
    """What the page's script is told of it; ``now`` is ms UTC."""
    shown = contact_alarm.alarm_for(contact)
    done = care_log.count(shown.row) if shown is not None else 0
    version = watch_text.told_version(_version(contact, shown, done, now), behind=behind)
    return {"v": version, "now": now, "behind": behind}


def _version(contact: Contact, shown: ShownWatch | None, done: int, now: int) -> str:
    """Changes with everything this page shows, and with nothing else: whoever was called once may
    not see by it, ever after, when somebody checks in. Times on the page are updated once a minute
    during an alarm. ``done``: how much was done in it."""
    parts = [contact.status, contact.away_until_at, contact.rang_at]
    if shown is not None:
        watch = shown.watch
        parts += [shown.row.id, shown.row.quarantined_at is None, watch.alarms, done]
        if watch.alarm is not None:
            parts += [now // 60_000, shown.row.version]
        else:
            spoken_of = _still_spoken_of(shown, now), on_scene.goes_on(shown, now)
            parts += [watch.state is State.CLOSED, watch.outcome, *spoken_of]
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:12]


def _given(request: HttpRequest, contact: Contact, key: str) -> dict[str, Any]:
    here = standing.of(request)
    now = health.now_of(here)
    theirs = contact_device.theirs(request, contact)
    shown = contact_alarm.alarm_for(contact)
    alarmed = shown is not None and shown.watch.alarm is not None
    placed = _placed(request, contact, shown, theirs=theirs)
    person = contact.person
    done = care_log.of(shown.row) if shown is not None else []
    given: dict[str, Any] = {
        **({"contact": contact} if alarmed else invitation.given(contact, now)),
        "alarm": shown.watch.alarm if shown is not None else None,
        "key": key,
        "theirs": theirs,
        "placed": placed,
        "by_link": not theirs and _by_link(request, contact),
        "code_comes": not theirs and page_code.may_come(contact),
        **page_text.the_person(_name_of(contact)),
        "wish": person.wish,
        "version": watch_text.told_version(
            _version(contact, shown, len(done), now), behind=health.behind(here)
        ),
        "etas": ETAS,
        "light": "",
        "now": now,
        "refresh": _refresh_s(contact),
        "aside": damage.is_aside(person.id),
    }
    if shown is None:
        return given
    lines = queries.journal(shown.row.id)
    if shown.watch.alarm is not None:
        company = on_scene.company_of(shown.watch.alarm, now)
        given["known"] = alarm_text.know(
            shown, contact, company, lines, now, theirs=theirs, placed=theirs and placed
        )
        given["light"] = light(now, person.tz)
        given["recorded"] = theirs and placed and strangers.key_of(contact) != ""
        given |= on_scene.given(
            shown, contact, key, now, theirs=theirs, placed=placed, company=company, done=done
        )
        given["refresh"] = 10
    elif _still_spoken_of(shown, now):
        given["told"] = aftermath_text.told(shown, contact, lines, now) if theirs else []
        given["ending"] = aftermath_text.ending(shown, contact, lines)
        given["grave"] = shown.watch.outcome in GRAVE
        given["revived"] = queries.brought_back(shown)
        if on_scene.goes_on(shown, now):
            given |= on_scene.given(shown, contact, key, now, theirs=theirs, placed=placed)
    return given


def _placed(
    request: HttpRequest, contact: Contact, shown: ShownWatch | None, *, theirs: bool
) -> bool:
    """Whether the page may show where, on this phone; or would, once it has proved itself."""
    if theirs:
        return contact_device.may_read_place(request, contact)
    if shown is None or shown.watch.alarm is None:
        return True
    return known_before.may_open(contact, _carried(request) or _kept(request, contact))


def _name_of(contact: Contact) -> str:
    """What the person is called, for somebody who may not have said yes yet; "" if nothing."""
    name = sealed_columns.person_note(contact.person, "name")
    said_yes = contact.status == Contact.Status.CONFIRMED
    return name if said_yes else names.plainly(name)


def _refresh_s(contact: Contact) -> int | None:
    """How soon a quiet page reloads itself if its script does not run. Not while somebody may be
    typing how to reach them."""
    if contact.person.trial:
        return 3
    return 20 if contact.status == Contact.Status.CONFIRMED else None


def _still_spoken_of(shown: ShownWatch, now: int) -> bool:
    closed_at = shown.watch.closed_at
    return shown.watch.alarms > 0 and (closed_at is None or now - closed_at < AFTERWARDS_MS)


@require_safe
def said(request: HttpRequest, key: str) -> HttpResponse:
    """Where a stranger said they are, for somebody on shift during an open alarm."""
    contact = records.contact_by_key(key)
    mine = contact is not None and contact_device.may_read_place(request, contact)
    sound = strangers.sound(strangers.key_of(contact)) if contact is not None and mine else None
    if sound is None:
        return errors.unknown_key(request)
    return HttpResponse(sound, content_type="audio/mpeg", headers={"Cache-Control": "no-store"})


@require_safe
def spoken(request: HttpRequest, key: str, kind: str) -> HttpResponse:
    """What the person said in a call of where they are, for whoever may read what they wrote."""
    contact = records.contact_by_key(key)
    mine = contact is not None and contact_device.may_read_place(request, contact)
    shown = contact_alarm.alarm_for(contact) if contact is not None and mine else None
    if contact is None or shown is None or shown.watch.alarm is None or kind not in WHERE:
        return errors.unknown_key(request)
    told = alarm_text.may_see_door(contact, queries.journal(shown.row.id), shown.watch.alarm)
    kept = notes.kept_of(contact.person_id, (kind,)) if told else {}
    sound = notes.sound(kept.get(kind, ""))
    if sound is None:
        return errors.unknown_key(request)
    return HttpResponse(sound, content_type="audio/mpeg", headers={"Cache-Control": "no-store"})


@csrf_exempt  # the key in the address is what opens, and no cookie is asked
@require_POST
def answer(request: HttpRequest, key: str) -> HttpResponse:
    """What a contact presses. Pressed twice, it counts once."""
    contact = records.contact_by_key(key)
    if contact is None:
        return errors.unknown_key(request)
    do = request.POST.get("do", "")
    code = _kept(request, contact)
    if do == "mine":  # tries it itself: proved already, the code would open nothing
        return _mine(request, contact, key)
    if code and do not in invitation.NO:
        address_proof.try_code(contact, code)
    if do == "send-page-code":
        return _send_code(contact, key)
    theirs = contact_device.theirs(request, contact)
    if do in invitation.ANSWERS:
        return _invited(request, contact, key, do, theirs=theirs)
    if not theirs and do == "arrived":
        return _unproved(contact, key)
    if not theirs and do != "claim":
        return _back(key, "prove")
    return _acts(contact, key, do, request.POST, theirs=theirs)


def _invited(
    request: HttpRequest, contact: Contact, key: str, do: str, *, theirs: bool
) -> HttpResponse:
    """Something about the invitation, or a quiet day. Whoever first says yes on a quiet day says it
    on their own phone. After that nothing can be changed from any other: a link may have been
    passed on."""
    settled = contact.status == Contact.Status.CONFIRMED
    if settled and not theirs and do != "code":
        return _back(key, "prove")
    if settled and do == "number" and not contact_device.may_read_place(request, contact):
        return _back(key, "prove")  # between two alarms it would be known before the second
    try:
        response = invitation.answer(request, contact, key)
    except invitation.Wrong as failed:
        given = _given(request, contact, key) | {"wrong": failed.wrong, "typed": request.POST}
        return render(request, "contact/contact.html", given, status=422)
    if do in ("join", "code") and contact.status == Contact.Status.CONFIRMED:
        calm = known_before.raised_at(contact) is None
        if calm or not page_code.may_come(contact):  # else a place is at stake: to be proved
            contact_device.remember(response, contact)
    return response


def _acts(contact: Contact, key: str, do: str, typed: Any, *, theirs: bool) -> HttpResponse:
    """Something about an alarm. Whoever says "I'm going" on a phone that we do not know is heard,
    but does not hold the ladder."""
    event = _event(do, typed, contact.id)
    if event is None:
        return _back(key, "")
    result = contact_alarm.press(contact, event, known_phone=theirs)
    if isinstance(result, Refusal):
        return _back(key, result)
    return _back(key, (GOING if do == "claim" else SAID)[result])


def _unproved(contact: Contact, key: str) -> HttpResponse:
    """Somebody is there, on a phone that we do not know: the others are told, and nothing waits."""
    shown = contact_alarm.alarm_for(contact)
    if shown is None or shown.watch.alarm is None:
        return _back(key, "no-alarm")
    care_log.note(contact, shown.row, "there", "", 0, f"there.{shown.watch.alarms}", known=False)
    return _back(key, "there-unproved")


def _mine(request: HttpRequest, contact: Contact, key: str) -> HttpResponse:
    """The code that we sent: from now on this phone shows what its owner may see; the place only
    if the code came by a way that was known before an alarm."""
    typed = request.POST.get("code", "")[:LONGEST_CODE] or _kept(request, contact)
    old = known_before.may_open(contact, typed)
    if not contact_device.proves(request, contact, typed):
        return _back(key, "not-yours")
    response = _back(key, "")
    contact_device.remember_proof(response, contact, old=old)
    return response


def _send_code(contact: Contact, key: str) -> HttpResponse:
    """The code goes to where the contact is reached, whoever presses this."""
    try:
        page_code.send(contact)
    except Problem as problem:
        return _back(key, problem.why)
    return _back(key, "page-code")


def _event(do: str, typed: Any, contact: int) -> Event | None:
    """What was pressed, as an event; None if we do not know it."""
    soon = typed.get("soon", "")
    outcome = typed.get("outcome", "")
    if do == "claim" and soon in SOON:
        return Claimed(contact, SOON[soon])
    if do == "resolve" and outcome in set(Outcome) - {Outcome.ENDED}:
        return Resolved(contact, Outcome(outcome))
    plain: dict[str, Event] = {
        "arrived": Arrived(contact),
        "locked": CannotGetIn(contact),
        "decline": Declined(contact),
    }
    return plain.get(do)


def _back(key: str, said: str) -> HttpResponse:
    return links.see_other("contact:page", key, said=said)
