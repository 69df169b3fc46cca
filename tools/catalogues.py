"""Compares the message catalogues with what the source and the templates say.

`catalogues.py check` fails for every message that a language lacks, leaves empty or marks as fuzzy,
and for every translation that lost a placeholder. English may stay empty: its messages are English.
`catalogues.py update` adds what is missing, empty, for a translator to fill in. `update FOLDER` and
`compile FOLDER` do it for one language that is elsewhere, like the data folder's `locale/qps`.
Owns no words. Uses Babel, because a fresh machine has no gettext tools.
"""

from __future__ import annotations

import ast
import os
import re
import sys
from collections.abc import Iterator, Sequence
from io import BytesIO
from pathlib import Path

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import DEFAULT_KEYWORDS, extract
from babel.messages.pofile import read_po, write_po
from django.utils.translation.template import templatize

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from hatch_build import compile_catalogue  # noqa: E402
from stillhere.content.languages import HOME  # noqa: E402

SOURCE = ROOT / "src" / "stillhere"
LOCALES = SOURCE / "locale"
CATALOGUE = Path("LC_MESSAGES/django.po")
KEYWORDS = dict(DEFAULT_KEYWORDS) | {
    "gettext_lazy": None,
    "gettext_noop": None,
    "ngettext_lazy": (1, 2),
    "pgettext_lazy": ((1, "c"), 2),
    "npgettext_lazy": ((1, "c"), 2, 3),
}
PLACEHOLDER = re.compile(r"%\(\w+\)[sd]|%[sd]|\{\w*\}")


def _sources() -> Iterator[tuple[str, bytes]]:
    """Every Python file and template, templates as the function calls they amount to."""
    for path in sorted(SOURCE.rglob("*.py")):
        yield str(path.relative_to(SOURCE)), path.read_bytes()
    for path in sorted((SOURCE / "web" / "templates").rglob("*.*")):
        calls = templatize(path.read_text("utf-8"), origin=str(path))
        # Without indentation, which would not be Python's.
        flat = "\n".join(line.strip() for line in calls.splitlines())
        yield str(path.relative_to(SOURCE)), flat.encode()


def extracted() -> Catalog:
    """Everything the product can say, as a catalogue without translations."""
    catalogue = Catalog(charset="utf-8")
    for name, text in _sources():
        for line, message, comments, context in extract(
            "python", BytesIO(text), keywords=KEYWORDS, comment_tags=("Translators:",)
        ):
            catalogue.add(message, None, [(name, line)], context=context, auto_comments=comments)
    return catalogue


def hidden() -> Iterator[str]:
    """Where a message stands inside an f-string: there nothing finds it to translate it."""
    for path in sorted(SOURCE.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            for part in ast.walk(node) if isinstance(node, ast.JoinedStr) else ():
                called = part.func if isinstance(part, ast.Call) else None
                if isinstance(called, ast.Name) and called.id in ("_", *KEYWORDS):
                    yield f"{path.relative_to(SOURCE)}:{called.lineno}"


def _folders() -> list[Path]:
    return sorted(path for path in LOCALES.iterdir() if path.is_dir())


def _read(folder: Path) -> Catalog:
    path = folder / CATALOGUE
    if not path.exists():
        return Catalog(locale=folder.name, charset="utf-8")
    with path.open("rb") as file:
        return read_po(file, locale=folder.name)


def _forms(text: str | Sequence[str] | None) -> list[str]:
    """A message has one form, or one for each grammatical number."""
    return [text] if isinstance(text, str) else list(text or ())


def _fault(language: str, wanted: Message, have: Message | None) -> str:
    """What is wrong with one message in one language, or an empty string."""
    if have is not None and have.fuzzy:
        return "fuzzy"
    forms = _forms(have.string) if have is not None else []
    if not forms or not all(forms):
        return "" if language == HOME else "not translated" if have else "missing"
    said = set().union(*(PLACEHOLDER.findall(form) for form in _forms(wanted.id)))
    for form in forms:
        if not set(PLACEHOLDER.findall(form)) <= said or (
            len(forms) == 1 and set(PLACEHOLDER.findall(form)) != said
        ):
            return "other placeholders than the message"
    return ""


def faults() -> list[str]:
    """One line for everything that is wrong with a catalogue."""
    found = [f"never extracted, inside an f-string: {place}" for place in hidden()]
    wanted = extracted()
    for folder in _folders():
        language, catalogue = folder.name, _read(folder)
        for message in wanted:
            if not message.id:
                continue  # the header
            fault = _fault(language, message, catalogue.get(message.id, message.context))
            if fault:
                place = ":".join(str(part) for part in message.locations[0])
                found.append(f"{language}: {fault}: {_forms(message.id)[0]!r} ({place})")
    return found


def update(*folders: Path) -> None:
    """Bring the list of messages of each catalogue up to date; keep what is translated."""
    wanted = extracted()
    for folder in folders or _folders():
        catalogue = _read(folder)
        catalogue.update(wanted, no_fuzzy_matching=True)
        path = folder / CATALOGUE
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("wb") as file:
            write_po(
                file, catalogue, width=100, ignore_obsolete=True, include_lineno=False,
                omit_header=False, sort_output=True,
            )  # fmt: skip


def main(arguments: list[str]) -> int:
    """`check` (the default), `update` or `compile`."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
    if arguments[:1] == ["update"]:
        update(*map(Path, arguments[1:]))
        return 0
    if arguments[:1] == ["compile"]:
        for folder in arguments[1:]:
            compile_catalogue(Path(folder) / CATALOGUE)
        return 0
    found = faults()
    print("\n".join(found) if found else "catalogues: complete")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
