"""Push notifications: which browsers get them, and the buttons on them.

``POST /push`` and ``/c/<key>/push`` keep a browser's subscription, ``/push/renewed`` puts another
in its place, for the browser that it belongs to: who knows it moves nothing.

``POST /k/<key>/key`` and ``/c/<key>/key`` are a press on a button of a notification: it means the
same digit as in a text or a call, and is durable before it is answered, with the sentence that the
notification then shows.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from django.db import Error
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from stillhere.channels.base import AddressError
from stillhere.channels.wording import compose
from stillhere.core.messages import Inbound
from stillhere.store.inbound import inbox
from stillhere.store.models import Browser, Contact, Message, Person, sealed_columns
from stillhere.store.people import push_subscriptions, records
from stillhere.store.problems import Reached
from stillhere.store.watches import queries
from stillhere.store.watches.apply import SwapMissed
from stillhere.web.access import contact_device, person_session
from stillhere.web.access.fields import Form, Number, Words
from stillhere.web.access.installed_channels import push_channel
from stillhere.web.site import errors, page_text

log = logging.getLogger("stillhere.web")

MOST_AGE_MS = 24 * 3600 * 1000


@person_session.own
@require_POST
def mine(request: HttpRequest, person: Person) -> HttpResponse:
    """This browser belongs to the person. Behind the PIN: whoever is told can also answer."""
    if person_session.locked(request, person):
        says = _("Your PIN comes first: open “My data”, type it, then come back and press again.")
        return JsonResponse({"ok": False, "says": says}, status=403)
    return _kept(request, person=person, browser=person_session.browser_of(request))


@csrf_exempt  # the key in the address is what opens, and no cookie is asked
@require_POST
def theirs(request: HttpRequest, key: str) -> HttpResponse:
    """This browser belongs to a contact who said yes, and is known to be theirs."""
    contact = records.contact_by_key(key)
    if contact is None or contact.status != Contact.Status.CONFIRMED:
        return errors.unknown_key(request)
    if not contact_device.theirs(request, contact):
        return JsonResponse({"ok": False, "says": page_text.note("prove")}, status=403)
    return _kept(request, contact=contact)


@csrf_exempt  # a service worker has no page to take a token from; its cookies are ``Lax``
@require_POST
def renewed(request: HttpRequest) -> HttpResponse:
    """A browser changed its subscription by itself, with no page open. Its cookies say whose it is:
    the person's session, or that it is a contact's phone."""
    way, form = push_channel(), RenewedForm.read(request.POST)
    if way is None:
        raise Http404
    try:
        old, new = (way.normalise(form[name]) for name in ("old", "subscription"))
    except AddressError as error:
        return JsonResponse({"ok": False, "says": _(str(error))}, status=422)
    person = person_session.person_of(request)
    opened = person is not None and not person_session.locked(request, person)
    is_its_own = push_subscriptions.renew(
        old,
        new,
        browser=person_session.browser_of(request),
        person=person if opened else None,
        contacts=contact_device.known(request),
    )
    if not is_its_own:
        return errors.unknown_key(request)
    return JsonResponse({"ok": True})


class SubscriptionForm(Form):
    """Where a browser takes notifications."""

    subscription = Words()


class RenewedForm(SubscriptionForm):
    """The same, and where it took them before."""

    old = Words()


class KeyForm(Form):
    """A button on a notification: of which message, which one, and how long ago."""

    ref = Number(15)
    key = Words()
    age_ms = Number(15)


def _kept(
    request: HttpRequest,
    *,
    person: Person | None = None,
    contact: Contact | None = None,
    browser: Browser | None = None,
) -> HttpResponse:
    way = push_channel()
    if way is None:
        raise Http404
    try:
        value = way.normalise(SubscriptionForm.read(request.POST)["subscription"])
    except AddressError as error:
        return JsonResponse({"ok": False, "says": _(str(error))}, status=422)
    here = Reached(way.name, value, False)
    push_subscriptions.allow(here, person=person, contact=contact, browser=browser)
    return JsonResponse({"ok": True, "says": _("This phone is told now.")})


@csrf_exempt  # the key in the address is what opens, and no cookie is asked
@require_POST
def persons_key(request: HttpRequest, key: str) -> HttpResponse:
    """A button on a notification of the person's: "Still here" or "I need help"."""
    shown = queries.watch_by_key(key)
    if shown is None:
        return errors.unknown_key(request)
    typed = KeyForm.read(request.POST)
    ref = typed["ref"] or 0
    message = push_subscriptions.pressed_on(ref, person=shown.row.person_id)
    if message is not None and not (
        message.watch_id == shown.row.id and shown.row.closed_at is None
    ):
        message = None  # the key of one watch answers for no other
    return _heard(typed, message)


@csrf_exempt  # the key in the address is what opens, and no cookie is asked
@require_POST
def contacts_key(request: HttpRequest, key: str) -> HttpResponse:
    """A button on a notification of a contact's: "I'm going" or "I can't"."""
    contact = records.contact_by_key(key)
    if contact is None:
        return errors.unknown_key(request)
    typed = KeyForm.read(request.POST)
    ref = typed["ref"] or 0
    mine = contact_device.theirs(request, contact)  # the numbers of messages can be guessed
    message = (
        push_subscriptions.pressed_on(ref, person=contact.person_id, contact=contact.id)
        if mine
        else None
    )
    return _heard(typed, message)


def _heard(typed: Mapping[str, Any], message: Message | None) -> HttpResponse:
    digit = typed["key"]
    if message is None or message.address is None or not (digit.isascii() and digit.isdigit()):
        return JsonResponse(
            {"ok": False, "says": _("Not counted. Open the page and answer there.")}, status=404
        )
    inbound = Inbound(
        push_subscriptions.CHANNEL,
        f"{message.id}.{digit[:1]}",
        "key",
        sender=sealed_columns.address_value(message.address),
        text=digit[:1],
        reply_ref=str(message.id),
        age_ms=min(typed["age_ms"] or 0, MOST_AGE_MS),
    )
    try:
        reply = inbox.take(inbound)
    except (Error, SwapMissed) as failure:
        log.warning("not stored: %s", type(failure).__name__)
        says = _("Not counted yet. Press again.")
        return JsonResponse({"ok": False, "says": says}, status=503, headers={"Retry-After": "1"})
    if reply is None:  # told twice: it was kept the first time
        return JsonResponse({"ok": True, "says": _("Got it")})
    said = compose(reply.word, reply.facts, reply.lang, push_subscriptions.CHANNEL)
    return JsonResponse({"ok": True, "says": said.text})
