"""The walk-through: every word has a source, no answer is a dead end, a change is signed anew."""

from __future__ import annotations

import re
import tomllib
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from babel.messages.pofile import read_po
from click.testing import CliRunner
from django.utils import translation
from pytest_django.fixtures import Settings

from stillhere.cli.commands.steps import command
from stillhere.config import keys
from stillhere.config.environment import SettingError
from stillhere.content import step_rules, steps
from stillhere.store.kits import naloxone
from tests.languages import LANGUAGES

CONTENT = Path(__file__).resolve().parent.parent.parent / "src/stillhere/content"
DRAWINGS = CONTENT.parent / "web/templates/drawings"
SOURCES: dict[str, Any] = tomllib.loads((CONTENT / "sources.toml").read_text())


@pytest.fixture
def data(settings: Settings, tmp_path: Path) -> Path:
    settings.STILLHERE = replace(settings.STILLHERE, data=tmp_path)
    return tmp_path


def by_id() -> dict[str, steps.Screen]:
    return {screen.id: screen for screen in steps.screens()}


def lead(screen: steps.Screen) -> list[str]:
    return [answer.to for answer in (*screen.answers, *screen.also)]


# --- where it is from -----------------------------------------------------------------------------


@pytest.mark.parametrize("name", sorted(SOURCES))
def test_a_source_says_who_where_how_sure_and_what(name: str) -> None:
    row = SOURCES[name]
    assert sorted(row) == ["body", "mark", "says", "url"]
    assert row["mark"] in ("V", "S", "M")
    assert row["body"]
    assert row["says"]
    assert re.match(r"https?://\S+\.\S+", row["url"]) or row["mark"] in ("M", "S")


@pytest.mark.parametrize("kind", ["screen", "never", "law"])
def test_every_sentence_has_a_source_and_every_language(kind: str) -> None:
    for row in steps.known()[kind]:
        name = row.get("id", row.get("country"))
        assert row["sources"], name
        assert set(row["sources"]) <= set(SOURCES), name
        for text in (row[each] for each in ("says", "quiet") if each in row):
            assert sorted(text) == sorted(LANGUAGES), name
            assert all(text.values()), name
        for answer in (*row.get("answers", ()), *row.get("also", ())):
            assert set(LANGUAGES) <= answer.keys(), name


@pytest.mark.parametrize("lang", LANGUAGES)
def test_an_instruction_is_ten_words_and_an_answer_six(lang: str) -> None:
    with translation.override(lang):
        for screen in steps.screens():
            assert len(screen.says.split()) <= 10, screen.id
            assert all(len(a.says.split()) <= 6 for a in screen.answers), screen.id


def test_every_screen_has_a_drawing_of_a_few_hundred_bytes() -> None:
    for draw in {draw for s in steps.screens() for draw in (s.draw, *(a.draw for a in s.answers))}:
        if not draw:
            continue
        drawn = (DRAWINGS / f"{draw}.svg").read_text()
        assert 100 < len(drawn) < 600, draw
        assert re.findall(r'(?:fill|stroke)="([^"]*)"', drawn) == ["none", "currentColor"]
        assert 'aria-hidden="true"' in drawn


# --- where it leads -------------------------------------------------------------------------------


@pytest.mark.parametrize("first", step_rules.CHOICES["first"])
@pytest.mark.parametrize("not_breathing", step_rules.CHOICES["not_breathing"])
def test_whatever_is_chosen_every_screen_leads_on_and_to_help(
    data: Path, first: str, not_breathing: str
) -> None:
    own = f'[choose]\nfirst = "{first}"\nnot_breathing = "{not_breathing}"\n'
    (data / steps.FILE).write_text(own)
    screens = by_id()
    for screen in screens.values():
        assert all(to in screens for to in lead(screen)), screen.id
        assert len(screen.answers) == (1 if screen.last else 2), screen.id
    for start in screens:  # from anywhere one gets back to the breathing, and to the end
        seen, todo = {start}, [start]
        while todo:
            todo += [to for to in lead(screens[todo.pop()]) if to not in seen and not seen.add(to)]  # type: ignore[func-returns-value]
        assert {"breathing", "breathe", "press", "side", "stay", "crew", "after"} <= seen, start
    assert screens["look"].answers[0].to == ("call" if first == "call" else "kit")
    expected = {"press": "press", "breathe": "airway"}[not_breathing]
    assert screens["breathing"].answers[0].to == expected


def taps(screens: list[steps.Screen], *answers: int) -> str:
    """Where so many taps lead from the start, each the 0th or 1st button, or the 2nd: a link."""
    by_name = {screen.id: screen for screen in screens}
    on = by_name["look"]
    for answer in answers:
        on = by_name[(*on.answers, *on.also)[answer].to]
    return on.id


