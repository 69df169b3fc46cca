"""/help-now and /lines: what to do for somebody who is down, also when nothing of ours works."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from django.db import OperationalError, connection
from django.utils import translation
from pytest_django.fixtures import Settings

from stillhere.content import helplines, steps
from stillhere.store.installation import desk_key
from stillhere.store.models import Installation
from tests.conftest import Clock
from tests.web.conftest import browser
from tests.web.pages import read

MAY_OPEN_WITHOUT = ("/help-now", "/lines")


@pytest.fixture
def no_database() -> Iterator[list[str]]:
    """Every question to the database fails; the list says what was asked."""
    asked: list[str] = []

    def refuse(_execute: object, sql: str, *_rest: Any) -> None:
        asked.append(sql)
        raise OperationalError("the database is away")

    with connection.execute_wrapper(refuse):
        yield asked


def test_the_steps_come_without_one_question_to_the_database(no_database: list[str]) -> None:
    somebody = browser()
    somebody.cookies["session"] = "k" * 27
    told = read(somebody, "/help-now")
    assert no_database == []
    assert "Shout their name." in told
    assert "Stay. Watch each breath." in told
    assert "The watch is not running" not in told  # not what this stranger came for


def test_the_lines_open_without_a_database(no_database: list[str]) -> None:
    told = read(browser(), "/lines")
    assert "SafeSpot 800-972-0590" in told
    assert no_database != []  # it asked what day it is, and went on without


def test_the_first_steps_come_in_order() -> None:
    told = read(browser(), "/help-now")
    order = [
        "This page calls nobody.",
        "Shout their name. Shake a shoulder. Rub the breastbone.",
        "Put the phone on speaker.",
        "911 United States, Canada",
        "Someone is not breathing and I cannot wake them”",
        "Look at the chest.",
        "Head back. Chin up. Pinch the nose. Two breaths.",
        "Push hard and fast",
        "Is naloxone there?",
        "A second dose: 2 to 3 minutes after the first.",
        "Tip into one nostril.",
        "Push to the next black line.",
        "One slow breath every 5 seconds.",
        "They breathe well: onto their side.",
        "Success is breathing, not waking.",
        "Stay. Watch each breath.",
        "in 20 to 90 minutes",
        "Do not No cold shower.",
    ]
    places = [told.find(each) for each in order]
    assert -1 not in places, order[places.index(-1)]
    assert places == sorted(places)
    assert "Practice text: not signed yet." in told


def test_every_emergency_number_is_one_tap_and_the_likeliest_comes_first() -> None:
    told = browser().get("/help-now").content.decode()
    numbers = ["tel:911", "tel:112", "tel:999", "tel:000", "tel:111"]
    assert re.findall(r'href="(tel:[^"]*)"', told) == numbers * 3, "down, sleepy, or hot"


def test_it_needs_no_script_no_form_and_keeps_nothing() -> None:
    client = browser()
    response = client.get("/help-now")
    main = response.content.decode().partition("<main>")[2].partition("</main>")[0]
    assert "<form" not in main
    assert not client.cookies
    assert "<title>Lamp</title>" in response.content.decode()
    assert client.post("/help-now").status_code in (403, 405)


def test_in_spanish() -> None:
    told = read(browser(lang="es"), "/help-now")
    assert "Grita su nombre." in told
    assert "aún sin firmar" in told
    assert "breath" not in told
    told = read(browser(lang="es"), "/lines")
    assert "Una persona se queda al teléfono" in told
    assert "Es posible que solo hablen inglés." in told


# --- nobody will come -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("lang", "says"),
    [
        ("en", "Nobody will come. Your list is empty. We ask you, and this phone gets loud."),
        ("es", "No vendrá nadie. Tu lista está vacía. Te preguntamos, y este teléfono suena"),
    ],
)
def test_with_nobody_on_the_list_the_watch_offers_a_line(lang: str, says: str) -> None:
    client = browser(lang=lang)
    client.get("/")
    client.post("/", {"csrfmiddlewaretoken": client.cookies["csrftoken"].value})
    page = client.get("/watch").content.decode()
    assert says in read(client, "/watch")
    assert 'href="/people#add"' in page
    with translation.override(lang):
        us, canada = helplines.staffed(None)
    assert (us.name, canada.name) == ("SafeSpot", "NORS")
    for line in (us, canada):
        assert f'href="{line.tel}"' in page
        assert line.checked in page
    assert "877-696-1996" not in page  # sources do not agree on it


# --- how sure we are ------------------------------------------------------------------------------

ONE = """
[[line]]
name = "Night line"
number = "202-555-0100"
country = "US"
kind = "company"
hours = "24/7"
languages = ["en", "es"]
says.en = "Ana answers."
says.es = "Contesta Ana."
source_url = "https://example.org/"
seen = ""
verified_on = "2026-01-20"
verified_by = "Ruth"
[[line]]
name = "112"
number = "112"
country = "EU"
kind = "emergency"
hours = ""
languages = []
says.en = "Help."
source_url = "https://example.org/"
seen = ""
verified_on = ""
verified_by = ""
"""


@pytest.fixture
def own(settings: Settings, tmp_path: Path) -> Path:
    """A host's own file of lines; the test says what stands in it."""
    settings.STILLHERE = replace(settings.STILLHERE, data=tmp_path)
    return tmp_path / "lines.toml"


def at(day: str) -> int:
    return round(datetime.fromisoformat(day).replace(tzinfo=UTC).timestamp() * 1000)


