"""`stillhere demo`: a newcomer sees the whole story in a minute, and nothing is left behind."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

from tests.installation import Installation, wait_for

pytestmark = pytest.mark.slow


def test_the_story_is_told_to_its_end(installation: Callable[..., Installation]) -> None:
    # A real installation's settings must not leak in: this mail server would be somebody's.
    home = installation(STILLHERE_SMTP_URL="smtp://127.0.0.1:1")
    home.environment["TMPDIR"] = str(home.folder)
    home.start("demo")
    wait_for(
        lambda: re.search("The rest is yours|stuck", home.log.read_text()) is not None,
        "the end",
        90,
    )
    told = home.log.read_text()
    assert "stuck" not in told
    assert "Ana is going" in told
    assert not home.data.exists()  # it has a folder of its own
    assert len(list(home.folder.glob("stillhere-demo-*"))) == 1
    assert home.stop() == 0
    assert list(home.folder.glob("stillhere-demo-*")) == []


def test_sams_page_opens_from_the_printed_address(
    installation: Callable[..., Installation],
) -> None:
    home = installation()
    home.start("demo")
    page = re.compile(r"Sam's page: +http://localhost:\d+(/p/\S+)")
    wait_for(lambda: page.search(home.log.read_text()) is not None, "the address")
    found = page.search(home.log.read_text())
    assert found is not None
    assert home.get(found[1])[0] in (200, 302, 303)
    assert home.get("/")[0] == 200
