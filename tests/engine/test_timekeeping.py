"""The machine's clock is wrong, at its start or in the middle: nobody waits longer, no daily
check-in is put off, and time is set right when somebody can prove it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

import pytest
from django.db import OperationalError
from django.db.models import F

from stillhere.core import events as ev
from stillhere.core.events import Outcome
from stillhere.core.schedule import Routine
from stillhere.engine import timekeeping
from stillhere.engine.heartbeat import pulse_once
from stillhere.engine.timekeeping import MOST, Reckoning, Timekeeper, settle
from stillhere.store.db import clock as installation_clock
from stillhere.store.installation import peers
from stillhere.store.messages import delivery
from stillhere.store.models import Installation, Message, Outage, Peer, WatchRow
from stillhere.store.watches import apply
from stillhere.store.watches.apply import CallForHelp, CheckIn
from tests.circle import SamsNight, live, sams_night, tick_all
from tests.conftest import EVENING_MS, Clock

pytestmark = pytest.mark.usefixtures("database")

HOUR_S, DAY_S = 3600, 24 * 3600
NOON_MS = EVENING_MS - EVENING_MS % (DAY_S * 1000) + 12 * HOUR_S * 1000
EVERY_DAY = Routine(frozenset(range(7)), 22 * 60, "UTC")
ERRORS_S = (-DAY_S, -HOUR_S, -60, 60, HOUR_S, 3 * DAY_S, 40 * 365 * DAY_S, -40 * 365 * DAY_S)


def marked_night(clock: Clock) -> SamsNight:
    pulse_once()
    night = sams_night(("Leo",), ("Maya",))
    night.start()
    night.does(ev.Marked())
    return night


def daily_night(clock: Clock) -> SamsNight:
    """Noon, and Sam is asked every evening at ten."""
    clock.now = NOON_MS
    pulse_once()
    night = sams_night(("Leo",), ("Maya",))
    night.watch = apply.start(night.person.id, "routine", routine=EVERY_DAY)
    return night


def follow() -> None:
    """The watches follow a time that was set back."""
    reckoning = Reckoning()
    while reckoning.step(installation_clock.read()):
        pass
    tick_all()


def prove(clock: Clock) -> None:
    """A time service is heard, and the machine's clock is right."""
    clock.proved = clock.now
    Timekeeper(()).round(installation_clock.read())
    follow()


def until(clock: Clock, night: SamsNight, state: str, within_s: int) -> int:
    """The engine does its rounds, and skips those that find nothing; returns the installation's
    time when the watch stands there."""
    ends_at = installation_clock.now_ms() + within_s * 1000
    while night.row().state != state:
        now = installation_clock.now_ms()
        rest_ms = min(night.row().wake_at or ends_at, ends_at) - now - 1_000
        if rest_ms > 0:
            clock.advance(rest_ms / 1000)
            moved = {name: F(name) + rest_ms for name in ("beat_at", "beat_boot_ms")}
            Installation.objects.update(**moved)
        clock.advance(1)
        now = pulse_once()
        tick_all()
        assert now <= ends_at, f"not {state} within {within_s} s"
    return now


def wall(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms / 1000, UTC).strftime("%H:%M")


# --- while it runs --------------------------------------------------------------------------------


@pytest.mark.parametrize("by_s", ERRORS_S)
def test_a_clock_that_is_set_makes_nobody_wait_and_asks_nobody_early(
    clock: Clock, by_s: int
) -> None:
    night = marked_night(clock)
    live(clock, 30)
    before = installation_clock.now_ms()
    clock.now += by_s * 1000
    assert installation_clock.now_ms() == before  # even before the engine has noticed
    live(clock, 29)
    assert night.row().state == "open"
    live(clock, 1)
    assert night.row().state == "asking"
    live(clock, 60)
    assert night.row().state == "alarm"
    assert not Outage.objects.exists()


@pytest.mark.parametrize("by_s", ERRORS_S)
def test_a_check_in_in_the_second_before_the_engine_notices_is_from_now(
    clock: Clock, by_s: int
) -> None:
    night = marked_night(clock)
    live(clock, 30)
    clock.now += by_s * 1000
    night.does(CheckIn())
    live(clock, 91)
    assert night.row().state == "asking", "the next ask came in its time"


