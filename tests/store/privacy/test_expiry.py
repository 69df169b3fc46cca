"""What nobody uses is erased by the schedule of docs/privacy.md, and nothing that somebody uses."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from django.apps import apps
from django.conf import settings as conf
from django.db import connection
from django.test import Client
from pytest_django.fixtures import Settings

from stillhere.core import events as ev
from stillhere.core.events import Outcome
from stillhere.core.schedule import Routine
from stillhere.engine.erasure import erase_once
from stillhere.store.messages import delivery
from stillhere.store.models import Address, Arrival, Contact, Message, Person, SetAside
from stillhere.store.people import address_book, browsers, contacts, invitations, persons
from stillhere.store.problems import Problem, Reached
from stillhere.store.watches import apply
from stillhere.store.watches.apply import CallForHelp
from tests.circle import SamsNight, sams_night, ways
from tests.conftest import Clock
from tests.hook import LEO, SAM, Hook, deliver
from tests.web.conftest import browser

pytestmark = pytest.mark.usefixtures("database")

DAY_S = 86_400
# What belongs to nobody, or outlives everybody: keyed look-ups of whoever said no or was invited.
STAYS = {"installation", "outage", "tally", "suppression", "budget", "supply_warning"}
MAIL = Reached("email", "sam@example.org", rings=False)


def rounds(clock: Clock, days: int, step: int = 5) -> None:
    """The engine goes on for so many days; what waits to be sent, leaves."""
    for _ in range(0, days, step):
        clock.advance(step * DAY_S)
        for _ in range(2):
            erase_once(clock.now)
        deliver(clock)


def rows() -> dict[str, list[tuple[object, ...]]]:
    """All rows of all tables that should be empty in the end."""
    models = apps.get_app_config("store").get_models()
    kept = {m._meta.db_table: m._default_manager.values_list() for m in models}
    return {table: list(found) for table, found in kept.items() if table not in STAYS}


def identifying(found: dict[str, list[tuple[object, ...]]]) -> set[bytes]:
    """The sealed values, nonces and hashes of these rows: nobody else has the same."""
    cells = (cell for table in found.values() for row in table for cell in row)
    blobs = {bytes(c) for c in cells if isinstance(c, bytes | memoryview)}
    return {blob for blob in blobs if len(blob) >= 16}


def on_the_disk() -> bytes:
    """Every byte of SQLite's files; on PostgreSQL every row as it is dumped."""
    if connection.vendor == "sqlite":
        name = Path(connection.settings_dict["NAME"])
        return b"".join(p.read_bytes() for p in sorted(name.parent.glob(name.name + "*")))
    out = []
    with connection.cursor() as cursor:
        for model in apps.get_app_config("store").get_models():
            with cursor.copy(f'COPY "{model._meta.db_table}" TO STDOUT') as copy:
                out += [re.sub(rb"\\\\x([0-9a-f]+)", _unhexed, bytes(part)) for part in copy]
    return b"".join(out)


def _unhexed(found: re.Match[bytes]) -> bytes:
    return bytes.fromhex(found[1].decode())


def a_life(clock: Clock) -> SamsNight:
    """Sam with everything that can be kept about anybody."""
    night = sams_night(("Leonardo",), ("Ines",), ("Maya",))
    browsers.open_pages(night.person, "Chrome/Android", borrowed=False, tell=True)
    invitations.add_contact(night.person, "Never Answered", ways(150))
    apply.start(night.person.id, "routine", routine=Routine(frozenset({0}), 600, "UTC"))
    night.start()
    night.does(CallForHelp())
    deliver(clock)
    hook = Hook(Client(), clock)
    hook.text(LEO, "STOP")
    night.does(ev.Resolved(None, Outcome.FINE))
    contacts.test_ring(night.contacts["Maya"])
    SetAside.objects.create(watch=10**9, person=night.person.id, at=clock.now, looked_at=clock.now)
    persons.new_caller("+12025550166", "en")
    return night


@pytest.fixture
def demo(settings: Settings) -> None:
    settings.STILLHERE = replace(settings.STILLHERE, demo_url="http://127.0.0.1:1")


@pytest.mark.usefixtures("demo")
def test_after_three_years_nothing_of_anybody_is_left(clock: Clock) -> None:
    night = a_life(clock)
    before = rows()
    secrets = identifying(before)
    assert len(secrets) > 20
    assert any(secret in on_the_disk() for secret in secrets), "this finds what is there"
    for watch in night.person.watches.filter(closed_at__isnull=True):
        apply.apply(apply.Change(ev.Ended(), watch=watch.id))
    rounds(clock, 3 * 365, 15)
    assert {table: len(left) for table, left in rows().items() if left} == {}
    disk = on_the_disk()
    assert [secret for secret in secrets if secret in disk] == []


@pytest.mark.usefixtures("demo")
def test_of_whoever_said_no_a_look_up_is_left(clock: Clock) -> None:
    night = a_life(clock)
    for watch in night.person.watches.filter(closed_at__isnull=True):
        apply.apply(apply.Change(ev.Ended(), watch=watch.id))
    rounds(clock, 3 * 365, 30)
    person, _key = persons.new_person("en")
    with pytest.raises(Problem, match="suppressed"):
        invitations.add_contact(person, "Leo", ways(101))
    assert invitations.add_contact(person, "Ines", ways(102)).status == "invited"


