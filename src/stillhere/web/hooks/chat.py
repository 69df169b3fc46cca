"""Connecting a chat with our bot: ``/chat`` for the person, ``/c/<key>/chat`` for a contact.

Owns the page with the one-time link. Nothing is asked of the app's company before somebody opens
that link; the chat itself is connected by ``store/inbound/chat_codes.py``, when the code comes in.
"""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from stillhere.channels.carriers import telegram
from stillhere.store.inbound import chat_codes
from stillhere.store.models import Browser, Contact, Person, sealed_columns
from stillhere.store.people import records
from stillhere.web.access import contact_device, person_session
from stillhere.web.access.fields import pressed
from stillhere.web.access.installed_channels import bot
from stillhere.web.site import errors


@person_session.private
@require_http_methods(["GET", "HEAD", "POST"])
def mine(request: HttpRequest, person: Person) -> HttpResponse:
    """The person's own. Behind the PIN: whoever is asked there can also answer."""
    return _page(request, person, person_session.browser_of(request))


@csrf_exempt  # the key in the address is what opens
@require_http_methods(["GET", "HEAD", "POST"])
def theirs(request: HttpRequest, key: str) -> HttpResponse:
    """A contact's who said yes, on a phone that is known to be theirs."""
    contact = records.contact_by_key(key)
    said_yes = contact is not None and contact.status == Contact.Status.CONFIRMED
    if contact is None or not said_yes or contact.person.trial:
        return errors.unknown_key(request)
    if not contact_device.theirs(request, contact):
        return errors.unknown_key(request)
    return _page(request, contact, None)


def _page(request: HttpRequest, owner: Person | Contact, browser: Browser | None) -> HttpResponse:
    name, do, link, code = bot(), pressed(request), "", ""
    if not name or (isinstance(owner, Person) and owner.trial):
        return errors.unknown_key(request)
    if request.method == "POST" and do == "connect":
        code = chat_codes.new(owner, browser)
        link = telegram.link(name, code)
    elif request.method == "POST" and do == "disconnect":
        chat_codes.disconnect(owner)
    given = {
        "bot": name,
        "link": link,
        "code": code,
        "connected": chat_codes.is_connected(owner),
        "contact": owner if isinstance(owner, Contact) else None,
        "key": sealed_columns.contact_key(owner) if isinstance(owner, Contact) else "",
        "minutes": chat_codes.GOOD_MS // 60_000,
    }
    response = render(request, "site/chat.html", given)
    response["Cache-Control"] = "no-store"
    return response
