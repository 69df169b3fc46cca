"""Two whole installations, each with its own mail server, watch each other; one of them dies."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.journeys.town import Town, eventually, town

pytestmark = pytest.mark.slow

RUTH = "ruth@example.org"


def watches(one: Town, other: Town, name: str) -> None:
    """``one`` looks after ``other``, which is called ``name`` there."""
    told = one.installation.run("peer", "add", name)
    assert told.returncode == 0, told.stderr
    address = told.stdout.strip()
    assert address.startswith(f"{one.url}/beat/")
    other.installation.environment["STILLHERE_HEARTBEAT_URL"] = address


@pytest.fixture
def two(tmp_path: Path) -> Iterator[tuple[Town, Town]]:
    with ExitStack() as open_ones:
        towns = []
        for name in ("river", "hill"):
            (tmp_path / name).mkdir()
            towns.append(open_ones.enter_context(town(tmp_path / name)))
        river, hill = towns
        watches(river, hill, "Hill County")
        watches(hill, river, "River County")
        river.open()
        hill.open()
        yield river, hill


def heard(place: Town) -> bool:
    """Whether the other one was heard and is not silent."""
    ((at, silent),) = place.inside("heard").values()
    return bool(at) and not silent


def test_two_installations_look_after_each_other(two: tuple[Town, Town]) -> None:
    river, hill = two
    # River called before Hill was there, and calls again only after a minute: begin it anew.
    river.kill("engine")
    eventually(lambda: heard(river) and heard(hill), "both are heard")

    hill.installation.stop(signal.SIGKILL)
    river.inside("silence", seconds=120)
    river.settled()
    assert river.mail.of(RUTH) == []
    river.inside("silence", seconds=60)
    eventually(lambda: "Hill County has not been heard since" in river.mail.texts(RUTH), "a page")
    assert not heard(river)
    river.inside("silence", seconds=1800)
    eventually(lambda: len(river.mail.of(RUTH)) == 2, "a second page, half an hour later")

    hill.installation.up()
    eventually(lambda: "Hill County is back since" in river.mail.texts(RUTH), "it is back")
    assert [mail["subject"] for mail in river.mail.of(RUTH)] == [
        *["Stillhere: look now"] * 2,
        "Stillhere: heard again",
    ]
    assert hill.mail.of(RUTH) == [], "Hill was away itself, so it misses nobody"
    logs = river.installation.log.read_text() + hill.installation.log.read_text()
    assert "/beat/" not in logs
    for place, other in ((river, hill), (hill, river)):
        key = other.installation.environment["STILLHERE_HEARTBEAT_URL"].rpartition("/")[2]
        assert key not in logs, place.url
