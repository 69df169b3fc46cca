"""Whom to reach, how to reach Sam, and what those who come must know: the plan, typed by hand.

Normalizes every address through its channel before anything is stored; what was wrong is said
beside the field, and nothing that was typed is lost.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from stillhere.core.refusals import Refusal
from stillhere.store.db import clock
from stillhere.store.inbound import place
from stillhere.store.kits import kits, supply_warnings
from stillhere.store.messages.spoken_of import WHERE
from stillhere.store.models import Address, Contact, Person, sealed_columns
from stillhere.store.people import address_book, contacts, drills, invitations, persons, records
from stillhere.store.people.numbers import address_proof
from stillhere.store.people.records import Listed
from stillhere.store.problems import Problem
from stillhere.store.program import shifts
from stillhere.store.recordings import notes
from stillhere.web.access import addresses, installed_channels, person_session, rate_limit
from stillhere.web.access.fields import Reachable, pressed
from stillhere.web.person.people_forms import (
    STEPS,
    AddForm,
    ContactForm,
    KeepForm,
    PlanForm,
    WantForm,
)
from stillhere.web.site import errors, links, page_text, unproved, watch_text
from stillhere.web.site.context import light

NOTES = persons.NOTES


@person_session.private
@require_http_methods(["GET", "HEAD", "POST"])
def people(request: HttpRequest, person: Person) -> HttpResponse:
    """The list, and the forms that change it."""
    if request.method != "POST":
        said = request.GET.get("said", "")
        if said == "own-first":  # stands beside the field it is about
            return _page(request, person, own_first=page_text.note(said))
        return _page(
            request,
            person,
            note=page_text.note(said),
            added=said in ("added", "known", "added-asked"),
        )
    work = WORK.get(pressed(request))
    if work is None:
        return _page(request, person)
    if work in INVITING and not rate_limit.may_invite(request):
        return errors.too_many()
    try:
        said, wrong = work(person, request.POST)
        if work in CODING and not wrong:
            said = _send_codes(request, person, said)
    except Problem as problem:
        said, wrong = "", {"": page_text.put(problem.why)}
    if wrong:
        return _page(request, person, wrong=wrong, typed=request.POST, status=422)
    part = "prove" if said in ("code-sent", "send-code") else ""
    return links.see_other("person:people", said=said, part=part, status=302)


Done = tuple[str, dict[str, str]]  # the name of what is said, or what is wrong by field


def _add(person: Person, typed: Mapping[str, str]) -> Done:
    """Someone new, invited at once. The same address twice is one contact."""
    form = AddForm(typed)
    if not form.is_valid():
        return "", form.wrong
    given = form.cleaned_data
    mine = given["my_name"].strip()
    if mine:
        persons.set_plan(person, name=mine)
    before = set(person.contacts.values_list("id", flat=True))
    added = invitations.add_contact(
        person,
        given["name"],
        [] if form.by_hand else form.ways,
        rung=0 if given["rung"] == "first" else None,
        lang=given["lang"] or person.lang,
    )
    if added.id in before:
        return "known", {}
    if form.by_hand:
        return "yours-to-send", {}
    return ("added" if invitations.is_asked(added) else "added-asked"), {}


def _theirs(person: Person, typed: Mapping[str, str]) -> Contact | None:
    """Whom a form is about: somebody on this person's list, or nobody."""
    wanted = ContactForm.read(typed)["contact"] or 0
    mine = person.contacts.filter(id=wanted, responder__isnull=True)
    return mine.filter(status__in=["invited", "confirmed"]).first()


def _remove(person: Person, typed: Mapping[str, str]) -> Done:
    """Off the list, without telling them. Never while people are being reached."""
    gone = _theirs(person, typed)
    if gone is not None:
        invitations.require_calm(person)
        invitations.take_off(gone)
    return "removed", {}


def _keep(person: Person, typed: Mapping[str, str]) -> Done:
    """What Sam decides about one of them."""
    contact = _theirs(person, typed)
    if contact is None:
        return "", {}
    form = KeepForm(typed)
    if not form.is_valid():
        return "", {"": form.wrong["minutes"]}
    given = form.cleaned_data
    contacts.keep(
        contact,
        minutes=-1 if given["minutes"] is None else given["minutes"],
        why=given["why"],
        door=given["door"],
        lang=given["lang"],
        rung=int(given["step"]) - 1 if given["step"] else None,
    )
    return "kept", {}


