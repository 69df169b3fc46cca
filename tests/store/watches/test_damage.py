"""A page of the database file is torn: who lies on it is set aside and told of, others go on."""

from __future__ import annotations

import asyncio
import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from django.db import DatabaseError, connection
from django.test import Client
from pytest_django.fixtures import Settings

from stillhere.cli.check.weaknesses import set_aside
from stillhere.core.events import State
from stillhere.engine.audit import audit_once, sweep_once
from stillhere.engine.heartbeat import come_back, pulse_once
from stillhere.engine.tick import Waker
from stillhere.store.db import encryption
from stillhere.store.installation import desk_key
from stillhere.store.messages import delivery, receipts
from stillhere.store.models import (
    Contact,
    Installation,
    Message,
    Outage,
    SetAside,
    WatchRow,
    sealed_columns,
)
from stillhere.store.program import shifts
from stillhere.store.watches import apply, damage
from stillhere.store.watches.apply import Change, CheckIn, NeedHelp, apply_free
from stillhere.store.watches.group_commit import GroupCommit, NotStored
from stillhere.web.asgi.check_in import FastLane
from stillhere.web.site import health
from tests.circle import SamsNight, sams_night, tick_all
from tests.conftest import Clock
from tests.torn import Page, leaves, tear

pytestmark = pytest.mark.sqlite
PEOPLE = 120
STEP_S = 5


@pytest.fixture
def file(tmp_path: Path, database: None) -> Iterator[Path]:
    """The database in a copy of its file, which may be torn."""
    whole = Path(connection.settings_dict["NAME"])
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()
    copy = tmp_path / "stillhere.sqlite3"
    shutil.copy(whole, copy)
    connection.settings_dict["NAME"] = str(copy)
    yield copy
    connection.close()
    connection.settings_dict["NAME"] = str(whole)


@dataclass
class Torn:
    """A night of many after a page was torn: who lay on it, and who did not. Some of those beside
    it can be read, but not written where their row grows."""

    lost: list[SamsNight]
    others: list[SamsNight]
    clock: Clock
    waker: Waker
    keys: dict[int, str] = field(default_factory=dict)  # of the watches, by id

    @property
    def aside(self) -> list[SamsNight]:
        those = set(SetAside.objects.values_list("watch", flat=True))
        return [n for n in [*self.lost, *self.others] if n.watch in those]

    @property
    def well(self) -> list[SamsNight]:
        aside = {night.watch for night in self.aside}
        return [night for night in self.others if night.watch not in aside]

    def pass_time(self, seconds: int) -> None:
        for _ in range(0, seconds, STEP_S):
            self.clock.advance(STEP_S)
            pulse_once()
            for _ in range(3):
                self.waker.wake(self.clock.now)


def torn_at(
    file: Path, table: str, nights: list[SamsNight], clock: Clock, *, last: bool = False
) -> tuple[Torn, Page]:
    connection.close()
    pages = leaves(file, table)
    page = pages[-1 if last else len(pages) // 2]
    tear(file, page)
    lost = [n for n in nights if table == "watch" and n.watch in page.ids]
    return Torn(lost, [n for n in nights if n not in lost], clock, Waker()), page


@pytest.fixture
def torn(file: Path, clock: Clock) -> Torn:
    """Everybody is watched, and then a page of the watches is torn."""
    nights = [sams_night(("Leo",)) for _ in range(PEOPLE)]
    for night in nights:
        night.start(own='{"total_s": 10800}')
    clock.advance(181)  # asked once, and answered: rows have changed, and pages have room
    pulse_once()
    tick_all()
    for night in nights:
        night.does(CheckIn())
    keys = {row.id: encryption.key_for("watch", row.nonce) for row in WatchRow.objects.all()}
    found, _ = torn_at(file, "watch", nights, clock)
    found.keys = keys
    assert len(found.lost) >= 5
    with pytest.raises(DatabaseError):
        list(WatchRow.objects.all())
    return found


def words_to(night: SamsNight, *words: str) -> set[str]:
    mine = Message.objects.filter(person=night.person, word__in=words)
    return set(mine.values_list("word", flat=True))


def asked_nights(clock: Clock, people: int = PEOPLE) -> list[SamsNight]:
    """Everybody is asked, and nobody has answered."""
    nights = [sams_night(("Leo", "Maya")) for _ in range(people)]
    for night in nights:
        night.start(own='{"total_s": 10800}')
    clock.advance(190)
    pulse_once()
    tick_all()
    assert {night.row().state for night in nights} == {State.ASKING}
    return nights


async def nothing_else(scope: object, receive: object, send: object) -> None:
    raise AssertionError("only check-ins are asked for")


def press(lane: FastLane, key: str, lang: str) -> tuple[int, str]:
    """A check-in by script: its status, and what it says."""
    said: list[Any] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Any) -> None:
        said.append(message)

    headers = [(b"accept", b"application/json"), (b"accept-language", lang.encode())]
    path = f"/k/{key}"
    scope = {
        "type": "http", "method": "POST", "path": path, "query_string": b"", "headers": headers,
    }  # fmt: skip
    asyncio.run(lane(scope, receive, send))
    return said[0]["status"], json.loads(said[1]["body"])["says"]


