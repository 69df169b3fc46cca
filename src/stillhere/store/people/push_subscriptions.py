"""Browsers that may show a notification to the person or to a contact: one address each.

Owns how many there are, that the same one is stored once, and when each was last reached. Sends
nothing.
"""

from __future__ import annotations

from collections.abc import Collection

from django.db import transaction
from django.db.models import Q, QuerySet

from stillhere.store.db import clock, encryption
from stillhere.store.models import Address, Browser, Contact, Message, Person
from stillhere.store.people import address_book
from stillhere.store.problems import Reached

CHANNEL = address_book.PUSH
HOUR_MS = 3_600_000
MOST = 4  # of a contact: a phone, another one, a laptop, and one that was lost


def allow(
    way: Reached,
    *,
    person: Person | None = None,
    contact: Contact | None = None,
    browser: Browser | None = None,
) -> None:
    """Notify this browser from now on; a person's own is the ``browser`` with which it ends, and
    has one subscription. Of a contact's there are ``MOST``: beyond that one goes that is lost, or
    the newest, so that nobody puts out the phone that was there before."""
    with transaction.atomic():
        now = clock.now_ms()
        if person is not None:
            Person.objects.select_for_update().get(id=person.id)
        elif contact is not None:
            Contact.objects.select_for_update().get(id=contact.id)
        mine = Address.objects.filter(person=person, contact=contact, channel=CHANNEL)
        known = mine.filter(lookup=encryption.lookup(CHANNEL, way.value)).first()
        if known is not None and known.state == Address.State.OK:
            _hand_over(known, browser)
            _alone(known, browser)
            return
        if known is not None:
            known.delete()
        if contact is not None:
            _make_room(mine)
        added = address_book.add_address(
            way, person=person, contact=contact, browser=browser, now=now
        )
        _alone(added, browser)


def _alone(way: Address, browser: Browser | None) -> None:
    """A browser has one subscription: what it had before is worth nothing any more."""
    if browser is not None:
        Address.objects.filter(browser=browser, channel=CHANNEL).exclude(id=way.id).delete()


def _make_room(mine: QuerySet[Address]) -> None:
    here = list(mine.order_by("id"))
    while len(here) >= MOST:
        goes = next((each for each in here if each.state != Address.State.OK), here[-1])
        here.remove(goes)
        goes.delete()


def _hand_over(known: Address, browser: Browser | None) -> None:
    """The same subscription belongs to whichever browser named it last."""
    before = known.browser_id
    if browser is not None and before != browser.id:
        known.browser = browser
        known.save(update_fields=["browser"])
        Browser.objects.filter(id=before or 0, kind="").delete()  # stood for this one


def renew(
    old: str,
    new: str,
    *,
    browser: Browser | None = None,
    person: Person | None = None,
    contacts: Collection[Contact] = (),
) -> bool:
    """What the browser that asks had as ``old`` is ``new`` now, and what waits goes there; whether
    it had that, or has the new one already. Who asks must be known: others may know a subscription.

    ``browser``: the one it is; ``person``: who could let any browser be notified now, and so one
    from before browsers were known; ``contacts``: whose phone it is.
    """
    mine = Q(contact__in=[contact.id for contact in contacts])
    if browser is not None:
        mine |= Q(browser=browser)
    if person is not None:
        mine |= Q(person=person) & (Q(browser=None) | Q(browser__kind=""))
    with transaction.atomic():
        known = Address.objects.select_for_update(of=("self",)).filter(
            mine, channel=CHANNEL, lookup=encryption.lookup(CHANNEL, old)
        )
        theirs = [way for way in known.order_by("id") if way.state != Address.State.OPTED_OUT]
        for way in theirs:
            way.value = encryption.seal(new, "address.value", way.nonce)
            way.lookup = encryption.lookup(CHANNEL, new)
            way.state, way.why, way.since_at = Address.State.OK, "", clock.now_ms()
            way.save(update_fields=["value", "lookup", "state", "why", "since_at"])
            same = Address.objects.filter(channel=CHANNEL, lookup=way.lookup).exclude(id=way.id)
            same.filter(person=way.person_id, contact=way.contact_id).delete()
        told = Address.objects.filter(channel=CHANNEL, lookup=encryption.lookup(CHANNEL, new))
        return bool(theirs) or (browser is not None and told.filter(browser=browser).exists())


def reached(ids: Collection[int], now: int) -> None:
    """A push service took a message for these; kept to the hour."""
    if ids:
        old = Address.objects.filter(id__in=ids, reached_at__lt=now - HOUR_MS)
        old.update(reached_at=now)


def pressed_on(
    message: int, *, person: int | None = None, contact: int | None = None
) -> Message | None:
    """The message behind a notification, if it was sent to a browser of this person or contact."""
    found = Message.objects.filter(id=message, channel=CHANNEL, address__isnull=False)
    return found.filter(person=person, contact=contact).select_related("address").first()
