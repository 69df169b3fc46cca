"""Pages to read in peace, the six questions, and what is on paper."""

from __future__ import annotations

import contextlib
import os
import re
import subprocess
import zlib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from django.db import OperationalError, connection
from django.test import Client
from django.utils import translation
from pytest_django.fixtures import Settings

from stillhere.cli.commands.steps import command
from stillhere.content import reading, steps
from stillhere.store.models import Contact
from stillhere.store.program import shifts
from stillhere.web.access import rate_limit
from stillhere.web.guide import pdf as printed
from stillhere.web.guide import print, speech
from tests.circle import SamsNight
from tests.conftest import Clock
from tests.languages import LANGUAGES
from tests.web.conftest import browser
from tests.web.pages import contact_path, read, text_of
from tests.web.papers import Paper

RIGHT = {f"q{q.no}": q.right for q in reading.questions()}
OLDEST_READER = 11  # years: a reading grade is about five years less


@pytest.fixture
def no_database() -> Iterator[None]:
    def refuse(_execute: object, _sql: str, *_rest: Any) -> None:
        raise OperationalError("the database is away")

    with connection.execute_wrapper(refuse):
        yield


# --- to read --------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/before", "/after", "/steps", "/sources"])
def test_they_open_also_when_nothing_else_does(no_database: None, path: str) -> None:
    assert len(read(browser(), path)) > 500


def test_what_makes_it_safer_comes_without_amounts_and_without_a_sermon() -> None:
    told = read(browser(), "/before")
    for head in (
        "Not alone",
        "Go slow",
        "Know your source",
        "One thing at a time",
        "After a break",
    ):
        assert head in told
    assert "A negative strip is not a safe result." in told
    assert not re.search(r"\d+ ?(?:mg|ml|g)\b|should not|must not|never use", told)


def test_the_nearest_checked_place_is_the_programme_s_to_name(settings: Settings) -> None:
    told = read(browser(), "/before")
    assert "with somebody there No place is known to us. Ask Example County Neighbours," in told
    assert 'href="/lines"' in browser().get("/before").content.decode()
    settings.STILLHERE = replace(settings.STILLHERE, program="")
    assert "Ask a needle program near you, or somebody" in read(browser(), "/before")
    place = "Elm Street 5, Tuesdays 4 to 6 pm"
    settings.STILLHERE = replace(settings.STILLHERE, checked_place=place)
    told = read(browser(), "/before")
    assert f"with somebody there {place}" in told
    assert "No place is known" not in told


def test_afterwards_is_for_each_of_them() -> None:
    told = read(browser(), "/after")
    order = ["You're alive. Stay with someone", "Nobody here is cross", "You came", "No scolding"]
    assert [told.find(each) for each in order] == sorted(told.find(each) for each in order)
    assert -1 not in [told.find(each) for each in order]


def test_every_part_has_its_sources_in_every_language() -> None:
    rows = [row for kind in ("part", "question", "paper") for row in steps.reading()[kind]]
    for row in rows:
        assert row["sources"], row
        assert set(row["sources"]) <= set(steps.sources()), row
        for text in (row[name] for name in ("head", "says", "ask", "why") if name in row):
            assert sorted(text) == sorted(LANGUAGES), row


def syllables(word: str) -> int:
    groups = re.findall(r"[aeiouy]+", word.lower().removesuffix("e") or word)
    return max(1, len(groups))


def grade(text: str) -> float:
    """The school year a text reads like (Flesch and Kincaid, 1975)."""
    sentences = [s for s in re.split(r"[.!?:]+(?:\s|$)", text) if s.strip()]
    words = re.findall(r"[A-Za-z']+", text)
    return (
        0.39 * len(words) / len(sentences) + 11.8 * sum(map(syllables, words)) / len(words) - 15.59
    )


@pytest.mark.parametrize("page", ["before", "after", "learn", "door", "kit"])
def test_a_child_of_eleven_reads_it(page: str) -> None:
    text = " ".join(f"{part.head}. {part.says}" for part in reading.parts(page))
    assert grade(text) + 5 <= OLDEST_READER, grade(text)


def test_a_child_of_eleven_reads_the_steps() -> None:
    text = " ".join(f"{s.says} {s.quiet}" for s in steps.screens())
    assert grade(text) + 5 <= OLDEST_READER, grade(text)


def test_the_reckoning_would_see_a_hard_text() -> None:
    hard = "Administration of intranasal opioid antagonists facilitates ventilatory recovery."
    assert grade(hard) + 5 > 2 * OLDEST_READER


# --- the six questions ----------------------------------------------------------------------------


