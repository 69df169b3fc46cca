"""Nights on which the machine itself is the trouble: a full disk, a database somebody else
holds, a provider that speaks garbage. Nothing that was acknowledged is lost, and what could not
be kept is said."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from tests.journeys.town import NUMBERS, Town, eventually, town

pytestmark = [pytest.mark.slow, pytest.mark.sqlite]

FORM = {"Content-Type": "application/x-www-form-urlencoded"}
JSON = {"Content-Type": "application/json", "Accept": "application/json"}


@contextmanager
def small_disk(folder: Path, megabytes: int) -> Iterator[Path]:
    """A disk that is soon full."""
    disk = folder / "disk"
    disk.mkdir()
    subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", str(disk)], check=True
    )
    try:
        yield disk
    finally:
        subprocess.run(["umount", "-l", str(disk)], check=True)


def fill(ballast: Path) -> None:
    """Take what is left, also what was given back meanwhile."""
    with ballast.open("ab", buffering=0) as file, suppress(OSError):
        while True:
            file.write(b"\0" * 4096)


def press(place: Town, key: str) -> int:
    return place.installation.ask("POST", f"/k/{key}", "{}", JSON)[0]


def said_of_health(place: Town) -> list[str]:
    reasons: list[str] = json.loads(place.installation.get("/healthz")[1])["reasons"]
    return reasons


def seen_at(place: Town) -> int:
    return int(place.inside("watches")[0]["seen_at"])


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can make a small disk")
def test_a_full_disk_is_said_and_loses_nothing(tmp_path: Path) -> None:
    with small_disk(tmp_path, 12) as disk, town(disk) as place:
        place.open()
        seeded = place.inside("seed", name="Sam", rungs=[["Leo"]], numbers=NUMBERS, start=True)
        assert press(place, seeded["watch_key"]) == 200
        kept = seen_at(place)
        ballast = disk / "ballast"
        fill(ballast)
        codes = [press(place, seeded["watch_key"]) for _ in range(30)]
        assert 503 in codes, codes
        assert set(codes) <= {200, 503}
        eventually(lambda: said_of_health(place) == ["the disk is full"], "it is said", 2)
        page = place.installation.ask("POST", f"/k/{seeded['watch_key']}/mark", "", FORM)[1]
        assert "no room left" in page, page
        for _ in range(10):  # the engine's beat grows old meanwhile, and that is not why
            fill(ballast)
            if press(place, seeded["watch_key"]) == 503:
                assert said_of_health(place) == ["the disk is full"]
            assert said_of_health(place) in ([], ["the disk is full"])
            time.sleep(1)
        lines = place.installation.log.read_text().splitlines()
        full = [line for line in lines if line.endswith("stillhere.disk the disk is full")]
        assert 1 <= len(full) <= 2, "once a minute, from web and engine"
        assert len(lines) < 60
        ballast.unlink()
        eventually(lambda: press(place, seeded["watch_key"]) == 200, "kept again")
        assert seen_at(place) > kept
        place.installation.wait_healthy()


def test_a_database_that_somebody_holds_is_waited_for_and_then_said(tmp_path: Path) -> None:
    with town(tmp_path) as place:
        place.open()
        seeded = place.inside("seed", name="Sam", rungs=[["Leo"]], numbers=NUMBERS, start=True)
        holder = sqlite3.connect(
            place.installation.data / "stillhere.sqlite3", isolation_level=None
        )
        holder.execute("BEGIN EXCLUSIVE")
        assert press(place, seeded["watch_key"]) == 503
        holder.execute("ROLLBACK")
        holder.close()
        assert press(place, seeded["watch_key"]) == 200
        place.live_through(130, step_s=10)
        eventually(lambda: place.phones.sent_to("Leo") != [], "the engine came back, too")


def test_a_provider_that_fails_and_speaks_garbage_is_asked_again(tmp_path: Path) -> None:
    with town(tmp_path) as place:
        place.open()
        place.inside("seed", name="Sam", rungs=[["Leo", "Ana"]], numbers=NUMBERS, start=True)
        place.live_through(58, step_s=10)
        place.phones.ask("/faults", {"unavailable": 4, "garbage": 3, "twice": 1})
        place.live_through(70, step_s=10)
        for who in ("Leo", "Ana"):
            eventually(lambda who=who: place.phones.sent_to(who) != [], f"{who} is reached")  # type: ignore[misc]
        place.live_through(20, step_s=5)
        keys = [line["key"] for line in place.phones.log()]
        assert len(keys) == len(set(keys)), "sent again, but taken once"
        messages = place.inside("messages")
        assert not [m for m in messages if m["status"] == "failed"], "no address was broken"