def test_breaths_or_pushes_come_after_three_taps_and_naloxone_after_them() -> None:
    """As few as a good dispatcher needs: no answer, calling, not breathing well."""
    screens = steps.screens()
    assert taps(screens, 0, 0, 0) == "press"
    assert taps(screens, 0, 0, 1) == "airway"
    assert taps(screens, 0, 0, 1, 0) == "kit"
    assert taps(screens, 0, 0, 1, 0, 0) == "breathe", "none there: the breaths go on"
    assert taps(screens, 0, 0, 1, 0, 1, 1) == "nose"
    assert taps(screens, 0, 0, 1, 0, 1, 0, 0) == "vial"
    assert taps(screens, 0, 0, 1, 0, 1, 0, 1) == "prenoxad"
    assert taps(screens, 0, 0, 1, 0, 1, 0, 2) == "other", "not sure"
    assert taps(screens, 0, 0, 1, 1) == "well", "slow breaths are not pushed away"
    assert taps(screens, 0, 0, 2, 0) == "form", "breathing and not waking: naloxone too"
    assert taps(steps.screens("injection", in_hand=True), 0, 0, 1, 0) == "vial"


def test_a_kit_that_fails_leads_nobody_to_breaths_that_were_not_needed() -> None:
    """The look at the chest comes first, unless a script knows of breaths that were going on."""
    screens = by_id()
    for id in ("nose", "prenoxad", "vial", "other"):
        fails = screens[id].answers[1]
        assert (fails.to, fails.back) == ("chest", True), id
    not_yet = screens["crew"].answers[1]
    assert (not_yet.to, not_yet.back) == ("chest", True)


def test_whoever_answers_is_asked_whether_they_are_sleepy() -> None:
    assert taps(steps.screens(), 1, 0) == "drowsy"
    assert by_id()["drowsy"].emergency


def test_where_naloxone_comes_first_the_call_follows_the_dose(data: Path) -> None:
    (data / steps.FILE).write_text('[choose]\nfirst = "naloxone"\n')
    screens = steps.screens()
    assert taps(screens, 0, 1, 1, 0) == "call"
    assert taps(screens, 0, 0) == "call", "none there"
    assert taps(screens, 0, 0, 0, 1, 0) == "breathe", "it was looked for already"


def test_not_to_know_is_the_worse_case() -> None:
    """The first button is the worse answer, and doubt always stands with it."""
    for screen in steps.screens():
        for answer in screen.answers[1:]:
            assert not re.search("know|not sure", answer.says), screen.id


def test_a_dose_leads_to_the_breathing_and_is_told() -> None:
    forms = [screen for screen in steps.screens() if screen.form]
    assert {screen.form for screen in forms} == {"nasal", "prenoxad", "injection", "other"}
    for screen in forms:
        given = next(a for a in screen.answers if a.did == "dose")
        assert (given.to, given.back) == ("chest", True), screen.id
        assert "form" in lead(screen), "it may be another kind after all"


def test_a_kit_that_is_known_is_not_asked_about() -> None:
    known = {screen.id: screen for screen in steps.screens("prenoxad")}
    assert [a.to for a in known["kit"].answers if a.give] == ["prenoxad"]
    assert [a.to for a in by_id()["kit"].answers if a.give] == ["form"]


@pytest.mark.parametrize("form", [form for form in naloxone.FORMS if form != "injection"])
def test_every_strength_is_given_by_its_own_screen_and_told_by_its_name(form: str) -> None:
    screens = {screen.id: screen for screen in steps.screens(form, in_hand=True)}
    screen = screens[screens["airway"].answers[0].to]
    assert screen.form == form
    assert {"prenoxad": "prenoxad", "other": "other"}.get(form, "nose") == screen.id


# --- who signed it --------------------------------------------------------------------------------


def test_nobody_has_signed_what_we_ship(data: Path) -> None:
    assert steps.signature() is None


def test_a_signature_is_of_these_words_and_no_others(data: Path) -> None:
    steps.sign("Dr. Ana Example", "2026-11-27")
    assert steps.signature() == steps.Signature("Dr. Ana Example", "2026-11-27")
    (data / steps.FILE).write_text('[[screen]]\nid = "look"\nsays.en = "Shout. Shake. Look."\n')
    assert steps.signature() is None, "changed since"
    assert by_id()["look"].says == "Shout. Shake. Look."
    steps.sign("Dr. Ana Example", "2026-11-28")
    assert steps.signature() is not None


@pytest.mark.parametrize("kept", ["", "{}", "[]", '{"sha256": 1}', "\x00"])
def test_a_broken_signature_is_none(data: Path, kept: str) -> None:
    (data / steps.SIGNED).write_text(kept)
    assert steps.signature() is None


