"""What our code never does, whatever somebody types: run text, guess secrets, trust markup."""

from __future__ import annotations

import ast
import re
import secrets
from functools import cache
from pathlib import Path

import pytest

from stillhere.store.db import encryption
from stillhere.store.people import browsers
from stillhere.store.people.numbers import address_proof

ROOT = Path(__file__).resolve().parent.parent.parent
SOURCE = ROOT / "src/stillhere"
# Runs what it is given, or opens objects out of bytes.
RUNS = {
    "eval", "exec", "compile", "__import__", "os.system", "os.popen", "pickle.loads",
    "pickle.load", "marshal.loads", "shelve.open", "yaml.load", "yaml.unsafe_load",
}  # fmt: skip
# The world of made-up nights is seeded, so that a night can be lived through again.
MAY_GUESS = ("sim",)
# Without a key or for a key: hashes that somebody can find a second text for.
WEAK = {"md5", "sha1", "sha", "new"}
# Reads only what our own web server wrote, on this machine.
READS_XML = {"sip/twiml.py"}


@cache
def _modules() -> list[tuple[str, ast.Module]]:
    return [
        (str(path.relative_to(SOURCE)), ast.parse(path.read_text("utf-8")))
        for path in sorted(SOURCE.rglob("*.py"))
        if "migrations" not in path.parts
    ]


@cache
def _calls() -> list[tuple[str, str, ast.Call]]:
    return [
        (f"{name}:{node.lineno}", ast.unparse(node.func), node)
        for name, module in _modules()
        for node in ast.walk(module)
        if isinstance(node, ast.Call)
    ]


def test_no_text_is_ever_run() -> None:
    assert [(where, what) for where, what, _node in _calls() if what in RUNS] == []


def test_no_program_is_started_through_a_shell() -> None:
    shells = [
        where
        for where, _what, node in _calls()
        if any(each.arg == "shell" and ast.unparse(each.value) != "False" for each in node.keywords)
    ]
    assert shells == []
    assert not [where for where, what, _node in _calls() if what.endswith("_shell")]


def test_what_must_not_be_guessed_comes_from_the_system() -> None:
    guessing = [
        name
        for name, module in _modules()
        if name.split("/")[0] not in MAY_GUESS
        for node in ast.walk(module)
        if (isinstance(node, ast.Import) and any(a.name == "random" for a in node.names))
        or (isinstance(node, ast.ImportFrom) and node.module == "random")
    ]
    assert guessing == []


def test_no_hash_of_ours_is_one_that_was_broken() -> None:
    found = [
        where
        for where, what, _node in _calls()
        if what.startswith("hashlib.") and what.partition(".")[2] in WEAK
    ]
    assert found == []
    ciphers = [
        name
        for name, module in _modules()
        if re.search(r"\b(ECB|CBC|PKCS1v15|ARC4|TripleDES|Blowfish)\b", ast.unparse(module))
    ]
    assert ciphers == []


# They build a pattern from words of ours (languages, settings, our own file names), or escape it.
BUILDS_PATTERNS = {
    "config/values.py", "config/keys.py", "config/keys_file.py", "web/asgi/language.py",
    "cli/backup_file/rotation.py", "cli/database.py", "core/vocabulary.py", "web/access/cookies.py",
    "store/kits/lab_files.py",
}  # fmt: skip


def test_no_pattern_is_made_out_of_what_was_typed() -> None:
    built = {
        where.partition(":")[0]
        for where, what, node in _calls()
        if what.startswith("re.") and node.args and isinstance(node.args[0], ast.JoinedStr)
    }
    assert built - BUILDS_PATTERNS == set(), "re.escape it, and name the file here"


def test_a_token_of_a_browser_has_128_bits_or_more_and_a_code_six_digits() -> None:
    made = (encryption.NONCE_BYTES, encryption.KEY_BYTES, browsers.TOKEN_BYTES)
    assert all(8 * each >= 128 for each in made)
    assert len(secrets.token_urlsafe(browsers.TOKEN_BYTES)) >= 27
    assert address_proof.DIGITS >= 6


def test_xml_is_read_in_one_place_and_only_our_own() -> None:
    readers = {
        name
        for name, module in _modules()
        for node in ast.walk(module)
        if isinstance(node, ast.Import | ast.ImportFrom)
        and re.search(r"\bxml\b|lxml", ast.unparse(node))
        and "SimplerXMLGenerator" not in ast.unparse(node)
    }
    assert readers <= READS_XML


def test_what_is_put_into_a_page_unescaped_is_our_own_drawing() -> None:
    """``drawn`` is what segno draws (web/guide/print.py), or a file of ours."""
    for path in sorted(SOURCE.rglob("*.html")):
        text = path.read_text("utf-8")
        assert not re.search(r"autoescape off|\{% filter .*safe", text), path
        assert set(re.findall(r"\{\{ ?(\w+)\|safe ?\}\}", text)) <= {"drawn"}, path
    marked = [where for where, what, _node in _calls() if what.endswith("mark_safe")]
    assert [where.partition(":")[0] for where in marked] == ["web/guide/print.py"]


def test_no_template_is_made_out_of_what_was_typed() -> None:
    made = [where for where, what, _node in _calls() if what in ("Template", "Engine.from_string")]
    assert made == []


@pytest.mark.parametrize("path", sorted(SOURCE.rglob("web/**/*.js")), ids=lambda path: path.name)
def test_a_script_puts_nothing_on_a_page_but_what_our_server_made(path: Path) -> None:
    text = path.read_text("utf-8")
    assert not re.search(
        r"\beval\(|new Function|document\.write|insertAdjacentHTML|outerHTML|postMessage", text
    )
    # Two places take a part of a page as our own server rendered it, for this very page.
    put = re.findall(r"\.innerHTML = ([\w.]+);", text)
    assert set(put) <= {"html", "there.innerHTML"}
