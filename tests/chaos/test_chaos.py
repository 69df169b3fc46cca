"""The part of ``make chaos`` that every change must pass: forty kills and ten stops, and processes
that hang, on SQLite and on PostgreSQL with two web and two engine processes."""

from __future__ import annotations

import os

import pytest

from tests.chaos.faults.hung_web import FAULTS as HUNG
from tests.chaos.faults.kill import killing
from tests.chaos.night import night
from tests.chaos.place import POSTGRESQL, SQLITE
from tests.chaos.scene import Fault
from tests.conftest import ON_POSTGRES

SEED = int(os.environ.get("KILL_SEED", "20261123"))
KILLS, STOPS, PEOPLE = 40, 10, 120

pytestmark = [pytest.mark.storage, pytest.mark.slow]


def test_kills_and_stops_lose_no_check_in_and_no_alarm() -> None:
    kind = POSTGRESQL if ON_POSTGRES else SQLITE
    print(f"seed {SEED}, {kind}")
    verdict, scene = night(killing(KILLS, STOPS), kind, people=PEOPLE, seed=SEED)
    print(dict(scene.done), verdict.figures())
    killed = {what for what in scene.done if what.startswith("kill")}
    assert len(killed) == len(scene.place.names) + 1, "every process was killed at least once"
    assert verdict.lost_check_ins == [], "an acknowledged check-in is not in the store"
    assert verdict.lost_silences == [], "a silence that did not reach both contacts"
    assert verdict.set_aside == [], "a watch our own code could not step"
    assert verdict.strange == [], "neither kept nor 'try again'"
    assert verdict.unexplained == 0, "sent again though nothing was wrong"
    assert verdict.acked >= PEOPLE + KILLS // 4, "and some got through between the kills"


@pytest.mark.parametrize("fault", HUNG, ids=lambda fault: fault.name)
def test_what_hangs_is_replaced_and_whoever_presses_is_not_alarmed_for(fault: Fault) -> None:
    kind = POSTGRESQL if ON_POSTGRES else SQLITE
    verdict, scene = night(fault, kind, people=40, seed=SEED)
    print(dict(scene.done), verdict.figures())
    assert scene.undone == []
    assert verdict.lost_check_ins == []
    assert verdict.lost_silences == []
    assert fault.in_vain(scene, verdict.in_vain) == 0, "alarmed for somebody who still pressed"
