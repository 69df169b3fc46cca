"""No program that we start inherits our secrets."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from stillhere import programs

SOURCE = Path(__file__).resolve().parents[2] / "src/stillhere"
STARTS = {"run", "Popen", "check_output", "check_call", "call", "create_subprocess_exec",
          "create_subprocess_shell", "execv", "execvp", "system", "popen"}  # fmt: skip
FROM = {"subprocess", "asyncio", "os"}


def _starts(path: Path) -> Iterator[ast.Call]:
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and isinstance(node.func.value, ast.Name)
            and node.func.value.id in FROM
            and node.func.attr in STARTS
            and (node.func.value.id, node.func.attr) != ("asyncio", "run")
        ):
            yield node


def test_whatever_starts_a_program_says_what_it_inherits() -> None:
    found = [
        (str(path.relative_to(SOURCE)), node.lineno, {each.arg for each in node.keywords})
        for path in sorted(SOURCE.rglob("*.py"))
        for node in _starts(path)
    ]
    assert len(found) >= 7, "the ones that are known are found"
    assert [(file, line) for file, line, named in found if "env" not in named] == []


def test_another_program_knows_where_things_lie_and_none_of_our_secrets(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("STILLHERE_SMTP_URL", "STILLHERE_CARRIERS", "AWS_SECRET_ACCESS_KEY", "PGPASSWORD"):
        monkeypatch.setenv(name, "swordfish")
    monkeypatch.setenv("PATH", "/usr/bin")
    known = programs.environment(LAMP="on")
    assert "swordfish" not in known.values()
    assert (known["PATH"], known["LAMP"]) == ("/usr/bin", "on")
    assert programs.environment("PG")["PGPASSWORD"] == "swordfish"
