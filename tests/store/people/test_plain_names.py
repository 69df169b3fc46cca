"""What is plainly a name, and what only looks like one."""

# ruff: noqa: RUF001 (people are called so, or try to be)
from __future__ import annotations

import pytest

from stillhere.store.people.numbers import names


@pytest.mark.parametrize(
    "name",
    [
        "Sam", "J.R.", "Mary-Jane O'Neill", "O\u2019Connor", "José Ángel", "Åsa", "Nguyễn Thị Hoa",
        "Анна", "Ἰωάννης", "محمد", "חנה", "สำราญ", "中村 さくら", "村上ハルキ", "佐々木",
        "김민준", "देवी", "ক্ষমা", "Leilani Kaʻiulani", "می\u200cرا", "İpek", "Анна Maria",
        "María José de la Cruz", "St. John",
    ],
)  # fmt: skip
def test_names_in_any_one_script_stay_whole(name: str) -> None:
    assert names.plainly(name) == name


@pytest.mark.parametrize(
    "typed",
    [
        "Sam 202-555-0199", "call 9", "Sam٥٥٥", "Sam ५", "Sam①", "Sam²", "Ⅷ", "1️⃣", "Sam½",
        "evil.example", "t.co", "a.bc", "x@example", "example/now", "https:", "evil。example",
        "evil\uff0eexample", "Sаm", "Ѕаm", "Αnna", "Saｍ", "𝐒𝐚𝐦", "Ⓢⓐⓜ", "ˢᵃᵐ",
        "Sam\nYour bank", "Sam\u202e", "Sam\u0000", "Sa\u200bm", "Sa\u200cm", "Sam\u2066",
        "Sam <b>", "Sam & Co", "Sam!", "Sam, call me", "💀", "🇺🇸", "$am", "-", "...",
        "A" * 41, "please call my bank right now", "_", "Sam_evil",
    ],
)  # fmt: skip
def test_what_could_be_dialled_opened_or_mistaken_is_no_name(typed: str) -> None:
    assert names.plainly(typed) == ""
