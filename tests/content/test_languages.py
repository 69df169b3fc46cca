"""A language is a folder: found by its files, left out where they mislead, named where it is."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from pytest_django.fixtures import Settings

from stillhere.content import languages, sentences, steps
from stillhere.content.languages import LanguageError, find


@pytest.fixture
def added(tmp_path: Path) -> Path:
    """French, from a copy of Spanish."""
    shutil.copytree(languages.OURS / "es", tmp_path / "fr")
    return tmp_path / "fr"


def test_ours_are_found_english_first() -> None:
    found, faults = find()
    assert list(found) == ["en", *sorted(set(found) - {"en"})]
    assert {"en", "es"} <= set(found)
    assert faults == ()


def test_a_folder_that_is_not_there_adds_nothing(tmp_path: Path) -> None:
    assert find(tmp_path / "none") == find()


def test_a_folder_more_is_a_language_more(added: Path) -> None:
    found, faults = find(added.parent)
    assert found["fr"].folder == added
    assert faults == ()


@pytest.mark.parametrize(
    ("lang", "code"),
    [
        ("es", "es"), ("es-MX", "es"), ("es_MX.UTF-8", "es"), ("ES", "es"), ("", "en"), ("C", "en"),
        ("est_EE", "en"), ("xx", "en"), ("en-GB", "en"), ("es@euro", "es"),
    ],
)  # fmt: skip
def test_a_code_is_the_language_it_names_and_else_english(lang: str, code: str) -> None:
    assert find()[0].of(lang).code == code


def test_a_name_that_we_have_is_ours(added: Path) -> None:
    shutil.move(added, added.parent / "es")
    (added.parent / "es/language.toml").write_text("broken")
    assert find(added.parent) == find()


@pytest.mark.parametrize(
    ("file", "text", "why"),
    [
        ("language.toml", None, "no language.toml"),
        ("language.toml", "name = ", "language.toml"),
        ("language.toml", "name = 5", "name is what"),
        ("language.toml", 'name = "F"\ndirection = "up"', "direction is ltr or rtl"),
        ("language.toml", 'name = "F"\ndirection = "ltr"', "names call"),
        ("language.toml", 'name = "F"\ndirection = "ltr"\ncolour = 1', "unknown colour"),
        (
            "language.toml",
            'name = "F"\ndirection = "ltr"\n[voice]\ncall = "fr-FR"\nmachine = "-w /etc"',
            "names machine",
        ),
        ("LC_MESSAGES/django.mo", None, "not compiled"),
        ("LC_MESSAGES/django.mo", "", "django.mo cannot be read"),
        ("LC_MESSAGES/django.mo", "a note about it", "django.mo cannot be read"),
        ("understood.toml", "colour = 1", "unknown colour"),
        ("understood.toml", "x" * 300_000, "too large"),
        ("understood.toml", '[not-theirs]\nautomatic = ["("]', "a pattern that is none"),
    ],
)
def test_a_host_s_folder_that_cannot_be_used_is_named_and_the_others_are(
    added: Path, file: str, text: str | None, why: str
) -> None:
    (added / file).unlink()
    if text is not None:
        (added / file).write_text(text)
    found, faults = find(added.parent)
    assert found == find()[0]
    [fault] = faults
    assert "fr" in fault
    assert why in fault


@pytest.mark.parametrize("name", ["french", "f", "to", "did", "FR", "f1"])
def test_a_folder_is_named_by_a_code(added: Path, name: str) -> None:
    shutil.move(added, added.parent / name)
    assert find(added.parent)[0] == find()[0]


def test_a_file_beside_the_folders_is_none(tmp_path: Path) -> None:
    (tmp_path / "fr").write_text("a note")
    assert find(tmp_path) == find()


# --- what a language says of the content ----------------------------------------------------------

ROWS = {"screen": [{"id": "look", "answers": [{"to": "call"}, {"to": "awake"}]}]}


def put(added: Path, text: str) -> tuple[sentences.Rows, list[str]]:
    (added / "steps.toml").write_text(text)
    found, _ = find(added.parent)
    english = '[screen.look]\nsays = "Shout."\nanswers = ["No", "Yes"]\n'
    shutil.copytree(languages.OURS / "en", added.parent / "home/en")
    (added.parent / "home/en/steps.toml").write_text(english)
    home = languages._language(added.parent / "home/en")
    return sentences.put_in(ROWS, "steps.toml", [home, found["fr"]])


def test_a_sentence_stands_beside_the_english_one(added: Path) -> None:
    rows, faults = put(added, '[screen.look]\nsays = "Crie."\nanswers = ["Non", "Oui"]\n')
    assert faults == []
    assert rows["screen"] == [
        {
            "id": "look",
            "says": {"en": "Shout.", "fr": "Crie."},
            "answers": [
                {"to": "call", "en": "No", "fr": "Non"},
                {"to": "awake", "en": "Yes", "fr": "Oui"},
            ],
        }
    ]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("[screen.look", "steps.toml"),
        ('[screen.lok]\nsays = "Crie."', "unknown screen lok"),
        ('[page.look]\nsays = "Crie."', "unknown page"),
        ('[screen.look]\nsay = "Crie."', "unknown say"),
        ('[screen.look]\nanswers = ["Non"]', "answers are 2 texts"),
        ('[screen.look]\nanswers = ["Non", 2]', "answers are 2 texts"),
        ("screen = 5", "unknown screen"),
        ("[screen.look]\nto = 5", "unknown to"),
    ],
)
def test_a_file_that_does_not_fit_is_left_out_in_whole(added: Path, text: str, why: str) -> None:
    rows, faults = put(added, text)
    assert rows["screen"][0]["says"] == {"en": "Shout."}
    assert "fr" not in rows["screen"][0]["answers"][0]
    [fault] = faults
    assert why in fault
    assert fault.startswith("fr: ")


def test_english_that_does_not_fit_stops_everything(added: Path) -> None:
    found, _ = find()
    with pytest.raises(LanguageError):
        sentences.put_in({"page": []}, "steps.toml", [found["en"]])


def test_a_language_that_says_nothing_is_english_there(added: Path, settings: Settings) -> None:
    (added / "steps.toml").unlink()
    settings.SPOKEN, _ = find(added.parent)
    row = steps.known()["screen"][0]
    assert sentences.said_in(row["says"], "fr") == row["says"]["en"]
    assert steps.language_faults() == []


def test_what_is_signed_is_the_words_and_no_names_of_places() -> None:
    """A signature is of this shape since the first release: another shape would end them all."""
    told, reading = steps.known(), steps.reading()
    assert set(told) == {"choose", "spoken", "screen", "never", "law", "sha256"}
    never = next(row for row in told["never"] if row["id"] == "shower")
    assert never["says"] == {"en": "No cold shower.", "es": "Nada de ducha fría."}
    assert set(reading) == {"part", "paper", "question"}
    rows = [row for kind in reading.values() for row in kind]
    assert [row for row in rows if "id" in row] == []
    assert reading["part"][0]["head"] == {"en": "Not alone", "es": "No a solas"}
