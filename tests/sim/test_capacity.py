"""What this machine can do is measured on made-up people, and never among real ones."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from stillhere.cli.actions import bench
from stillhere.sim import capacity, crowd
from stillhere.sim.capacity import Capacity
from stillhere.store.models import Message, WatchRow
from tests.circle import sams_night, tick_all
from tests.conftest import Clock


@pytest.mark.usefixtures("database")
def test_it_refuses_a_store_in_which_somebody_is(clock: Clock) -> None:
    sams_night(("Leo",))
    with pytest.raises(crowd.NotEmptyError):
        capacity.measure(1.0, print)


@pytest.mark.usefixtures("database")
def test_a_crowd_is_asked_and_alarmed_like_everybody_else(clock: Clock) -> None:
    """The made-up people must cost what real ones cost."""
    silent = crowd.silent_people(3, clock.now, lambda n: clock.now + 1000 * n, contacts=2)
    clock.advance(3)
    tick_all()
    assert set(WatchRow.objects.values_list("state", flat=True)) == {"asking"}
    crowd.asked(silent, clock.now + 1)
    clock.advance(1)
    tick_all()
    assert WatchRow.objects.filter(state="alarm").count() == 3
    told = Message.objects.filter(word="alarm")
    assert sorted(told.values_list("channel", "place")) == sorted(
        3 * [("text", 0), ("call", 0), ("text", 1), ("call", 1)]
    )


@pytest.mark.usefixtures("database")
def test_open_watches_fall_due_when_they_are_told_to(clock: Clock) -> None:
    kept = crowd.open_watches(
        50, crowd.asked_at(clock.now, lambda n: clock.now + 60_000 + n), keep=10
    )
    assert len(kept) == 10
    clock.advance(59)
    tick_all()
    assert set(WatchRow.objects.values_list("state", flat=True)) == {"open"}
    clock.advance(2)
    tick_all()
    assert set(WatchRow.objects.values_list("state", flat=True)) == {"asking"}


@pytest.mark.parametrize(
    ("grouped", "alarms", "people", "limit"),
    [(10_000, 1_000, 90_000, "check-ins"), (10_000, 10, 2_000, "alarms"), (0.5, 1, 4, "check-ins")],
)
def test_a_promise_is_rounded_down_and_names_its_limit(
    grouped: float, alarms: float, people: int, limit: str
) -> None:
    found = Capacity(100, grouped, alarms)
    assert capacity.promise(found) == (people, limit)
    says = list(bench.told(found, people, limit))
    assert f"This machine can look after about {people:,} people at once." in says
    assert f"people={people}" in says


@pytest.mark.slow
def test_the_command_says_it_in_words_and_leaves_nothing(tmp_path: Path) -> None:
    data = tmp_path / "data"
    done = subprocess.run(
        [sys.executable, "-m", "stillhere", "bench", "--seconds", "0.2"],
        env={"PATH": "/usr/bin:/bin", "STILLHERE_DATA": str(data)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "people at once." in done.stdout
    assert list(data.iterdir()) == []
