"""Tears a page of an SQLite file, as a bad disk does: a leaf of one table becomes zeros.

Owns the little of the file format that finds such a page and whose rows lie on it, see
https://www.sqlite.org/fileformat2.html. Works on a file that is in use.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from pathlib import Path

INTERIOR, LEAF = 5, 13  # kinds of pages of a table


@dataclass(frozen=True)
class Page:
    """A leaf of a table: its number, from 1, and the ids of its rows."""

    no: int
    ids: list[int]


def leaves(file: Path, table: str) -> list[Page]:
    """The leaves of ``table``, first ids first. Everything written so far is looked at: call when
    nothing waits in the write-ahead log."""
    with sqlite3.connect(file, timeout=10) as look:
        look.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        [[size]] = look.execute("PRAGMA page_size")
        [[root]] = look.execute("SELECT rootpage FROM sqlite_master WHERE name = ?", [table])
    look.close()
    with file.open("rb") as data:

        def page(no: int) -> bytes:
            data.seek((no - 1) * size)
            return data.read(size)

        return _below(root, page)


def root(file: Path, name: str) -> Page:
    """Where a table or an index begins: without it nothing of it can be read."""
    with sqlite3.connect(file, timeout=10) as look:
        look.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        [[no]] = look.execute("SELECT rootpage FROM sqlite_master WHERE name = ?", [name])
    look.close()
    return Page(no, [])


def _below(no: int, page: object) -> list[Page]:
    raw: bytes = page(no)  # type: ignore[operator]
    kind, count = raw[0], int.from_bytes(raw[3:5], "big")
    start = 12 if kind == INTERIOR else 8
    cells = [int.from_bytes(raw[at : at + 2], "big") for at in range(start, start + 2 * count, 2)]
    if kind == LEAF:
        return [Page(no, [_varint(raw, _varint(raw, cell)[1])[0] for cell in cells])]
    children = [int.from_bytes(raw[cell : cell + 4], "big") for cell in cells]
    children.append(int.from_bytes(raw[8:12], "big"))
    return [leaf for child in children for leaf in _below(child, page)]


def _varint(raw: bytes, at: int) -> tuple[int, int]:
    """A number of variable length, and where it ends."""
    value = 0
    for no in range(9):
        byte = raw[at + no]
        value = (value << 7) | (byte & 0x7F)
        if byte < 0x80:
            return value, at + no + 1
    raise AssertionError("no row has so large an id")


def tear(file: Path, page: Page) -> None:
    """Write zeros over it."""
    with sqlite3.connect(file, timeout=10) as look:
        [[size]] = look.execute("PRAGMA page_size")
    look.close()
    with file.open("r+b") as data:
        data.seek((page.no - 1) * size)
        data.write(bytes(size))
