"""A page of the database file is torn: the file, and the people whose rows lie on it."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from django.db import DatabaseError, connection

from stillhere.core.events import State
from stillhere.engine.heartbeat import pulse_once
from stillhere.engine.tick import Waker
from stillhere.store.db import encryption
from stillhere.store.db.disk import DISK
from stillhere.store.db.optional_tables import OPTIONAL
from stillhere.store.models import (
    Message,
    SetAside,
    WatchRow,
)
from stillhere.store.watches.apply import CheckIn
from tests.circle import SamsNight, sams_night, tick_all
from tests.conftest import Clock
from tests.torn import Page, leaves, tear

PEOPLE = 120
STEP_S = 5
# Evenings that many tests begin with: the file as it was then, who is in it, and when it was.
_EVENINGS: dict[str, tuple[bytes, list[SamsNight], int]] = {}


@pytest.fixture
def file(tmp_path: Path, database: None) -> Iterator[Path]:
    """The database in a copy of its file, which may be torn."""
    whole = Path(connection.settings_dict["NAME"])
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()
    copy = tmp_path / "stillhere.sqlite3"
    shutil.copy(whole, copy)
    connection.settings_dict["NAME"] = str(copy)
    DISK.damaged = False
    yield copy
    connection.close()
    DISK.damaged = False
    for each in OPTIONAL:
        each.lost = False
    connection.settings_dict["NAME"] = str(whole)


@dataclass
class Torn:
    """A night of many after a page was torn: who lay on it, and who did not. Some of those beside
    it can be read, but not written where their row grows."""

    lost: list[SamsNight]
    others: list[SamsNight]
    clock: Clock
    waker: Waker
    keys: dict[int, str] = field(default_factory=dict)  # of the watches, by id

    @property
    def aside(self) -> list[SamsNight]:
        those = set(SetAside.objects.values_list("watch", flat=True))
        return [n for n in [*self.lost, *self.others] if n.watch in those]

    @property
    def well(self) -> list[SamsNight]:
        aside = {night.watch for night in self.aside}
        return [night for night in self.others if night.watch not in aside]

    def pass_time(self, seconds: int) -> None:
        for _ in range(0, seconds, STEP_S):
            self.clock.advance(STEP_S)
            pulse_once()
            for _ in range(3):
                self.waker.wake(self.clock.now)


def torn_at(
    file: Path, table: str, nights: list[SamsNight], clock: Clock, *, last: bool = False
) -> tuple[Torn, Page]:
    connection.close()
    pages = leaves(file, table)
    page = pages[-1 if last else len(pages) // 2]
    tear(file, page)
    lost = [n for n in nights if table == "watch" and n.watch in page.ids]
    return Torn(lost, [n for n in nights if n not in lost], clock, Waker()), page


def _evening(
    file: Path, clock: Clock, name: str, live: Callable[[], list[SamsNight]]
) -> list[SamsNight]:
    """What ``live`` made of an empty ``file``: lived through once, and copied from then on."""
    connection.close()
    if name in _EVENINGS:
        whole, nights, passed = _EVENINGS[name]
        file.write_bytes(whole)
        clock.advance(passed / 1000)
        return deepcopy(nights)
    began = clock.now
    nights = live()
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()
    _EVENINGS[name] = file.read_bytes(), nights, clock.now - began
    return deepcopy(nights)


@pytest.fixture
def torn(file: Path, clock: Clock) -> Torn:
    """Everybody is watched, and then a page of the watches is torn."""

    def live() -> list[SamsNight]:
        nights = [sams_night(("Leo",)) for _ in range(PEOPLE)]
        for night in nights:
            night.start(own='{"total_s": 10800}')
        clock.advance(181)  # asked once, and answered: rows have changed, and pages have room
        pulse_once()
        tick_all()
        for night in nights:
            night.does(CheckIn())
        return nights

    nights = _evening(file, clock, "answered", live)
    keys = {row.id: encryption.key_for("watch", row.nonce) for row in WatchRow.objects.all()}
    found, _ = torn_at(file, "watch", nights, clock)
    found.keys = keys
    assert len(found.lost) >= 5
    with pytest.raises(DatabaseError):
        list(WatchRow.objects.all())
    return found


def words_to(night: SamsNight, *words: str) -> set[str]:
    mine = Message.objects.filter(person=night.person, word__in=words)
    return set(mine.values_list("word", flat=True))


def asked_nights(file: Path, clock: Clock, people: int = PEOPLE) -> list[SamsNight]:
    """Everybody is asked, and nobody has answered. What was in ``file`` before is gone."""

    def live() -> list[SamsNight]:
        nights = [sams_night(("Leo", "Maya")) for _ in range(people)]
        for night in nights:
            night.start(own='{"total_s": 10800}')
        clock.advance(190)
        pulse_once()
        tick_all()
        return nights

    nights = _evening(file, clock, f"{people} asked", live)
    assert set(WatchRow.objects.values_list("state", flat=True)) == {State.ASKING}
    return nights
