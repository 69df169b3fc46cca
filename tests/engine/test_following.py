"""Watches follow a time that was set back, while people go on checking in: what comes in between
reading a watch and writing it is neither lost nor overwritten."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection

from stillhere.core import events as ev
from stillhere.engine import loop, timekeeping
from stillhere.engine.heartbeat import pulse_once
from stillhere.engine.silence import Silence
from stillhere.engine.timekeeping import Timekeeper
from stillhere.store.db import clock as installation_clock
from stillhere.store.installation import time_change
from stillhere.store.models import Installation, WatchRow
from stillhere.store.watches import apply
from stillhere.store.watches.apply import CheckIn
from tests.circle import SamsNight, sams_night
from tests.conftest import Clock

pytestmark = [pytest.mark.usefixtures("database"), pytest.mark.sqlite]

HOUR_MS = 3_600_000


@pytest.fixture
def night(clock: Clock) -> SamsNight:
    """A marked watch, and time that was set back by an hour since."""
    pulse_once()
    night = sams_night(("Leo",), ("Maya",))
    night.start()
    night.does(ev.Marked())
    clock.advance(10)
    clock.now -= HOUR_MS
    pulse_once()
    clock.proved = clock.now
    Timekeeper(()).round(installation_clock.read())
    return night


def once_read(monkeypatch: pytest.MonkeyPatch, meanwhile: Callable[[], object]) -> None:
    """Something happens when the next batch was read, before it is written."""
    load = apply._load

    def meddled(*named: object) -> object:
        benches = load(*named)  # type: ignore[arg-type]
        monkeypatch.setattr(apply, "_load", load)
        meanwhile()
        return benches

    monkeypatch.setattr(apply, "_load", meddled)


def test_a_check_in_between_reading_and_writing_stands(
    night: SamsNight, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    once_read(monkeypatch, lambda: night.does(CheckIn()))
    [answer] = apply.follow([night.watch])
    assert isinstance(answer, apply.ChangeResult)
    assert night.row().clock_back_ms == HOUR_MS
    assert night.row().seen_at == clock.now


def test_time_that_is_set_back_once_more_meanwhile_is_followed(
    night: SamsNight, monkeypatch: pytest.MonkeyPatch
) -> None:
    def again() -> None:
        Installation.objects.update(clock_back_ms=2 * HOUR_MS)

    wake_at = night.row().wake_at or 0
    once_read(monkeypatch, again)
    apply.follow([night.watch])
    assert night.row().clock_back_ms == 2 * HOUR_MS
    assert night.row().wake_at == wake_at - 2 * HOUR_MS


def test_who_follows_already_is_left_as_they_are(night: SamsNight) -> None:
    apply.follow([night.watch])
    before = night.row().version
    apply.follow([night.watch, night.watch + 404])
    assert night.row().version == before


def test_who_is_next_is_found_by_the_index_on_the_timers(night: SamsNight) -> None:
    """Without it a million watches are read and sorted again for every batch."""
    asked: list[tuple[str, Any]] = []

    def note(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        asked.append((sql, params))
        return execute(sql, params, many, context)

    with connection.execute_wrapper(note):
        assert [id for _, id in time_change.behind((0, 0), HOUR_MS, 10)] == [night.watch]
    [(sql, params)] = asked
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN QUERY PLAN {sql}", params)
        assert [line[-1] for line in cursor] == ["SEARCH watch USING INDEX watch_due (wake_at>?)"]


def test_who_is_due_by_the_right_time_is_asked_before_others_follow(
    night: SamsNight, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(timekeeping, "MOST", 1)
    monkeypatch.setattr(loop, "MOST", 1)
    due = sams_night(("Ana",))
    due.start()
    WatchRow.objects.filter(id=due.watch).update(clock_back_ms=0)
    once = loop._ticking(Silence(None))
    once()
    assert due.row().state == "asking"
    once()
    assert night.row().clock_back_ms == 0
    once()
    assert night.row().clock_back_ms == HOUR_MS
