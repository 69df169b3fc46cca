"""The shape of the house: rooms one can read in one go, floors that hold, words that are kind."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
MOST_LINES = 450
MOST_LINES_OF_A_FUNCTION = 60
MOST_COLUMNS_OF_A_TEMPLATE = 120
# A core file imports these and its own kind; nothing that reads a clock, a file or a dice.
CORE_MAY_IMPORT = {
    "__future__", "bisect", "calendar", "collections", "dataclasses", "datetime", "enum",
    "functools", "hashlib", "itertools", "json", "math", "operator", "re", "tomllib", "types",
    "typing", "unicodedata", "zoneinfo",
}  # fmt: skip
# Never on a lock screen or in a text: words that say what it was about. English and Spanish.
TELLING = re.compile(
    r"\b(drugs?|overdos\w*|naloxon\w*|narcan|opioids?|heroin\w*|fentan\w*|fentanil\w*|inject\w*"
    r"|sobredosis|drogas?|opioides?|inyect\w*)\b",
    re.IGNORECASE,
)
# Never anywhere a person reads: words that wound. "Clean" is left out: water and hands are clean.
WOUNDING = re.compile(
    r"\b(addicts?|junk(?:ie|ies)|abus(?:e|er|ers)|enabl(?:er|ers)|druggies?"
    r"|adict[oa]s?|drogadict[oa]s?|yonquis?|toxic[oó]man[oa]s?)\b",
    re.IGNORECASE,
)


def _python() -> Iterator[Path]:
    for folder in ("src", "tests", "tools", "benchmarks"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            if "migrations" not in path.parts:
                yield path


def _name(path: Path) -> str:
    return str(path.relative_to(ROOT))


def test_no_room_is_too_large_to_read() -> None:
    large = {_name(path): len(path.read_text().splitlines()) for path in _python()}
    assert {name: lines for name, lines in large.items() if lines > MOST_LINES} == {}


def test_no_function_is_too_long_to_hold_in_mind() -> None:
    long = [
        f"{_name(path)}:{node.lineno} {node.name}"
        for path in _python()
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (node.end_lineno or 0) - node.lineno >= MOST_LINES_OF_A_FUNCTION
    ]
    assert long == []


def test_no_line_of_a_template_is_too_long_to_read() -> None:
    """Drawings are left out: their paths are not read. Long sentences go into blocktranslate,
    trimmed, which may stand in several lines and is the same sentence for translators."""
    long = [
        f"{_name(path)}:{number}"
        for path in _files("src/stillhere/web/templates/**/*.html", "src/**/templates/**/*.js")
        for number, line in enumerate(path.read_text().splitlines(), 1)
        if len(line) > MOST_COLUMNS_OF_A_TEMPLATE
    ]
    assert long == []


def test_every_room_says_what_it_owns() -> None:
    silent = [
        _name(path)
        for path in (ROOT / "src").rglob("*.py")
        if path.name != "__init__.py"
        and "migrations" not in path.parts
        and not ast.get_docstring(ast.parse(path.read_text()))
    ]
    assert silent == []


def _imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module or ""


def test_nothing_is_imported_by_its_name_but_a_command_and_its_action() -> None:
    """An import by string hides from the contracts, from mypy and from whoever looks for it."""
    by_name = re.compile(r"\b(import_module|import_string|__import__|LazyLoader|get_model)\b")
    found = [
        _name(path)
        for path in (ROOT / "src").rglob("*.py")
        if "migrations" not in path.parts and by_name.search(path.read_text())
    ]
    assert found == ["src/stillhere/cli/loading.py"]


def test_the_core_needs_only_the_pure_part_of_the_standard_library() -> None:
    for path in (ROOT / "src/stillhere/core").rglob("*.py"):
        for name in _imports(path):
            top = name.partition(".")[0]
            assert name.startswith("stillhere.core") or top in CORE_MAY_IMPORT, (path, name)


def test_the_floors_hold() -> None:
    told = subprocess.run(
        [Path(sys.executable).parent / "lint-imports"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert told.returncode == 0, told.stdout


def _said(path: Path) -> str:
    """What of a file can reach a person: for Python its text constants, not comments or names."""
    if path.suffix != ".py":
        return path.read_text()
    nodes = ast.walk(ast.parse(path.read_text()))
    return "\n".join(
        node.value
        for node in nodes
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    )


def _files(*patterns: str) -> list[Path]:
    return sorted(path for pattern in patterns for path in ROOT.glob(pattern) if path.is_file())


def test_nothing_that_travels_says_what_it_is_about() -> None:
    for path in _files("src/stillhere/channels/wording/**/*.py"):
        assert TELLING.findall(_said(path)) == [], path


def test_no_word_for_a_lock_screen_is_translated_into_a_telling_one() -> None:
    """A message that is neutral in one language stays neutral in the other."""
    for path in _files("src/stillhere/locale/*/LC_MESSAGES/*.po"):
        for entry in path.read_text().split("\n\n"):
            if "channels/wording" in entry:
                assert TELLING.findall(entry) == [], path


def test_no_page_wounds() -> None:
    for path in _files(
        "src/stillhere/web/**/*.html",
        "src/stillhere/web/**/*.js",
        "src/stillhere/locale/*/LC_MESSAGES/*.po",
        "src/stillhere/content/**/*.*",
        "src/stillhere/channels/wording/**/*.*",
    ):
        if path.suffix != ".pyc":
            assert WOUNDING.findall(_said(path)) == [], path


def test_phone_numbers_are_fictional() -> None:
    """In the source and its tests: 555-01xx only, so that nobody's phone ever rings by mistake."""
    number = re.compile(r"\+1[ -]?\(?\d{3}\)?[ -]?\d{3}[ -]?\d{4}\b")
    fictional = re.compile(r"\+1[ -]?\(?\d{3}\)?[ -]?555[ -]?01\d\d\b")
    for path in [*_python(), *_files("src/stillhere/web/**/*.html", "docs/**/*.md", "*.md")]:
        real = [found for found in number.findall(path.read_text()) if not fictional.match(found)]
        assert real == [], path
