"""Files that come in and go out."""

from __future__ import annotations

import pytest

from stillhere.core.refusals import Refusal
from stillhere.store.kits import spreadsheet
from stillhere.store.problems import Problem


def test_a_row_keeps_the_number_a_spreadsheet_shows() -> None:
    body = "\ufeff\n Form ;doses;\n\nnasal; 2;;\n;;\n".encode()
    assert spreadsheet.rows(body) == [(4, {"form": "nasal", "doses": "2"})]


def test_what_goes_out_opens_in_a_spreadsheet_and_comes_in_again() -> None:
    body = spreadsheet.written(("lot", "who"), [("-2+cmd()", "Zoë\nB"), ("a;b", "")])
    assert body.startswith(b"\xef\xbb\xbf")
    assert [row for _no, row in spreadsheet.rows(body)] == [
        {"lot": "'-2+cmd()", "who": "Zoë\nB"},
        {"lot": "a;b", "who": ""},
    ]


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (b"\xff\xfe\x00", Refusal.FILE_TEXT),
        (b"PK\x03\x04\x14\x00", Refusal.FILE_TEXT),
        (b"a\x81", Refusal.FILE_TEXT),
        (b"{", Refusal.FILE_FORM),
        (b"a;b;c\r\n", Refusal.FILE_HEAD),
        (b"a\n" + b"1\n" * (spreadsheet.MOST_ROWS + 1), Refusal.KIT_ROWS),
    ],
)
def test_a_file_that_is_none_says_why(body: bytes, why: Refusal) -> None:
    with pytest.raises(Problem) as problem:
        spreadsheet.rows(body)
    assert problem.value.why is why


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "windows-1252"])
def test_it_is_read_as_spreadsheets_save_it(encoding: str) -> None:
    body = "lugar;texto\r\nPeñón;“más fuerte” \u2013 sí\r\n".encode(encoding)
    assert spreadsheet.rows(body) == [(2, {"lugar": "Peñón", "texto": "“más fuerte” \u2013 sí"})]


@pytest.mark.parametrize("body", [b"", b"\n\n", b"[]", b'[1, "x", null]', b"[[1]]"])
def test_a_file_with_nothing_in_it_has_no_row(body: bytes) -> None:
    assert spreadsheet.rows(body) == []


def test_of_json_the_list_that_holds_objects_is_read() -> None:
    assert spreadsheet.rows(b'{"meta": [1], "n": 3, "results": [{" A ": null, "b": 1.5}]}') == [
        (1, {"a": "", "b": "1.5"})
    ]
