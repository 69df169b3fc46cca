"""How often a page asks the database: no more for a longer list, and never twice for one thing."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test import Client

from stillhere.core.schedule import Routine
from stillhere.store.watches import apply
from stillhere.web.access import contact_device
from tests.circle import SamsNight, sams_night
from tests.conftest import Clock
from tests.web.conftest import browser
from tests.web.pages import contact_path, make


def phone(night: SamsNight, name: str) -> Client:
    """The phone of one contact."""
    client = browser(stranger=True)
    key, value = contact_device.cookie(night.contacts[name])
    client.cookies[key] = value
    return client


def asked(client: Client, path: str) -> list[str]:
    """The statements of one page."""
    found: list[str] = []

    def note(execute: Any, sql: str, *rest: Any) -> Any:
        if "clock_timestamp" not in sql:  # PostgreSQL's own time is asked apart
            found.append(sql)
        return execute(sql, *rest)

    client.get(path)
    with connection.execute_wrapper(note):
        assert client.get(path).status_code == 200
    return found


@pytest.mark.parametrize(
    ("path", "most"), [("/", 3), ("/watch", 7), ("/watch/part", 7), ("/watch/state", 4)]
)
def test_the_person_s_pages_ask_little(
    night: SamsNight, clock: Clock, path: str, most: int
) -> None:
    make("marked", night)
    assert len(asked(browser(night.key), path)) <= most


@pytest.mark.parametrize(("part", "most"), [("", 12), ("/part", 12), ("/state", 4)])
def test_the_page_of_an_alarm_asks_little(
    alarm: SamsNight, clock: Clock, part: str, most: int
) -> None:
    assert len(asked(phone(alarm, "Leo"), f"{contact_path(alarm, 'Leo')}{part}")) <= most


@pytest.mark.parametrize("state", ["nothing", "open", "daily", "alarm", "told"])
def test_the_installation_s_row_is_read_once(night: SamsNight, clock: Clock, state: str) -> None:
    make(state, night)
    sam, leo = browser(night.key), phone(night, "Leo")
    for client, path in ((sam, "/watch"), (leo, contact_path(night, "Leo")), (sam, "/")):
        once = [sql for sql in asked(client, path) if "FROM installation" in sql.replace('"', "")]
        assert len(once) == 1, (path, once)


def test_nothing_is_asked_twice(night: SamsNight, clock: Clock) -> None:
    make("marked", night)
    apply.start(night.person.id, "routine", routine=Routine(frozenset(range(7)), 60, "UTC"))
    found = asked(browser(night.key), "/watch")
    assert len(found) == len({*found})


def test_a_longer_list_asks_no_more(database: None, clock: Clock) -> None:
    few, many = sams_night(("Leo",)), sams_night(tuple("ABCDEFGH"), first=120)
    for night in (few, many):
        make("alarm", night)
    assert len(asked(browser(few.key), "/watch")) == len(asked(browser(many.key), "/watch"))
    short = asked(phone(few, "Leo"), contact_path(few, "Leo"))
    assert len(short) == len(asked(phone(many, "A"), contact_path(many, "A")))