def _renew(person: Person, typed: Mapping[str, str]) -> Done:
    """A new link for one of them, who is invited again by the ways we know. In an alarm the one
    that they were sent goes on working."""
    contact = _theirs(person, typed)
    if contact is None:
        return "", {}
    invitations.require_calm(person)
    contacts.renew(contact)
    invitations.invite(contact, clock.now_ms())
    return "renewed", {}


def _own(person: Person, typed: Mapping[str, str]) -> Done:
    """How we reach Sam. What is unchanged stays as it is: an ask may be on its way to it."""
    form = Reachable(typed)
    if not form.is_valid():
        return "", form.wrong
    have = {
        (a.channel, sealed_columns.address_value(a)) for a in _addresses(person) if a.state == "ok"
    }
    if {(way.channel, way.value) for way in form.ways} != have:
        address_book.set_own_addresses(person, form.ways)
    return "kept", {}


def _code(person: Person, typed: Mapping[str, str]) -> Done:
    """The code that we sent to a number or address of theirs."""
    if address_proof.try_code(person, typed.get("code", "")):
        return "proved", {}
    return "", {"code": page_text.put(Refusal.WRONG_CODE)}


def _send_code(person: Person, typed: Mapping[str, str]) -> Done:
    """Once more, because they ask."""
    return "send-code", {}


def _send_codes(request: HttpRequest, person: Person, said: str) -> str:
    """Send what shows that a number is theirs; returns what is said then. Raises Problem where they
    asked for it and none may be sent."""
    again = said == "send-code"
    try:
        sent = address_proof.send_codes(
            person, again=again, allowed=lambda: rate_limit.may_invite(request)
        )
    except Problem:
        if again:
            raise
        return "no-code"
    return "code-sent" if sent and not again else said


def _plan(person: Person, typed: Mapping[str, str]) -> Done:
    """What those who come must know."""
    form = PlanForm(typed)
    form.full_clean()  # all of it may be left out, and nothing of it be wrong
    before = _notes(person)
    persons.set_plan(person, **form.notes)
    changed = [kind for kind, text in _notes(person).items() if text != before[kind]]
    for kind in changed:  # what is written now is newer than what was said in a call
        notes.take_away(person, kind)
    if set(changed) & set(WHERE):
        now = clock.now_ms()
        place.tell_of_change(person, f"plan{person.id}.{now}", now)
    persons.set_speak(person, form.cleaned_data["speak"])
    return "kept", {}


def _notes(person: Person) -> dict[str, str]:
    return {kind: sealed_columns.person_note(person, kind) for kind in notes.KINDS}


def _drill(person: Person, typed: Mapping[str, str]) -> Done:
    """Everybody on the list is reached as in an alarm, in words that say it is a drill."""
    drills.begin(person)
    return "drill", {}


def _volunteers(person: Person, typed: Mapping[str, str]) -> Done:
    """Whether people on shift may come too."""
    shifts.want(person, WantForm.read(typed)["want"])
    return "kept", {}


def _news(person: Person, typed: Mapping[str, str]) -> Done:
    """Whether they want to hear about warnings about the supply."""
    supply_warnings.want(person, bool(typed.get("want")))
    return "kept", {}


WORK = {
    "add": _add, "remove": _remove, "keep": _keep, "renew": _renew, "own": _own, "plan": _plan,
    "drill": _drill, "volunteers": _volunteers, "code": _code, "send-code": _send_code,
    "news": _news,
}  # fmt: skip
CODING = (_own, _send_code)  # a code may leave by these, to a number that was typed
INVITING = (_add, _renew, _drill)  # a message to somebody may leave by these, and cost money


def _addresses(person: Person) -> list[Address]:
    return list(person.addresses.exclude(channel__in=address_book.GIVEN).order_by("id"))


def own_typed(person: Person) -> dict[str, str]:
    """Sam's own addresses by kind, to fill the form again."""
    return {
        addresses.kind_of(a.channel): sealed_columns.address_value(a) for a in _addresses(person)
    }


@dataclass(frozen=True, slots=True)
class ContactEntry:
    """One person on the list, with everything that Sam may change. ``since`` says in words when
    they said yes and when a test rang, ``ending`` ends their number, ``text`` invites them."""

    someone: watch_text.Someone
    contact: Contact
    since: str
    ending: str
    link: str
    text: str


