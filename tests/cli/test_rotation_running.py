"""The data key is changed while people check in: nothing that was acknowledged is lost, nothing
stops."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from stillhere.config import key_lock, keys
from tests.installation import Installation, wait_for

pytestmark = [pytest.mark.slow, pytest.mark.storage]

SOURCE = Path(key_lock.__file__).resolve().parents[2]
ROOT = Path(__file__).resolve().parents[2]
NUMBERS = {"Sam": "+12025550100", "Leo": "+12025550101"}
SEED = f"""
import json
from tests.journeys import inside
print(json.dumps([inside.seed("Sam", [["Leo"]], {NUMBERS!r}, start=True) for _ in range(5)]))
"""
# What the database holds: which data keys are named, names in clear, and when each was last seen.
LOOK = """
import json
from tests.journeys import inside
from stillhere.store.installation import reseal
from stillhere.store.models import Person, WatchRow, sealed_columns
print(json.dumps([
    sorted(reseal.named(sealed_columns.SEALED)),
    [sealed_columns.person_note(person, "name") for person in Person.objects.all()],
    dict(WatchRow.objects.values_list("id", "seen_at")),
]))
"""


def inside(home: Installation, code: str) -> Any:
    """Run ``code`` as a process of this installation."""
    settings = {
        "PYTHONPATH": f"{SOURCE}:{ROOT}",
        "DJANGO_SETTINGS_MODULE": "stillhere.config.settings",
    }
    told = subprocess.run(
        [sys.executable, "-c", code],
        env=home.environment | settings,
        capture_output=True,
        text=True,
        check=False,
    )
    assert told.returncode == 0, told.stderr
    return json.loads(told.stdout)


def only_named(home: Installation, number: int) -> bool:
    """Whether every value names this data key."""
    return bool(inside(home, LOOK)[0] == [number])


def test_a_rotation_under_check_ins_loses_none_and_stops_nothing(
    installation: Callable[..., Installation],
) -> None:
    home = installation(PYTHONPATH=str(SOURCE))
    home.up()
    seeded = inside(home, SEED)
    kept: dict[int, int] = {}
    refused: list[object] = []
    over = threading.Event()

    def press() -> None:
        count = 0
        while not over.is_set():
            watch = seeded[count % len(seeded)]
            count += 1
            status, said = home.ask("POST", f"/k/{watch['watch_key']}")
            if status == 200 and json.loads(said)["ok"]:
                kept[watch["watch"]] = json.loads(said)["now"]
            else:
                refused.append((status, said))

    pids = [home.child("web"), home.child("engine")]
    pressing = threading.Thread(target=press)
    pressing.start()
    try:
        for _ in range(2):
            before = max(keys.read_master(home.data / "keys"))
            told = home.run("keys", "rotate", "--now")
            assert told.returncode == 0, told.stderr
            wait_for(partial(only_named, home, before + 1), "all sealed anew")
    finally:
        over.set()
        pressing.join()
    assert refused == []
    assert len(kept) == len(seeded)
    _named, names, seen = inside(home, LOOK)
    assert names == ["Sam"] * len(seeded)
    assert {int(watch): at for watch, at in seen.items()} == kept
    assert [home.child("web"), home.child("engine")] == pids
    for watch in seeded:
        assert home.get(f"/c/{watch['contacts']['Leo']}")[0] == 200, "links go on"
    assert home.get("/healthz")[0] == 200
    assert set(keys.read_master(home.data / "keys")) == {1, 2, 3}, "not yet a day old"
