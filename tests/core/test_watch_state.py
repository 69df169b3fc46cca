"""The copy of a watch with some fields changed is the one that the standard library makes."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from stillhere.core import watch
from stillhere.core.events import NeedHelp
from stillhere.core.schedule import ScheduleError
from stillhere.core.watch_state import replace
from tests.core.world import EVENING, EVERY_NIGHT_AT_TEN, INJECTED, PLAN

OPEN = watch.start(1, INJECTED, EVENING)
ALARMED = watch.step(OPEN, NeedHelp(PLAN), EVENING).watch


@pytest.mark.parametrize("field", [field.name for field in dataclasses.fields(OPEN)])
def test_any_field_of_a_watch_can_be_changed_and_the_others_stay(field: str) -> None:
    other = getattr(ALARMED if field in ("alarm", "alarms", "state") else OPEN, field)
    value = object() if other is None else other
    changes: dict[str, Any] = {field: value}
    assert replace(OPEN, **changes) == dataclasses.replace(OPEN, **changes)
    assert replace(ALARMED, **changes) == dataclasses.replace(ALARMED, **changes)


def test_all_fields_of_an_alarm_too_and_what_was_copied_stays_as_it_was() -> None:
    assert ALARMED.alarm is not None
    before = repr(ALARMED.alarm)
    changed = replace(ALARMED.alarm, told=(7,), next_rung_at=5)
    assert changed == dataclasses.replace(ALARMED.alarm, told=(7,), next_rung_at=5)
    assert repr(ALARMED.alarm) == before


def test_a_field_that_does_not_exist_is_refused() -> None:
    with pytest.raises(TypeError, match="Watch has no field seen"):
        replace(OPEN, seen=1)  # type: ignore[call-arg]


def test_a_copy_can_be_changed_as_little_as_any_other() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        replace(OPEN, asks=1).asks = 2  # type: ignore[misc]


def test_a_value_that_checks_itself_still_does() -> None:
    with pytest.raises(ScheduleError):
        replace(EVERY_NIGHT_AT_TEN, at=-1)
