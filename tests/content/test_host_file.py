"""A file of the host's that cannot be used says why, in words."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from pytest_django.fixtures import Settings

from stillhere.content import helplines, steps


@pytest.mark.parametrize("module", [steps, helplines])
@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("Caf\xe9".encode("latin-1"), "not text in UTF-8. Save it again"),
        (b"#" * 300_000, "too large"),
        (None, "it is a folder"),
    ],
)
def test_a_file_of_the_host_that_is_not_used_says_why_in_words(
    tmp_path: Path, settings: Settings, module: object, content: bytes | None, words: str
) -> None:
    settings.STILLHERE = replace(settings.STILLHERE, data=tmp_path)
    assert steps.own_fault() == helplines.own_fault() == ""
    file = tmp_path / (steps.FILE if module is steps else helplines.FILE)
    if content is None:
        file.mkdir()
    else:
        file.write_bytes(content)
    said = (steps if module is steps else helplines).own_fault()
    assert words in said
    assert "codec" not in said
    assert steps.known()
    assert helplines.known()
