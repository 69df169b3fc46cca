"""A program's own words for danger: ``street-words.toml`` in the data folder.

Owns reading that file and refusing what must not stand in it. A phrase can only make more texts a
cry for help; so what people also write when they are well, or as an answer, is left out and named,
and the rest counts. No mistake in the file stops a watch.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path

from stillhere.content import host_file
from stillhere.core.reading.signs import Sign
from stillhere.core.replies import words_of
from stillhere.core.vocabulary import Phrase, Role, Street, Table, Vocabulary

FILE = "street-words.toml"
LARGEST = 64 * 1024
ROWS = {"help": Sign.CRY, "die": Sign.DIE}
MOST_WORDS, LEAST_LETTERS = 8, 3


def find(path: Path, words: Vocabulary) -> tuple[Street, tuple[str, ...]]:
    """What may be added to ``words`` from this file, and why the rest of it is not."""
    try:
        told = tomllib.loads(host_file.read(path, LARGEST))
    except FileNotFoundError:
        return (), ()
    except host_file.HostFileError as error:
        return (), (str(error),)
    except tomllib.TOMLDecodeError as error:
        return (), (str(error),)
    street: list[tuple[Sign, Phrase]] = []
    faults: list[str] = []
    for name, row in told.items():
        if name not in ROWS:
            faults.append(f"{name} is not known here: the rows are help and die")
            continue
        if not isinstance(row, str):
            faults.append(f"{name} is text with commas between the phrases")
            continue
        for written in filter(None, (each.strip() for each in row.split(","))):
            phrase = words_of(written, words)
            if why := next(_faults(phrase, words.tables), ""):
                faults.append(f"“{written}” {why}")
            else:
                street.append((ROWS[name], phrase))
    return tuple(street), tuple(faults)


def _faults(phrase: Phrase, tables: Mapping[Role, Table]) -> Iterator[str]:
    said = {word for table in tables.values() for each in table for word in each}
    if not phrase or len(phrase) > MOST_WORDS:
        yield f"is not one to {MOST_WORDS} words"
    if said.issuperset(phrase):
        yield "is also written by people who are well, or as an answer"
    if sum(map(len, phrase)) < LEAST_LETTERS or all(word.isdecimal() for word in phrase):
        yield "is too short to tell from other texts"
