"""Practice until it is proved: what `stillhere check` looks at, and what every page says of it."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.test import Client
from pytest_django.fixtures import Settings

from stillhere.channels.base import Capability
from stillhere.channels.page import PageChannel
from stillhere.cli.check import proof as proving
from stillhere.content import steps
from stillhere.store.installation import proof
from stillhere.store.models import Installation, Message, Outage
from stillhere.store.watches import queries
from stillhere.web.access import readiness
from tests.conftest import Clock

DAY_MS = 24 * 3600 * 1000


class Ringing(PageChannel):
    name = "call"
    capabilities = frozenset({Capability.RINGS})


@pytest.fixture(autouse=True)
def here(settings: Settings, clock: Clock, database: object, tmp_path: Path) -> Any:
    """An installation that has everything, and has proved nothing."""
    Installation.objects.create(id=1, beat_at=clock.now, proof_at=clock.now)
    settings.STILLHERE = replace(
        settings.STILLHERE,
        base_url="https://lamp.example.org",
        heartbeat_url="https://watcher.example.org/x",
        demo_url="",
        data=tmp_path,
    )
    settings.BUILD_CHANNELS = lambda _: {"call": Ringing()}
    steps.sign("Dr. Ana Example", "2026-01-31")
    return settings.STILLHERE


def reasons(clock: Clock, proved: Collection[str], base_url: str = "") -> list[str]:
    proof.keep(proved, base_url or django_settings.STILLHERE.base_url, clock.now)
    readiness.learn(queries.installation())
    return readiness.practice()


def test_with_everything_proved_it_is_no_practice(clock: Clock) -> None:
    assert reasons(clock, proof.EVERYTHING) == []


@pytest.mark.parametrize("missing", proof.EVERYTHING)
def test_one_thing_not_proved_is_practice(clock: Clock, missing: str) -> None:
    found = reasons(clock, set(proof.EVERYTHING) - {missing})
    assert len(found) == 2, "what is missing, and how to prove it"
    assert "stillhere check" in found[-1]


def test_steps_that_nobody_signed_are_practice(clock: Clock, here: Any) -> None:
    (here.data / steps.SIGNED).unlink()
    found = reasons(clock, proof.EVERYTHING)
    assert found[0] == "No clinician has signed the steps for the one who comes."


def test_nothing_is_proved_before_it_was_checked(clock: Clock) -> None:
    readiness.learn(queries.installation())
    assert len(readiness.practice()) == 5


@pytest.mark.parametrize(("days", "practice"), [(0, False), (30, False), (31, True)])
def test_a_proof_grows_old(clock: Clock, days: int, practice: bool) -> None:
    proof.keep(proof.EVERYTHING, django_settings.STILLHERE.base_url, clock.now)
    clock.advance(days * 24 * 3600)
    readiness.learn(queries.installation())
    assert bool(readiness.practice()) is practice


def test_a_proof_of_another_address_is_none(clock: Clock) -> None:
    assert reasons(clock, proof.EVERYTHING, "https://other.example.org")


@pytest.mark.parametrize("text", ["", "x", "[]", "{}", '{"base_url": 1}'])
def test_a_record_nobody_can_read_proves_nothing(clock: Clock, text: str) -> None:
    Installation.objects.update(checked=text, checked_at=clock.now)
    readiness.learn(queries.installation())
    assert readiness.practice()


# --- proving --------------------------------------------------------------------------------------


def the_web(monkeypatch: pytest.MonkeyPatch, answers: dict[str, tuple[int, str]]) -> None:
    """What other machines answer, by address."""
    monkeypatch.setattr(proving, "_get", lambda url: answers.get(url, (0, "nothing there")))


def test_a_public_address_is_proved_by_hearing_ourselves(
    here: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(proving, "_private", lambda _: "")
    url = f"{here.base_url}/healthz"
    for said, proves in (
        ((200, f'{{"id": "{proof.identity()}"}}'), proof.PUBLIC),
        ((503, f'{{"id": "{proof.identity()}"}}'), proof.PUBLIC),
        ((200, "a parking page"), ""),
        ((302, ""), ""),
        ((0, "refused"), ""),
    ):
        the_web(monkeypatch, {url: said})
        assert proving._public(here).proves == proves, said


def test_a_name_that_leads_home_is_not_public(here: Any) -> None:
    local = replace(here, base_url="https://localhost")
    assert "this network only" in proving._public(local).says
    plain = replace(here, base_url="http://lamp.example.org")
    assert "Without https" in proving._public(plain).says


def test_the_watcher_outside_has_to_take_our_ping(
    here: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    for status, proves in ((200, proof.HEARTBEAT), (204, proof.HEARTBEAT), (404, ""), (0, "")):
        the_web(monkeypatch, {here.heartbeat_url: (status, "")})
        assert proving._heartbeat(here).proves == proves
    assert not proving._heartbeat(replace(here, heartbeat_url="")).proves


def machine(root: Path, *, battery: str = "", masked: bool = False, desktop: bool = False) -> Path:
    units = root / "etc/systemd/system"
    units.mkdir(parents=True)
    supply = root / "sys/class/power_supply/BAT0"
    if battery:
        supply.mkdir(parents=True)
        (supply / "type").write_text("Battery\n")
        (supply / "scope").write_text(f"{battery}\n")
    if masked:
        for name in proving.SLEEPS:
            (units / name).symlink_to("/dev/null")
    if desktop:
        (units / "default.target").symlink_to("/lib/systemd/system/graphical.target")
        (root / "usr/share/xsessions").mkdir(parents=True)
        (root / "usr/share/xsessions/plain.desktop").write_text("")
    return root


@pytest.mark.parametrize(
    ("facts", "awake"),
    [
        ({}, True),
        ({"battery": "System"}, False),
        ({"battery": "Device"}, True),
        ({"desktop": True}, False),
        ({"battery": "System", "desktop": True, "masked": True}, True),
    ],
)
def test_a_machine_that_may_sleep_is_told_how_not_to(
    tmp_path: Path, facts: dict[str, Any], awake: bool
) -> None:
    found = proving._awake(machine(tmp_path, **facts))
    assert bool(found.proves) is awake
    assert awake or "systemctl mask" in found.says


def test_a_machine_that_was_away_for_long_may_have_slept(tmp_path: Path, clock: Clock) -> None:
    root = machine(tmp_path, masked=True)
    Outage.objects.create(from_at=clock.now - 60_000, to_at=clock.now - 20_000, why="restart")
    assert proving._awake(root).proves
    Outage.objects.create(from_at=clock.now - 900_000, to_at=clock.now - 200_000, why="asleep")
    assert "away for 11 minutes" in proving._awake(root).says
    clock.advance(25 * 3600)
    assert proving._awake(root).proves


def test_an_account_by_which_nobody_was_heard_proves_nothing(
    here: Any, monkeypatch: pytest.MonkeyPatch, clock: Clock
) -> None:
    monkeypatch.setattr(proving, "build_channels", lambda _: {"call": Ringing()})
    for status, at in (("failed", clock.now), ("delivered", clock.now - 31 * DAY_MS)):
        Message.objects.create(
            key=status, channel="call", word="test", urgency=5, due_at=1, created_at=1,
            status=status, done_at=at,
        )  # fmt: skip
    found = proving._rings(here)
    assert not found.proves
    assert "Let it ring for a test" in found.says


def test_drawn_phones_prove_nothing(
    here: Any, monkeypatch: pytest.MonkeyPatch, clock: Clock
) -> None:
    monkeypatch.setattr(proving, "build_channels", lambda _: {"call": Ringing()})
    Message.objects.create(
        key="t", channel="call", word="test", urgency=5, due_at=1, created_at=1, status="delivered",
        done_at=clock.now,
    )  # fmt: skip
    assert proving._rings(here).proves == proof.RINGS
    assert not proving._rings(replace(here, demo_url="http://127.0.0.1:1")).proves
    monkeypatch.setattr(proving, "build_channels", lambda _: {"page": PageChannel()})
    assert "nobody wakes up" in proving._rings(here).says


class Texts(PageChannel):
    name = "text"


@pytest.mark.parametrize("lang", ["en", "es"])
@pytest.mark.parametrize(
    ("channels", "says"),
    [
        ((), {"en": "Practice: nobody will be called.", "es": "Práctica: no se llamará a nadie."}),
        (
            (Texts(),),
            {"en": "Real texts do leave here.", "es": "Los mensajes sí salen de aquí"},
        ),
        (
            (Ringing(),),
            {"en": "Real calls do leave here.", "es": "Las llamadas sí salen de aquí"},
        ),
        (
            (Texts(), Ringing()),
            {
                "en": "Real texts and calls do leave here.",
                "es": "Los mensajes y las llamadas sí salen de aquí",
            },
        ),
    ],
)
def test_the_banner_says_that_it_is_practice_and_what_leaves_all_the_same(
    settings: Settings, here: Any, lang: str, channels: Any, says: dict[str, str]
) -> None:
    settings.BUILD_CHANNELS = lambda _: {each.name: each for each in channels}
    settings.STILLHERE = replace(here)
    client = Client(headers={"accept-language": lang})
    for path in ("/", "/learn", "/nothing-here"):
        page = client.get(path).content.decode()
        assert says[lang] in page, path
        assert page.count('class="banner"') == 1


def test_what_is_proved_has_no_banner(settings: Settings, clock: Clock) -> None:
    proof.keep(proof.EVERYTHING, django_settings.STILLHERE.base_url, clock.now)
    assert "leave here" not in Client().get("/").content.decode()
