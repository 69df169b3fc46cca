"""``/healthz``: green only while everything holds, and it writes nothing to find out."""

from __future__ import annotations

import pytest
from django.db import OperationalError
from django.test import Client

from stillhere.store.models import Installation
from stillhere.store.watches import queries
from stillhere.store.watches.apply import Change, ChangeResult, apply_batch
from stillhere.store.watches.group_commit import WRITER, GroupCommit
from tests.conftest import Clock
from tests.web.conftest import browser
from tests.web.pages import everything


def health() -> tuple[int, list[str]]:
    response = browser().get("/healthz")
    said = response.json()
    assert said["ok"] is (response.status_code == 200)
    assert response["Content-Type"] == "application/json"
    return response.status_code, said["reasons"]


@pytest.fixture(autouse=True)
def written(clock: Clock) -> None:
    WRITER.wrote_ms = clock.boot


def test_all_is_well() -> None:
    before = everything()
    assert health() == (200, [])
    assert Client().head("/healthz").status_code == 200
    assert everything() == before


@pytest.mark.parametrize(("seconds", "well"), [(9, True), (10, False)])
def test_the_engine_must_have_beaten_within_ten_seconds(
    clock: Clock, seconds: int, well: bool
) -> None:
    clock.advance(seconds)
    WRITER.wrote_ms = clock.boot
    Installation.objects.update(proof_at=clock.now)
    assert health() == ((200, []) if well else (503, ["the engine is not running"]))


@pytest.mark.parametrize(("seconds", "well"), [(29, True), (30, False)])
def test_the_proof_must_be_younger_than_half_a_minute(
    clock: Clock, seconds: int, well: bool
) -> None:
    clock.advance(seconds)
    WRITER.wrote_ms = clock.boot
    Installation.objects.update(beat_at=clock.now)
    assert (health()[0] == 200) is well


def test_a_proof_that_failed_says_why() -> None:
    Installation.objects.update(proof_says="2 open alarms have nothing on its way: [4, 7]")
    assert health() == (503, ["2 open alarms have nothing on its way: [4, 7]"])


@pytest.mark.parametrize(("ms", "well"), [(4_999, True), (5_000, False)])
def test_this_process_must_have_written_within_five_seconds(
    clock: Clock, ms: int, well: bool
) -> None:
    WRITER.wrote_ms = clock.boot - ms
    assert (health()[0] == 200) is well


def test_a_process_that_never_wrote_is_not_well() -> None:
    WRITER.wrote_ms = None
    assert health() == (503, ["nothing could be written lately"])


def test_an_installation_without_an_engine_is_not_well() -> None:
    Installation.objects.all().delete()
    assert health()[0] == 503
    assert not Installation.objects.exists()


def test_without_a_database_it_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    def gone() -> Installation:
        raise OperationalError("unable to open database file")

    monkeypatch.setattr(queries, "installation", gone)
    assert health() == (503, ["the database cannot be read"])


def test_a_clock_that_runs_ten_times_as_fast_is_judged_in_real_seconds(clock: Clock) -> None:
    Installation.objects.update(clock_rate=10.0, clock_anchor_at=clock.now)
    clock.advance(9)
    WRITER.wrote_ms = clock.boot
    assert health()[0] == 200


def test_an_idle_writer_proves_that_it_could_write(clock: Clock) -> None:
    writer: GroupCommit[Change, ChangeResult] = GroupCommit(apply_batch)
    try:
        writer.start()
        writer.start()
        writer._probe()
        assert writer.wrote_ms == clock.boot
    finally:
        writer.stop()


def test_asking_by_another_method_is_no_answer() -> None:
    assert browser().post("/healthz").status_code in (403, 405)
