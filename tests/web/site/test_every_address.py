"""Every address in ``web/urls.py`` answers, whoever opens it: a new page is looked at as soon as it
has an address, with nothing to add here."""

from __future__ import annotations

import re

import pytest
from django.test import Client
from django.urls import URLPattern

from stillhere.store.installation import desk_key
from stillhere.store.kits import kits
from stillhere.store.kits.kits import Inside
from stillhere.store.program import shifts
from stillhere.web.urls import urlpatterns
from tests.circle import SamsNight
from tests.conftest import Clock
from tests.web.conftest import browser
from tests.web.pages import contact_key, make, watch_path

ROUTES = sorted(
    str(pattern.pattern)
    for room in urlpatterns
    for pattern in room.url_patterns
    if isinstance(pattern, URLPattern)
)
# A page, a redirect, a key that opens nothing, an address for presses alone, or not known here.
ANSWERS = {200, 204, 302, 303, 401, 403, 404, 405, 503}


def paths(night: SamsNight) -> list[str]:
    """Every address, with the keys of this night where it takes one."""
    kit = kits.add(Inside("nasal", 2, "2031-05"), person=night.person)
    keys = {
        "c": contact_key(night.contacts["Leo"]),
        "r": shifts.key_of(shifts.add("Ana", "+12025550104", "en")),
        "k": watch_path(night).rpartition("/")[2] if night.watch else "nothing",
        "p": night.key,
        "desk": desk_key.key(),
        "kit": kits.key_of(kit),
    }
    return [
        "/" + re.sub(r"<[^>]*>", keys.get(route.partition("/")[0], "nothing"), route)
        for route in ROUTES
    ]


@pytest.mark.parametrize("state", ["nothing", "alarm"])
def test_every_address_answers_sam_and_anybody(night: SamsNight, clock: Clock, state: str) -> None:
    make(state, night)
    everywhere = paths(night)
    assert len(everywhere) > 60
    found = []
    for client in (browser(night.key), browser()):
        for path in everywhere:
            status = answer(client, path)
            if status not in ANSWERS:
                found.append((path, status))
    assert found == []


def answer(client: Client, path: str) -> int:
    return int(client.get(path).status_code)
