"""The rooms of the house: each says what it owns, is small, and stands in ARCHITECTURE.md."""

from __future__ import annotations

import pytest

from tools import rooms
from tools.page import PAGE, between

MOST_FILES = 15


def test_the_table_of_rooms_is_up_to_date() -> None:
    page = PAGE.read_text("utf-8")
    table = between(page, rooms.BEGIN, rooms.END)
    assert table == rooms.table().strip(), "run python -m tools.rooms"


def test_every_room_says_what_it_owns() -> None:
    assert [str(room) for room in rooms.rooms() if not rooms.owns(room)] == []


def test_no_room_has_more_files_than_can_be_taken_in() -> None:
    files = {
        str(room.relative_to(rooms.SOURCE)): len(list(room.glob("[!_]*.py")))
        for room in rooms.rooms()
    }
    assert {room: count for room, count in files.items() if count > MOST_FILES} == {}


def test_a_page_without_its_markers_is_not_touched() -> None:
    begin, end = rooms.BEGIN, rooms.END
    for page in ("", begin, end, (begin + end) * 2):
        with pytest.raises(ValueError, match="markers"):
            between(page, begin, end)