@pytest.mark.parametrize("by_s", ERRORS_S)
def test_a_clock_that_is_wrong_for_twenty_seconds_moves_no_daily_check_in(
    clock: Clock, by_s: int
) -> None:
    night = daily_night(clock)
    clock.now += by_s * 1000
    live(clock, 20)
    clock.now -= by_s * 1000
    live(clock, 5)
    assert Installation.objects.get().clock_held_ms == 0
    assert wall(until(clock, night, "asking", 10 * HOUR_S)) == "21:00"
    assert wall(until(clock, night, "alarm", 2 * HOUR_S)) == "22:30"


def test_two_engines_that_both_notice_correct_it_once(clock: Clock) -> None:
    marked_night(clock)
    clock.now -= HOUR_S * 1000
    for _ in range(3):
        pulse_once()
    held_ms = Installation.objects.get().clock_held_ms
    assert held_ms == pytest.approx(HOUR_S * 1000, abs=2000)


def test_an_engine_on_another_machine_notices_by_its_own_clock(clock: Clock) -> None:
    night = marked_night(clock)
    for _ in range(3):  # two machines beat in turn
        for start in ("one machine", "another"):
            clock.start = start
            clock.advance(0.5)
            pulse_once()
    clock.now += 3 * DAY_S * 1000
    clock.start = "one machine"
    pulse_once()
    assert Installation.objects.get().clock_held_ms == -3 * DAY_S * 1000
    live(clock, 60)
    assert night.row().state == "asking"


def test_an_engine_that_starts_again_goes_by_the_clock_since_the_machines_start(
    clock: Clock,
) -> None:
    """It was away for a minute, and meanwhile somebody set the clock by three days."""
    night = marked_night(clock)
    live(clock, 61)
    clock.advance(60)
    clock.now += 3 * DAY_S * 1000
    now = pulse_once()
    outage = Outage.objects.get()
    assert (outage.to_at - outage.from_at, outage.to_at) == (60_000, now)
    tick_all()
    assert (night.row().state, night.row().grace_at) == ("asking", now + 60_000)


# --- a start of the machine -----------------------------------------------------------------------


def test_a_machine_that_boots_in_1970_and_is_corrected_goes_on_where_it_was(clock: Clock) -> None:
    night = marked_night(clock)
    live(clock, 61)
    died_at = clock.now
    clock.restart(10_000)  # 1970
    live(clock, 10)
    clock.now = died_at + 90_000 + 10_000  # the time service: it was away for a minute and a half
    live(clock, 2)
    prove(clock)
    assert abs(installation_clock.now_ms() - clock.now) <= 1000
    live(clock, 1)
    assert night.row().state == "asking"
    assert (night.row().wake_at or 0) < clock.now + 120_000
    live(clock, 61)
    assert night.row().state == "alarm"


def test_a_daily_check_in_on_a_machine_that_boots_in_1970_comes_tonight(clock: Clock) -> None:
    night = daily_night(clock)
    died_at = clock.now
    clock.restart(10_000)
    live(clock, 30)
    clock.now = died_at + 5 * 60_000
    live(clock, 2)
    prove(clock)
    assert wall(until(clock, night, "asking", 10 * HOUR_S)) == "21:00"


def test_a_clock_a_day_behind_at_boot_puts_no_reminder_off(clock: Clock) -> None:
    """And nobody proves anything: the last beat is all there is to go by."""
    night = daily_night(clock)
    clock.restart(clock.now + 60_000 - DAY_S * 1000)
    live(clock, 30)
    at = until(clock, night, "asking", 10 * HOUR_S)
    assert wall(at) == "21:00"
    assert at - NOON_MS < 10 * HOUR_S * 1000


def test_what_is_held_is_kept_until_the_time_is_proved(clock: Clock) -> None:
    daily_night(clock)
    clock.restart(clock.now - DAY_S * 1000)
    live(clock, 10)
    keeper = Timekeeper(())
    keeper.round(installation_clock.read())
    assert Installation.objects.get().clock_held_ms == DAY_S * 1000 - 1_000  # by the last beat
    clock.proved = clock.now + DAY_S * 1000 + 1_000  # right, and the machine's clock is not
    keeper.round(installation_clock.read())
    assert abs(installation_clock.now_ms() - clock.proved) <= 1_000
    clock.now = clock.proved  # now it is
    live(clock, 2)
    prove(clock)
    assert Installation.objects.get().clock_held_ms == 0


