"""The sentences of content, by language: ``content/`` says what there is, ``locale/<lang>/`` how it
is said.

Owns bringing the two together, one sentence by the codes of all its languages, and which of them a
reader gets: English where their own language says nothing. A language whose
file does not fit is left out of it in whole, and named.
"""

from __future__ import annotations

import copy
import tomllib
from collections.abc import Mapping, Sequence
from typing import Any

from django.utils.translation import get_language

from stillhere.content.languages import HOME, Language, LanguageError

Rows = Mapping[str, list[dict[str, Any]]]
_NAMED_BY = {"law": "country"}  # else by "id"
_TEXTS = ("says", "said", "quiet", "head", "ask", "why")
_LISTS = ("answers", "also")


def language() -> str:
    """The reader's, without its country."""
    return (get_language() or HOME).partition("-")[0]


def said_in(says: Mapping[str, str], language: str) -> str:
    """A sentence in that language, in English where it has none."""
    return says.get(language) or says.get(HOME, "")


def table(language: Language, file: str) -> Mapping[str, Any]:
    """One of a language's files. Raises LanguageError."""
    try:
        return tomllib.loads(language.read(file))
    except tomllib.TOMLDecodeError as error:
        raise LanguageError(f"{file}: {error}") from error


def put_in(rows: Rows, file: str, languages: Sequence[Language]) -> tuple[Rows, list[str]]:
    """The rows with what each language's ``file`` says of them, and what is wrong with a file that
    was left out. Raises LanguageError where it is English."""
    faults = []
    for language in languages:
        tried = copy.deepcopy(dict(rows))
        try:
            for kind, texts in table(language, file).items():
                _put(tried, kind, texts, language.code)
        except LanguageError as error:
            if language.code == HOME:
                raise
            faults.append(f"{language.code}: {error}")
        else:
            rows = tried
    return rows, faults


def _put(rows: Rows, kind: str, texts: object, lang: str) -> None:
    if kind not in rows or not isinstance(texts, dict):
        raise LanguageError(f"unknown {kind}")
    by_name = {row[_NAMED_BY.get(kind, "id")]: row for row in rows[kind]}
    for name, text in texts.items():
        if name not in by_name:
            raise LanguageError(f"unknown {kind} {name}")
        told = text if isinstance(text, dict) else {"says": text}
        for key, said in told.items():
            _say(by_name[name], key, said, lang, f"{kind} {name}")


def _say(row: dict[str, Any], key: str, said: object, lang: str, where: str) -> None:
    if key in _TEXTS and isinstance(said, str):
        row.setdefault(key, {})[lang] = said
        return
    if key not in _LISTS or not isinstance(said, list):
        raise LanguageError(f"{where}: unknown {key}")
    answers = row.setdefault(key, [{} for _ in said])
    if len(answers) != len(said) or not all(isinstance(each, str) for each in said):
        raise LanguageError(f"{where}: {key} are {len(answers)} texts")
    for answer, each in zip(answers, said, strict=True):
        answer[lang] = each
