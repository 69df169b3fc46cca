"""Files that are imported and exported: CSV as any spreadsheet writes it, and JSON.

Owns the step from bytes to rows and back, and what is said of columns that are missing. Rows keep
the number that a spreadsheet shows beside them: the first one below the header is 2.
"""

from __future__ import annotations

import codecs
import csv
import io
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches
from itertools import chain, islice

from stillhere.core.refusals import Refusal
from stillhere.store.problems import Problem

MOST_ROWS = 10_000
Row = tuple[int, dict[str, str]]  # its number, and cells by the names of columns in lower case
_BETWEEN = ",;\t"
_NO_TEXT = re.compile(r"[\x00-\x08\x0e-\x1f]")


class UnknownColumns(Problem):
    """A file without the columns it needs. ``found`` are the names it has; ``wanted``, for each
    column that is missing, those we know it by; ``nearest`` which of those a
    name that was found may stand for."""

    def __init__(
        self,
        found: Iterable[str],
        wanted: Iterable[Sequence[str]],
        meant: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(Refusal.FILE_COLUMNS)
        self.found, self.wanted = tuple(found), tuple(wanted)
        known = list(chain.from_iterable(self.wanted))
        near = {name: get_close_matches(name, known, 1) for name in self.found}
        self.nearest = {name: close[0] for name, close in near.items() if close}
        self.nearest |= {n: (meant or {})[n] for n in self.found if (meant or {}).get(n) in known}


def rows(body: bytes) -> list[Row]:
    """The rows of a file, without the empty ones. Raises Problem, also if there are none."""
    text = _text(body)
    try:
        found = _json(text) if text.lstrip()[:1] in ("[", "{") else _csv(text)
    except Problem:
        raise
    except (ValueError, csv.Error, RecursionError):
        raise Problem(Refusal.FILE_FORM) from None
    if len(found) > MOST_ROWS:
        raise Problem(Refusal.KIT_ROWS)
    return found


def _text(body: bytes) -> str:
    """A file as text: in Unicode, or in Windows-1252 as spreadsheets save "CSV". Raises Problem."""
    wide = body[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
    for encoding in ("utf-16",) if wide else ("utf-8-sig", "windows-1252"):
        try:
            text = body.decode(encoding)
        except UnicodeDecodeError:
            continue
        if not _NO_TEXT.search(text):
            return text.lstrip("\ufeff")
    raise Problem(Refusal.FILE_TEXT)


def written(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> bytes:
    """A CSV file that spreadsheets open with every letter intact, and without running any of it."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(columns)
    writer.writerows([_no_formula(str(value)) for value in row] for row in rows)
    return out.getvalue().encode("utf-8-sig")


def _csv(text: str) -> list[Row]:
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    head = text.lstrip().partition("\n")[0]
    between = max(_BETWEEN, key=head.count)  # of none or equally many: the comma
    lines = enumerate(csv.reader(io.StringIO(text), delimiter=between), 1)
    told = [(no, line) for no, line in islice(lines, MOST_ROWS * 2) if any(map(str.strip, line))]
    names = [name.strip().lower() for name in told[0][1]] if told else []
    if len(told) == 1 and len(names) > 1:
        raise Problem(Refusal.FILE_HEAD)
    return [(no, _row(zip(names, line, strict=False))) for no, line in told[1:]]


def _json(text: str) -> list[Row]:
    """A list of objects, wherever it is at the top level, or a single object."""
    told = json.loads(text)
    if isinstance(told, dict):
        lists = [value for value in told.values() if isinstance(value, list)]
        holds = (each for each in lists if any(isinstance(one, dict) for one in each))
        told = next(holds, [told])
    return [(no, _row(row.items())) for no, row in enumerate(told, 1) if isinstance(row, dict)]


def _row(cells: Iterable[tuple[str, object]]) -> dict[str, str]:
    plain = ((str(name).strip().lower(), value) for name, value in cells)
    return {name: _cell(value) for name, value in plain if name}


def _cell(value: object) -> str:
    """A value as text; of a list, those parts that are text."""
    if isinstance(value, list):
        return "; ".join(each.strip() for each in value if isinstance(each, str))
    return "" if value is None or isinstance(value, dict) else str(value).strip()


def _no_formula(cell: str) -> str:
    """A cell that a spreadsheet would take for a formula becomes text."""
    return f"'{cell}" if cell[:1] in ("=", "+", "-", "@", "\t") else cell
