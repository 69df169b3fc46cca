"""What is typed into forms, and numbers that are sent: taken as people write, or one kind word."""

from __future__ import annotations

from pathlib import Path

import pytest

from stillhere.web.access import fields
from stillhere.web.access.fields import (
    Chosen,
    Form,
    LanguageChoice,
    Number,
    OurPage,
    Reachable,
    Ticked,
    Whole,
    Words,
    whole,
)


@pytest.mark.parametrize(
    ("typed", "number"),
    [("0", 0), ("007", 7), ("999", 999), ("", None), ("1000", None), ("-1", None), ("1.0", None),
     (" 1", None), ("1 ", None), ("²", None), ("٣", None), ("\uff11", None), ("x", None)],
)  # fmt: skip
def test_a_whole_number_is_digits_as_our_pages_send_them(typed: str, number: int | None) -> None:
    assert whole(typed, 3) == number


def test_a_number_of_any_length_is_refused_and_breaks_nothing() -> None:
    assert whole("9" * 10_000, 15) is None


def test_no_page_reads_a_number_by_hand() -> None:
    """A key pressed on a notification is no number, and the lanes read headers."""
    web = Path(fields.__file__).parents[1]
    by_hand = {
        path.name
        for path in web.rglob("*.py")
        if path.parent.name != "asgi" and ".isdigit()" in path.read_text()
    }
    assert by_hand == {"fields.py", "push.py"}


class Typed(Form):
    """One of each."""

    words = Words()
    number = Whole(2, lambda: "Type a number.")
    chosen = Chosen(lambda: ("a", "b"))
    lang = LanguageChoice()
    ticked = Ticked()
    id = Number(3)
    next = OurPage("person:first")


def test_nothing_typed_is_nothing_wrong() -> None:
    form = Typed({})
    assert form.is_valid()
    assert form.cleaned_data == {
        "words": "", "number": None, "chosen": "", "lang": "", "ticked": False,
        "id": None, "next": "/",
    }  # fmt: skip


def test_words_are_taken_as_they_are_in_any_script() -> None:
    for words in ("  Ñandú 李雷 \u202e", "a\x00b", "x" * 100_000, "two\nlines"):
        form = Typed({"words": words})
        assert form.is_valid()
        assert form.cleaned_data["words"] == words


def test_what_is_none_of_the_words_is_not_chosen() -> None:
    form = Typed({"chosen": "c", "lang": "xx", "ticked": "1", "number": " 7 "})
    assert form.is_valid()
    assert form.cleaned_data["chosen"] == form.cleaned_data["lang"] == ""
    assert (form.cleaned_data["ticked"], form.cleaned_data["number"]) == (True, 7)


def test_what_is_wrong_is_said_in_our_words() -> None:
    assert Typed({"number": "many"}).wrong == {"number": "Type a number."}
    assert Typed({"number": "100"}).wrong == {"number": "Type a number."}


def test_ways_to_reach_somebody_are_made_regular() -> None:
    form = Reachable({"phone": "(202) 555-0101", "email": "leo@example.org"})
    assert form.is_valid()
    assert [(way.channel, way.value) for way in form.ways] == [
        ("text", "+12025550101"), ("call", "+12025550101"), ("email", "leo@example.org"),
    ]  # fmt: skip


def test_what_is_wrong_with_a_way_stands_beside_it() -> None:
    form = Reachable({"phone": "55", "email": "leo@example.org"})
    assert set(form.wrong) == {"phone"}
    assert [way.channel for way in form.ways] == ["email"]


@pytest.mark.parametrize(
    "odd", ["1" * 5_000, "a\x00b", "\u202e7", "٣", " 7", "", "1000", "-1", "7\n"]
)
def test_what_is_no_number_of_ours_is_none(odd: str) -> None:
    assert Typed.read({"id": odd})["id"] is None
    assert Typed.read({"id": "007"})["id"] == 7


@pytest.mark.parametrize(
    "path",
    ["https://example.org/", "//example.org", "/\\example.org", "\\/example.org", "lines", "\x00/",
     " /lines", "javascript:alert(1)", "/" * 5_000],
)  # fmt: skip
def test_nothing_leads_to_somebody_else_s_site(path: str) -> None:
    assert Typed.read({"next": path})["next"] == "/"
    assert Typed.read({"next": "/lines?at=1"})["next"] == "/lines?at=1"


def test_what_a_page_did_not_ask_is_not_told() -> None:
    form = Typed({"words": "", "chosen": "a"})
    assert form.is_valid()
    assert form.asked == {"words": "", "chosen": "a"}
