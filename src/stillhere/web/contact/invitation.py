"""Being asked to be there, and quiet days: what a contact answers with yes, no and "not tonight".

Owns the part of the contact's page that is shown while no alarm is open, and its buttons. Nobody
can start a watch from here or ask for one. A GET changes nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from email.utils import parseaddr
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from stillhere.channels.carriers.numbers import spaced
from stillhere.core.refusals import Refusal
from stillhere.store.db import clock
from stillhere.store.models import Contact, sealed_columns
from stillhere.store.people import address_book, contacts, invitations, opt_out, push_subscriptions
from stillhere.store.people.numbers import address_proof, names
from stillhere.store.problems import Problem, Reached
from stillhere.web.access import (
    addresses,
    contact_device,
    cookies,
    installed_channels,
    rate_limit,
)
from stillhere.web.access.fields import LanguageChoice, Reachable
from stillhere.web.site import links, page_text, unproved

HERE = Reached("page", "here", rings=False)  # the page of theirs that is open
ANSWERS = (
    "join", "leave", "not-me", "tonight", "back", "test", "rang", "number", "code", "send-code",
)  # fmt: skip

NO = ("leave", "not-me")  # prove nothing, whatever the link carried


class Wrong(ValueError):
    """What was typed cannot be used: what is wrong, by field, for the page to show."""

    def __init__(self, wrong: Mapping[str, str]) -> None:
        super().__init__("wrong")
        self.wrong = wrong


def given(contact: Contact, now: int) -> dict[str, Any]:
    """What ``parts/invitation.html`` and ``parts/waiting.html`` show."""
    known = address_book.of_contacts([contact.id]).get(contact.id, [])
    ways = {a.channel for a in known if a.state == "ok"}
    here = set(installed_channels.here(ways))
    at = page_text.clock_time(contact.rang_at, contact.person.tz, now) if contact.rang_at else ""
    return {
        "contact": contact,
        "me": _called(contact),
        "kinds": addresses.kinds(),
        "reached": bool(ways),
        "unreached": bool(ways) and not here,
        "only_page": ways - {push_subscriptions.CHANNEL} == {HERE.channel},
        "by_phone": bool(here & {"text", "call"}),
        "bot": installed_channels.bot(),
        "better": bool({"phone", "email"} & set(addresses.kinds())),
        "unproved": unproved.unproved(contact, known),
        "carries": contact.kits.exists(),
        "away": contact.away_until_at > now,
        "rang": at,
        "numbers": [spaced(each) for each in installed_channels.own_numbers()],
        "mail": parseaddr(settings.STILLHERE.mail_from)[1],
    }


def _called(contact: Contact) -> str:
    """What Sam calls them; until they say yes only what is plainly a name."""
    name = sealed_columns.contact_name(contact)
    return name if contact.status == Contact.Status.CONFIRMED else names.plainly(name)


def answer(request: HttpRequest, contact: Contact, key: str) -> HttpResponse:
    """What was pressed. Pressed twice, it counts once. Raises Wrong."""
    do = request.POST.get("do", "")
    if do == "leave":
        carried = request.COOKIES.get(cookies.CODE.format(contact.id), "")
        theirs = contact_device.theirs(request, contact)
        opt_out.leave_by_page(contact, clock.now_ms(), theirs=theirs, carried=carried)
        return render(request, "contact/left.html", {"light": ""})
    if do == "not-me":
        _not_me(contact, request.COOKIES.get(cookies.CODE.format(contact.id), ""))
        return render(request, "contact/not_me.html", {"light": ""})
    if do == "join":
        _join(request, contact)
        said = "joined"
    else:
        said = _quiet(request, contact, do)
    return links.see_other("contact:page", key, said=said)


def _not_me(contact: Contact, code: str) -> None:
    """From the link in our own message, that number is not asked again for this person. From a link
    that was handed on nothing follows: it may not be meant for whoever holds it."""
    if contact.status == Contact.Status.INVITED:
        for address in address_proof.coded(contact, code)[:1]:
            opt_out.not_theirs(address, clock.now_ms())


def _join(request: HttpRequest, contact: Contact) -> None:
    """Yes. A contact who was invited without an address may say how to reach them; one who does not
    is reached on this page, while it is open. Once somebody has said so, the same link changes
    nothing."""
    if contact.status == Contact.Status.CONFIRMED:
        return
    if not contact.addresses.exists():
        _reach(contact, _ways(request.POST, [HERE]))
    _speaks(contact, request.POST)
    invitations.join(contact)
    with suppress(Problem):  # their page says that it waits for its code
        _send_codes(request, contact)


def _quiet(request: HttpRequest, contact: Contact, do: str) -> str:
    """What somebody who said yes does on a quiet day; returns what the page then says."""
    if contact.status != Contact.Status.CONFIRMED or contact.person.trial:
        return ""  # a try-out has the open page and no other way
    if do in ("tonight", "back"):
        contacts.not_tonight(contact, away=do == "tonight")
    elif do == "rang":
        contacts.rang(contact)
    else:
        return {"test": _test, "code": _code, "send-code": _send_code}.get(do, _number)(
            request, contact
        )
    return do


def _test(_request: HttpRequest, contact: Contact) -> str:
    return "test" if contacts.test_ring(contact) else "prove-first"


def _code(request: HttpRequest, contact: Contact) -> str:
    """The code that we sent, typed."""
    if not address_proof.try_code(contact, request.POST.get("code", "")):
        raise Wrong({"code": page_text.put(Refusal.WRONG_CODE)})
    return "proved"


def _send_code(request: HttpRequest, contact: Contact) -> str:
    """Once more, because they ask."""
    try:
        _send_codes(request, contact, again=True)
    except Problem as problem:
        raise Wrong({"code": page_text.put(problem.why)}) from None
    return "send-code"


def _send_codes(request: HttpRequest, contact: Contact, *, again: bool = False) -> bool:
    return address_proof.send_codes(
        contact, again=again, allowed=lambda: rate_limit.may_invite(request)
    )


def _number(request: HttpRequest, contact: Contact) -> str:
    """Another number or address."""
    _reach(contact, _ways(request.POST))
    _speaks(contact, request.POST)
    try:
        return "code-sent" if _send_codes(request, contact) else "kept"
    except Problem:
        return "no-code"


def _reach(contact: Contact, ways: Sequence[Reached]) -> None:
    try:
        contacts.reach_at(contact, ways)
    except Problem as problem:
        raise Wrong({"": page_text.put(problem.why)}) from None


def _ways(typed: Mapping[str, str], otherwise: Sequence[Reached] = ()) -> list[Reached]:
    form = Reachable(typed)
    if not form.is_valid():
        raise Wrong(form.wrong)
    if not form.ways and otherwise:
        return list(otherwise)
    if not form.ways:
        raise Wrong({"": page_text.put(Refusal.NO_WAY_TO_ME)})
    return form.ways


def _speaks(contact: Contact, typed: Mapping[str, str]) -> None:
    if lang := LanguageChoice().clean(typed.get("lang", "")):
        contacts.keep(contact, lang=lang)
