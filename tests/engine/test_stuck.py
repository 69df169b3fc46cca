"""The coordinator is paged by another way while what is urgent reaches nobody."""

from __future__ import annotations

import json

import pytest

from stillhere.core import events as ev
from stillhere.core.messages import Fate, Receipt
from stillhere.engine import render
from stillhere.engine.audit import audit_once
from stillhere.engine.heartbeat import pulse_once
from stillhere.store.db import clock as time
from stillhere.store.messages import delivery, stuck
from stillhere.store.models import Installation, Message, WatchRow
from stillhere.store.watches.apply import CheckIn
from tests.circle import sams_night
from tests.conftest import Clock
from tests.engine.test_reached import rounds, try_all
from tests.store.messages.test_delivery import alarmed_night

pytestmark = pytest.mark.usefixtures("database")


def words() -> list[str]:
    pages = Message.objects.filter(word__in=[stuck.STUCK, stuck.FREE]).order_by("id")
    return list(pages.values_list("word", flat=True))


def live(clock: Clock, seconds: int, *, stuck_now: bool) -> None:
    for _ in range(0, seconds, 5):
        clock.advance(5)
        pulse_once()
        stuck.look(clock.now, time.read().rate, stuck=stuck_now, free=not stuck_now)


def test_a_carrier_that_refuses_everything_pages_the_coordinator_and_says_when_it_is_over(
    clock: Clock,
) -> None:
    alarmed_night(clock, ("Leo",))
    rounds(clock, 25, Fate.BUSY, "text", "call")
    assert words() == []
    rounds(clock, 15, Fate.BUSY, "text", "call")
    assert words() == ["page-stuck"]
    rounds(clock, 300, Fate.BUSY, "text", "call")
    assert words() == ["page-stuck"]
    rounds(clock, 70, Fate.ACCEPTED, "text", "call", why="")
    assert words() == ["page-stuck", "page-free"]


def test_a_push_that_was_given_up_in_vain_keeps_nothing_red(clock: Clock) -> None:
    """Whoever subscribes names the server: it may never take anything."""
    night = alarmed_night(clock, ("Leo",))
    rounds(clock, 40, Fate.BUSY, "text", "call")
    push = Message.objects.filter(watch=night.watch, channel="text", word="alarm")[0]
    push.pk, push.key, push.channel, push.status = None, "theirs", "push", "dropped"
    push.vain_at = push.done_at = clock.now
    push.save(force_insert=True)
    rounds(clock, 70, Fate.ACCEPTED, "text", "call", why="")
    assert words() == ["page-stuck", "page-free"]


def test_it_is_told_again_every_half_hour(clock: Clock) -> None:
    live(clock, 15, stuck_now=True)
    assert words() == ["page-stuck"]
    live(clock, 1795, stuck_now=True)
    assert words() == ["page-stuck"]
    live(clock, 5, stuck_now=True)
    assert words() == ["page-stuck"] * 2


def test_what_is_cleared_at_once_is_told_to_nobody(clock: Clock) -> None:
    live(clock, 10, stuck_now=True)
    live(clock, 60, stuck_now=False)
    assert words() == []
    assert Installation.objects.get().stuck_at == 0


def test_the_next_trouble_is_a_new_one(clock: Clock) -> None:
    for _ in range(2):
        live(clock, 15, stuck_now=True)
        live(clock, 15, stuck_now=False)
    assert words() == ["page-stuck", "page-free"] * 2


def test_a_clock_that_was_set_back_silences_no_page(clock: Clock) -> None:
    live(clock, 15, stuck_now=True)
    at = clock.now + 7_200_000
    Installation.objects.update(stuck_at=at, stuck_told_at=at)
    live(clock, 5, stuck_now=True)
    assert words() == ["page-stuck"] * 2


def test_two_engines_page_once(clock: Clock) -> None:
    live(clock, 10, stuck_now=True)
    clock.advance(5)
    seen = Installation.objects.filter(id=1).values("stuck_at", "stuck_told_at").first()
    assert seen is not None
    assert stuck.look(clock.now, 1.0, stuck=True, free=False) == "page-stuck"
    assert stuck._page("page-stuck", clock.now, seen, clock.now + 1, stuck_told_at=1) == ""
    assert words() == ["page-stuck"]


def test_the_coordinator_reads_since_when_and_no_name(clock: Clock) -> None:
    live(clock, 15, stuck_now=True)
    live(clock, 15, stuck_now=False)
    leased = delivery.lease("coordinator", clock.now, 10, 10)
    told = [render.render(m, "ruth@example.org") for m in leased]
    delivery.record([m.result(Receipt(Fate.ACCEPTED)) for m in leased], clock.now)
    assert [t.text for t in told] == [
        (
            "Some of what we send has not arrived since 22:00 UTC. "
            "Somebody may be waiting for help. Look now, and phone."
        ),
        "What we send leaves again, since 22:00 UTC.",
    ]
    assert all(t.link.endswith("/desk") for t in told)
    assert set(json.loads(Message.objects.earliest("id").facts)) == {"at"}


@pytest.mark.slow
def test_it_does_not_work_again_because_what_was_in_vain_has_lapsed(clock: Clock) -> None:
    """The carrier refuses the asks, the asks lapse, and their alarms are young."""
    nights = [sams_night(("Leo",)) for _ in range(3)]
    Message.objects.filter(word="invite").update(status="sent")
    for each in nights:
        each.start()
        each.does(ev.Marked())
    red_at, alarms = 0, set()
    for second in range(240):
        rounds(clock, 1, Fate.BUSY, "text", "call")
        red = bool(audit_once(clock.now))
        red_at = red_at or (second if red else 0)
        assert red == bool(red_at), f"green again after {second} s"
        alarms.add(WatchRow.objects.filter(state="alarm").count())
    assert 0 < red_at < 120, "before the alarms"
    assert alarms == {0, 3}
    assert words() == ["page-stuck"]
    rounds(clock, 90, Fate.ACCEPTED, "text", "call", why="")
    assert audit_once(clock.now) == []
    assert words() == ["page-stuck", "page-free"]


def test_an_alarm_starts_red_while_nobody_has_seen_the_carrier_take_anything(clock: Clock) -> None:
    night = alarmed_night(clock, ("Leo",))
    rounds(clock, 40, Fate.BUSY, "text", "call")
    night.does(CheckIn())
    Message.objects.filter(status="queued").update(status="dropped", done_at=clock.now)
    assert rounds(clock, 5, Fate.BUSY, "text", "call") == []
    assert words() == ["page-stuck"], "nothing waits, and nothing was taken"
    alarmed_night(clock, ("Maya",))
    assert "reached nobody" in " ".join(audit_once(clock.now))
    try_all(clock, Fate.ACCEPTED, "text")
    rounds(clock, 5, Fate.BUSY, "call")
    assert words() == ["page-stuck"], "calls are refused yet"
    rounds(clock, 70, Fate.ACCEPTED, "text", "call", why="")
    assert words() == ["page-stuck", "page-free"]
