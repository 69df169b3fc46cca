"""Whatever is typed into a form, in any script and of any length, gets an answer and loses
nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.hashers import make_password
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils.html import escape

from stillhere.core.schedule import Routine
from stillhere.store.installation import desk_key
from stillhere.store.kits import kits
from stillhere.store.kits.kits import Inside
from stillhere.store.people import persons
from stillhere.store.program import shifts
from stillhere.store.watches import apply
from stillhere.web.access import fields
from stillhere.web.person import trial
from tests.circle import SamsNight
from tests.web.conftest import browser
from tests.web.pages import watch_path

ODD = {
    "nothing": "",
    "5,000 digits": "9" * 5_000,
    "a NUL": "a\x00b",
    "right to left": "\u202e\u200fمحمد",
    "digits of another script": "٣",
    "another script": "李雷 Ñandú \U0001f469\U0001f3fd",
    "two lines": "a\r\nb",
    "a query": "x'); DROP TABLE person; --",
    "markup": "<script>alert(1)</script>%(x)s{{ y }}",
}
SAID = ('class="trouble"', 'role="alert"', "A sheet holds")  # where it is said what is wrong
ANA = "+12025550177"


@dataclass(frozen=True, slots=True)
class Case:
    """A form as it is sent when all is well, and which of its fields can be wrong."""

    path: Callable[[SamsNight], str]
    good: dict[str, Any]
    refuses: frozenset[str] = field(default=frozenset())
    of_sam: bool = False
    refused: int = 422


def _desk(more: str = "") -> Callable[[SamsNight], str]:
    return lambda _night: f"/desk/{desk_key.key()}{more}"


def _sticker(_night: SamsNight) -> str:
    return f"/kit/{kits.key_of(kits.add(Inside('nasal', 2)))}"


def _with_pin(night: SamsNight) -> str:
    persons.set_pin(night.person, make_password("4711"))
    return "/pin"


def _watch(do: str) -> Callable[[SamsNight], str]:
    def path(night: SamsNight) -> str:
        night.start()
        return f"{watch_path(night)}/{do}"

    return path


def _routine(night: SamsNight) -> str:
    apply.start(night.person.id, "routine", routine=Routine(frozenset(range(7)), 1320, "UTC"))
    return "/routine"


def _volunteers(more: str = "") -> Callable[[SamsNight], str]:
    return lambda _night: f"/r/{shifts.key_of(shifts.add('Ana', ANA, 'en'))}{more}"


KIT = {
    "do": "add",
    "form": "nasal",
    "doses": "2",
    "expires": "05/2027",
    "lot": "A1",
    "place": "bag",
}
IN_A_KIT = frozenset({"form", "doses", "expires"})
CASES = {
    "to begin": Case(lambda _n: "/", {"tz": "America/Denver", "borrowed": "1"}),
    "a try-out": Case(lambda _n: "/try", {"tz": "America/Denver"}),
    "a watch": Case(
        lambda _n: "/watch",
        {"profile": "injected", "tz": "America/Denver", "short": "1", "partner": "Leo"},
        of_sam=True,
    ),
    "an end": Case(_watch("end"), {"back": "watch", "sure": "1"}),
    "an ask on the screen": Case(_watch("shown"), {"ask": "1"}),
    "an ask taken back": Case(lambda _n: "/later", {"do": "cancel", "watch": "1"}, of_sam=True),
    "a PIN": Case(
        _with_pin, {"pin": "4711", "next": "/people"}, frozenset({"pin"}), of_sam=True
    ),
    "a new PIN": Case(
        lambda _n: "/mine", {"do": "pin", "pin": "4711"}, frozenset({"pin"}), of_sam=True
    ),
    "erasing": Case(lambda _n: "/mine", {"do": "erase", "sure": ""}, of_sam=True),
    "a code": Case(
        lambda n: "/p", {"code": "AAAA", "borrowed": "1"}, frozenset({"code", "borrowed"}),
        refused=404,
    ),
    "a daily check-in": Case(
        lambda _n: "/routine",
        {"do": "add", "day": "1", "at": "22:00", "tz": "UTC", "kind": "routine", "alone": "1"},
        frozenset({"day", "at", "tz"}),
        of_sam=True,
    ),
    "a pause": Case(
        _routine, {"do": "pause", "watch": "1", "until": "2030-01-01"}, of_sam=True
    ),
    "a language": Case(lambda _n: "/language", {"lang": "es", "next": "/lines"}),
    "a light": Case(lambda _n: "/light", {"light": "day", "next": "/lines"}),
    "a certificate": Case(lambda _n: "/paper/certificate.pdf", {"passed": "x"}),
    "a question": Case(lambda _n: "/learn", {"q1": "a"}, frozenset({"q1"})),
    "somebody new": Case(
        lambda _n: "/people",
        {"do": "add", "name": "Ana", "my_name": "Sam", "phone": "202-555-0142",
         "email": "ana@example.org", "rung": "first", "lang": "es"},
        frozenset({"phone", "email"}),
        of_sam=True,
    ),
    "what Sam decides": Case(
        lambda _n: "/people", {"do": "keep", "contact": "1", "minutes": "5", "step": "1"},
        of_sam=True,
    ),
    "the plan": Case(
        lambda _n: "/people", {"do": "plan", "place": "12 Elm Street", "lang": "es"}, of_sam=True
    ),
    "volunteers wanted": Case(
        lambda _n: "/people", {"do": "volunteers", "want": "1"}, of_sam=True
    ),
    "a kit": Case(lambda _n: "/kits", KIT, IN_A_KIT, of_sam=True),
    "kits first": Case(lambda _n: "/kits", {"do": "first", "want": "1"}, of_sam=True),
    "a kit that is gone": Case(lambda _n: "/kits", {"do": "gone", "kit": "1"}, of_sam=True),
    "a volunteer's kit": Case(_volunteers("/kits"), KIT, IN_A_KIT),
    "a sticker": Case(_sticker, KIT | {"do": "change"}, IN_A_KIT),
    "a kit for the stock": Case(_desk("/stock"), KIT | {"do": "kit"}, IN_A_KIT),
    "a warning": Case(
        _desk("/stock"),
        {"do": "warn", "area": "Example County", "text": "Stronger.", "source": "Ruth",
         "found_on": "", "days": "7"},
        frozenset({"area", "text", "source", "found_on", "days"}),
    ),
    "a warning taken back": Case(_desk("/stock"), {"do": "back", "warning": "1"}),
    "a file of kits": Case(
        _desk("/stock"), {"do": "kits", "file": b"form,doses\nnasal,2\n"}, frozenset({"file"})
    ),
    "a file of results": Case(
        _desk("/stock"),
        {"do": "warn-file", "source": "Lab", "file": b"date,location,finding\n"},
        frozenset({"file", "source"}),
    ),
    "stickers": Case(_desk("/stickers.pdf"), {"many": "1"}, frozenset({"many"})),
    "a shift": Case(_volunteers("/shift"), {"hours": "4"}),
    "a volunteer": Case(  # taken once; after that the number is somebody's
        _desk("/act"), {"do": "volunteer", "name": "Ana", "phone": ANA, "lang": "en"},
        frozenset({"name", "phone", "lang"}),
    ),
    "a volunteer dismissed": Case(_desk("/act"), {"do": "dismiss", "responder": "1"}),
    "a watch on the desk": Case(
        _desk("/act"), {"do": "resolve", "watch": "1", "outcome": "fine"}
    ),
}  # fmt: skip
EACH = [(name, each) for name, case in CASES.items() for each in case.good if each != "do"]


def _send(case: Case, night: SamsNight, sam: Client, path: str, typed: dict[str, Any]) -> Any:
    body = {
        name: SimpleUploadedFile("a.csv", value) if isinstance(value, bytes) else value
        for name, value in typed.items()
    }
    client = sam if case.of_sam else browser()
    client.get("/watch" if case.of_sam else "/")
    return client.post(path, {"csrfmiddlewaretoken": client.cookies["csrftoken"].value, **body})


@pytest.mark.slow
@pytest.mark.parametrize(("name", "changed"), EACH)
def test_odd_input_is_taken_or_refused_in_words(
    name: str, changed: str, night: SamsNight, sam: Client
) -> None:
    case = CASES[name]
    path = case.path(night)
    statuses = set()
    for odd in ODD.values():
        trial.MINE.forget()
        value = odd.encode() if isinstance(case.good[changed], bytes) else odd
        response = _send(case, night, sam, path, case.good | {changed: value})
        statuses.add(response.status_code)
        if response.status_code == case.refused:
            page = response.content.decode()
            assert any(
                each in page for each in ('class="trouble"', 'role="alert"', "A sheet holds")
            )
    assert statuses <= {200, 302, 303, case.refused}
    assert (case.refused in statuses) == (changed in case.refuses), statuses


@pytest.mark.parametrize("odd", ["\u202e\u200fمحمد", "李雷 Ñandú \U0001f469\U0001f3fd", "<b>&'\""])
@pytest.mark.parametrize(
    ("name", "wrong", "kept"),
    [("a kit", "doses", "lot"), ("a kit", "expires", "place"), ("a sticker", "form", "lot"),
     ("a volunteer's kit", "expires", "lot"), ("a kit for the stock", "doses", "lot"),
     ("a warning", "days", "area"), ("a warning", "source", "text")],
)  # fmt: skip
def test_what_was_typed_stays_in_the_form(
    name: str, wrong: str, kept: str, odd: str, night: SamsNight, sam: Client
) -> None:
    case = CASES[name]
    typed = case.good | {wrong: "?" if wrong == "expires" else "", kept: odd}
    response = _send(case, night, sam, case.path(night), typed)
    assert response.status_code == 422
    assert escape(odd) in response.content.decode()


def test_a_page_reads_what_is_typed_through_a_form() -> None:
    """One form says what may be typed. Left: which button was pressed, in one helper."""
    web = Path(fields.__file__).parents[1]
    by_hand = {
        str(path.relative_to(web))
        for path in web.rglob("*.py")
        if path.parent.name != "contact" and "request.POST.get(" in path.read_text()
    }
    assert by_hand == {"access/fields.py"}
