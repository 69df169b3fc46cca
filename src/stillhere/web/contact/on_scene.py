"""For whoever comes in an alarm: the steps, the nearest kit, and what was done so far.

Owns ``/c/<key>/did``, where a phone reports what was done, and the card for the ambulance crew.
Decides nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, field
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST, require_safe

from stillhere.content import reading
from stillhere.core.alarm import Alarm
from stillhere.core.events import GRAVE
from stillhere.store.db import clock
from stillhere.store.db.prepared import Prepared
from stillhere.store.inbound import place
from stillhere.store.kits import kits, naloxone
from stillhere.store.models import Contact, Kit, sealed_columns
from stillhere.store.people import records
from stillhere.store.program import shifts
from stillhere.store.watches import care_log, contact_alarm
from stillhere.store.watches.care_log import Done
from stillhere.store.watches.queries import ShownWatch
from stillhere.web.access import contact_device
from stillhere.web.access.fields import whole
from stillhere.web.guide import help_now
from stillhere.web.site import errors, links, page_text

DONE = {
    "found": gettext_lazy("%(who)s tried to wake %(name)s: no answer."),
    "called": gettext_lazy("%(who)s called for an ambulance."),
    "dose": gettext_lazy("%(who)s gave a dose of naloxone."),
    "no-dose": gettext_lazy("%(who)s: the last dose was not given after all."),
    "breaths": gettext_lazy("%(who)s began to give breaths."),
    "presses": gettext_lazy("%(who)s began to press the chest."),
    "breathing": gettext_lazy("%(who)s: %(name)s breathes."),
    "crew": gettext_lazy("%(who)s: help is there."),
    "there": gettext_lazy("%(who)s is with %(name)s."),
}
REVIEW = {
    "door-wrong": gettext_lazy("%(who)s says: the way in was not right."),
    "kit-wrong": gettext_lazy("%(who)s says: the kit was not where it should be."),
}
FARTHEST_M = 24 * 60
STEPS_GO_ON_MS = 3 * 3_600_000


@dataclass(frozen=True, slots=True)
class CareLine:
    """One thing that was done, as a page says it."""

    at: str
    says: str


@dataclass(frozen=True, slots=True)
class Company:
    """Everyone on an alarm who did not leave it, first those who were told, in the order of
    telling; the kits that they carry, by the contact's id; and who of them has learnt what to
    do."""

    people: list[Contact]
    kits: Mapping[int, Kit] = field(default_factory=dict)
    trained: Set[int] = frozenset()


NOBODY = Company([])
_OF_CIRCLE = Prepared(Contact, "WHERE id IN ({marks})")


def company_of(alarm: Alarm, now: int) -> Company:
    """Who is on it, and what they carry."""
    people = in_order(alarm, _OF_CIRCLE.among(alarm.circle.contacts()))
    volunteers = {c.responder_id for c in people if c.responder_id is not None}
    learnt = shifts.trained_among(volunteers) if volunteers else set()
    trained = {c.id for c in people if c.trained_at or c.responder_id in learnt}
    return Company(people, kits.carriers(people, now), trained)


def in_order(alarm: Alarm, contacts: Iterable[Contact]) -> list[Contact]:
    """Those of these ``contacts`` who are on the alarm and did not leave it, first those who were
    told, in the order of telling."""
    found = {c.id: c for c in contacts}
    ids = dict.fromkeys((*alarm.told, *alarm.circle.contacts()))
    return [found[id] for id in ids if id in found and id not in alarm.gone]


def given(
    shown: ShownWatch,
    contact: Contact,
    key: str,
    now: int,
    *,
    theirs: bool,
    placed: bool,
    company: Company | None = None,
    done: Sequence[Done] | None = None,
) -> dict[str, Any]:
    """Everything about an alarm that belongs to the one who comes, also when somebody else has
    just closed it. ``placed``: their phone may show where. ``company`` of an open alarm, and what
    was ``done``, where the caller has read them."""
    alarm, near, comes = shown.watch.alarm, None, False
    if alarm is not None:
        near = nearest(company or company_of(alarm, now), contact, now)
        came = any(c.contact == contact.id for c in alarm.claims)
        comes = placed and place.may_be_told(contact, alarm, came=came)
    confirmed = theirs and contact.status == Contact.Status.CONFIRMED
    done = [] if not theirs else care_log.of(shown.row) if done is None else done
    at_hand = near is not None and (near[0] is None or near[0].id == contact.id)
    return {
        **help_now.given(near[1].form if near and at_hand and theirs else "", contact.person.tz),
        "did_to": reverse("contact:deed", args=[key]),
        "number": number(shown),
        "over": alarm is None,
        "kit_says": kit_says(near, contact, now, comes) if near and confirmed else "",
        "hand_over": told(done, contact, now),
        "dose_at": care_log.last_dose_at(done) or "",
        "at_the_door": reading.parts("door"),
        "doings": list(help_now.DEEDS.items()),
    }


def number(shown: ShownWatch) -> str:
    """Of this alarm, so that a page knows a new one."""
    return f"{shown.row.id}.{shown.watch.alarms}"


def goes_on(shown: ShownWatch, now: int) -> bool:
    """Whether somebody may still be following the steps: the alarm is open, or was closed a short
    while ago, perhaps by another who knew less; not after a grave ending."""
    closed_at, watch = shown.watch.closed_at, shown.watch
    if watch.alarm is not None:
        return True
    lately = closed_at is None or now - closed_at < STEPS_GO_ON_MS
    return watch.alarms > 0 and lately and watch.outcome not in GRAVE


def told(done: Sequence[Done], contact: Contact, now: int) -> list[CareLine]:
    """What was done, in sentences, oldest first."""
    tz = contact.person.tz
    name = page_text.someone(sealed_columns.person_note(contact.person, "name"))
    return [CareLine(page_text.clock_time(each.at, tz, now), sentence(each, name)) for each in done]


def sentence(each: Done, name: str) -> str:
    """One thing that was done with ``name``, as the others read it."""
    says = str(DONE[each.what]) % {"who": page_text.someone(each.who), "name": name}
    if each.form in naloxone.FORMS:
        says = f"{says[:-1]} ({naloxone.FORMS[each.form]})."
    if not each.known:
        says += " " + _("(Said on a phone that we do not know.)")
    return says


def reviewed(shown: ShownWatch, *, named: bool) -> list[str]:
    """What those who came said about the plan, if it was wrong somewhere; and who they are, where
    that may be ``named``."""
    said = [
        (each.what, page_text.someone(each.who if named else ""))
        for each in care_log.review(shown.row)
    ]
    return [str(REVIEW[what]) % {"who": who} for what, who in said if what in REVIEW]


def nearest(company: Company, contact: Contact, now: int) -> tuple[Contact | None, Kit] | None:
    """The kit to think of first, and who carries it (None: it is the person's own). An unexpired
    one goes before an expired one, the person's own before one that must be brought, the nearer
    first."""
    own = kits.best(kits.of(contact.person), now)
    found: list[tuple[Contact | None, Kit]] = [(None, own)] if own is not None else []
    found += [(c, company.kits[c.id]) for c in company.people if c.id in company.kits]

    def rank(each: tuple[Contact | None, Kit]) -> tuple[bool, int, int]:
        who, kit = each
        far = 0 if who is None else 1 + (FARTHEST_M if who.minutes is None else who.minutes)
        return (not kits.good(kit, now), far, kit.id)

    return min(found, key=rank, default=None)


def kit_says(near: tuple[Contact | None, Kit], contact: Contact, now: int, comes: bool) -> str:
    """Where naloxone is, which kind and how much. The place is only for somebody who ``comes``."""
    who, kit = near
    name = page_text.someone(sealed_columns.person_note(contact.person, "name"))
    facts = {"what": what(kit), "name": name, "where": kits.place_of(kit)}
    if who is None and facts["where"] and comes:
        says = _("%(name)s has naloxone (%(what)s): %(where)s.") % facts
    elif who is None:
        says = _("%(name)s has naloxone (%(what)s).") % facts
    elif who.id == contact.id:
        says = _("You carry naloxone (%(what)s). Take it with you.") % facts
    else:
        facts["name"] = page_text.someone(sealed_columns.contact_name(who))
        says = _("%(name)s carries naloxone (%(what)s).") % facts
    if not kits.good(kit, now):
        says += " " + _("It is past its date: use it if it is all there is.")
    return says


def carries(kit: Kit | None, now: int) -> str:
    """Of somebody on the alarm: that they carry naloxone, and which; or nothing."""
    if kit is None:
        return ""
    says = _("carries naloxone") + f" ({what(kit)})"
    if not kits.good(kit, now):
        says += ", " + _("expired")
    return says


def near(contact: Contact) -> str:
    """How far away somebody is, as it was said when they were added; or nothing."""
    if contact.minutes is None:
        return ""
    return _("%(span)s away") % {"span": page_text.span(contact.minutes * 60_000)}


def what(kit: Kit) -> str:
    """Form and doses, in words."""
    doses = ngettext("%(n)d dose", "%(n)d doses", kit.doses) % {"n": kit.doses}
    return f"{naloxone.FORMS.get(kit.form, kit.form)}, {doses}"


@require_safe
def steps(request: HttpRequest, key: str) -> HttpResponse:
    """The steps on a page of their own, for a phone without scripts: the alarm's page reloads
    itself, and would lose the reader's place. What is pressed here is recorded as it is there."""
    contact = records.contact_by_key(key)
    if contact is None:
        return errors.unknown_key(request)
    shown, now = contact_alarm.alarm_for(contact), clock.now_ms()
    if shown is None or not goes_on(shown, now):
        return links.see_other("contact:page", key)
    theirs = contact_device.theirs(request, contact)
    placed = contact_device.may_read_place(request, contact)
    told = given(shown, contact, key, now, theirs=theirs, placed=placed)
    return render(
        request, "contact/contact_steps.html", {"key": key, "plain": True, "light": "", **told}
    )


@csrf_exempt  # the key in the address is what opens, and no cookie is asked
@require_POST
def did(request: HttpRequest, key: str) -> HttpResponse:
    """Something was done, now or ``age_ms`` ago. Stored once, however often it is reported."""
    contact = records.contact_by_key(key)
    if contact is None:
        return errors.unknown_key(request)
    shown = contact_alarm.alarm_for(contact)
    typed, known = request.POST, contact_device.theirs(request, contact)
    open_now = shown is not None and shown.watch.alarm is not None
    another = shown is not None and typed.get("of", "") not in ("", number(shown))
    kept = (
        shown is not None
        and not another  # kept on a phone without a line since the alarm before
        and (open_now or known)  # what is over, a stranger adds nothing to
        and care_log.note(
            contact,
            shown.row,
            typed.get("what", ""),
            typed.get("form", "") if typed.get("form", "") in naloxone.FORMS else "",
            whole(typed.get("age_ms", ""), 11) or 0,
            typed.get("ref", ""),
            known=known,
        )
    )
    if kept and known and typed.get("what") in ("dose", "no-dose"):
        _count(contact, typed.get("form", ""), given=typed["what"] == "dose")
    if "application/json" in request.headers.get("Accept", ""):
        return JsonResponse({"ok": kept, "now": clock.now_ms()}, status=200 if kept else 409)
    if re.fullmatch("[a-z]{2,20}", typed.get("next", "")):  # said in the steps, which go on
        return links.see_other("contact:steps", key, part=typed["next"])
    return links.see_other("contact:page", key, said="done" if kept else "no-alarm")


def _count(contact: Contact, form: str, *, given: bool) -> None:
    """A dose was given, or was not after all: a kit of that form, the person's or their own, has
    one less or one more. If the form was not given, the first kit there is."""
    for keeper in (contact.person, contact):
        mine = [
            kit
            for kit in kits.of(keeper)
            if naloxone.given_as(form) in ("", naloxone.given_as(kit.form))
        ]
        found = [kit for kit in mine if kits.usable(kit)] if given else mine
        if found:
            (kits.dose_given if given else kits.dose_back)(found[0])
            return
