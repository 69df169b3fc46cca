"""A table that everything leans on is torn: outages, the installation, what the desk shows."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest
from django.db import DatabaseError, connection
from django.test import Client
from pytest_django.fixtures import Settings

from stillhere.cli.check.weaknesses import set_aside
from stillhere.core.events import State
from stillhere.engine.audit import UNREADABLE, audit_once
from stillhere.engine.heartbeat import come_back, pulse_once
from stillhere.engine.tick import Waker
from stillhere.store.db.optional_tables import OUTAGES
from stillhere.store.db.sqlite.mender import Mender
from stillhere.store.installation import desk_key
from stillhere.store.messages import delivery, reach
from stillhere.store.models import (
    Contact,
    Installation,
    Message,
    Outage,
    SetAside,
    sealed_columns,
)
from stillhere.store.program import shifts
from stillhere.store.watches import queries
from stillhere.store.watches.apply import CallForHelp, CheckIn
from stillhere.web.site import health
from tests.circle import sams_night, session_of
from tests.conftest import Clock
from tests.store.watches.conftest import Torn, asked_nights, torn_at, words_to
from tests.torn import leaves, root, tear
from tests.web.pages import turned

pytestmark = [pytest.mark.sqlite, pytest.mark.slow]


@pytest.fixture
def outages_torn(file: Path, clock: Clock) -> Iterator[Path]:
    """We were away once, and the page that says so is torn, which is all there is of it."""
    Outage.objects.create(from_at=clock.now - 60_000, to_at=clock.now + 200_000, why="away")
    connection.close()
    tear(file, leaves(file, "outage")[-1])
    yield file
    OUTAGES.lost = False


def test_an_engine_starts_though_the_table_of_outages_is_torn(
    outages_torn: Path, clock: Clock
) -> None:
    assert come_back() == 0
    pulse_once()
    clock.advance(120)  # longer than an outage: the beat is written all the same
    assert pulse_once() == clock.now
    assert Installation.objects.get(id=1).beat_at == clock.now


@pytest.mark.parametrize("together", [1, 8])
def test_without_a_table_of_outages_everybody_is_asked_and_alarmed_in_time(
    file: Path, clock: Clock, together: int
) -> None:
    nights = asked_nights(file, clock, together)
    Outage.objects.create(from_at=clock.now, to_at=clock.now + 1, why="away")
    try:
        found, _ = torn_at(file, "outage", nights, clock)
        found.pass_time(100)
        assert OUTAGES.lost
        assert {n.row().state for n in nights} == {State.ALARM}
        assert found.aside == []
        assert any("not all of outage" in reason for reason in health.reasons())
    finally:
        OUTAGES.lost = False


def test_a_call_for_help_of_one_who_is_due_is_kept_at_the_first_try(
    outages_torn: Path, clock: Clock
) -> None:
    night = sams_night(("Leo",))
    night.start(own='{"total_s": 10800}')
    clock.advance(190)
    night.does(CallForHelp())
    assert night.row().state == State.ALARM


@pytest.mark.parametrize(
    "table", ["person", "contact", "address", "message", "responder", "tally", "journal"]
)
def test_the_desk_shows_every_open_alarm_whatever_page_is_torn(
    file: Path, clock: Clock, table: str
) -> None:
    nights = asked_nights(file, clock)
    key = desk_key.key()
    shifts.add("Ana", "+12025550177", "en")
    if table == "responder":  # all of them are on their lists
        Contact.objects.update(responder=shifts.everyone()[0])
    for night in nights[::4]:
        night.does(CallForHelp())
    torn_at(file, table, nights, clock)
    page = "".join(turned(Client(), f"/desk/{key}"))
    assert page.count('name="do" value="resolve"') == len(nights[::4])
    assert ("Not all of this page can be read" in page) == (table in UNREAD)
    assert table != "responder" or "We cannot show who was told" not in page
    assert table not in ("person", "contact") or "not all of this alarm can be read" in page


UNREAD = ("message", "responder", "tally")


def test_the_desk_gives_the_numbers_of_whoever_was_set_aside(torn: Torn) -> None:
    torn.pass_time(205)
    page = "".join(turned(Client(), f"/desk/{desk_key.key()}", "look"))
    assert page.count("Phone Sam: ") == len(torn.aside)
    assert page.count("Phone Leo: ") == len(torn.aside)


def test_of_whoever_has_a_torn_list_the_desk_does_not_say_that_the_watch_is_unreadable(
    file: Path, clock: Clock
) -> None:
    nights = asked_nights(file, clock)
    found, _ = torn_at(file, "contact", nights, clock)
    found.pass_time(105)
    assert found.aside
    page = "".join(turned(Client(), f"/desk/{desk_key.key()}", "look"))
    assert "this watch cannot be read" not in page
    assert page.count("not all that belongs to this watch") == len(found.aside)
    assert page.count("Phone Sam: ") >= len(found.aside), "who can be read"


@pytest.mark.parametrize("table", ["contact", "address"])
def test_the_coordinator_hears_that_contacts_were_told_only_where_some_were(
    file: Path, clock: Clock, table: str
) -> None:
    nights = asked_nights(file, clock)
    found, _ = torn_at(file, table, nights, clock)
    found.pass_time(105)
    untold = set()
    for night in found.aside:
        page = Message.objects.get(person=night.person, word="page-quarantine")
        told = Message.objects.filter(person=night.person, word="alarm").exists()
        assert bool(json.loads(page.facts).get("untold")) != told
        untold.add(not told)
    assert True in untold


def test_one_watch_is_one_watch(clock: Clock, database: None) -> None:
    night = sams_night(("Leo",))
    night.start()
    SetAside.objects.create(watch=night.watch, at=1)
    assert health.aside_reasons(clock.now) == ["1 watch cannot be read and nobody watches it"]
    [(_, said)] = set_aside()
    assert said.startswith(
        "1 watch cannot be read: the database file is damaged. Nobody watches it"
    )


def test_where_the_row_of_the_installation_is_torn_every_answer_says_that_nobody_watches(
    file: Path, clock: Clock
) -> None:
    nights = asked_nights(file, clock, 1)
    pulse_once()
    torn_at(file, "installation", nights, clock)
    assert "the database cannot be read" in health.reasons()
    assert health.behind()
    assert Client().get("/healthz").status_code == 503


def test_what_a_start_found_damaged_is_said_as_long_as_it_runs(
    clock: Clock, database: None, settings: Settings
) -> None:
    pulse_once()
    assert health.damage_reasons() == []
    settings.DAMAGED = ("person", "outage")
    assert health.damage_reasons() == ["not all of person could be read when this started"]


@pytest.mark.parametrize("index", ["watch_due", "watch_alarmed", "message_unsent", "message"])
def test_where_nobody_can_be_watched_health_the_desk_and_every_page_say_so(
    file: Path, clock: Clock, index: str
) -> None:
    nights = asked_nights(file, clock, 4)
    nights[0].does(CallForHelp())
    connection.close()
    tear(file, root(file, index))
    assert audit_once(clock.now) == [UNREADABLE]
    assert UNREADABLE in health.reasons()
    assert UNREADABLE in Client().get(f"/desk/{desk_key.key()}", follow=True).content.decode()
    client = Client()
    client.cookies["session"] = session_of(nights[1].key)
    assert "The watch is not running" in client.get("/watch").content.decode()


@pytest.mark.parametrize(
    ("index", "read"),
    [
        ("watch_due", queries.require_due),
        ("message_unsent", reach.require_queue),
        ("sqlite_autoindex_watch_1", partial(queries.watch_by_key, "a key")),
    ],
)
def test_an_index_that_is_torn_while_we_run_is_made_anew_and_everybody_is_alarmed_for(
    file: Path, clock: Clock, index: str, read: Callable[[], object]
) -> None:
    nights, mender = asked_nights(file, clock), Mender()
    connection.close()
    tear(file, root(file, index))
    assert mender.round() == [], "nobody has met it"
    with pytest.raises(DatabaseError):
        read()
    assert mender.round() == ["message" if index.startswith("message") else "watch"]
    Torn([], nights, clock, Waker()).pass_time(100)
    assert {night.row().state for night in nights} == {State.ALARM}
    left = delivery.lease("call", clock.now, 500, 20.0)  # a list of all of them for each phone
    assert sum(1 + len(message.also) for message in left) == 2 * len(nights)
    assert SetAside.objects.count() == 0
    assert UNREADABLE not in audit_once(clock.now)


def test_a_proof_that_fails_to_come_is_said_on_every_page(clock: Clock, database: None) -> None:
    pulse_once()
    audit_once(clock.now)
    clock.advance(29)
    pulse_once()
    assert not health.behind()
    clock.advance(1)
    assert health.behind()


@pytest.mark.parametrize("table", ["journal", "tally"])
def test_nobody_is_set_aside_for_a_line_of_the_journal_or_a_number(
    file: Path, clock: Clock, table: str
) -> None:
    nights = asked_nights(file, clock, 30)
    connection.close()
    tear(file, root(file, table))
    Torn([], nights, clock, Waker()).pass_time(105)
    assert {night.row().state for night in nights} == {State.ALARM}
    assert SetAside.objects.count() == 0
    assert nights[0].does(CheckIn()).refused is None, "and an alarm ends without them"
    assert words_to(nights[0], "alarm")
    if table == "journal":
        assert any("not all of journal" in reason for reason in health.reasons())


def test_where_it_cannot_be_read_who_was_set_aside_the_other_reasons_are_said_too(
    file: Path, clock: Clock
) -> None:
    night = asked_nights(file, clock, 1)[0]
    Installation.objects.update(proof_says="an urgent message has been waiting for 60 s")
    connection.close()
    tear(file, root(file, "set_aside"))
    assert health.reasons()[1:3] == [
        "an urgent message has been waiting for 60 s",
        "not all of set_aside can be read: it is not known whom nobody watches",
    ]
    audit_once(clock.now)
    assert UNREADABLE not in health.reasons(), "whoever can be read is watched"
    client = Client()
    client.cookies["session"] = session_of(night.key)
    assert client.get("/watch").status_code == 200
    assert client.get(f"/c/{sealed_columns.contact_key(night.contacts['Leo'])}").status_code == 200
    Torn([], [night], clock, Waker()).pass_time(105)
    assert night.row().state == State.ALARM
