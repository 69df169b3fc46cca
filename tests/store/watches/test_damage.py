"""A page of the database file is torn: who lies on it is set aside and told of, others go on."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from django.db import DatabaseError, connection
from django.test import Client

from stillhere.cli.check.weaknesses import set_aside
from stillhere.core.events import State
from stillhere.core.messages import Fate, Receipt
from stillhere.engine.audit import audit_once
from stillhere.engine.erasure import erase_once
from stillhere.engine.tick import Waker
from stillhere.store.installation import desk_key
from stillhere.store.messages import delivery, receipts
from stillhere.store.models import (
    Contact,
    Message,
    SetAside,
    sealed_columns,
)
from stillhere.store.watches import apply, damage
from stillhere.store.watches.apply import CallForHelp, Change, CheckIn, apply_free
from stillhere.store.watches.group_commit import GroupCommit, NotStored
from stillhere.web.asgi.check_in import FastLane
from stillhere.web.site import health
from tests.circle import sams_night, session_of
from tests.conftest import Clock
from tests.store.watches.conftest import PEOPLE, Torn, asked_nights, torn_at, words_to
from tests.torn import Page
from tests.web.pages import turned

pytestmark = [pytest.mark.sqlite, pytest.mark.slow]


async def nothing_else(scope: object, receive: object, send: object) -> None:
    raise AssertionError("only check-ins are asked for")


def press(lane: FastLane, key: str, lang: str) -> tuple[int, str]:
    """A check-in by script: its status, and what it says."""
    said: list[Any] = []

    async def receive() -> Any:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Any) -> None:
        said.append(message)

    headers = [(b"accept", b"application/json"), (b"accept-language", lang.encode())]
    path = f"/k/{key}"
    scope: Any = {
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
    people = {m.facts.person for m in leased if m.word == "alarm"}
    assert people == {"Sam"}
    alarms = [m for m in leased if m.word == "alarm"]
    assert len(alarms) == len(torn.aside)
    assert all(m.to and m.contact_nonce for m in alarms)
    delivery.record(
        [m.result(Receipt(Fate.ACCEPTED, f"one:{m.id}")) for m in leased], torn.clock.now
    )
    torn.clock.advance(31)
    receipts.silent(torn.clock.now)
    again = delivery.lease("text", torn.clock.now, 500, 20.0)
    assert {m.id for m in alarms} <= {m.id for m in again}, "silence is answered by another try"


def test_a_press_on_it_is_never_called_kept_and_harms_nobody_else(torn: Torn) -> None:
    lost, other = torn.lost[0], torn.others[0]
    torn.clock.advance(10)
    writes: GroupCommit[Change, apply.ChangeResult] = GroupCommit(apply_free)
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
    assert erase_once(torn.clock.now) == 0
    says = f"{len(torn.aside)} watches cannot be read and nobody watches them"
    assert says in health.reasons()
    assert not health.behind(), "the others are watched, and their pages say so"
    [(well, finding)] = set_aside()
    assert not well
    assert finding.startswith(f"{len(torn.aside)} watches cannot be read")


def test_the_desk_shows_them_until_somebody_has_looked(torn: Torn) -> None:
    torn.others[-1].does(CallForHelp())
    torn.pass_time(205)
    client, key = Client(), desk_key.key()
    said = "".join(turned(client, f"/desk/{key}", "look"))
    assert said.count("this watch cannot be read") == len(torn.lost)
    others = len(torn.aside) - len(torn.lost)
    assert said.count("not all that belongs to this watch") == others
    assert "our own code failed" not in said
    for night in torn.aside:
        client.post("/desk/act", {"do": "looked", "watch": night.watch})
    assert [each for each in damage.aside() if each.looked_at is None] == []
    assert "nobody watches it" not in client.get(f"/desk/{key}", follow=True).content.decode()


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
    writes: GroupCommit[Change, apply.ChangeResult] = GroupCommit(apply_free)
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
    client.cookies["session"] = session_of(night.key)
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
        night.does(CallForHelp())
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
    nights = asked_nights(file, clock)
    found, page = torn_at(file, table, nights, clock)
    found.pass_time(105)
    aside = {n.watch for n in found.aside}
    assert {n.row().state for n in nights if n.watch not in aside} <= {State.ALARM}
    spared = table in ("journal", "tally")
    assert not (aside and spared)
    assert bool(aside) or spared or table == "message"
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
    nights = asked_nights(file, clock)
    found, _ = torn_at(file, "message", nights, clock, last=True)
    found.pass_time(105)
    assert len(found.aside) == PEOPLE, "and the outside watcher hears of it"


def test_two_torn_tables_leave_nobody_asking_for_ever(file: Path, clock: Clock) -> None:
    nights = asked_nights(file, clock)
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
