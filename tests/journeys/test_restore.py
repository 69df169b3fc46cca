"""The machine burns down in the middle of a night and another one takes over from the backup: real
processes, real phones, on both databases."""

from __future__ import annotations

import threading
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from tests.journeys.town import NUMBERS, Town, eventually, town

pytestmark = [pytest.mark.storage, pytest.mark.slow]

JSON = {"Content-Type": "application/json", "Accept": "application/json"}
WORDS = {"STILLHERE_BACKUP_PASSPHRASE": "five small words for Ruth"}
KIM, LEE = {"Kim": "+12025550106"}, {"Lee": "+12025550107"}


def tap(place: Town, seeded: dict[str, Any]) -> int:
    return place.installation.ask("POST", f"/k/{seeded['watch_key']}", "{}", JSON)[0]


def texts(place: Town, who: str) -> str:
    return "\n".join(line["text"] for line in place.phones.sent_to(who))


def reads(place: Town, who: str, words: str) -> None:
    eventually(lambda: words in texts(place, who), f"{who} reads {words!r}")


def person(place: Town, name: str, contact: str, numbers: dict[str, str]) -> dict[str, Any]:
    facts = {"rungs": [[contact]], "numbers": NUMBERS | numbers, "start": True}
    seeded: dict[str, Any] = place.inside("seed", name=name, **facts)
    return seeded


def watch(place: Town, seeded: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = next(
        row for row in place.inside("watches") if row["id"] == seeded["watch"]
    )
    return found


def under_check_ins(place: Town, seeded: dict[str, Any], file: Path) -> Counter[int]:
    """Back up while somebody checks in without a pause; what the check-ins were answered with."""
    codes: Counter[int] = Counter()
    over = threading.Event()

    def press_on() -> None:
        while not over.is_set():
            codes[tap(place, seeded)] += 1

    pressing = threading.Thread(target=press_on)
    pressing.start()
    try:
        told = place.installation.run("backup", str(file), **WORDS)
    finally:
        over.set()
        pressing.join()
    assert told.returncode == 0, told.stderr
    return codes


def test_another_machine_takes_over_from_the_backup_and_asks_first(
    tmp_path: Path, database_url: str, another_database_url: str
) -> None:
    file = tmp_path / "ruth.backup"
    old, new = tmp_path / "old", tmp_path / "new"
    old.mkdir()
    new.mkdir()
    with town(old, {"STILLHERE_DATABASE_URL": database_url}) as place:
        place.open()
        lee = person(place, "Lee", "Ana", LEE)
        place.live_through(130, step_s=10)
        reads(place, "Ana", "Lee may need help NOW")
        kim = person(place, "Kim", "Maya", KIM)
        sam = person(place, "Sam", "Leo", {})
        place.live_through(61, step_s=10)
        asked = watch(place, sam)
        assert asked["state"] == "asking"
        assert tap(place, kim) == 200
        codes = under_check_ins(place, kim, file)
        assert set(codes) == {200}, "a backup makes nobody wait in vain"
        assert codes.total() > 3
        assert place.inside("backed_up_at") > 0
        assert tap(place, sam) == 200, "Sam's answer comes after the backup, and is lost with it"
        acknowledged_at = watch(place, kim)["seen_at"]
        place.lose()

        before = {name: len(place.phones.sent_to(name)) for name in NUMBERS}
        place.move(new, another_database_url)
        told = place.installation.run("restore", str(file), **WORDS)
        assert told.returncode == 0, told.stderr
        assert "1 alarms were open then" in told.stdout
        place.inside("away", seconds=5 * 60)
        place.installation.up()

        reads(place, "Ana", "We were away since")
        place.settled()
        assert (watch(place, sam)["state"], watch(place, kim)["state"]) == ("asking", "asking")
        assert watch(place, sam)["grace_at"] >= asked["grace_at"] + 5 * 60_000, "a full grace"
        assert 0 < watch(place, kim)["seen_at"] <= acknowledged_at
        assert watch(place, lee)["state"] == "alarm"
        assert len(place.phones.sent_to("Sam")) > before["Sam"], "Sam is rung"
        assert place.phones.sent_to("Leo") == place.phones.sent_to("Maya") == []

        assert tap(place, kim) == 200, "the links still open"
        status, page = place.installation.get(f"/c/{sam['contacts']['Leo']}")
        assert (status, "Sam" in page) == (200, True), "and names, with the keys from the backup"
        assert watch(place, kim)["state"] == "open"
        assert place.phones.sent_to("Maya") == []
        place.live_through(70, step_s=10)
        reads(place, "Leo", "Sam may need help NOW")