def test_who_answers_all_six_is_marked_for_everyone(night: SamsNight, sam: Client) -> None:
    path = f"{contact_path(night, 'Leo')}/learn"
    wrong = RIGHT | {"q3": str((int(RIGHT["q3"]) + 1) % 3)}
    response = browser().post(path, wrong)
    assert response.status_code == 422
    assert "1 answer is not right yet" in text_of(response)
    assert "Old naloxone keeps most of its strength." in text_of(response)
    leo = Contact.objects.filter(id=night.contacts["Leo"].id)
    assert not leo.exclude(trained_at=0).exists()
    assert "All six are right" in text_of(browser().post(path, RIGHT))
    assert leo.exclude(trained_at=0).exists()
    assert "Has learnt what to do." in read(sam, "/people")


def test_each_kind_of_naloxone_is_shown_as_the_steps_say_it() -> None:
    told = read(browser(), "/learn")
    for screen in steps.screens():
        if screen.form in ("nasal", "prenoxad"):
            assert screen.says.partition(". ")[0] in told, screen.id
    for words in ("Draw up one whole bottle", "Inject nothing but naloxone.", "next black line"):
        assert words in told


def test_the_practical_part_is_a_drill_at_a_press(
    night: SamsNight, sam: Client, clock: Clock
) -> None:
    path = f"{contact_path(night, 'Leo')}/learn"
    assert "Sam sees how fast." in read(browser(), path)
    shown = browser().post(path, {"do": "drill"})["Location"]
    assert "The drill is on its way to you." in read(browser(), shown)
    assert {m.contact_id for m in night.queued("drill")} == {night.contacts["Leo"].id}
    again = browser().post(path, {"do": "drill"})["Location"]
    assert "A drill was held within the hour." in read(browser(), again)
    assert len(night.queued("drill")) == 2  # a text and a call
    assert not Contact.objects.exclude(trained_at=0).exists(), "a drill answers no question"


def test_a_link_passed_on_sends_no_drill(night: SamsNight, settings: Settings) -> None:
    path = f"{contact_path(night, 'Leo')}/learn"
    stranger = browser(stranger=True)
    assert "Send me a drill now" not in read(stranger, path)
    shown = stranger.post(path, {"do": "drill"})["Location"]
    assert "First show us below that this is your phone." in read(stranger, shown)
    settings.STILLHERE = replace(settings.STILLHERE, demo_url="")
    assert "Send me a drill now" not in read(browser(), path), "nothing here rings"
    assert "Ask Sam to press “Hold a drill”" in read(browser(), path)
    assert not night.queued("drill")


def test_who_is_on_no_list_reads_whom_to_ask_for_a_drill() -> None:
    ana = shifts.add("Ana", "+12025550150", "en")
    assert "Ask your coordinator" in read(browser(), f"/r/{shifts.key_of(ana)}/learn")
    assert "If not, ask a program near you." in read(browser(), "/learn")
    assert "The practical part: a drill" in text_of(browser().post("/learn", RIGHT))


def test_a_volunteer_is_marked_too_and_a_stranger_just_learns() -> None:
    ana = shifts.add("Ana", "+12025550150", "en")
    browser().post(f"/r/{shifts.key_of(ana)}/learn", RIGHT)
    ana.refresh_from_db()
    assert ana.trained_at
    assert "All six are right" in text_of(browser().post("/learn", RIGHT))
    assert browser().post("/learn", {}).status_code == 422
    assert browser().get("/c/" + "a" * 27 + "/learn").status_code == 404


def test_the_right_answers_do_not_all_stand_in_one_place() -> None:
    assert {q.right for q in reading.questions()} == {"0", "1", "2"}
    with translation.override("es"):
        for question in reading.questions():
            assert len({text for _, text in question.answers}) == 3


# --- on paper -------------------------------------------------------------------------------------


def passed() -> str:
    """What the page of somebody who has just answered all six carries."""
    page = browser().post("/learn", RIGHT).content.decode()
    return str(re.findall(r'name="passed" value="([^"]+)"', page)[0])


def pages(pdf: bytes) -> int:
    told = b""
    for stream in re.findall(rb"stream\r?\n(.*?)\r?\nendstream", pdf, re.DOTALL):
        with contextlib.suppress(zlib.error):
            told += zlib.decompressobj().decompress(stream)
    return len(re.findall(rb"/Type\s*/Page\b(?!s)", pdf + told))


@pytest.mark.slow
@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize(("name", "many"), [("wallet", 1), ("leaflet", 2), ("poster", 1)])
def test_a_paper_is_a_pdf_of_as_many_pages_as_it_should_be(name: str, many: int, lang: str) -> None:
    response = browser(lang=lang).get(f"/paper/{name}.pdf")
    assert response["Content-Type"] == "application/pdf"
    assert pages(response.content) == many


