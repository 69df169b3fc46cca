"""An installation's keys in a folder of a test's own, and the wall clock that they go by."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import pytest
from django.conf import settings as ours
from pytest_django.fixtures import Settings

from stillhere.config import keys
from tests.conftest import Clock


@dataclass
class Home:
    """An installation's key folder, and the wall clock its keys go by."""

    folder: Path
    settings: Settings
    clock: Clock
    url: str = ""
    wall: int = 1_790_000_000_000

    def wall_ms(self) -> int:
        return self.wall

    def start(self) -> None:
        """Read the keys, as every process does when it starts."""
        self.settings.STILLHERE = keys.load(
            replace(ours.STILLHERE, keys_elsewhere=self.folder), self.wall_ms
        )
        self.settings.WALL_MS = self.wall_ms
        self.settings.RETIRE_KEYS = partial(keys.retire, self.folder)

    def pass_by(self, ms: int) -> None:
        self.wall += ms
        self.clock.advance(ms // 1000)

    def numbers(self) -> set[int]:
        return set(keys.read_data_keys(self.folder))


@pytest.fixture
def home(tmp_path: Path, settings: Settings, clock: Clock) -> Home:
    folder = tmp_path / "keys"
    folder.mkdir()
    keys.create_missing(folder)
    made = Home(folder, settings, clock, settings.STILLHERE.database_url)
    made.start()
    return made


class PowerCut(BaseException):
    """Nothing after it is done."""


@contextlib.contextmanager
def power_cut(monkeypatch: pytest.MonkeyPatch, after: int) -> Iterator[None]:
    """The power goes after so many times that a file was opened for writing or made to last."""
    steps = 0
    with monkeypatch.context() as cut:
        for name in ("open", "fsync"):
            whole = getattr(os, name)

            def step(*given: object, _whole: object = whole, **named: object) -> object:
                nonlocal steps
                steps += 1
                if steps > after:
                    raise PowerCut
                return _whole(*given, **named)  # type: ignore[operator]

            cut.setattr(os, name, step)
        with contextlib.suppress(PowerCut):
            yield
