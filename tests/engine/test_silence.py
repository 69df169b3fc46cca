"""The web server is silent while the engine lives: people are asked first, and no alarm is put off
for long."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from django.db import OperationalError

from stillhere.core import events as ev
from stillhere.engine import silence
from stillhere.engine.heartbeat import pulse_once
from stillhere.engine.silence import MOST_OF_ALL_MS, WHY, Silence
from stillhere.store.models import Message, Outage
from stillhere.store.watches.apply import CheckIn
from tests.circle import SamsNight, live, sams_night, tick_all
from tests.conftest import Clock

pytestmark = [pytest.mark.usefixtures("database"), pytest.mark.slow]

ENDS_S = 120  # after the mark, Sam's first ask runs out


@dataclass
class Ears:
    """An engine that is told by its supervisor who is silent."""

    clock: Clock
    writer: int
    silence: Silence

    def told(self, since_ms: int) -> None:
        os.write(self.writer, b"%d\n" % since_ms)

    def live(self, seconds: float) -> None:
        """Rounds, four a second."""
        for _ in range(round(seconds * 4)):
            self.clock.advance(0.25)
            pulse_once()
            self.silence.listen()
            tick_all()

    def fall_silent(self) -> None:
        """The web server says nothing more; three seconds later we are told."""
        since_ms = self.clock.boot
        self.live(3)
        self.told(since_ms)
        self.live(0.25)


@pytest.fixture
def ears(clock: Clock) -> Iterator[Ears]:
    reader, writer = os.pipe()
    os.set_blocking(reader, False)
    pulse_once()
    yield Ears(clock, writer, Silence(reader))
    os.close(reader)
    os.close(writer)


def asked(clock: Clock, for_s: int) -> SamsNight:
    """Sam was asked so many seconds ago."""
    night = sams_night(("Leo",))
    night.start()
    night.does(ev.Marked())
    live(clock, ENDS_S - 60 + for_s)
    return night


def alarms() -> int:
    return Message.objects.filter(word="alarm").values("contact").distinct().count()


@pytest.mark.parametrize("left_s", [4, 9, 14, 17, 20])
def test_whose_time_ends_while_nobody_is_heard_can_answer_afterwards(
    ears: Ears, left_s: int
) -> None:
    """Seventeen seconds until the replacement is there, eight more until the page tries again."""
    night = asked(ears.clock, 60 - left_s)
    ears.fall_silent()
    ears.live(13.75)
    ears.told(0)
    ears.live(8)
    assert alarms() == 0
    night.does(CheckIn())
    ears.live(30)
    assert alarms() == 0


def test_whoever_falls_due_while_nobody_is_heard_is_asked_with_a_full_grace(ears: Ears) -> None:
    night = sams_night(("Leo",))
    night.start()
    night.does(ev.Marked())
    live(ears.clock, 50)
    ears.fall_silent()
    ears.live(12)
    assert night.row().state == "asking"
    assert any("true" in m.facts for m in night.queued("ask-ring")), "we say that we were away"
    ears.live(2)
    ears.told(0)
    ears.live(60)
    assert alarms() == 0
    ears.live(20)
    assert alarms() == 1


@pytest.mark.parametrize("left_s", [1, 2, 4, 10, 17, 29, 31, 45])
def test_a_web_server_that_never_comes_back_delays_an_alarm_by_half_a_minute_at_most(
    ears: Ears, left_s: int
) -> None:
    asked(ears.clock, 60 - left_s)
    ears.fall_silent()
    ears.live(left_s + 30)
    assert alarms() == 1


def test_one_that_hangs_again_and_again_delays_it_by_a_minute_at_most(ears: Ears) -> None:
    asked(ears.clock, 50)
    for _ in range(5):
        ears.fall_silent()
        ears.live(12)
        ears.told(0)
        ears.live(1)
    assert alarms() == 1
    spent = [to_at - at for at, to_at in Outage.objects.values_list("from_at", "to_at")]
    assert sum(spent) <= MOST_OF_ALL_MS


def test_a_hang_is_made_up_for_also_after_a_moment_in_which_nobody_was_heard(ears: Ears) -> None:
    night = asked(ears.clock, 20)
    ears.fall_silent()
    ears.told(0)
    ears.live(12)
    ears.fall_silent()
    ears.live(13.75)
    ears.told(0)
    ears.live(8)
    assert alarms() == 0
    night.does(CheckIn())
    ears.live(30)
    assert alarms() == 0


def test_an_ask_is_not_sent_again_and_again_while_nobody_is_heard(ears: Ears) -> None:
    asked(ears.clock, 30)
    before = Message.objects.filter(word__startswith="ask").count()
    ears.fall_silent()
    ears.live(29)
    assert Message.objects.filter(word__startswith="ask").count() - before <= 4


def test_a_silence_is_written_once_whoever_is_told_of_it(ears: Ears) -> None:
    """Engines beside us, and one that was started again meanwhile, are told the same."""
    since_ms = ears.clock.boot
    ears.live(3)
    for _ in range(3):
        reader, writer = os.pipe()
        os.set_blocking(reader, False)
        os.write(writer, b"%d\n" % since_ms)
        Silence(reader).listen()
        os.close(reader)
        os.close(writer)
    assert Outage.objects.filter(why=WHY).count() == 1


def test_a_second_silence_is_an_outage_also_where_the_end_of_the_first_was_not_kept(
    ears: Ears, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(now: int) -> None:
        raise OperationalError("database is locked")

    ears.fall_silent()
    ears.told(0)
    with monkeypatch.context() as held:
        held.setattr(silence, "end", refused)
        with pytest.raises(OperationalError):
            ears.silence.listen()
    ears.clock.advance(8)
    ears.fall_silent()
    assert Outage.objects.filter(why=WHY).count() == 2


def test_without_a_supervisor_nobody_tells_us_anything(clock: Clock) -> None:
    pulse_once()
    Silence(None).listen()
    assert not Outage.objects.exists()