@pytest.mark.parametrize(
    ("own", "fault"),
    [
        ("[[screen]\n", "walk"),
        ('[choose]\nfirst = "police"\n', "choose first"),
        ('[[screen]]\nid = "look"\nsays.en = "' + "a " * 11 + '"\n', "more than 10 words"),
        ('[[screen]]\nid = "look"\nanswers = []\n', "dead end"),
        ('[[screen]]\nid = "look"\nanswers = [{en = "Go", to = "moon"}]\n', "leads nowhere"),
        ('[[screen]]\nid = "look"\nsources = ["a blog"]\n', "no source a blog"),
        ('[[screen]]\nid = "look"\ndraw = "horse"\n', "draw is one of"),
        ('[[screen]]\nid = "look"\nquiet = "Go on."\n', "quiet is not"),
        ('[[screen]]\nid = "look"\nsaid = "Go on."\n', "said is not"),
        ('[[screen]]\nid = "look"\nsays.en = 5\n', "says is not"),
        ('[[screen]]\nid = "look"\nsources = 5\n', "sources is not"),
        ('[[screen]]\nid = "look"\nform = 2026-11-27\n', "form is not"),
        ('[[screen]]\nid = "look"\nanswers = [{en = "Go", to = ["call"]}]\n', "says nothing"),
        ('[[screen]]\nid = "look"\nanswers = [{en = "Go", to = "look"}]\n', "leads nowhere"),
        ('[choose]\nfrist = "call"\n', "choose frist is one of first, not_breathing"),
        ("[spoken]\norder = 5\n", "a call reads"),
        ("[spoken]\nx = 2020-01-01\n", "a call reads"),
        ('[spoken]\norder = [["look"]]\n', "cannot be understood"),
        ('[[never]]\nid = "slap"\nsources = [["do-nots"]]\n', "cannot be understood"),
        ('[[law]]\ncountry = "US"\nday = 2020-01-01\n', "cannot be understood"),
        ('[[screen]]\nid = "look"\nbeat = ' + "9" * 5000 + "\n", "cannot be understood"),
        ("x = " + "[" * 3000, "cannot be understood"),
        ('[[screen]]\nid = "nose"\nanswers = [{en = "Given", to = "chest"}]\n', "did a dose"),
        (
            '[[screen]]\nid = "look"\nanswers = [{en = "Go", to = "moon", did = "danced"}]\n',
            "did is",
        ),
        ('[[screen]]\nid = "look"\ndoes = "dances"\n', "does is one of"),
        (
            (
                '[[screen]]\nid = "look"\nanswers = [{en = "Go", to = "awake"}]\n'
                '[[screen]]\nid = "awake"\nanswers = [{en = "Go", to = "look"}]\n'
            ),
            "nobody comes to",
        ),
        (
            (
                '[[screen]]\nid = "top"\ndraw = "lamp"\nsays.en = "Up."\nsources = ["who-2014"]\n'
                'answers = [{en = "Go", to = "look"}]\n'
            ),
            "has this name",
        ),
        ('[[never]]\nid = "alone"\nsources = 5\n', "no source"),
        ('[[screen]]\nid = "look"\nsong = 1\n', "unknown song"),
        ('[[screen]]\nid = "breathe"\nbeat = -3\n', "beat is a number"),
        ("[[screen]]\nsays.en = 1\n", "no id"),
        ('[[never]]\nid = "alone"\nsays = "x"\n', "no English"),
        ("colour = 1\n", "unknown colour"),
    ],
)
def test_a_file_that_would_mislead_is_not_used_and_says_why(
    data: Path, own: str, fault: str
) -> None:
    before = steps.screens()
    (data / steps.FILE).write_text(own)
    assert fault in steps.own_fault() or (fault == "walk" and steps.own_fault())
    assert steps.screens() == before


def test_the_command_prints_all_of_it_and_keeps_who_signs(data: Path) -> None:
    keys.ensure_folder(data)
    keys.create_missing(data / keys.FOLDER)
    told = CliRunner().invoke(command, []).output
    assert "[look] Shout their name." in told
    assert "(NOT YET CHECKED)" in told
    assert "[after] You may feel very ill for a while" in told
    assert told.rstrip().endswith("Nobody has signed this.")
    signed = CliRunner().invoke(command, ["--sign", "  Dr. Ana   Example "])
    assert signed.output.startswith("Signed by Dr. Ana Example, 20")
    assert "Signed by Dr. Ana Example" in CliRunner().invoke(command, ["--lang", "es"]).output
    assert CliRunner().invoke(command, ["--sign", "x"]).exit_code == 1
    (data / steps.FILE).write_text("[[screen]")
    broken = CliRunner().invoke(command, [])
    assert broken.exit_code == 1
    assert isinstance(broken.exception, SettingError)


# --- what stands elsewhere ------------------------------------------------------------------------

ELSEWHERE: dict[str, Any] = tomllib.loads((CONTENT / "said_elsewhere.toml").read_text())
CLINICAL = re.compile(
    r"wear off|come back for|aloxone may come|give it|ive naloxone if|strange breath"
    r"|breathing is strange|not be breathing|Go slow|another dose|on their side|cold shower"
    r"|°C|\bmg\b"
)


def test_every_clinical_sentence_of_a_page_is_traced_to_a_source() -> None:
    catalogue = CONTENT.parent / "locale/en/LC_MESSAGES/django.po"
    with catalogue.open("rb") as file:
        ids = [m.id if isinstance(m.id, str) else m.id[0] for m in read_po(file) if m.id]
    said = {id for id in ids if CLINICAL.search(id)}
    traced = {row["says"]: row["sources"] for row in ELSEWHERE["sentence"]}
    assert said == set(traced)
    assert all(names and set(names) <= set(SOURCES) for names in traced.values())
