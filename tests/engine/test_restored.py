"""A database that was put back from a backup: people are asked first, and nothing of a dead past
leaves."""

from __future__ import annotations

import pytest
from django.db import connection

from stillhere.core import events as ev
from stillhere.core.events import Outcome
from stillhere.core.messages import Fate, Receipt
from stillhere.core.schedule import Routine
from stillhere.engine.heartbeat import come_back, pulse_once
from stillhere.store.installation import backups
from stillhere.store.messages import delivery
from stillhere.store.models import Message, Outage, WatchRow
from stillhere.store.watches import apply
from stillhere.store.watches.apply import CallForHelp, CheckIn
from tests.circle import SamsNight, live, sams_night, tick_all
from tests.conftest import Clock

pytestmark = pytest.mark.usefixtures("database")

EVERY_DAY = Routine(frozenset(range(7)), 12 * 60, "UTC")


def night_under_way(clock: Clock, *rungs: tuple[str, ...]) -> SamsNight:
    pulse_once()
    night = sams_night(*(rungs or (("Leo",), ("Maya",))))
    Message.objects.all().delete()
    night.start()
    night.does(ev.Marked())
    return night


def restored(clock: Clock, after_s: float) -> int:
    """What stands in the database is a backup, put back ``after_s`` later; the engine starts."""
    with connection.cursor() as cursor:
        cursor.execute(backups.MARK)
    clock.advance(after_s)
    return come_back()


def leaving(clock: Clock) -> list[str]:
    """The words that would leave now, whatever the channel."""
    found = [m for name in ("text", "call") for m in delivery.lease(name, clock.now, 50, 20)]
    return sorted({m.word for m in found})


@pytest.mark.parametrize("after_s", [1, 10, 20 * 60, 3 * 24 * 3600])
def test_an_open_ask_is_asked_again_with_a_full_grace_however_soon_it_comes_back(
    clock: Clock, after_s: int
) -> None:
    night = night_under_way(clock)
    live(clock, 110)  # everything rang, ten seconds are left; the answer to it is not in the backup
    assert restored(clock, after_s) == 1
    tick_all()
    row = night.row()
    assert (row.state, row.grace_at) == ("asking", clock.now + 60_000)
    assert leaving(clock) == ["ask-ring"]
    live(clock, 59)
    assert not Message.objects.filter(word="alarm").exists()
    live(clock, 1)
    assert night.row().state == "alarm"


def test_a_daily_check_in_that_was_answered_after_the_backup_is_asked_again(clock: Clock) -> None:
    night = night_under_way(clock)
    night.does(ev.Ended())
    night.watch = apply.start(night.person.id, "routine", routine=EVERY_DAY)
    deadline_at = night.row().deadline_at
    assert deadline_at is not None
    clock.advance((deadline_at - clock.now) / 1000 + 25 * 60)
    for _ in range(3):
        pulse_once()
        tick_all()
    live(clock, 2)
    assert night.row().state == "asking"
    restored(clock, 300)
    tick_all()
    grace_at = night.row().grace_at
    assert grace_at is not None
    assert grace_at >= clock.now + 25 * 60_000


def test_a_watch_that_fell_due_in_the_gap_is_asked_first(clock: Clock) -> None:
    night = night_under_way(clock)
    live(clock, 5)
    assert restored(clock, 20 * 60) == 0
    tick_all()
    assert (night.row().state, night.row().grace_at) == ("asking", clock.now + 60_000)
    live(clock, 5)  # the screen first, as always
    assert leaving(clock) == ["ask"]


def test_nothing_queued_in_the_dead_past_leaves(clock: Clock) -> None:
    night = night_under_way(clock)
    live(clock, 65)
    assert [m.word for m in night.queued()] == ["ask"]
    old = night.queued()[0].id
    restored(clock, 20 * 60)
    tick_all()
    assert Message.objects.get(id=old).why == "from before the restore"
    assert leaving(clock) == ["ask-ring"]


def test_news_and_pages_of_an_alarm_that_is_over_stay_behind(clock: Clock) -> None:
    night = night_under_way(clock)
    night.does(CallForHelp())
    night.does(ev.Claimed(night.contacts["Leo"].id, 180))
    night.does(ev.Resolved(None, Outcome.FINE))
    Message.objects.update(status="queued", attempts=1)  # as if a carrier had refused it all
    restored(clock, 20 * 60)
    tick_all()
    assert leaving(clock) == ["stand-down"]