def test_booted_three_days_ahead_and_corrected_tonight_is_tonight(clock: Clock) -> None:
    """We cannot know, and ask: who waits for nothing is asked once more than needed."""
    night = daily_night(clock)
    clock.restart(clock.now + 3 * DAY_S * 1000)
    live(clock, 10)
    assert night.row().state == "asking"
    clock.now -= 3 * DAY_S * 1000
    live(clock, 10)
    prove(clock)
    assert night.row().state == "open"
    assert not Message.objects.filter(word__startswith="ask", status="queued").exists()
    assert wall(until(clock, night, "asking", 10 * HOUR_S)) == "21:00"


def test_a_year_ahead_at_boot_is_wrong_and_not_followed(clock: Clock) -> None:
    night = daily_night(clock)
    clock.restart(clock.now + 57 * 365 * DAY_S * 1000)
    live(clock, 10)
    assert installation_clock.now_ms() < NOON_MS + HOUR_S * 1000
    assert night.row().state == "open"


# --- setting it right -----------------------------------------------------------------------------


def ahead(clock: Clock, by_s: int) -> None:
    """The installation's time runs ahead: the clock was set back, and that is right."""
    clock.now -= by_s * 1000
    pulse_once()


def test_time_set_back_moves_messages_and_what_is_judged_overdue(clock: Clock) -> None:
    marked_night(clock)
    peers.add("Example County")
    live(clock, 121)
    Peer.objects.update(heard_at=installation_clock.now_ms())
    delivery.lease("text", installation_clock.now_ms(), 1, 20)
    before = list(Message.objects.filter(status="queued").order_by("id"))
    ahead(clock, HOUR_S)
    prove(clock)
    now = installation_clock.now_ms()
    assert now == clock.now
    for was, row in zip(
        before, Message.objects.filter(status="queued").order_by("id"), strict=False
    ):
        assert was.due_at - row.due_at == HOUR_S * 1000
        assert row.lease_until_at < now + HOUR_S * 1000
    assert Peer.objects.get().heard_at <= now
    assert Installation.objects.get().proof_at <= now


def test_an_open_alarm_goes_on_as_if_nothing_had_happened(clock: Clock) -> None:
    night = marked_night(clock)
    night.does(CallForHelp())
    ahead(clock, 3 * DAY_S)
    prove(clock)
    live(clock, 50)
    told = Message.objects.filter(word="help").values_list("contact_id", flat=True)
    assert set(told) == {contact.id for contact in night.contacts.values()}
    night.does(ev.Resolved(None, Outcome.FINE))
    assert (night.row().closed_at or 0) <= clock.now


def test_a_check_in_before_the_watch_has_followed_counts_in_the_right_time(clock: Clock) -> None:
    night = marked_night(clock)
    live(clock, 61)
    ahead(clock, HOUR_S)
    clock.proved = clock.now
    Timekeeper(()).round(installation_clock.read())
    answer = night.does(CheckIn())
    assert answer.watch is not None
    assert answer.watch.seen_at == clock.now
    live(clock, 91)
    assert night.row().state == "asking"


def test_a_watch_begun_after_it_is_reckoned_in_the_right_time(clock: Clock) -> None:
    marked_night(clock)
    ahead(clock, HOUR_S)
    prove(clock)
    late = sams_night(("Leo",))
    late.start()
    late.does(ev.Marked())
    live(clock, 61)
    assert late.row().state == "asking"


@pytest.mark.slow
def test_all_follow_whoever_is_next_first_and_those_of_one_minute_too(clock: Clock) -> None:
    night = daily_night(clock)
    for no in range(2, 3 * MOST):
        row = night.row()
        row.id, row.key_hash, row.nonce = None, no.to_bytes(32, "big"), no.to_bytes(16, "big")
        row.save(force_insert=True)
    ahead(clock, 3 * DAY_S)
    clock.proved = clock.now
    Timekeeper(()).round(installation_clock.read())
    assert Installation.objects.get().clock_reckoned_ms == 0
    reckoning, rounds = Reckoning(), 0
    while reckoning.step(installation_clock.read()):
        rounds += 1
    assert rounds >= 3
    assert not WatchRow.objects.exclude(clock_back_ms=3 * DAY_S * 1000).exists()
    assert not WatchRow.objects.filter(wake_at__gt=clock.now + 7 * DAY_S * 1000).exists()
    assert Installation.objects.get().clock_reckoned_ms == 3 * DAY_S * 1000