def lies_on(page: Page, table: str, contact: Contact) -> bool:
    """Whether something of this contact lies on that page."""
    if table == "contact":
        return contact.id in page.ids
    return any(id in page.ids for id in ids_of_ways(contact))


def ids_of_ways(contact: Contact) -> list[int]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT id FROM address WHERE contact_id = %s", [contact.id])
        return [id for (id,) in cursor.fetchall()]


def test_the_others_are_asked_and_alarmed_in_time(torn: Torn) -> None:
    torn.pass_time(205)
    assert {n.watch for n in torn.aside} == {n.watch for n in torn.lost}
    assert {night.row().state for night in torn.others} == {State.ASKING}
    torn.pass_time(75)
    assert {night.row().state for night in torn.well} == {State.ALARM}
    assert torn.well
    for night in [*torn.lost, *torn.others]:
        assert words_to(night, "alarm"), "heard of, one way or the other"


def test_who_cannot_be_read_is_set_aside_and_their_people_are_told_once(torn: Torn) -> None:
    torn.pass_time(205)
    assert {n.watch for n in torn.lost} <= {n.watch for n in torn.aside}
    for night in torn.aside:
        to = Message.objects.filter(person=night.person, word="alarm")
        assert {m.contact_id for m in to} == {night.contacts["Leo"].id}
        assert {m.channel for m in to} == {"text", "call"}
        pages = Message.objects.filter(person=night.person, word="page-quarantine")
        assert [m.channel for m in pages] == ["coordinator"]
    before = Message.objects.filter(word="page-quarantine").count()
    torn.waker = Waker()  # the engine was started again
    torn.pass_time(10)
    assert Message.objects.filter(word="page-quarantine").count() == before


def test_their_alarms_leave(torn: Torn) -> None:
    torn.pass_time(205)
    leased = delivery.lease("text", torn.clock.now, 500, 20.0)
    people = {m.person_name for m in leased if m.word == "alarm"}
    assert people == {"Sam"}
    alarms = [m for m in leased if m.word == "alarm"]
    assert len(alarms) == len(torn.aside)
    assert all(m.to and m.contact_nonce for m in alarms)
    delivery.record(
        [delivery.Fated(m, delivery.SENT, f"one:{m.id}") for m in leased], torn.clock.now
    )
    torn.clock.advance(31)
    receipts.silent(torn.clock.now)
    again = delivery.lease("text", torn.clock.now, 500, 20.0)
    assert {m.id for m in alarms} <= {m.id for m in again}, "silence is answered by another try"


def test_a_press_on_it_is_never_called_kept_and_harms_nobody_else(torn: Torn) -> None:
    lost, other = torn.lost[0], torn.others[0]
    torn.clock.advance(10)
    writes: GroupCommit[Change, apply.Answer] = GroupCommit(apply_free)
    try:
        with pytest.raises(NotStored):
            writes.commit(Change(CheckIn(), watch=lost.watch))
        assert writes.commit(Change(CheckIn(), watch=other.watch)).watch is not None
    finally:
        writes.stop()
    assert other.row().seen_at == torn.clock.now


def test_the_proof_holds_for_the_others_and_everybody_hears_how_many_are_aside(
    torn: Torn,
) -> None:
    torn.pass_time(205)
    Message.objects.update(status="delivered")
    assert audit_once(torn.clock.now) == []
    assert sweep_once(torn.clock.now) == 0
    says = f"{len(torn.aside)} watches cannot be read and nobody watches them"
    assert says in health.reasons()
    assert not health.behind(), "the others are watched, and their pages say so"
    [(well, finding)] = set_aside()
    assert not well
    assert finding.startswith(f"{len(torn.aside)} watches cannot be read")


def test_the_desk_shows_them_until_somebody_has_looked(torn: Torn) -> None:
    torn.others[-1].does(NeedHelp())
    torn.pass_time(205)
    client, key = Client(), desk_key.key()
    page = client.get(f"/desk/{key}")
    assert page.status_code == 200
    said = page.content.decode()
    assert said.count("this watch cannot be read") == len(torn.lost)
    others = len(torn.aside) - len(torn.lost)
    assert said.count("not all that belongs to this watch") == others
    assert "our own code failed" not in page.content.decode()
    for night in torn.aside:
        client.post(f"/desk/{key}/act", {"do": "looked", "watch": night.watch})
    assert damage.unlooked() == []
    assert "nobody watches it" not in client.get(f"/desk/{key}").content.decode()