def test_an_end_that_somebody_is_owed_still_leaves(clock: Clock) -> None:
    night = night_under_way(clock)
    night.does(CallForHelp())
    delivery.lease("text", clock.now, 50, 20)
    night.does(ev.Resolved(None, Outcome.FINE))
    restored(clock, 20 * 60)
    assert "stand-down" in leaving(clock)


def test_an_open_alarm_goes_on_and_rings_the_person_first(clock: Clock) -> None:
    night = night_under_way(clock)
    night.does(CallForHelp())
    for name in ("text", "call"):
        delivery.record(
            [
                m.result(Receipt(Fate.ACCEPTED, provider_ref=f"{name}{m.id}"))
                for m in delivery.lease(name, clock.now, 50, 20)
            ],
            clock.now,
        )
    restored(clock, 20 * 60)
    tick_all()
    told = {(m.word, m.contact_id) for m in night.queued()}
    leo, maya = (night.contacts[name].id for name in ("Leo", "Maya"))
    assert ("service-was-down", leo) in told
    assert ("ask-ring", None) in told
    assert ("alarm", leo) not in told, "Leo was called before the backup"
    calls = Message.objects.filter(contact=maya, word="help").count()
    assert calls == 2, "one text and one call, once"


def test_a_call_that_had_not_left_yet_is_made_after_all(clock: Clock) -> None:
    night = night_under_way(clock)
    night.does(CallForHelp())
    restored(clock, 20 * 60)
    leo = night.contacts["Leo"].id
    assert Message.objects.filter(contact=leo, word="help", status="queued").count() == 2


def test_many_alarms_of_the_past_are_no_storm(clock: Clock) -> None:
    """Forty watches, asked and not yet asked: after the restore nobody hears anything twice."""
    nights = [night_under_way(clock, ("Leo",)) for _ in range(20)]
    live(clock, 62)
    asking = nights[:]
    nights += [night_under_way(clock, ("Leo",)) for _ in range(20)]
    before = Message.objects.filter(word__in=["alarm", "help"]).count()
    restored(clock, 3600)
    tick_all()
    assert {night.row().state for night in nights} == {"asking"}
    assert Message.objects.filter(word__in=["alarm", "help"]).count() == before == 0
    for night in asking:
        rings = Message.objects.filter(watch=night.watch, word="ask-ring", status="queued")
        assert rings.count() == 2, "one text and one call"


def test_it_happens_once_and_stands_among_the_outages(clock: Clock) -> None:
    night = night_under_way(clock)
    live(clock, 70)
    assert restored(clock, 600) == 1
    version = night.row().version
    assert come_back() == 0
    assert night.row().version == version
    assert not Outage.objects.filter(why=backups.WAITING).exists()
    last = Outage.objects.get(why=backups.DONE)
    assert (last.from_at, last.to_at) == (clock.now - 600_000, clock.now)


def test_a_restore_on_a_machine_whose_clock_is_behind_makes_nobody_wait(clock: Clock) -> None:
    night = night_under_way(clock)
    live(clock, 70)
    clock.now -= 3600_000
    restored(clock, 30)
    live(clock, 61)
    assert night.row().state == "alarm"


def test_what_never_watched_anybody_has_nothing_to_come_back_to(clock: Clock) -> None:
    assert restored(clock, 600) == 0
    assert not Outage.objects.exists()
    assert not WatchRow.objects.exists()


def test_a_check_in_right_after_the_start_ends_the_question(clock: Clock) -> None:
    night = night_under_way(clock)
    live(clock, 70)
    restored(clock, 600)
    night.does(CheckIn())
    assert night.row().state == "open"
    assert leaving(clock) == []


def test_no_key_of_a_message_comes_again_after_a_restore(clock: Clock) -> None:
    """Ids and versions do. A provider that knows keys would say that it had the alarm already."""
    night = night_under_way(clock)
    backup = WatchRow.objects.filter(id=night.watch).values().get()
    live(clock, 121)
    before = set(Message.objects.values_list("key", flat=True))
    assert night.row().state == "alarm"
    Message.objects.all().delete()
    WatchRow.objects.filter(id=night.watch).update(**backup)
    restored(clock, 600)
    live(clock, 121)
    assert night.row().state == "alarm"
    assert not before & set(Message.objects.values_list("key", flat=True))
