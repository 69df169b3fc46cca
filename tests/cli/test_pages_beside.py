"""The pages have a process of their own: whatever becomes of it, check-ins go on."""

from __future__ import annotations

import json
import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.installation import Installation, alive, wait_for
from tests.journeys.town import NUMBERS, Inside, Json

pytestmark = [pytest.mark.slow, pytest.mark.storage]


@contextmanager
def seeded(home: Installation) -> Iterator[Json]:
    """Sam's open watch, with Leo on the list."""
    inside = Inside(home.environment)
    try:
        yield inside("seed", name="Sam", rungs=[["Leo"]], numbers=NUMBERS, start=True)
    finally:
        inside.close()


def checks_in(home: Installation, sam: Json) -> bool:
    status, said = home.ask("POST", f"/k/{sam['watch_key']}")
    return status == 200 and bool(json.loads(said)["ok"])


def up(home: Installation) -> None:
    """Start, and wait until the pages are made beside the web server."""
    home.up()
    wait_for((home.data / "pages.sock").exists, "the pages")


def test_check_ins_go_on_while_the_pages_hang_or_are_gone(home: Installation) -> None:
    up(home)
    with seeded(home) as sam:
        assert home.get(f"/c/{sam['contacts']['Leo']}")[0] == 200
        pages = home.child("pages")
        os.kill(pages, signal.SIGSTOP)
        asked: list[int] = []
        waiting = threading.Thread(
            target=lambda: asked.append(home.get(f"/c/{sam['contacts']['Leo']}")[0])
        )
        waiting.start()
        assert all(checks_in(home, sam) for _ in range(20))
        assert not asked, "the page is what hangs"
        os.kill(pages, signal.SIGKILL)
        assert checks_in(home, sam)
        waiting.join()
        assert asked == [200], "whoever waited got the page from the web server"
        wait_for(lambda: home.child("pages") != pages, "the next one")


def test_the_pages_end_after_the_web_server_and_leave_no_socket(home: Installation) -> None:
    up(home)
    children = [home.child(name) for name in ("web", "pages", "engine")]
    assert home.stop() == 0
    assert not any(alive(pid) for pid in children)
    assert not list(home.data.glob("*.sock"))


def test_a_web_server_of_its_own_makes_its_pages_itself(home: Installation) -> None:
    """As on a machine where nothing else is started, or in a container."""
    home.prepare()
    home.start("web")
    wait_for(lambda: home.get("/")[0] == 200, "a page")
    assert "child started" not in home.log.read_text()
    home.stop()


def test_the_pages_listen_at_no_address(home: Installation) -> None:
    up(home)
    process = Path(f"/proc/{home.child('pages')}")
    theirs = {str(descriptor.readlink()) for descriptor in (process / "fd").iterdir()}
    lines = [line.split() for line in (process / "net/tcp").read_text().splitlines()]
    listening = {f"socket:[{line[9]}]" for line in lines if line[3] == "0A"}
    assert listening, "the web server does"
    assert not theirs & listening