def test_who_was_looked_at_is_still_watched_by_nobody_and_that_is_said(torn: Torn) -> None:
    torn.pass_time(205)
    many, night = len(torn.aside), torn.lost[0]
    damage.looked(night.watch, torn.clock.now)
    says = f"{many} watches cannot be read and nobody watches them; 1 was looked at"
    assert says in health.reasons()
    readable = next(n for n in torn.others if n not in torn.aside)
    apply.apply(Change(CheckIn(), watch=readable.watch))
    SetAside.objects.filter(watch=night.watch).delete()
    SetAside.objects.create(watch=readable.watch, at=1, looked_at=2)
    SetAside.objects.create(watch=10**9, at=1, looked_at=2)
    assert health.aside_reasons(torn.clock.now) == [
        f"{many - 1} watches cannot be read and nobody watches them"
    ], "one can be read again, one is gone"


def test_what_a_watch_set_aside_left_unsent_stops_no_proof(torn: Torn) -> None:
    torn.pass_time(205)
    Message.objects.update(status="delivered")
    readable = torn.others[0]
    Message.objects.create(
        key="left", watch_id=readable.watch, channel="text", word="ask", urgency=3,
        due_at=torn.clock.now - 600_000, created_at=torn.clock.now - 600_000,
    )  # fmt: skip
    assert audit_once(torn.clock.now) != []
    SetAside.objects.create(watch=readable.watch, at=torn.clock.now)
    assert audit_once(torn.clock.now) == []


def test_a_press_that_will_never_be_kept_hears_so(torn: Torn) -> None:
    torn.pass_time(205)
    writes: GroupCommit[Change, apply.Answer] = GroupCommit(apply_free)
    lane = FastLane(nothing_else, writes)
    try:
        answers = [press(lane, torn.keys[torn.lost[0].watch], lang) for lang in ("en", "es")]
    finally:
        writes.stop()
    assert [status for status, _ in answers] == [503, 503]
    assert "Nobody is watching you now. Phone somebody." in answers[0][1]
    assert "Ahora nadie está pendiente de ti" in answers[1][1]


def test_their_own_page_does_not_say_that_anybody_watches(torn: Torn) -> None:
    torn.pass_time(205)
    night = torn.lost[0]
    client = Client()
    client.cookies["lamp"] = night.key
    page = client.get("/watch").content.decode()
    assert "Nobody is watching" in page
    assert 'action="/k/' not in page


def test_the_page_of_whoever_was_called_says_what_to_do(torn: Torn) -> None:
    torn.pass_time(205)
    key = sealed_columns.contact_key(torn.lost[0].contacts["Leo"])
    page = Client().get(f"/c/{key}")
    assert page.status_code == 200
    assert "we can no longer ask Sam" in page.content.decode()


def test_messages_on_a_torn_page_keep_no_other_from_leaving(file: Path, clock: Clock) -> None:
    nights = [sams_night(("Leo",)) for _ in range(PEOPLE)]
    for night in nights:
        night.start(own='{"total_s": 10800}')
        night.does(NeedHelp())
    found, page = torn_at(file, "message", nights, clock)
    leased = delivery.lease("call", clock.now, 500, 20.0)
    assert leased
    assert all(m.id not in page.ids for m in leased)
    assert {m.id < page.ids[0] for m in leased} == {True, False}, "before it, and behind"
    aside = set(SetAside.objects.values_list("watch", flat=True))
    of_page = [n for n in nights if n.watch in aside]
    assert of_page, "an alarm that cannot be read is told anew"
    assert found.waker.wake(clock.now) >= 0


@pytest.mark.parametrize("table", ["contact", "address", "person", "message", "journal", "tally"])
def test_whatever_is_torn_when_alarms_are_raised_nobody_is_left_asking_for_ever(
    file: Path, clock: Clock, table: str
) -> None:
    nights = asked_nights(clock)
    found, page = torn_at(file, table, nights, clock)
    found.pass_time(105)
    aside = {n.watch for n in found.aside}
    assert {n.row().state for n in nights if n.watch not in aside} <= {State.ALARM}
    assert bool(aside) or table in ("message", "journal")
    if table == "message":
        return  # nothing of them may be read
    assert Message.objects.filter(word="page-quarantine").count() == len(aside)
    told = set(Message.objects.filter(word="alarm").values_list("contact_id", flat=True))
    readable = [
        contact.id
        for night in found.aside
        for contact in night.contacts.values()
        if table not in ("contact", "address") or not lies_on(page, table, contact)
    ]
    assert set(readable) <= told


