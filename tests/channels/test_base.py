"""The few pieces every channel shares."""

from __future__ import annotations

import pytest

from stillhere.channels.base import Outgoing, one_line, text_with_link


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("Lamp", "Lamp"),
        ("  Sam   is\tfine ", "Sam is fine"),
        ("a\r\nBcc: x", "a Bcc: x"),
        ("a\x00b\x1bc\x7fd", "a b c d"),
        ("a\u2028b\u2029c\x85d", "a b c d"),
        ("a\ud800b", "a b"),
        ("Zoë 母 🙂", "Zoë 母 🙂"),
        ("x" * 99, "x" * 20),
        ("\n" * 999, ""),
    ],
)
def test_one_line_is_one_line(text: str, line: str) -> None:
    assert one_line(text, 20) == line


def test_a_link_is_never_cut_nor_broken() -> None:
    message = Outgoing("k", "to", "still here? " * 20, link="https://lamp.example.org/\r\na")
    assert text_with_link(message, 60).endswith("\nhttps://lamp.example.org/a")
    assert len(text_with_link(message, 60)) == 60
    assert text_with_link(Outgoing("k", "to", "a\x00b\nc\ud800"), 60) == "ab\nc"
