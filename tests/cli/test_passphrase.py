"""A file with the passphrase that cannot be used says why."""

from __future__ import annotations

from pathlib import Path

import pytest

from stillhere.cli.backup_file import passphrase


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("five small words\nthat belong together\n", "more than one line"),
        ("", "is empty"),
        (None, "there is no such file"),
        ("a folder", "it is a folder"),
        ("five small words that belong\n\n", ""),
    ],
)
def test_a_passphrase_file_that_cannot_be_used_says_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: str | None, words: str
) -> None:
    file = tmp_path / "words"
    if content == "a folder":
        file.mkdir()
    elif content is not None:
        file.write_text(content)
    monkeypatch.setenv("STILLHERE_BACKUP_PASSPHRASE_FILE", str(file))
    said = passphrase.fault()
    assert words in said
    assert bool(said) == bool(words)