@pytest.mark.slow
def test_a_certificate_bears_any_name_and_keeps_none() -> None:
    asked = browser().post("/paper/certificate.pdf", {"name": "Ana"})
    assert asked["Location"] == "/learn", "the questions come first"
    for name in ("Ana Ñandú آنا", "<script>alert(1)</script>", "x" * 5000):
        response = browser().post("/paper/certificate.pdf", {"name": name, "passed": passed()})
        assert response["Content-Type"] == "application/pdf", name
        assert pages(response.content) == 1, name
    assert browser().get("/paper/certificate.pdf").status_code == 405


def test_paper_that_cannot_be_made_now_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    def late(*_: Any, **__: Any) -> None:
        raise subprocess.TimeoutExpired("printed", 30)

    monkeypatch.setattr("stillhere.web.guide.print.subprocess.run", late)
    response = browser().post("/paper/certificate.pdf", {"passed": passed()})
    assert response.status_code == 503
    assert "Try again in a minute" in text_of(response)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("lang", "says"), [("en", "Printing is not set up here"), ("es", "Aquí no se puede imprimir")]
)
def test_a_machine_that_cannot_print_says_so_and_not_in_a_minute(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, lang: str, says: str
) -> None:
    (tmp_path / "weasyprint.py").write_text("raise OSError('cannot load library')")
    monkeypatch.setenv("PYTHONPATH", f"{tmp_path}:{os.environ.get('PYTHONPATH', '')}")
    print._made.cache_clear()
    client = browser()
    client.post("/language", {"lang": lang})
    for response in (
        client.get("/paper/wallet.pdf"),
        client.post("/paper/certificate.pdf", {"passed": passed()}),
    ):
        assert response.status_code == 501
        assert says in text_of(response)
        assert "/learn" in text_of(response)
    assert not print.able()
    monkeypatch.undo()
    assert print.able()
    assert client.get("/paper/wallet.pdf").status_code == 200, "once it is set up it prints"


def test_a_printing_press_is_not_for_hire() -> None:
    for _ in range(rate_limit.MOST_PAPERS):
        rate_limit.PAPERS.missed("127.0.0.1")
    assert browser().post("/paper/certificate.pdf", {"passed": passed()}).status_code == 429
    rate_limit.PAPERS.forget()


def test_there_are_no_other_papers() -> None:
    for name in ("base", "stickers", "..", "certificate.html"):
        assert browser().get(f"/paper/{name}.pdf").status_code in (404, 405)


SHEETS = {"US": (216, 279), "CA": (216, 279), "GB": (210, 297), "MX": (210, 297)}
PAPERS = [("wallet", 1), ("leaflet", 2), ("poster", 1)]


@pytest.fixture(params=LANGUAGES)
def lang(request: pytest.FixtureRequest) -> Iterator[str]:
    with translation.override(request.param):
        yield request.param


def in_country(settings: Settings, code: str, **more: Any) -> None:
    settings.STILLHERE = replace(settings.STILLHERE, country=code, **more)


def laid_out(of: str, lang: str, **more: Any) -> Paper:
    return Paper(print._html(f"guide/paper/{of}.html", lang, **more))


@pytest.mark.slow
@pytest.mark.parametrize("country", ["US", "GB", "MX"])
@pytest.mark.parametrize(("name", "many"), PAPERS)
def test_a_paper_fills_the_sheet_its_country_prints_on_and_no_more(
    settings: Settings, name: str, many: int, country: str, lang: str
) -> None:
    in_country(settings, country)
    made = laid_out(name, lang)
    wide, high = SHEETS[country]
    assert made.sheets == [(high, wide) if name == "leaflet" else (wide, high)] * many
    for kind in ("", "panel", "half"):
        assert made.outside(kind) == [], kind
    if name != "wallet":
        assert min(made.lowest()) > 0.8, "not half of it blank"


@pytest.mark.parametrize("name", ["wallet", "leaflet", "poster"])
def test_every_step_stands_on_it_a_second_dose_and_the_chest_too(
    settings: Settings, name: str, lang: str
) -> None:
    in_country(settings, "US")
    told = laid_out(name, lang).text
    by_id = {screen.id: screen for screen in steps.screens()}
    at = [told.find(by_id[id].said) for id in print.CARD]
    assert -1 not in at
    assert at == sorted(at)
    notes = {"en": ("another dose.", "or only gasping:"), "es": ("otra dosis.", "o solo jadea:")}
    assert at[3] < told.find(notes[lang][0], at[3]) < at[4], "the second dose, with the first"
    assert at[4] < told.find(notes[lang][1]) < at[5], "when to push on the chest"


