"""What pages that wait show, read for many of them at once.

Owns what identifies such a page and whether its key still opens it; what is said of each is the
same that its ``/state`` answers. Reads only, in the hub's one thread.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field

from django.db import Error, connection

from stillhere.store.changes import ChangeReader
from stillhere.store.people import browsers, records
from stillhere.store.watches import page_states, queries
from stillhere.store.watches.page_states import PageState
from stillhere.web.contact import page as contact_page
from stillhere.web.person import watch as person_page
from stillhere.web.site import health
from stillhere.web.site.watch_text import BEHIND

MOST_AT_ONCE = 500  # people in one statement


@dataclass(frozen=True, slots=True)
class OwnPage:
    """A person's own page, in the browser whose token has this hash."""

    person: int
    token: bytes


@dataclass(frozen=True, slots=True)
class ContactPage:
    """The page of a contact of this person, by its key."""

    person: int
    key: str = field(repr=False)


PageRef = OwnPage | ContactPage


@dataclass(frozen=True, slots=True)
class PageNews:
    """What a page is told: its ``version`` changes with what it must show, ``event`` is JSON."""

    version: str
    event: bytes


@dataclass(frozen=True, slots=True)
class ServiceState:
    """How the installation stands: whether nobody is watching, and its time, ms UTC."""

    behind: bool
    now: int


def own_page(token: str) -> OwnPage | None:
    """Whose page a browser's token opens."""
    browser = browsers.by_token(token)
    return OwnPage(browser.person_id, bytes(browser.token_hash)) if browser is not None else None


def page_of_contact(key: str) -> ContactPage | None:
    """Whose page the key of a contact opens. A try-out's page asks by itself."""
    contact = records.contact_by_key(key)
    if contact is None or contact.person.trial:
        return None
    return ContactPage(contact.person_id, key)


class States:
    """Reads for the hub. Where the database cannot be read, nobody is known to be watching."""

    def __init__(self) -> None:
        self._reader = ChangeReader()

    def changed(self) -> set[int]:
        """Persons whose pages must be looked at, since the last time."""
        try:
            return self._reader.read()
        except Error:
            connection.close()
            self._reader = ChangeReader()
            return set()

    def standing(self) -> ServiceState | None:
        """None where that cannot be read."""
        try:
            here = queries.installation()
            return ServiceState(health.behind(here), health.now_of(here))
        except Error:
            connection.close()
            return None

    def read(self, pages: Iterable[PageRef]) -> dict[PageRef, PageNews | None]:
        """What each is to be told; None for one that its key opens no longer. Without those that
        cannot be read just now."""
        here = self.standing()
        if here is None:
            return {}
        own: list[OwnPage] = []
        found: dict[PageRef, PageNews | None] = {}
        try:
            for page in pages:
                if isinstance(page, OwnPage):
                    own.append(page)
                else:
                    found[page] = _contact(page, here)
            for start in range(0, len(own), MOST_AT_ONCE):
                found |= _own(own[start : start + MOST_AT_ONCE], here)
        except Error:
            connection.close()
        return found


def _own(pages: list[OwnPage], here: ServiceState) -> dict[PageRef, PageNews | None]:
    known = browsers.still_open([page.token for page in pages])
    states = page_states.of_persons([*{page.person for page in pages}])
    return {
        page: _told_of(states.get(page.person, PageState()), here) if page.token in known else None
        for page in pages
    }


def _told_of(state: PageState, here: ServiceState) -> PageNews | None:
    if state == PageState():
        return None
    said = person_page.said_of(state, here.now, behind=here.behind)
    return PageNews(state.version, _event(said))


def _contact(page: ContactPage, here: ServiceState) -> PageNews | None:
    contact = records.contact_by_key(page.key)
    if contact is None:
        return None
    said = contact_page.said_of(contact, here.now, behind=here.behind)
    return PageNews(said["v"].removesuffix(BEHIND), _event(said))


def _event(said: object) -> bytes:
    return json.dumps(said, separators=(",", ":")).encode()
