"""The languages of an installation: a folder each, and nowhere a list of them.

Owns finding them, in ``locale/`` here and in the host's ``locale/`` of the data folder, and reading
what is the same for all of a language (``language.toml``). Catalogue, steps, pages to read, lines
and understood words lie beside it and are read by whoever shows them. A host's folder that cannot
be used is left out and named, so that no mistake in it stops a watch; a name that we have is ours.

Knows no settings: they are made from it.
"""

from __future__ import annotations

import gettext
import re
import struct
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from stillhere.core import vocabulary

HOME = "en"  # what stands wherever another language says nothing
OURS = Path(__file__).resolve().parent.parent / "locale"
FILE, CATALOGUE, UNDERSTOOD = "language.toml", "LC_MESSAGES/django.mo", "understood.toml"
LARGEST = 256 * 1024
_CODE = re.compile(r"(?!(?:to|did)$)[a-z]{2,3}")  # those two mean something else in an answer
_VOICE = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{1,8}){0,3}")


class LanguageError(ValueError):
    """A folder that must not be used. The message is fit for the log and for a terminal."""


@dataclass(frozen=True, slots=True)
class Language:
    """One language. ``call_voice`` is what a company that carries calls names it,
    ``machine_voice`` what this machine's own voice (espeak-ng) does."""

    code: str
    name: str
    right_to_left: bool
    call_voice: str
    machine_voice: str
    folder: Path

    def read(self, file: str) -> str:
        """The text of one of its files, or nothing where it has none. Raises LanguageError."""
        path = self.folder / file
        try:
            if path.stat().st_size > LARGEST:
                raise LanguageError(f"{file} is too large")
            return path.read_text("utf-8")
        except FileNotFoundError:
            return ""
        except (OSError, UnicodeDecodeError) as error:
            raise LanguageError(f"{file} cannot be read") from error


class Languages(dict[str, Language]):
    """All of them by code, English first."""

    def of(self, lang: str) -> Language:
        """The language of a code, with a country or without; English where it is none of ours."""
        base = re.split(r"[-_.@]", lang, maxsplit=1)[0].lower()
        return self.get(base) or self[HOME]

    def understood(self, street: vocabulary.Street = ()) -> vocabulary.Vocabulary:
        """What is understood in all of them, and of a program's own words for danger."""
        texts = {code: each.read(UNDERSTOOD) for code, each in self.items()}
        return vocabulary.load(texts, street)


def find(*more: Path) -> tuple[Languages, tuple[str, ...]]:
    """Our languages and those in the folders ``more``; and why others there are not used.

    Raises LanguageError or VocabularyError where it is one of ours."""
    found = {path.name: _language(path) for path in OURS.iterdir() if path.is_dir()}
    faults = []
    for path in sorted(each for folder in more for each in _inside(folder)):
        try:
            if path.name not in found and path.is_dir():
                found[path.name] = _usable(_language(path))
        except (LanguageError, vocabulary.VocabularyError, OSError) as error:
            faults.append(f"{path.name} in the data folder: {error}")
    order = sorted(found, key=lambda code: (code != HOME, code))
    return Languages({code: found[code] for code in order}), tuple(faults)


def _inside(folder: Path) -> list[Path]:
    try:
        return list(folder.iterdir())
    except OSError:  # most have none
        return []


def _language(folder: Path) -> Language:
    if not _CODE.fullmatch(folder.name):
        raise LanguageError("its name is two or three small letters, like es")
    try:
        told = tomllib.loads((folder / FILE).read_text("utf-8"))
    except OSError as error:
        raise LanguageError(f"it has no {FILE} that can be read") from error
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise LanguageError(f"{FILE}: {error}") from error
    strange = sorted(told.keys() - {"name", "direction", "voice"})
    name, direction, voice = (told.get(key) for key in ("name", "direction", "voice"))
    if strange:
        raise LanguageError(f"{FILE}: unknown {', '.join(strange)}")
    if not isinstance(name, str) or not name.strip() or len(name) > 40 or not name.isprintable():
        raise LanguageError(f"{FILE}: name is what its readers call it")
    if direction not in ("ltr", "rtl"):
        raise LanguageError(f"{FILE}: direction is ltr or rtl")
    return Language(
        code=folder.name,
        name=name.strip(),
        right_to_left=direction == "rtl",
        call_voice=_voice(voice, "call"),
        machine_voice=_voice(voice, "machine"),
        folder=folder,
    )


def _voice(voice: Any, key: str) -> str:
    spoken = voice.get(key) if isinstance(voice, dict) else None
    if not isinstance(spoken, str) or not _VOICE.fullmatch(spoken):
        raise LanguageError(f"{FILE}: [voice] names {key} like es-MX")
    return spoken


def _usable(language: Language) -> Language:
    try:
        with (language.folder / CATALOGUE).open("rb") as file:
            gettext.GNUTranslations(file)
    except FileNotFoundError as error:
        told = "its catalogue is not compiled: tools/catalogues.py compile FOLDER"
        raise LanguageError(told) from error
    except (OSError, ValueError, LookupError, struct.error) as error:
        raise LanguageError(f"{CATALOGUE} cannot be read") from error
    vocabulary.load({language.code: language.read(UNDERSTOOD)})
    return language
