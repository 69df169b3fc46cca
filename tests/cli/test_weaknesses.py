"""`stillhere check` names what works tonight and may not next week, one test a weakness."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.db import DatabaseError, connection
from pytest_django.fixtures import Settings

from stillhere.channels.base import Capability
from stillhere.channels.carriers.carrier import Carrier
from stillhere.channels.carriers.telegram import TelegramCarrier
from stillhere.channels.page import PageChannel
from stillhere.cli.actions import check
from stillhere.cli.backup_file import postgresql_programs
from stillhere.cli.check import proof as proving
from stillhere.cli.check import weaknesses
from stillhere.config import keys
from stillhere.config.carriers import read_carriers
from stillhere.core import events as ev
from stillhere.core.messages import Cost
from stillhere.engine.heartbeat import pulse_once
from stillhere.store.installation import peers, proof, upkeep
from stillhere.store.models import Address, Contact, Installation, Message, WatchRow
from stillhere.store.people import contacts, invitations, persons
from stillhere.store.watches.apply import CallForHelp
from tests.circle import SamsNight, sams_night
from tests.conftest import Clock
from tests.installation import Installation as Processes

pytestmark = pytest.mark.slow

DAY_S = 24 * 3600
GB = 1_000_000_000


@pytest.fixture
def here(settings: Settings, clock: Clock, database: object) -> Any:
    """An installation without a weakness that we know of."""
    pulse_once()
    Installation.objects.update(backed_up_at=clock.now)
    settings.STILLHERE = replace(
        settings.STILLHERE,
        base_url="https://lamp.example.org",
        coordinator="ruth@example.org",
        heartbeat_url="https://watcher.example.org/x",
    )
    return settings.STILLHERE


def looks(found: Iterator[weaknesses.Finding]) -> list[str]:
    return [sentence for good, sentence in found if not good]


def said(found: Iterator[weaknesses.Finding]) -> str:
    """All of it, where nothing is weak."""
    sentences = list(found)
    assert all(good for good, _ in sentences), sentences
    return " ".join(sentence for _, sentence in sentences)


# --- ways out -------------------------------------------------------------------------------------


class Way(PageChannel):
    def __init__(self, name: str, *, rings: bool) -> None:
        self.name = name
        self.capabilities = frozenset({Capability.RINGS} if rings else ())


def ways_out(
    monkeypatch: pytest.MonkeyPatch, here: Any, *names: str
) -> Iterator[weaknesses.Finding]:
    built = {name: Way(name, rings=name.startswith("call")) for name in names}
    monkeypatch.setattr(weaknesses, "build_channels", lambda _: {"page": PageChannel(), **built})
    return weaknesses.ways_out(here)


def test_one_way_out_is_one_that_may_fail(here: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    (only,) = looks(ways_out(monkeypatch, here, "email"))
    assert only.startswith("The only way out is email")
    assert looks(ways_out(monkeypatch, here)) != []
    assert looks(ways_out(monkeypatch, here, "email", "chat")) == []


def test_one_provider_that_rings_is_one_that_may_fail(
    here: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    (only,) = looks(ways_out(monkeypatch, here, "email", "call"))
    assert only.startswith("Only call makes a phone ring")
    assert "2 ways" in said(ways_out(monkeypatch, here, "email", "call", "call-by-another"))


# --- the coordinator ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("set_to", "weak"),
    [
        ({"coordinator": ""}, "set STILLHERE_COORDINATOR"),
        ({"coordinator": "ruth@localhost"}, "dies with it"),
        ({"coordinator": "ruth@LAMP.example.org"}, "dies with it"),
        ({"coordinator": "ntfy://127.0.0.1/ruth"}, "dies with it"),
        ({"coordinator": "ntfy://push.example.org/ruth"}, ""),
        ({"heartbeat_url": "http://127.0.0.1:1/x"}, "watcher outside is on this machine"),
        ({"heartbeat_url": "https://lamp.example.org/beat/x"}, "watcher outside is on"),
        ({"heartbeat_url": ""}, ""),
        ({}, ""),
    ],
)
def test_who_is_paged_is_somebody_and_somewhere_else(
    here: Any, set_to: dict[str, str], weak: str
) -> None:
    found = looks(weaknesses.coordinator(replace(here, **set_to)))
    assert len(found) == bool(weak)
    assert weak in "".join(found)


def test_an_address_that_nothing_here_can_page_is_named(here: Any) -> None:
    (weak,) = looks(weaknesses.pages(here))
    assert "set STILLHERE_SMTP_URL" in weak
    mails = replace(here, smtp_url="smtp://127.0.0.1:25", mail_from="Lamp <lamp@example.org>")
    assert looks(weaknesses.pages(mails)) == []
    assert looks(weaknesses.pages(replace(here, coordinator="ntfy://push.example.org/ruth"))) == []


def test_pages_that_failed_are_counted(here: Any, clock: Clock) -> None:
    night = sams_night()
    night.start()
    night.does(CallForHelp())  # nobody is on the list: the coordinator is paged
    assert looks(weaknesses.coordinator(here)) == []
    Message.objects.update(status="failed")
    (lost,) = looks(weaknesses.coordinator(here))
    assert lost.startswith("1 messages to the coordinator failed")
    Message.objects.update(status="queued", attempts=4)
    assert len(looks(weaknesses.coordinator(here))) == 1
    clock.advance(31 * DAY_S)
    assert looks(weaknesses.coordinator(here)) == []


def test_a_carrier_that_refuses_us_is_named_and_proves_nothing(
    here: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    night = sams_night(("Leo",))
    night.start()
    night.does(CallForHelp())
    calls = Message.objects.filter(channel="call", word="help")
    monkeypatch.setattr(proving, "build_channels", lambda _: {"call": Way("call", rings=True)})
    monkeypatch.setattr(weaknesses, "build_channels", lambda _: {"call": Way("call", rings=True)})
    Message.objects.create(
        key="rang", channel="call", word="test", urgency=5, due_at=1, created_at=1,
        status="delivered", done_at=Installation.objects.get().beat_at,
    )  # fmt: skip
    assert proving._rings(here).proves == proof.RINGS
    calls.update(why="refuses us 401, 20003", carrier="twilio", attempts=3)
    assert not proving._rings(here).proves
    (weak,) = looks(weaknesses.reached(here))
    assert weak.startswith("twilio refuses us 401, 20003, and 1 messages wait: look at the account")


def test_a_whatsapp_sender_without_a_template_is_named(
    here: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def no_balances(_: object) -> dict[Carrier, Cost]:
        return {}

    monkeypatch.setattr(weaknesses, "_balances", no_balances)
    address = "whatsapp://AC1:t@api.twilio.com?from=+12025550100"
    bare = replace(here, carriers=read_carriers(address))
    assert "whatsapp has no template=: " in "".join(looks(weaknesses.carriers(bare)))
    whole = replace(here, carriers=read_carriers(f"{address}&template=HX{0:032}"))
    assert looks(weaknesses.carriers(whole)) == []


def test_a_bot_that_does_not_hear_is_named(here: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    async def deaf(_: object) -> list[str]:
        return ["what people write does not arrive here"]

    async def no_balance(_: object) -> None: ...

    monkeypatch.setattr(TelegramCarrier, "listens", deaf)
    monkeypatch.setattr(TelegramCarrier, "balance", no_balance)
    address = "telegram://lamp_bot:123456:AAE-a_token_of_the_bot_555@api.telegram.org"
    bot = replace(here, carriers=read_carriers(address))
    assert looks(weaknesses.carriers(bot)) == ["telegram: what people write does not arrive here."]
    plain = replace(bot, base_url="http://lamp.example.org")
    assert "https alone" in looks(weaknesses.carriers(plain))[0]


def test_people_whose_only_way_is_not_here_are_counted(
    here: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    sams_night(("Leo", "Maya"))
    Address.objects.filter(contact__isnull=False, channel="call").delete()
    monkeypatch.setattr(weaknesses, "build_channels", lambda _: {"call": Way("call", rings=True)})
    (weak,) = looks(weaknesses.reached(here))
    assert weak.startswith("2 people on lists can be reached only by text, and nothing here")
    assert "STILLHERE_CARRIERS" in weak
    monkeypatch.setattr(weaknesses, "build_channels", lambda _: {"text": Way("text", rings=False)})
    assert looks(weaknesses.reached(here)) == []


# --- people ---------------------------------------------------------------------------------------


def test_people_whose_phones_nobody_tested_are_counted_and_not_named(
    here: Any, clock: Clock
) -> None:
    assert list(weaknesses.tested()) == []
    night = sams_night(("Leo",), ("Maya",), ("Ana",))
    persons.new_trial("en", "UTC", "Your friend", "A friend")
    contacts.rang(night.contacts["Leo"])
    (found,) = looks(weaknesses.tested())
    assert found.startswith("2 of 3 people on lists have not said within 30 days that a test rang")
    invitations.leave(night.contacts["Ana"], Contact.Status.REMOVED)
    contacts.rang(night.contacts["Maya"])
    assert "All 2 people" in said(weaknesses.tested())
    clock.advance(30 * DAY_S)
    assert looks(weaknesses.tested()) == []
    clock.advance(1)
    assert looks(weaknesses.tested())[0].startswith("2 of 2")


@pytest.mark.parametrize("what", ["grave", "set aside"])
def test_what_nobody_has_looked_at_is_counted(here: Any, what: str) -> None:
    night = sams_night(("Leo",))
    night.start()
    assert list(weaknesses.waiting()) == []
    if what == "grave":
        leo = night.contacts["Leo"].id
        for event in (CallForHelp(), ev.Arrived(leo), ev.Resolved(leo, ev.Outcome.DIED)):
            night.does(event)
    else:
        WatchRow.objects.update(quarantined_at=1)
    (found,) = looks(weaknesses.waiting())
    assert found.startswith("1 watches wait for a person to look")
    assert "Sam" not in found


# --- the machine ----------------------------------------------------------------------------------


def test_an_engine_that_is_late_is_said(here: Any, clock: Clock) -> None:
    night: SamsNight = sams_night(("Leo",))
    night.start()
    assert looks(weaknesses.engine()) == []
    wake_at = night.row().wake_at
    assert wake_at is not None
    clock.advance((wake_at + 2_000 - clock.now) / 1000)
    assert looks(weaknesses.engine()) == []
    clock.advance(10)
    assert looks(weaknesses.engine())[0].startswith("Watches are looked at 12 s late")


@pytest.mark.parametrize(("days", "weak"), [(0, False), (6, False), (7, True), (400, True)])
def test_a_backup_is_a_week_old_at_most(here: Any, clock: Clock, days: int, weak: bool) -> None:
    clock.advance(days * DAY_S)
    assert bool(looks(weaknesses.backups())) is weak
    assert f"{days} days old" in next(weaknesses.backups())[1]


def test_no_backup_at_all_is_said(here: Any) -> None:
    Installation.objects.update(backed_up_at=0)
    assert looks(weaknesses.backups())[0].startswith("There is no backup")


@dataclass
class FakeDisk:
    f_bavail: int
    f_blocks: int
    f_frsize: int = 1000


@pytest.mark.parametrize(
    ("free", "whole", "weak"),
    [
        (100 * GB, 1000 * GB, False),
        (99 * GB, 1000 * GB, True),
        (GB // 2, 4 * GB, False),
        (GB // 2 - 1000, 1 * GB, True),
        (0, 1 * GB, True),
    ],
)
def test_a_disk_that_fills_is_said_before_it_is_full(
    here: Any, free: int, whole: int, weak: bool
) -> None:
    asked: list[Path] = []

    def statvfs(path: Path) -> FakeDisk:
        asked.append(path)
        return FakeDisk(free // 1000, whole // 1000)

    found = list(weaknesses.disk(here, statvfs))
    assert found[0][0] is not weak
    assert asked == [here.data]
    assert (len(found) == 2) is (connection.vendor == "postgresql")
    assert (upkeep.database_bytes() or 0) >= 0


def running(here: Any, root: Path, files: str) -> Any:
    """A machine on which Stillhere runs as process 4711 with this limit."""
    data = root / "data"
    data.mkdir()
    (data / "lock").write_text("4711 https://lamp.example.org\n")
    (root / "proc/4711").mkdir(parents=True)
    line = f"Max open files            {files}                20000                files"
    (root / "proc/4711/limits").write_text(f"Limit  Soft Limit\n{line}\n")
    return replace(here, data=data)


@pytest.mark.parametrize(
    ("files", "weak"), [("263", True), ("264", False), ("1024", False), ("unlimited", False)]
)
def test_too_few_open_files_for_the_people_here_is_said(
    here: Any, tmp_path: Path, files: str, weak: bool
) -> None:
    sams_night(("Leo",), ("Maya",), ("Ana",))  # four people, so eight connections
    place = running(here, tmp_path, files)
    found = looks(weaknesses.open_files(place, tmp_path))
    assert bool(found) is weak
    assert not weak or "LimitNOFILE" in found[0]


def test_where_nothing_runs_our_own_limit_counts(here: Any, tmp_path: Path) -> None:
    assert weaknesses._most_open(replace(here, data=tmp_path), tmp_path) != 0


# --- the others -----------------------------------------------------------------------------------


def test_peers_are_named_with_when_they_were_heard(here: Any, clock: Clock) -> None:
    key = peers.add("River County")
    assert looks(weaknesses.looked_after())[0].startswith("River County: never heard yet.")
    peers.beat(key, clock.now)
    assert said(weaknesses.looked_after()) == "River County: heard 0 s ago."
    clock.advance(180)
    (found,) = looks(weaknesses.looked_after())
    assert found == "River County: silent, last heard 3 minutes ago. Phone its coordinator."


# --- all of it ------------------------------------------------------------------------------------


def test_a_weakness_is_not_practice(here: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    proved = [proving.Finding("x", name) for name in proof.EVERYTHING]
    monkeypatch.setattr(proving, "prove", lambda _: iter(proved))
    Installation.objects.update(backed_up_at=0)
    found = looks(check.everything(here))
    assert any("There is no backup" in sentence for sentence in found)
    assert not any("Practice" in sentence for sentence in found)


def test_what_is_not_installed_is_named_before_it_is_missed(
    here: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert list(weaknesses.installed(replace(here, database_url=""))) == []
    monkeypatch.setattr("stillhere.web.guide.print.able", lambda: False)
    monkeypatch.setattr("stillhere.web.guide.speech.able", lambda: False)
    printing, voice = looks(weaknesses.installed(replace(here, database_url="")))
    assert "apt-get install libpango-1.0-0" in printing
    assert "apt-get install espeak-ng" in voice


@pytest.mark.postgres
def test_a_backup_that_could_not_be_made_is_named_before_it_is_missed(
    here: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    assert list(weaknesses.installed(here)) == []
    old = tmp_path / "9" / "bin" / "pg_dump"
    old.parent.mkdir(parents=True)
    old.write_text("#!/bin/sh\necho pg_dump \\(PostgreSQL\\) 9.6.1\n")
    old.chmod(0o755)
    monkeypatch.setattr(postgresql_programs, "FOLDER", tmp_path)
    (older,) = looks(weaknesses.installed(here))
    assert "pg_dump 9 is older than the server" in older
    old.unlink()
    monkeypatch.setenv("PATH", str(tmp_path))
    missing = looks(weaknesses.installed(here))
    assert any("pg_dump is not here" in each for each in missing)


def test_a_database_that_fails_half_way_is_one_finding(
    here: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def gone(_: object) -> Iterator[weaknesses.Finding]:
        yield True, "read so far"
        raise DatabaseError("database disk image is malformed")

    monkeypatch.setattr(weaknesses, "questions", lambda: (gone,))
    monkeypatch.setattr(check, "_steps", gone)
    (told,) = [says for says in check.everything(here) if "We cannot use" in says[1]]
    assert told[0] is False, "and the same is said once"
    assert "database disk image is malformed" in told[1]


def test_each_finding_is_said_once(here: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def again(_: object) -> Iterator[weaknesses.Finding]:
        yield from ((False, "the disk is broken"), (False, "the disk is broken"))

    monkeypatch.setattr(weaknesses, "questions", lambda: (again,))
    monkeypatch.setattr(check, "_steps", again)
    found = [says for _, says in check.everything(here)]
    assert found.count("the disk is broken") == 1


@pytest.mark.parametrize(
    ("lock", "answer", "words"),
    [
        ("", (0, "the web server does not answer yet"), "It is not running: `stillhere up`."),
        (f"{os.getpid()} http://lamp 0.0.0.0 1", (0, "no answer"), "not running well: no answer."),
        ("", (503, "the disk is full"), "It is not running well: the disk is full."),
    ],
    ids=["not there", "silent", "ill"],
)
def test_what_does_not_run_at_all_is_not_said_to_run_badly(
    here: Any,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    lock: str,
    answer: tuple[int, str],
    words: str,
) -> None:
    keys.ensure_folder(tmp_path)
    keys.create_missing(tmp_path / keys.FOLDER)
    (tmp_path / "lock").write_text(lock)
    monkeypatch.setattr(check, "health", lambda _: answer)
    found = [says for _, says in check.everything(replace(here, data=tmp_path))]
    assert any(words in says for says in found), found


@pytest.mark.storage
def test_the_command_itself_can_be_run(installation: Callable[..., Processes]) -> None:
    place = installation()
    early = place.run("check")
    assert (early.returncode, "There is no installation" in early.stderr) == (1, True)
    assert place.run("migrate").returncode == 0
    told = place.run("check")
    assert (told.returncode, told.stderr) == (1, "")
    lines = told.stdout.splitlines()
    assert all(line.startswith(("ok    ", "LOOK  ")) for line in lines)
    assert any("There is no backup" in line for line in lines)
    assert any("every page says: Practice" in line for line in lines)
    stored = any("The database holds" in line for line in lines)
    assert stored is ("postgresql" in django_settings.DATABASES["default"]["ENGINE"])