def _entry(each: Listed, someone: watch_text.Someone, person: Person, now: int) -> ContactEntry:
    contact = each.contact
    since = []
    if someone.confirmed and contact.answered_at is not None:
        day = page_text.clock_time(contact.answered_at, person.tz, now)
        since.append(_("Said yes: %(day)s.") % {"day": day})
    if contact.rang_at:
        day = page_text.clock_time(contact.rang_at, person.tz, now)
        since.append(_("A test rang: %(day)s.") % {"day": day})
    if contact.trained_at:
        since.append(_("Has learnt what to do."))
    if kits.best(kits.of(contact), now) is not None:
        since.append(_("Carries naloxone."))
    since += _drilled(contact, person, now)
    number = next((value for channel, value, _state in each.ways if channel == "text"), "")
    link = links.full("contact:page", sealed_columns.contact_key(contact))
    text = _(
        "If I ever don't answer, may Lamp ask you to look after me? One tap says yes: %(link)s"
    ) % {"link": link}
    return ContactEntry(someone, contact, " ".join(since), number[-4:], link, text)


def _drilled(contact: Contact, person: Person, now: int) -> list[str]:
    """What they answered to the last drill, and how fast."""
    if not contact.drilled_at or contact.drilled_at > now:
        return []
    facts: dict[str, object] = {"day": page_text.clock_time(contact.drilled_at, person.tz, now)}
    if not contact.drill_answered_at:
        return [_("Drill %(day)s: no answer.") % facts]
    facts["s"] = max(0, contact.drill_answered_at - contact.drilled_at) // 1000
    if contact.drill_said == "yes":
        return [_("Drill %(day)s: would come, after %(s)d s.") % facts]
    return [_("Drill %(day)s: could not come, after %(s)d s.") % facts]


@person_session.private
@require_safe
def card(request: HttpRequest, person: Person, contact: str) -> HttpResponse:
    """The card to print and hand to somebody on the list."""
    theirs = _theirs(person, {"contact": contact})
    if theirs is None:
        return errors.trouble(404, _("There is no such page"), _("Look at the list once more."))
    name = sealed_columns.person_note(person, "name")
    given = {
        "name": page_text.someone(name),
        "them": sealed_columns.contact_name(theirs),
        "contact": theirs,
    }
    given["link"] = links.full("contact:page", sealed_columns.contact_key(theirs))
    return render(request, "person/card.html", given | {"light": ""})


def _page(
    request: HttpRequest,
    person: Person,
    *,
    note: str = "",
    own_first: str = "",
    added: bool = False,
    wrong: Mapping[str, str] | None = None,
    typed: Mapping[str, str] | None = None,
    status: int = 200,
) -> HttpResponse:
    listed, now = records.circle_list(person), clock.now_ms()
    persons.note_use(person, now)
    people = watch_text.on_the_list(listed, now)
    plan: dict[str, Any] = {name: sealed_columns.person_note(person, name) for name in NOTES}
    plan |= {"wish": person.wish, "lang": person.lang, "speak": person.speak}
    own = own_typed(person)
    do = (typed or {}).get("do", "")
    reach_them = bool(installed_channels.here(shifts.WAYS))
    if do == "plan" and typed is not None:
        plan |= {name: typed[name] for name in plan if name in typed}
        plan["speak"] = "speak" in typed
    if do == "own" and typed is not None:
        own = {kind: typed.get(kind, "") for kind in addresses.KINDS}
    given: dict[str, Any] = {
        "people": people,
        "person": person,
        "volunteers_here": bool(shifts.everyone()) and (reach_them or person.volunteers),
        "reach_them": reach_them,
        "entries": [
            _entry(each, one, person, now)
            for each, one in zip(listed, people, strict=True)
            if each.contact.responder_id is None
        ],
        "steps": STEPS[: len(listed) + 1],
        "kinds": addresses.kinds(),
        "plan": plan,
        "own": own,
        "stopped": records.has_stopped(person),
        "unproved": unproved.unproved(person),
        "code": request.GET.get("c", ""),
        "bot": installed_channels.bot(),
        "own_broken": [a.channel for a in _addresses(person) if a.state != "ok"],
        "add": typed if do == "add" else {"lang": person.lang},
        "do": do,
        "wrong": wrong or {},
        "note": note,
        "own_first": own_first,
        "added": added,
        "wishes": persons.WISHES,
        "quiet_h": settings.STILLHERE.keep_quiet_h,
        "light": light(now, person.tz),
    }
    return render(request, "person/people.html", given, status=status)
