"""Looking at pages: every address in every state, and what is in the tables before and after."""

from __future__ import annotations

import re
from typing import Any

from django.apps import apps
from django.test import Client

from stillhere.core import events as ev
from stillhere.core.schedule import Routine
from stillhere.store.db import encryption
from stillhere.store.installation import desk_key
from stillhere.store.models import Contact
from stillhere.store.people import force
from stillhere.store.watches import apply
from stillhere.store.watches.apply import CallForHelp
from tests.circle import SamsNight
from tests.web.conftest import browser

# They are about no watch, and never ask whether one runs.
WITHOUT_A_DATABASE = ("/help-now", "/lines", "/security")
PERSON = (
    "/", "/watch", "/watch/part", "/people", "/routine", "/mine", "/mine/word", "/mine/lamp.json",
)  # fmt: skip


def everything() -> dict[str, list[dict[str, Any]]]:
    """All rows of all tables."""
    return {
        model._meta.label: list(model._default_manager.order_by("pk").values())
        for model in apps.get_app_config("store").get_models()
    }


def contact_key(contact: Contact) -> str:
    return encryption.key_for("contact", contact.nonce)


def contact_path(night: SamsNight, name: str) -> str:
    return f"/c/{contact_key(night.contacts[name])}"


def watch_path(night: SamsNight) -> str:
    return "/k/" + encryption.key_for("watch", night.row().nonce)


def text_of(response: Any) -> str:
    """What a person reads: without markup."""
    body = re.sub(r"<(script|style)\b.*?</\1>", "", response.content.decode(), flags=re.DOTALL)
    plain = re.sub(r"<[^>]+>", " ", body)
    for code, sign in (("&#x27;", "'"), ("&quot;", '"'), ("&amp;", "&"), ("&lt;", "<")):
        plain = plain.replace(code, sign)
    return " ".join(plain.split())


def read(client: Client, path: str, status: int = 200) -> str:
    """Open a page and read it."""
    response = client.get(path)
    assert response.status_code == status, (path, response.status_code)
    return text_of(response)


def press(client: Client, path: str, do: str, **fields: str) -> str:
    """What the page says after a button of a contact's."""
    return text_of(client.post(f"{path}/answer", {"do": do, **fields}, follow=True))


def did(path: str, what: str, **more: str) -> int:
    """The status of telling what was done, as the steps' script tells it."""
    fields = {"what": what, "ref": f"{what}.1"} | more
    headers = {"Accept": "application/json"}
    return int(browser().post(f"{path}/did", fields, headers=headers).status_code)


def in_every_state(night: SamsNight, lang: str) -> dict[str, list[tuple[Client, str]]]:
    """States of the whole installation by name, and in each the pages to look at. Lazily: each
    state is made when its turn comes."""
    sam, anyone = browser(night.key, lang), browser(lang=lang)
    own = [(sam, path) for path in PERSON]
    waiting = [(anyone, contact_path(night, name)) for name in night.contacts]
    called = Contact.objects.filter(person__secret=True)
    waiting += [(anyone, f"/c/{contact_key(contact)}") for contact in called]
    waiting += [(anyone, f"{path}/part") for _, path in list(waiting)]
    public = [(anyone, "/"), (anyone, "/desk"), (anyone, "/out"), (anyone, f"/p/{night.key}")]
    public += [(anyone, path) for path in WITHOUT_A_DATABASE]
    return {
        "own": own,
        "waiting": waiting,
        "public": public,
        "desk": [(anyone, f"/desk/{desk_key.key()}")],
    }


def make(state: str, night: SamsNight) -> None:
    """Bring Sam's night into a state."""
    if state == "nothing":
        return
    if state == "daily":
        wanted = Routine(frozenset(range(7)), 22 * 60, "America/New_York")
        apply.start(night.person.id, "routine", routine=wanted)
        return
    night.start("hours" if state == "looked-in-on" else "injected")
    leo, maya = (night.contacts[n].id if n in night.contacts else 0 for n in ("Leo", "Maya"))
    steps: dict[str, list[apply.Asked]] = {
        "open": [],
        "looked-in-on": [],
        "marked": [ev.Marked()],
        "alarm": [CallForHelp()],
        "claimed": [CallForHelp(), ev.Claimed(leo, 180), ev.Declined(maya)],
        "declined": [CallForHelp(), ev.Declined(leo)],
        "far": [CallForHelp(), ev.Claimed(leo, None)],
        "attended": [CallForHelp(), ev.Arrived(leo)],
        "locked": [CallForHelp(), ev.Claimed(leo, 60), ev.CannotGetIn(leo)],
        "closed": [ev.Marked(), ev.Ended()],
        "told": [CallForHelp(), ev.Arrived(leo), ev.Resolved(leo, ev.Outcome.REVIVED)],
        "revived": [CallForHelp(), ev.Arrived(leo), ev.Resolved(None, ev.Outcome.REVIVED)],
        "for-nothing": [CallForHelp(), ev.Arrived(leo), ev.Resolved(None, ev.Outcome.FINE)],
        "grave": [CallForHelp(), ev.Arrived(leo), ev.Resolved(leo, ev.Outcome.DIED)],
        "forced": [ev.Marked()],
    }
    for step in steps[state]:
        night.does(step)
    if state == "forced":
        Contact.objects.filter(id=leo).update(hears_force=True)
        force.call_for_help(night.person)


STATES = (
    "nothing", "daily", "open", "marked", "alarm", "claimed", "far", "attended", "locked",
    "closed", "told", "revived", "grave", "forced",
)  # fmt: skip


def turned(client: Client, path: str, name: str = "page") -> list[str]:
    """Every page of the list ``name`` on a page of the desk, by the links that lead to the next."""
    found = [client.get(path, follow=True).content.decode()]
    part = "" if name == "page" else f"#{name}"
    while after := re.search(rf'rel="next" href="([^"#]*){part}"', found[-1]):
        found.append(client.get(after[1].replace("&amp;", "&"), follow=True).content.decode())
    return found
