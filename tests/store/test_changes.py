"""What changes on a page is written down in the same transaction, and read once."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from threading import Thread

import pytest
from django.db import DatabaseError, connection, transaction

from stillhere.core.events import State
from stillhere.store import changes
from stillhere.store.changes import KEPT_MS, LATE_MS, ChangeReader
from stillhere.store.db.optional_tables import CHANGES
from stillhere.store.models import PageChange, WatchRow
from stillhere.store.people import browsers, contacts, invitations
from stillhere.store.watches import apply, care_log
from stillhere.store.watches.apply import CallForHelp, CheckIn, Tick
from tests.circle import SamsNight, sams_night
from tests.conftest import Clock
from tests.store.watches.conftest import file
from tests.torn import leaves, tear

__all__ = ["file"]  # a fixture

pytestmark = pytest.mark.usefixtures("database")


@pytest.fixture
def night(clock: Clock) -> SamsNight:
    """Sam on watch, with Leo; nothing of it is news any more."""
    night = sams_night(("Leo",))
    night.start()
    PageChange.objects.all().delete()
    return night


def noted() -> list[int]:
    return list(PageChange.objects.order_by("id").values_list("person", flat=True))


def test_a_check_in_in_an_open_watch_is_no_news(night: SamsNight, clock: Clock) -> None:
    clock.advance(60)
    night.does(CheckIn())
    assert night.row().seen_at == clock.now
    assert noted() == []


def test_whatever_else_happens_to_a_watch_is_news(night: SamsNight, clock: Clock) -> None:
    ask_at = night.row().next_ask_at
    assert ask_at is not None
    clock.now = ask_at
    night.does(Tick())
    assert night.row().state == State.ASKING
    night.does(CheckIn())
    night.does(CallForHelp())
    night.does(CheckIn())
    assert noted() == [night.person.id] * 4


@pytest.mark.parametrize(
    "does",
    [
        lambda n: apply.start(n.person.id, "injected"),
        lambda n: invitations.leave(n.contacts["Leo"]),
        lambda n: contacts.not_tonight(n.contacts["Leo"]),
        lambda n: browsers.close(browsers.open_pages(n.person, tell=False)[0]),
        lambda n: apply.looked(n.watch),
    ],
    ids=["another watch", "a contact leaves", "not tonight", "a browser is out", "looked at"],
)  # fmt: skip
def test_so_is_what_happens_to_those_around_it(
    night: SamsNight, does: Callable[[SamsNight], object]
) -> None:
    WatchRow.objects.filter(id=night.watch).update(state=State.CLOSED, wake_at=None, closed_at=1)
    does(night)
    assert night.person.id in noted()


def test_so_is_what_was_done_in_an_alarm(night: SamsNight) -> None:
    night.does(CallForHelp())
    PageChange.objects.all().delete()
    assert care_log.note(night.contacts["Leo"], night.row(), "there", "", 0, "there.1")
    assert noted() == [night.person.id]


def test_what_is_rolled_back_was_no_news(night: SamsNight, clock: Clock) -> None:
    with transaction.atomic():
        changes.note([night.person.id], clock.now)
        transaction.set_rollback(True)
    assert noted() == []


def test_a_reader_is_told_once_and_nothing_of_before_it_came(clock: Clock) -> None:
    changes.note([1], clock.now)
    reader = ChangeReader()
    assert reader.read() == set()
    other(lambda: changes.note([2, 3, 3], clock.now))
    assert reader.read() == {2, 3}
    assert reader.read() == set()
    other(lambda: changes.note([2], clock.now))
    assert reader.read() == {2}


def other(does: Callable[[], object]) -> None:
    """As another process does it: on a connection of its own."""

    def run() -> None:
        does()
        connection.close()

    thread = Thread(target=run)
    thread.start()
    thread.join()


@pytest.mark.postgres
def test_on_postgresql_a_lower_number_may_come_later(clock: Clock) -> None:
    reader = ChangeReader()
    reader.read()
    PageChange.objects.create(id=20, person=2, at=clock.now)
    assert reader.read() == {2}
    clock.advance(LATE_MS / 1000 - 1)
    PageChange.objects.create(id=10, person=1, at=clock.now)
    assert reader.read() == {1}
    clock.advance(2)
    PageChange.objects.create(id=21, person=3, at=clock.now)
    assert reader.read() == {3}
    assert reader.read() == set()


def test_more_than_can_be_read_at_once_is_read_in_turn(
    clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(changes, "MOST_READ", 3)
    reader = ChangeReader()
    reader.read()
    other(lambda: changes.note(range(1, 8), clock.now))
    assert [*map(len, (reader.read(), reader.read(), reader.read(), reader.read()))] == [3, 3, 1, 0]


def test_what_everybody_has_read_is_erased(clock: Clock) -> None:
    changes.note([1], clock.now)
    clock.advance(KEPT_MS / 1000)
    changes.note([2], clock.now)
    changes.forget(clock.now)
    assert noted() == [1, 2]
    clock.advance(1)
    changes.forget(clock.now)
    assert noted() == [2]


@pytest.mark.sqlite
def test_without_its_table_everything_is_stored_and_pages_are_told_later(
    night: SamsNight, file: Path, clock: Clock
) -> None:
    maya = sams_night(("Maya",), first=200)
    changes.note([1], clock.now)
    connection.close()
    tear(file, leaves(file, "page_change")[-1])
    with pytest.raises(DatabaseError):
        list(PageChange.objects.all())
    night.does(CallForHelp())
    assert night.row().state == State.ALARM
    assert CHANGES.lost
    assert ChangeReader().read() == set()
    CHANGES.lost = False
    assert maya.start()
