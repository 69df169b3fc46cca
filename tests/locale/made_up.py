"""Two languages that nobody speaks, made from English as folders, and nothing else.

``qps`` is accented and about 40 % longer; ``qpr`` is written from right to left, in other letters:
a word of ours that is left over in English shows.
"""

from __future__ import annotations

import json
import re
import tomllib
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po, write_po
from django.utils import translation
from django.utils.dates import MONTHS, MONTHS_3, WEEKDAYS, WEEKDAYS_ABBR

from hatch_build import compile_catalogue
from stillhere.content import languages

# What a translator leaves as it is: what is filled in, markup, addresses, our two names, and the
# letters that say how a date is written.
AS_IT_IS = re.compile(
    r"%\(\w+\)[sd]|%[sd%]|\{\w*\}|<[^>]+>|&#?\w+;|https?://\S+|(?<![\w])/[a-z][\w./-]*|[\w.]+@[\w.]+"
    r"|\bLamp\b|\bStillhere\b|\bSTILLHERE_\w+|^[a-zA-Z](?:[ ,.:/]+[a-zA-Z])+$"
)
_VOWELS = str.maketrans({
    **{plain: f"{accented}h" for plain, accented in zip("aeiouy", "áéíóúý", strict=True)},
    **{plain: f"{accented}h" for plain, accented in zip("AEIOUY", "ÁÉÍÓÚÝ", strict=True)},
})  # fmt: skip
_LETTERS = str.maketrans(
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ",
    "אבגדהוזחטיךכלםמןנסעףפץצקרש" * 2,
)


def longer(text: str) -> str:
    """Every vowel with an accent, and a letter more."""
    return _but_for(AS_IT_IS, text, lambda part: part.translate(_VOWELS))


def mirrored(text: str) -> str:
    """Every letter as one of another alphabet."""
    return _but_for(AS_IT_IS, text, lambda part: part.translate(_LETTERS))


def _but_for(kept: re.Pattern[str], text: str, change: Callable[[str], str]) -> str:
    out, at = [], 0
    for found in kept.finditer(text):
        out += [change(text[at : found.start()]), found[0]]
        at = found.end()
    return "".join([*out, change(text[at:])])


SOUNDS: Mapping[str, Callable[[str], str]] = {"qps": longer, "qpr": mirrored}


def folded(text: str) -> str:
    """As ``understood.toml`` is written."""
    plain = unicodedata.normalize("NFKD", text)
    return "".join(char for char in plain if not unicodedata.combining(char)).casefold()


# --- the folder -----------------------------------------------------------------------------------


def write(code: str, locales: Path) -> Path:
    """The whole folder of one of them."""
    sounds, folder = SOUNDS[code], locales / code
    (folder / "LC_MESSAGES").mkdir(parents=True)
    told = {
        "language.toml": {
            "name": sounds("English"),
            "direction": "rtl" if code == "qpr" else "ltr",
            "voice": {"call": f"{code}-XX", "machine": code},
        },
        "understood.toml": _understood(sounds),
    }
    for name in ("steps.toml", "reading.toml", "lines.toml"):
        told[name] = _each(_english(name), sounds)
    for name, table in told.items():
        (folder / name).write_text("\n".join(_toml(table)) + "\n", "utf-8")
    _catalogue(code, folder / "LC_MESSAGES/django.po")
    return folder


def _english(name: str) -> dict[str, Any]:
    return tomllib.loads((languages.OURS / "en" / name).read_text("utf-8"))


def _each(told: Any, sounds: Callable[[str], str]) -> Any:
    if isinstance(told, dict):
        return {key: _each(value, sounds) for key, value in told.items()}
    return [_each(each, sounds) for each in told] if isinstance(told, list) else sounds(told)


def _toml(table: Mapping[str, Any], name: str = "") -> Iterator[str]:
    if name:
        yield f"\n[{name}]"
    for key, value in table.items():
        if not isinstance(value, dict):
            yield f"{json.dumps(key, ensure_ascii=False)} = {json.dumps(value, ensure_ascii=False)}"
    for key, value in table.items():
        if isinstance(value, dict):
            yield from _toml(value, f"{name}.{key}".lstrip("."))


def _understood(sounds: Callable[[str], str]) -> dict[str, Any]:
    """The same words. Nobody mistypes them, and no machine writes for anybody."""

    def phrase(text: str) -> str:
        return re.sub(r"(?<!@)\b(?!min\b)[a-z0-9]+", lambda word: folded(sounds(word[0])), text)

    def row(text: str) -> str:
        return ", ".join(phrase(each) for each in text.split(",") if each.strip())

    english = _english("understood.toml")
    for name in ("slips", "long", "not-theirs"):
        del english[name]
    shorter = {phrase(long): phrase(short) for long, short in english.pop("shorter").items()}
    minutes = " ".join(folded(sounds(word)) for word in ("min", "mins", "minute", "minutes"))
    told: dict[str, Any] = _each(english, row)
    return told | {"shorter": shorter, "slips": {"min": minutes}}


def _catalogue(code: str, path: Path) -> None:
    sounds = SOUNDS[code]
    catalogue = Catalog(locale=code, charset="utf-8")
    with (languages.OURS / "en/LC_MESSAGES/django.po").open("rb") as file:
        english = read_po(file)
    for message in (each for each in english if each.id):
        if isinstance(message.id, str):
            catalogue.add(message.id, sounds(message.id), context=message.context)
        else:
            catalogue.add(
                message.id, [sounds(form) for form in message.id], context=message.context
            )
    # The days and months, which Django has for every language that somebody speaks.
    with translation.override("en"):
        for table in (MONTHS, MONTHS_3, WEEKDAYS, WEEKDAYS_ABBR):
            for name in table.values():
                catalogue.add(str(name), sounds(str(name)))
    with path.open("wb") as file:
        write_po(file, catalogue)
    compile_catalogue(path)