# --- people ---------------------------------------------------------------------------------------


def idle_at(clock: Clock, days: int) -> SamsNight:
    night = sams_night(("Leo",))
    address_book.add_own_addresses(night.person, [MAIL])
    rounds(clock, days, 30)
    return night


def told(night: SamsNight) -> int:
    return Message.objects.filter(person=night.person, word="idle").count()


def is_there(night: SamsNight) -> bool:
    return Person.objects.filter(id=night.person.id).exists()


def test_whoever_is_idle_is_told_a_month_before_they_are_erased(clock: Clock) -> None:
    night = idle_at(clock, 330)
    assert told(night) == 0
    rounds(clock, 60, 30)
    assert told(night) == 2, "by text and by mail, and nothing rings"
    assert is_there(night)
    rounds(clock, 60, 30)
    assert not is_there(night)
    assert not Contact.objects.exists()


@pytest.mark.parametrize("how", ["page", "list", "text", "watch"])
def test_whoever_comes_back_in_that_month_stays(clock: Clock, how: str, demo: None) -> None:
    night = idle_at(clock, 390)
    assert told(night)
    if how == "text":
        Hook(Client(), clock).text(SAM, "OK")
    elif how == "watch":
        night.start()
    else:
        browser(night.key).get({"page": "/watch", "list": "/people"}[how])
    rounds(clock, 90, 30)
    assert is_there(night)


def test_whoever_has_a_daily_check_in_is_never_idle(clock: Clock) -> None:
    night = sams_night(("Leo",))
    rest = Routine(frozenset(range(7)), 600, "UTC", pause_until_at=clock.now + 10**13)
    apply.start(night.person.id, "routine", routine=rest)
    rounds(clock, 1200, 60)
    assert is_there(night)
    assert not told(night)


def test_whoever_was_there_before_this_release_has_all_that_time_too(clock: Clock) -> None:
    night = sams_night(("Leo",))
    Person.objects.update(used_at=0, created_at=1)
    erase_once(clock.now)
    rounds(clock, 330, 30)
    assert is_there(night)
    assert not told(night)


# --- the rest -------------------------------------------------------------------------------------


def test_who_never_answers_is_taken_off_after_half_a_year_and_sam_is_told(clock: Clock) -> None:
    night = sams_night(("Leo",))
    zoe = invitations.add_contact(night.person, "Zoe", ways(150))
    rounds(clock, 175)
    assert Contact.objects.filter(id=zoe.id, status="invited").exists()
    clock.advance(10 * DAY_S)
    erase_once(clock.now)
    [gap] = [m for m in delivery.lease("text", clock.now, 50, 20) if m.word == "gap"]
    assert (gap.to, gap.facts.who) == (SAM, "Zoe")
    rounds(clock, 5)
    assert not Address.objects.filter(contact=zoe.id).exists()
    assert Contact.objects.filter(id=night.contacts["Leo"].id, status="confirmed").exists()


def test_nobody_is_taken_off_in_the_middle_of_an_alarm(clock: Clock) -> None:
    night = sams_night(("Leo",))
    zoe = invitations.add_contact(night.person, "Zoe", ways(150))
    clock.advance(179 * DAY_S)
    night.start()
    night.does(CallForHelp())
    clock.advance(5 * DAY_S)
    erase_once(clock.now)
    assert Contact.objects.get(id=zoe.id).status == "invited"


def test_messages_of_no_watch_go_after_a_month_and_those_of_a_watch_with_it(clock: Clock) -> None:
    night = sams_night(("Leo",))
    night.start()
    Message.objects.update(status="sent")
    clock.advance(32 * DAY_S)
    contacts.test_ring(night.contacts["Leo"])
    Message.objects.filter(word="test").update(status="delivered")
    erase_once(clock.now)
    assert set(Message.objects.values_list("word", flat=True)) == {"test"}


def test_what_came_in_is_forgotten_after_a_month(clock: Clock) -> None:
    for no, days in enumerate((0, 20, 45)):
        at = clock.now + days * DAY_S * 1000
        Arrival.objects.create(channel="text", provider_id=f"e{no}", kind="text", at=at)
    clock.advance(45 * DAY_S)
    erase_once(clock.now)
    assert set(Arrival.objects.values_list("provider_id", flat=True)) == {"e1", "e2"}


def test_copies_from_before_an_upgrade_go_with_the_nights_they_hold(clock: Clock) -> None:
    folder = conf.STILLHERE.data / "backups"
    folder.mkdir(exist_ok=True)
    now = datetime.fromtimestamp(clock.now / 1000, UTC)
    copy = folder / f"stillhere-{now:%Y%m%dT%H%M%S%fZ}.sqlite3"
    mine = folder / "stillhere-mine.sqlite3"
    for each in (copy, mine):
        each.write_bytes(b"x")
    clock.advance(29 * DAY_S)
    erase_once(clock.now)
    assert copy.exists()
    clock.advance(2 * DAY_S)
    erase_once(clock.now)
    assert not copy.exists()
    assert mine.exists(), "not one of ours"
    mine.unlink()
