"""Whoever writes all the time lets the others in between."""

from __future__ import annotations

import fcntl
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.db import connection, transaction

from stillhere.store.db.sqlite import write_queue
from stillhere.store.db.sqlite.write_queue import Turnstile
from tests.installation import wait_for


@pytest.fixture
def path(tmp_path: Path) -> str:
    return str(tmp_path / "db")


@pytest.fixture
def leo(path: str) -> Iterator[Turnstile]:
    mine = Turnstile(path)
    yield mine
    mine.close()


def held(path: str, gate: str) -> bool:
    """Whether somebody holds a gate just now."""
    with Path(f"{path}-{gate}").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


def test_the_one_who_has_just_written_waits_for_the_one_who_waits(
    path: str, leo: Turnstile
) -> None:
    order: list[str] = []

    def maya_writes() -> None:
        maya = Turnstile(path)
        maya.enter()
        order.append("Maya")
        maya.close()

    leo.enter()
    other = threading.Thread(target=maya_writes)
    other.start()
    wait_for(lambda: held(path, "next"), "Maya is next")
    order.append("Leo")
    leo.leave()
    leo.enter()  # at once, as a process does that always has something to write
    order.append("Leo")
    other.join(10)
    assert order == ["Leo", "Maya", "Leo"]


def test_somebody_who_never_leaves_is_passed_after_a_while(
    path: str, leo: Turnstile, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(write_queue, "MOST_LOOKS", 3)
    leo.enter()
    maya = Turnstile(path)
    maya.enter()
    assert held(path, "turn")
    maya.leave()
    assert held(path, "turn"), "it was never Maya's, so it is still Leo's"
    maya.close()
    leo.leave()
    assert not held(path, "turn")


def test_whoever_dies_gives_the_turn_back(path: str) -> None:
    gone = Turnstile(path)
    gone.enter()
    assert gone._gates is not None
    gone.close()  # as the kernel does
    assert not held(path, "turn")
    assert not held(path, "next")


@pytest.mark.sqlite
@pytest.mark.usefixtures("database")
def test_every_transaction_takes_a_turn_and_gives_it_back() -> None:
    path = str(connection.settings_dict["NAME"])
    with transaction.atomic():
        assert held(path, "turn")
    assert not held(path, "turn")
    with pytest.raises(RuntimeError), transaction.atomic():
        raise RuntimeError
    assert not held(path, "turn")