def test_where_nothing_more_can_be_queued_the_watch_is_set_aside_all_the_same(
    file: Path, clock: Clock
) -> None:
    nights = asked_nights(clock)
    found, _ = torn_at(file, "message", nights, clock, last=True)
    found.pass_time(105)
    assert len(found.aside) == PEOPLE, "and the outside watcher hears of it"


def test_two_torn_tables_leave_nobody_asking_for_ever(file: Path, clock: Clock) -> None:
    nights = asked_nights(clock)
    torn_at(file, "contact", nights, clock)
    found, _ = torn_at(file, "watch", nights, clock)
    found.pass_time(105)
    aside = {n.watch for n in found.aside}
    assert {n.watch for n in found.lost} < aside
    assert {n.row().state for n in nights if n.watch not in aside} == {State.ALARM}
    assert Message.objects.filter(word="page-quarantine").count() == len(aside)


def test_one_that_cannot_be_set_aside_keeps_no_other_from_it(
    torn: Torn, monkeypatch: pytest.MonkeyPatch
) -> None:
    unlucky, honest = torn.lost[0].watch, damage.set_aside

    def fails_once(watch: int, now: int) -> bool:
        if watch == unlucky:
            raise DatabaseError("database disk image is malformed")
        return honest(watch, now)

    monkeypatch.setattr(damage, "set_aside", fails_once)
    torn.pass_time(205)
    assert {n.watch for n in torn.lost[1:]} <= {n.watch for n in torn.aside}
    monkeypatch.setattr(damage, "set_aside", honest)
    torn.pass_time(5)
    assert unlucky in {n.watch for n in torn.aside}


@pytest.fixture
def outages_torn(file: Path, clock: Clock) -> Iterator[Path]:
    """We were away once, and the page that says so is torn, which is all there is of it."""
    Outage.objects.create(from_at=clock.now - 60_000, to_at=clock.now + 200_000, why="away")
    connection.close()
    tear(file, leaves(file, "outage")[-1])
    yield file
    damage.OUTAGES.lost = False


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
    nights = asked_nights(clock, together)
    Outage.objects.create(from_at=clock.now, to_at=clock.now + 1, why="away")
    try:
        found, _ = torn_at(file, "outage", nights, clock)
        found.pass_time(100)
        assert damage.OUTAGES.lost
        assert {n.row().state for n in nights} == {State.ALARM}
        assert found.aside == []
        assert any("not all of outage" in reason for reason in health.reasons())
    finally:
        damage.OUTAGES.lost = False


def test_a_call_for_help_of_one_who_is_due_is_kept_at_the_first_try(
    outages_torn: Path, clock: Clock
) -> None:
    night = sams_night(("Leo",))
    night.start(own='{"total_s": 10800}')
    clock.advance(190)
    night.does(NeedHelp())
    assert night.row().state == State.ALARM


@pytest.mark.parametrize(
    "table", ["person", "contact", "address", "message", "responder", "tally", "journal"]
)
def test_the_desk_shows_every_open_alarm_whatever_page_is_torn(
    file: Path, clock: Clock, table: str
) -> None:
    nights = asked_nights(clock)
    key = desk_key.key()
    shifts.add("Ana", "+12025550177", "en")
    for night in nights[::4]:
        night.does(NeedHelp())
    torn_at(file, table, nights, clock)
    answer = Client().get(f"/desk/{key}")
    assert answer.status_code == 200
    page = answer.content.decode()
    assert page.count('name="do" value="resolve"') == len(nights[::4])
    assert ("Not all of this page can be read" in page) == (table in UNREAD)
    assert table not in ("person", "contact") or "not all of this alarm can be read" in page


UNREAD = ("message", "responder", "tally")


def test_the_desk_gives_the_numbers_of_whoever_was_set_aside(torn: Torn) -> None:
    torn.pass_time(205)
    page = Client().get(f"/desk/{desk_key.key()}").content.decode()
    assert page.count("Phone Sam: ") == len(torn.aside)
    assert page.count("Phone Leo: ") == len(torn.aside)


def test_of_whoever_has_a_torn_list_the_desk_does_not_say_that_the_watch_is_unreadable(
    file: Path, clock: Clock
) -> None:
    nights = asked_nights(clock)
    found, _ = torn_at(file, "contact", nights, clock)
    found.pass_time(105)
    assert found.aside
    page = Client().get(f"/desk/{desk_key.key()}").content.decode()
    assert "this watch cannot be read" not in page
    assert page.count("not all that belongs to this watch") == len(found.aside)
    assert page.count("Phone Sam: ") >= len(found.aside), "who can be read"


@pytest.mark.parametrize("table", ["contact", "address"])
def test_the_coordinator_hears_that_contacts_were_told_only_where_some_were(
    file: Path, clock: Clock, table: str
) -> None:
    nights = asked_nights(clock)
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
    nights = asked_nights(clock, 1)
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
