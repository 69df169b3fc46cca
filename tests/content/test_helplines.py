"""What we say in an emergency has a source, and no number stands where nobody looks after it."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import phonenumbers
import pytest

from stillhere.content import helplines, sentences
from tests.languages import SPOKEN

SOURCE = Path(__file__).resolve().parent.parent.parent / "src/stillhere"
LINES = (SOURCE / "content/lines.toml").read_text()
EVERY = (
    "name", "number", "country", "kind", "hours", "languages", "says", "source_url", "seen",
    "verified_on", "verified_by",
)  # fmt: skip
# Numbers as people write them, and those short ones that cannot be anything else.
LONG = re.compile(r"(?<![\w.#-])\+?\d[\d ()-]{5,}\d(?![\w-])")
SHORT = re.compile(r"(?<![\w.#:-])(?:911|999|112|000|111|988|116 ?123|13 11 14)(?!\w|[.-]\d)")
NOBODYS = re.compile(r"555-01\d\d$")  # kept free for examples


def rows() -> list[dict[str, Any]]:
    return list(tomllib.loads(LINES)["line"])


@pytest.mark.parametrize("row", rows(), ids=lambda row: f"{row['name']} {row['country']}")
def test_every_line_says_what_it_is_and_where_that_is_from(row: dict[str, Any]) -> None:
    assert [each for each in EVERY if each not in row] == []
    assert row["source_url"].startswith("https://")
    for language in SPOKEN.values():
        assert sentences.table(language, "lines.toml")[row["says"]].strip(), language.code
    assert row["country"] in helplines.COUNTRIES
    assert bool(row["verified_on"]) == bool(row["verified_by"])
    assert not (row.get("doubt") and row["verified_on"])  # who dialled it knows


@pytest.mark.parametrize("row", rows(), ids=lambda row: f"{row['name']} {row['country']}")
def test_every_number_is_one(row: dict[str, Any]) -> None:
    region = "DE" if row["country"] == "EU" else row["country"]
    number = phonenumbers.parse(row["number"], region)
    own = phonenumbers.is_valid_number_for_region(number, region)
    assert own or phonenumbers.is_valid_short_number_for_region(number, region)


def test_the_file_is_one_that_would_be_used() -> None:
    read = helplines.known()
    assert read[0].name == "SafeSpot"
    assert {line.kind for line in read} == set(helplines.KINDS)


def test_a_host_can_put_no_line_there_that_a_phone_would_not_dial_as_written() -> None:
    for line in helplines.known():
        digits = re.sub(r"\D", "", line.number)
        link = helplines._tel(line)
        assert link == "" if line.way == "text" else link.endswith(digits.removeprefix("1")), line


def test_no_page_knows_a_number_by_heart() -> None:
    """A number in a page or a translation would never be checked: they all stand in lines.toml."""
    pages = [*(SOURCE / "web/templates").rglob("*.html"), *(SOURCE / "locale").rglob("*.po")]
    assert len(pages) > 20
    for page in pages:
        text = page.read_text()
        if page.suffix == ".po":
            text = "\n".join(re.findall(r'^(?:msgid |msgstr\S* )?"(.*)"$', text, re.MULTILINE))
            text = re.sub(r"^(?:PO|POT)-\w+-Date.*$", "", text, flags=re.MULTILINE)
        assert re.findall(r'tel:(?!\{\{)[^"]*', text) == [], page
        plain = re.sub(r"<[^>]*>", " ", text)
        found = [each for each in LONG.findall(plain) if not NOBODYS.search(each)]
        assert found + SHORT.findall(plain) == [], page


def test_the_look_for_numbers_would_find_one() -> None:
    for typed in ("Call 800-972-0590 now", "+1 (202) 555-0100", "0300 123 6600"):
        assert LONG.search(typed), typed
    for typed in ("Call 911.", "998 or 112", "phone 116 123"):
        assert SHORT.search(typed), typed