def test_those_that_could_not_follow_when_the_database_was_gone_follow_later(
    clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    night = daily_night(clock)
    ahead(clock, 3 * DAY_S)
    clock.proved = clock.now
    Timekeeper(()).round(installation_clock.read())
    reckoning = Reckoning()

    def gone(watches: Sequence[int]) -> list[apply.ChangeResult]:
        raise OperationalError("server closed the connection")

    with monkeypatch.context() as broken:
        broken.setattr(timekeeping, "follow", gone)
        with pytest.raises(OperationalError):
            reckoning.step(installation_clock.read())
    while reckoning.step(installation_clock.read()):
        pass
    assert Installation.objects.get().clock_reckoned_ms == 0  # somebody was left behind
    while reckoning.step(installation_clock.read()):
        pass
    assert night.row().clock_back_ms == 3 * DAY_S * 1000
    assert Installation.objects.get().clock_reckoned_ms == 3 * DAY_S * 1000


def test_a_reckoning_that_was_cut_off_begins_again(clock: Clock) -> None:
    night = daily_night(clock)
    ahead(clock, HOUR_S)
    clock.proved = clock.now
    Timekeeper(()).round(installation_clock.read())
    Reckoning()  # an engine that died before its first batch
    follow()
    assert night.row().clock_back_ms == HOUR_S * 1000
    assert Installation.objects.get().clock_reckoned_ms == HOUR_S * 1000


def test_time_set_forward_is_an_absence_people_are_asked_first(clock: Clock) -> None:
    night = marked_night(clock)
    clock.now += HOUR_S * 1000  # such as a virtual machine that was paused
    live(clock, 5)
    assert night.row().state == "open"
    prove(clock)
    tick_all()
    assert night.row().state == "asking"
    assert Message.objects.filter(word="alarm").count() == 0
    assert Outage.objects.get().why == "clock set forward"


def test_a_proof_of_another_time_than_the_machines_counts_for_more(clock: Clock) -> None:
    """On PostgreSQL it is the database's clock that counts, and it may be the wrong one."""
    marked_night(clock)
    clock.proved = clock.now + 20 * 60_000
    Timekeeper(()).round(installation_clock.read())
    assert installation_clock.now_ms() == clock.proved
    live(clock, 3)
    assert installation_clock.now_ms() == clock.proved + 3_000


def test_a_proof_leaves_a_demo_or_a_test_in_its_own_time(clock: Clock) -> None:
    """They move the installation's time by its offset, on machines whose clocks are right."""
    pulse_once()
    by_ms = 20 * 60 * 1000
    Installation.objects.update(
        clock_offset_ms=F("clock_offset_ms") + by_ms, beat_at=F("beat_at") + by_ms
    )
    clock.proved = clock.now
    for _ in range(3):
        clock.advance(1)
        clock.proved = clock.now
        Timekeeper(()).round(installation_clock.read())
        pulse_once()
    assert installation_clock.now_ms() == clock.now + by_ms
    assert not Outage.objects.exists()


def test_what_the_release_before_held_in_the_offset_is_held_and_settled(clock: Clock) -> None:
    pulse_once()
    by_ms = 20 * 60 * 1000
    Installation.objects.update(
        clock_offset_ms=by_ms, beat_at=F("beat_at") + by_ms, beat_boot="", beat_boot_ms=0
    )
    clock.advance(1)
    assert pulse_once() == clock.now + by_ms
    here = Installation.objects.get()
    assert (here.clock_offset_ms, here.clock_held_ms) == (0, by_ms)
    prove(clock)
    assert installation_clock.now_ms() == clock.now


def test_a_person_says_that_the_clock_is_right(clock: Clock) -> None:
    night = daily_night(clock)
    ahead(clock, HOUR_S)
    assert settle(None) == 0
    assert settle(clock.now) == pytest.approx(-HOUR_S * 1000, abs=2000)
    follow()
    assert installation_clock.now_ms() == clock.now
    assert wall(until(clock, night, "asking", 11 * HOUR_S)) == "21:00"


@pytest.mark.parametrize(
    ("ms", "words"),
    [
        (259_199_999, "3 days"),
        (-3_600_000, "60 minutes"),
        (7_199_600, "2 hours"),
        (900, "1 seconds"),
    ],
)
def test_a_difference_is_said_as_people_say_it(ms: int, words: str) -> None:
    assert installation_clock.in_words(ms) == words
