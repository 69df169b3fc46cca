"""Files of drug-checking results: which columns say what, and which rows are worth a warning.

Owns the names laboratories give their columns, in words and as columns of 0 and 1, and what counts
as "not found". A file that was not understood is refused and says which columns are missing; it
never passes for one without surprises.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping

from stillhere.core.refusals import Refusal
from stillhere.store.kits import spreadsheet, supply_warnings
from stillhere.store.kits.spreadsheet import UnknownColumns
from stillhere.store.kits.supply_warnings import Left, ReportedWarning, WarningImport
from stillhere.store.problems import Problem

# Names of columns, of which the first that says something counts; among them those of the Street
# Drug Analysis Lab at the University of North Carolina.
FOUND_ON = (
    "found_on", "date_collect", "date", "sample_date", "collection_date", "date_tested",
    "date_complete", "fecha",
)  # fmt: skip
AREA = (
    "area", "location", "city", "town", "place", "county", "neighborhood", "zip", "state",
    "program", "ciudad", "lugar",
)  # fmt: skip
SOLD_AS = ("sold_as", "sold as", "expectedsubstance", "expected", "bought_as", "vendido_como")
HOLDS = (
    "text", "finding", "findings", "found", "result", "results", "lab_result", "substance",
    "substances", "detected", "contents", "primary", "trace", "hallazgo", "resultado",
)  # fmt: skip
_WORTH = re.compile(
    r"x[iy]la[zc]in\w*|medetomidin\w*|nita[cz]en\w*|carfentan[iy]l\w*|bromazolam|fentan[iy]l\w*|"
    r"btmps|designer[ _]benzo\w*",
    re.IGNORECASE,
)
_CLAUSE = re.compile(r"[;,|\n]|\.(?!\d)|\b(?:but|pero)\b", re.IGNORECASE)
_NOT = (
    r"(?:not(?! (?:expected|declared|sold|listed|only|just))|no(?! (?:esperad|declarad|vendid)\w*)|"
    r"non|nor|neither|without|free of|negative|neg|negativ[oa]|absent|ausente|none|nd|undetected|"
    r"sin|ni)"
)
_NOT_BEFORE = re.compile(rf"\b{_NOT}\b", re.IGNORECASE)
_NOT_BEHIND = re.compile(
    rf"^[\s:=()\[\]\u2013\u2014-]*(?:(?:was|were|is|are|fue|fueron)\s+)?(?:{_NOT}\b|0+(?:\.0+)?\s*%?(?![\d.]))",
    re.IGNORECASE,
)
_ALIKE = re.compile(r"^\s*(?:and|or|nor|y|e|o|u|ni|&|/|\+|-)?\s*$", re.IGNORECASE)
_YES = ("1", "1.0", "yes", "y", "true", "x", "detected", "present", "positive", "pos", "found",
        "trace", "si", "sí", "detectado", "positivo")  # fmt: skip
_COUNTED = re.compile(r"lab_(\w+)")
_NO_SUBSTANCE = re.compile(r"null|num_|impurities|cuts|opiates_opioids")


def take_file(name: str, body: bytes, source: str) -> WarningImport:
    """Store whatever is worth a warning in a CSV or JSON file of results. Raises Problem if its
    columns are not known, or no row can be understood."""
    taken, found = WarningImport(), []
    rows = spreadsheet.rows(body)
    if rows:
        _know_columns({name for _number, row in rows for name in row})
    for number, row in rows:
        try:
            found.append(_of(number, row, source or name))
        except Left as left:
            taken.leave(left.kind, number)
    if not found and taken.left.keys() <= {"unsaid"}:
        raise Problem(Refusal.FILE_EMPTY)
    return supply_warnings.take_in(found, taken)


def _know_columns(names: set[str]) -> None:
    """Raises UnknownColumns where no column can hold a day, a place or what was found."""
    holds = names & set(HOLDS) or any(_substance(name) for name in names)
    needed = ((FOUND_ON, names & set(FOUND_ON)), (AREA, names & set(AREA)), (HOLDS, holds))
    missing = [known for known, there in needed if not there]
    if missing:
        raise UnknownColumns(sorted(names), missing)


def _of(number: int, row: Mapping[str, str], source: str) -> ReportedWarning:
    """A row of results as a warning. Raises Left if nothing in it is surprising."""
    day, area, told = _first(row, FOUND_ON), _first(row, AREA), bool(row.get("text"))
    cells = (row[name] for name in HOLDS if any(map(str.isalpha, row.get(name, ""))))
    holds = "; ".join(dict.fromkeys([*cells, *_ticked(row)]))
    if not day or not area or not (holds or _has_ticks(row)):
        raise Left("unsaid", Refusal.NEWS_WHAT)
    sold = _first(row, SOLD_AS)
    expected = {_stem(each) for each in _WORTH.findall(sold)}
    if not told and set(map(_stem, substances(holds))) <= expected:
        raise Left("plain", Refusal.NEWS_PLAIN)
    text = holds if told or not sold else f"{sold}: {holds}"
    ref = _first(row, ("ref", "id", "sampleid", "sample_id"))
    return ReportedWarning(f"{source}/{ref}" if ref else "", area, text, source, day, row=number)


def substances(text: str) -> Iterator[str]:
    """The names in ``text`` of what is worth a warning and was found: neither "no fentanyl" nor
    "fentanyl and xylazine: not detected" names any. Where it is not clear, it was found."""
    for clause in _CLAUSE.split(text):
        gone_behind = 0  # up to here, a no belongs to what stood before
        found = list(_WORTH.finditer(clause))
        while found:
            together = _together(clause, found)
            first, last = together[0].start(), together[-1].end()
            found = found[len(together) :]
            upto = found[0].start() if found else len(clause)
            behind = _NOT_BEHIND.search(clause[last:upto])
            if not behind and not _NOT_BEFORE.search(clause[gone_behind:first]):
                yield from (each[0] for each in together)
            gone_behind = last + behind.end() if behind else last


def _together(clause: str, found: list[re.Match[str]]) -> list[re.Match[str]]:
    """The first of them, and those that are said in one breath with it."""
    together = found[:1]
    for each in found[1:]:
        if not _ALIKE.match(clause[together[-1].end() : each.start()]):
            break
        together.append(each)
    return together


def _stem(name: str) -> str:
    """The same for the spellings of one substance."""
    plain = name.casefold().replace("y", "i").replace("z", "c").replace("_", " ")
    return plain[:7]


def _substance(column: str) -> str:
    """What a column of 0 and 1 counts, or nothing."""
    counted = _COUNTED.fullmatch(column)
    if counted:
        name = re.sub(r"_(?:any|trace)$", "", counted[1])
        return "" if _NO_SUBSTANCE.search(name) else name.replace("_", " ")
    return column if _WORTH.fullmatch(column) else ""


def _ticked(row: Mapping[str, str]) -> Iterable[str]:
    """What the columns of 0 and 1 say was found."""
    return [
        name for column, cell in row.items()
        if cell.casefold() in _YES and (name := _substance(column))
    ]  # fmt: skip


def _has_ticks(row: Mapping[str, str]) -> bool:
    """Whether any column says that something was looked for."""
    return any(cell and _substance(column) for column, cell in row.items())


def _first(row: Mapping[str, str], names: Iterable[str]) -> str:
    return next((row[name] for name in names if row.get(name)), "")
