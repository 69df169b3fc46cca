"""`stillhere check` and `stillhere clock` say what time it is here, and who knows it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest
from click.testing import CliRunner
from django.conf import settings
from pytest_django.fixtures import Settings

from stillhere.cli.check import time_kept
from stillhere.cli.commands import clock as clock_command
from stillhere.config import wiring
from stillhere.engine import timekeeping
from stillhere.engine.heartbeat import pulse_once
from stillhere.engine.timekeeping import Reckoning, settle
from stillhere.store.db import clock as installation_clock
from tests.conftest import EVENING_MS, Clock

TIME_URLS = ("https://a.example.org", "https://b.example.org", "https://c.example.org")


@pytest.mark.parametrize(
    ("right", "urls", "weak", "words"),
    [
        (0, (), True, "set-ntp"),
        (0, TIME_URLS, False, "No time service keeps"),
        (1_769_896_800_000, (), False, "A time service keeps"),
        (None, (), False, "STILLHERE_TIME_URLS"),
    ],
)
def test_a_clock_that_nobody_keeps_right_is_said(
    right: int | None, urls: tuple[str, ...], weak: bool, words: str
) -> None:
    good, sentence = time_kept.kept(right, urls)
    assert good is not weak
    assert words in sentence


@pytest.mark.parametrize(
    ("told_s", "weak", "words"),
    [
        ((0, 1, 0), False, "agree with this machine's clock."),
        ((0, 1, None), True, "No date came from c.example.org."),
        (
            (3600, 3601, 0),
            True,
            "agree that it is 2026-01-31 23:00 UTC: this machine's clock is 60",
        ),
        ((0, 3600, 7200), True, "do not agree"),
        ((0, None, None), True, "it takes two. No date came from b.example.org, c.example.org."),
        ((None, None, None), True, "No date came from a.example.org, b.example.org, c.example.org"),
    ],
)
def test_what_the_named_hosts_said_is_said(
    told_s: tuple[int | None, ...], weak: bool, words: str
) -> None:
    told = [None if s is None else EVENING_MS + s * 1000 for s in told_s]
    good, sentence = time_kept.asked(TIME_URLS, told, EVENING_MS)
    assert good is not weak
    assert words in sentence


def test_named_hosts_are_asked_before_anything_is_said_of_them(
    database: object, clock: Clock
) -> None:
    nobody = replace(settings.STILLHERE, time_urls=("https://localhost:1", "https://127.0.0.1:1"))
    found = [sentence for good, sentence in time_kept.look(nobody, lambda: None) if not good]
    assert "No date came from localhost, 127.0.0.1." in found[0]


def test_the_clock_says_first_what_time_it_is_even_before_the_first_start(
    database: object, clock: Clock
) -> None:
    told = CliRunner().invoke(clock_command.command, ["--right"])
    assert told.output.splitlines()[:2] == ["It was right.", "It is 2026-01-31 22:00 UTC here."]
    pulse_once()
    clock.now -= 3_600_000
    pulse_once()
    told = CliRunner().invoke(clock_command.command)
    assert told.output.splitlines()[0] == (
        "It is 2026-01-31 22:00 UTC for Stillhere, and the clock of this machine says "
        "2026-01-31 21:00 UTC."
    )


@pytest.mark.parametrize(("apart_s", "well"), [(0, True), (3600, False)])
def test_hosts_that_cannot_agree_keep_no_clock_right_and_that_is_not_well(
    database: object, clock: Clock, settings: Settings, monkeypatch: pytest.MonkeyPatch,
    apart_s: int, well: bool,
) -> None:  # fmt: skip
    async def dates(_urls: Sequence[str]) -> list[int | None]:
        return [clock.now, clock.now + apart_s * 1000]

    pulse_once()
    monkeypatch.setattr(timekeeping, "dates", dates)
    settings.PROVED_MS = lambda: 0
    settings.STILLHERE = replace(settings.STILLHERE, time_urls=TIME_URLS[:2])
    told = CliRunner().invoke(clock_command.command)
    mark = "ok  " if well else "LOOK"
    assert f"{mark}  No time service keeps this clock right." in told.output
    assert told.exit_code == (0 if well else 1)
    assert CliRunner().invoke(clock_command.command, ["--right"]).exit_code == 0


def test_this_kernel_can_be_asked() -> None:
    right = wiring.proved_ms()
    assert right in (None, 0) or abs(right - wiring.wall_ms()) < 60_000


def test_a_clock_that_was_set_is_said_until_a_person_says_it_is_right(
    clock: Clock, database: object
) -> None:
    pulse_once()
    clock.now -= 3_600_000
    pulse_once()
    found = [sentence for good, sentence in time_kept.look(settings.STILLHERE) if not good]
    assert "stillhere clock --right" in found[0]
    settle(clock.now)
    assert "following" in next(
        sentence for good, sentence in time_kept.look(settings.STILLHERE) if not good
    )
    Reckoning().step(installation_clock.read())
    assert all(good for good, _ in time_kept.look(settings.STILLHERE))
