"""The story the demo tells: journey 4, "nobody answers at first".

Owns the cast and the plot. Seeding a plan is the one thing done inside; everything in the story is
what people could do themselves: open a page, press a button, answer a call, press a key. It goes on
by small steps and never waits by itself, so that a supervisor can tell it between two other things.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from django.conf import settings
from django.db import connection
from django.utils.translation import gettext as _

from stillhere.channels.demo import Kind
from stillhere.sim.clients import Phones, StuckError, VirtualBrowser
from stillhere.store.models import Installation, Message
from stillhere.store.people import address_book, invitations, persons
from stillhere.store.people.numbers import address_proof
from stillhere.store.problems import Reached

RATE = 10.0  # the installation's clock runs as many times faster than the wall's
STEP_S = 0.1  # one step of the story; what tells it rests so long between two
PATIENCE_STEPS = 600  # for any one scene
TZ = "America/New_York"

NUMBERS = {
    "Sam": "+12025550101",
    "Leo": "+12025550103",
    "Ines": "+12025550106",
    "Maya": "+12025550102",
    "Ana": "+12025550104",
}
RUNGS = (("Leo", "Ines"), ("Maya",), ("Ana",))

_WATCH = re.compile(r'data-key="([A-Za-z0-9_-]+)"')
_LINK = re.compile(r"/c/[A-Za-z0-9_-]+")


@dataclass(frozen=True, slots=True)
class Beat:
    """Something has happened: its name and how it is told."""

    name: str
    says: str


def cast() -> list[dict[str, str]]:
    """The phones of the story, as the provider reads them."""
    roles = {
        "Sam": _("the person"),
        "Leo": _("roommate"),
        "Ines": _("neighbour"),
        "Maya": _("mother"),
        "Ana": _("responder"),
    }
    return [{"name": n, "number": NUMBERS[n], "role": role} for n, role in roles.items()]


def seed(lang: str, rate: float = RATE) -> str:
    """Set the clock's rate and give Sam a plan with everyone confirmed; return Sam's key."""
    Installation.objects.update_or_create(
        id=1, defaults={"clock_rate": rate, "clock_anchor_at": settings.RAW_NOW_MS(connection)}
    )
    sam, key = persons.new_person(lang, TZ)
    persons.set_plan(sam, name="Sam", place="12 Example Street, second floor", entry="code 4711")
    address_book.set_own_addresses(sam, _ways("Sam"))
    address_proof.vouch(sam)
    for rung, names in enumerate(RUNGS):
        for name in names:
            contact = invitations.add_contact(sam, name, _ways(name), rung=rung, lang=lang)
            invitations.join(contact)
            address_proof.vouch(contact)
    # They said yes before the story begins; an invitation now would puzzle whoever looks on.
    Message.objects.filter(word="invite").delete()
    return key


def _ways(name: str) -> list[Reached]:
    number = NUMBERS[name]
    return [Reached(Kind.TEXT, number, rings=False), Reached(Kind.CALL, number, rings=True)]


# --- telling ------------------------------------------------------------------------------------


def scenes(base_url: str, phones_url: str, key: str) -> Iterator[Beat | None]:
    """The story, one small step at a time: a beat when one has come, None while it goes on."""
    phones = Phones(phones_url)
    phones.do("Leo", "dead")
    yield from _sam_alone(VirtualBrowser(base_url), phones, key)
    yield from _nobody_answers(phones)
    yield from _maya_goes(VirtualBrowser(base_url), phones)


def _sam_alone(sam: VirtualBrowser, phones: Phones, key: str) -> Iterator[Beat | None]:
    sam.get(f"/p/{key}")
    sam.press(f"/p/{key}")
    found = _WATCH.search(sam.press("/watch", profile="injected", tz=TZ))
    if found is None:
        raise StuckError("no watch began")
    watch = found[1]
    yield Beat("start", _("Sam is alone, opens the page and presses “I'm about to”."))
    yield from _pause(2)
    sam.press(f"/k/{watch}/mark", back="watch")
    yield Beat("mark", _("Then the mark. A minute later it asks: still here?"))
    yield from _until(lambda: '"asking"' in sam.get("/watch/state"))
    sam.get("/watch")
    sam.press(f"/k/{watch}", back="watch")
    yield Beat("answered", _("It asks, Sam taps. Nobody is bothered."))
    yield from _until(lambda: phones.rings("Sam"))
    yield Beat("silence", _("It asks again. No tap; a text; now the phone rings. No answer."))


def _nobody_answers(phones: Phones) -> Iterator[Beat | None]:
    yield from _until(lambda: phones.rings("Ines"))
    yield Beat("alarm", _("The alarm: Leo, the roommate, and Ines, next door, both at once."))
    yield from _until(lambda: phones.rings("Maya") and bool(phones.texts("Maya")))
    yield Beat("dead", _("Leo's number is dead, so it goes on at once: Maya, Sam's mother."))
    yield from _until(lambda: phones.rings("Ana") and bool(phones.texts("Ana")))
    yield Beat("next", _("Ines does not hear it. The next rung: Ana, the responder on shift."))


def _maya_goes(maya: VirtualBrowser, phones: Phones) -> Iterator[Beat | None]:
    alarm = _LINK.search("\n".join(phones.texts("Maya")))
    if alarm is None:
        raise StuckError("Maya's text has no link")
    phones.do("Maya", "answer")
    yield from _pause(1)
    heard = phones.says("Maya")
    phones.do("Maya", "key", key="1")
    yield from _until(lambda: phones.says("Maya") != heard)
    yield Beat("claim", _("Maya picks up and presses 1: “I'm going.”"))
    yield from _until(lambda: all(_reads(phones, who, "Maya") for who in ("Ines", "Ana")))
    yield Beat("told", _("Ines and Ana read who is going, and that it is not over."))
    yield from _pause(3)
    maya.get(alarm[0])
    maya.press(f"{alarm[0]}/answer", do="send-page-code")
    yield from _until(lambda: bool(_codes(phones)))
    maya.press(f"{alarm[0]}/answer", do="mine", code=_codes(phones)[-1])
    before = len(phones.texts("Ana"))
    maya.press(f"{alarm[0]}/answer", do="arrived")
    yield from _until(lambda: len(phones.texts("Ana")) > before)
    yield Beat(
        "arrived",
        _("Maya opens the link, types the code we text her, and presses “I'm with them”."),
    )
    yield from _pause(3)
    before = len(phones.texts("Ana"))
    maya.press(f"{alarm[0]}/answer", do="resolve", outcome="revived")
    yield from _until(lambda: len(phones.texts("Ana")) > before)
    yield Beat("ended", _("Sam is alive. Everybody who was told reads it. It is over."))


def _reads(phones: Phones, who: str, words: str) -> bool:
    return any(words in text for text in phones.texts(who))


def _codes(phones: Phones) -> list[str]:
    """The codes for her page that Maya was texted."""
    return re.findall(r"\b[0-9]{6}\b", "\n".join(phones.texts("Maya")))


def _until(what: Callable[[], bool]) -> Iterator[None]:
    for _step in range(PATIENCE_STEPS):
        if what():
            return
        yield None
    raise StuckError("a scene did not come")


def _pause(seconds: float) -> Iterator[None]:
    """Time to read."""
    for _step in range(round(seconds / STEP_S)):
        yield None