def test_a_host_s_own_lines_count_instead_of_ours(own: Path, clock: Clock) -> None:
    own.write_text(ONE)
    told = read(browser(), "/lines")
    assert "Night line 202-555-0100" in told
    assert "Ana answers. Day and night. Number checked on January 20, 2026." in told
    assert "SafeSpot" not in told
    assert "Contesta Ana." in read(browser(lang="es"), "/lines")
    assert "Número comprobado el 20 de enero de 2026." in read(browser(lang="es"), "/lines")
    assert [each.number for each in helplines.emergency()] == ["112"]
    own.write_text(ONE.replace("Ana answers", "Leo answers now"))
    assert "Leo answers now." in read(browser(), "/lines")


@pytest.mark.parametrize(
    ("day", "stale", "says"),
    [
        ("2026-01-20", False, "Number checked on January 20, 2026."),
        ("2026-04-20", False, "Number checked on January 20, 2026."),  # day 90
        ("2026-04-21", True, "Last checked on January 20, 2026. It may not answer."),
        ("2026-01-10", True, "Last checked on January 20, 2026. It may not answer."),  # not yet
    ],
)
def test_a_check_grows_old(own: Path, day: str, stale: bool, says: str) -> None:
    own.write_text(ONE)
    (line,) = helplines.staffed(at(day))
    assert (line.stale, line.checked) == (stale, says)


def test_the_day_is_the_installation_s(own: Path, clock: Clock) -> None:
    own.write_text(ONE)
    clock.advance(100 * 24 * 3600)
    Installation.objects.update(beat_at=clock.now)
    assert "Last checked on January 20, 2026. It may not answer." in read(browser(), "/lines")


def test_without_a_clock_nothing_is_fresh(own: Path, no_database: list[str]) -> None:
    own.write_text(ONE)
    assert "Last checked on January 20, 2026." in read(browser(), "/lines")


@pytest.mark.parametrize(
    ("seen", "says"),
    [
        ("source", "Number from their own page, not phoned by us."),
        ("2020", "Number from their own page in 2020, not phoned by us."),
        ("", "Nobody has checked this number lately. It may not answer."),
    ],
)
def test_what_nobody_dialled_says_so(own: Path, seen: str, says: str) -> None:
    unsigned = ONE.replace('"2026-01-20"', '""').replace('"Ruth"', '""')
    own.write_text(unsigned.replace('seen = ""', f'seen = "{seen}"'))
    (line,) = helplines.staffed(at("2026-01-31"))
    assert (line.stale, line.checked) == (True, says)
    assert helplines.overdue(at("2026-01-31")) == ["Night line 202-555-0100"]


@pytest.mark.parametrize(
    "broken",
    [
        "",
        "[[line]",
        "line = 3",
        ONE.replace('number = "112"', 'number = "call me"'),
        ONE.replace('number = "112"', 'number = "112;ext=1"'),
        ONE.replace('"2026-01-20"', '"last week"'),
        ONE.replace('verified_by = "Ruth"', 'verified_by = ""'),
        ONE.replace("https://example.org/", "javascript:alert(1)"),
        ONE.replace('says.en = "Ana answers."\n', ""),
        ONE.replace('"emergency"', '"ambulance"'),
        ONE.replace('"company"', '"emergency"'),
        ONE.replace('"emergency"', '"company"'),
        ONE.replace('hours = "24/7"', 'hours = ""\nway = "text"'),
        ONE.replace('hours = "24/7"', "hours = 24"),
        ONE.replace('languages = ["en", "es"]', 'languages = "en"'),
        ONE + 'color = "red"\n',
    ],
)
def test_a_broken_file_is_ignored_loudly(
    own: Path, broken: str, caplog: pytest.LogCaptureFixture
) -> None:
    own.write_text(broken)
    assert "SafeSpot" in read(browser(), "/lines")
    assert "tel:911" in browser().get("/help-now").content.decode()
    assert "lines.toml in the data folder is not used" in caplog.text


def test_a_file_that_is_no_text_is_ignored(own: Path) -> None:
    own.write_bytes(b"\xff\xfe\x00")
    assert "SafeSpot" in read(browser(), "/lines")


def test_what_a_host_writes_is_text_and_nothing_else(own: Path) -> None:
    own.write_text(ONE.replace("Night line", "<script>x</script>"))
    page = browser().get("/lines").content.decode()
    assert "<script>x" not in page
    assert "&lt;script&gt;x" in page


def test_the_desk_lists_what_to_phone_again(own: Path, clock: Clock) -> None:
    own.write_text(ONE)
    path = f"/desk/{desk_key.key()}"
    assert "not phoned for 90 days" not in read(browser(), path)
    clock.advance(100 * 24 * 3600)
    told = read(browser(), path)
    assert "1 staffed line was not phoned for 90 days" in told
    assert "Night line 202-555-0100" in told


def test_screens_that_are_kept_for_all_follow_what_they_are_made_from(
    settings: Settings, tmp_path: Path
) -> None:
    """They are made once a minute, and nobody may read another's language, number or signature."""
    settings.STILLHERE = replace(settings.STILLHERE, data=tmp_path)
    for _ in range(2):
        assert "Practice text: not signed yet." in read(browser(), "/help-now")
        steps.sign("Ruth", "2026-01-20")
        told = read(browser(), "/help-now")
        assert "Signed by Ruth, 2026-01-20." in told
        assert "not signed yet" not in told
        assert "Firmado por Ruth" in read(browser(lang="es"), "/help-now")
        (tmp_path / steps.SIGNED).unlink()
    settings.STILLHERE = replace(settings.STILLHERE, country="MX")
    first = browser().get("/help-now").content.decode().partition('href="tel:')[2]
    assert first.startswith(helplines.emergency_in("MX"))