@pytest.mark.slow
@pytest.mark.parametrize(("name", "points"), [("wallet", 20), ("leaflet", 60), ("poster", 60)])
def test_the_number_of_the_place_is_the_largest_on_it(
    settings: Settings, name: str, points: int
) -> None:
    for country, number in (("US", "911"), ("GB", "999"), ("DE", "112"), ("AU", "000")):
        in_country(settings, country)
        made = laid_out(name, "en")
        assert made.size_of(number) >= points, country
        assert "Your emergency number" not in made.text
    in_country(settings, "MX")
    made = laid_out(name, "en")
    assert made.size_of("911") < points, "not sure is not said in large"
    assert "Your emergency number:" in made.text


def test_what_stands_before_the_chest_is_the_programme_s_choice(
    settings: Settings, tmp_path: Path
) -> None:
    (tmp_path / steps.FILE).write_text('[choose]\nnot_breathing = "breathe"\n')
    in_country(settings, "US", data=tmp_path)
    told = laid_out("poster", "en").text
    assert "If you cannot give breaths:" in told
    assert "only gasping" not in told


def test_a_sentence_of_paper_stands_with_a_step_and_before_the_clinician() -> None:
    printed = CliRunner().invoke(command, []).output
    for row in steps.reading()["paper"]:
        assert row["step"] in print.CARD
        assert row["where"] in ("before", "after")
        assert row["says"]["en"] in printed


@pytest.mark.parametrize("country", ["US", "GB"])
def test_thirty_stickers_are_a_sheet_and_none_is_cut(
    settings: Settings, country: str, lang: str
) -> None:
    in_country(settings, country)
    code = print.qr("https://lamp.example.org/kit/" + "a" * 27)
    made = laid_out("stickers", lang, codes=[(98765 + n, code) for n in range(30)])
    assert made.sheets == [SHEETS[country]]
    assert made.outside("sticker") == []
    assert made.outside() == []
    assert all(str(98765 + n) in made.text for n in range(30))


def test_a_certificate_says_when_and_by_whom(settings: Settings) -> None:
    in_country(settings, "GB", program="River County")
    asked: list[str] = []
    with printing(asked):
        browser().post("/paper/certificate.pdf", {"name": "Ana", "passed": passed()})
    made = Paper(asked[0])
    assert re.search(r"Ana has read .* [A-Z][a-z]+ \d{1,2}, 20\d\d · River County", made.text)
    assert made.sheets == [(210, 148)]
    in_country(settings, "US", program="")
    longest = laid_out("certificate", "es", name="Wilhelmina " * 7, day="27 November 2026")
    assert longest.sheets == [(216, 140)]


def test_a_name_no_font_can_write_is_left_to_the_hand() -> None:
    asked: list[str] = []
    with printing(asked, lacks="山"):
        made = browser().post("/paper/certificate.pdf", {"name": "山田", "passed": passed()})
    assert made.status_code == 200
    assert "山" not in asked[1]
    assert "Please write it by hand." in asked[1]


@pytest.mark.slow
def test_a_letter_that_no_font_has_is_noticed() -> None:
    assert (print.LACKS, print.NOT_SET_UP) == (printed.LACKS, printed.NOT_SET_UP)
    nowhere = "<p>\U0010fff0</p>"
    with pytest.raises(LookupError):
        print._print(nowhere, every_letter=True)
    assert pages(print._print(nowhere) or b"") == 1
    assert pages(print._print("<p>Ana Ñandú</p>", every_letter=True) or b"") == 1


@contextlib.contextmanager
def printing(asked: list[str], lacks: str = "nothing lacks") -> Iterator[None]:
    """A press that keeps what it was given, and has no letter for ``lacks``."""

    def run(_command: object, *, input: bytes, **_: Any) -> subprocess.CompletedProcess[bytes]:
        asked.append(input.decode())
        return subprocess.CompletedProcess(
            [], print.LACKS if lacks in asked[-1] else 0, b"%PDF-", b""
        )

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("stillhere.web.guide.print.subprocess.run", run)
        yield


# --- read aloud -----------------------------------------------------------------------------------


def test_a_step_is_read_aloud_by_the_server_where_the_browser_cannot() -> None:
    heard = browser().get("/said/look.wav")
    assert heard["Content-Type"] == "audio/wav"
    assert heard.content.startswith(b"RIFF")
    assert 10_000 < len(heard.content) < 90_000, "seconds of speech, fit for a poor line"
    assert heard.content != browser(lang="es").get("/said/look.wav").content
    assert browser().get("/said/nothing.wav").status_code == 404


def test_without_that_program_nothing_is_offered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(speech, "_program", lambda: None)
    assert browser().get("/said/look.wav").status_code == 404
    assert "data-sound" not in browser().get("/help-now").content.decode()
