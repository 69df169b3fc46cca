"""Answers cost money: so many an hour to one number, of those that no watch needs."""

from __future__ import annotations

import pytest

from stillhere.store.inbound.reply import ALL_AN_HOUR, ANSWERS_AN_HOUR, APART_MS, HOUR_MS
from stillhere.store.models import Message
from tests.circle import SamsNight, sams_night
from tests.conftest import Clock
from tests.hook import LEO, SAM, Hook, alarmed_night

pytestmark = pytest.mark.usefixtures("database")


@pytest.fixture
def sams(hook: Hook, clock: Clock) -> SamsNight:
    """At the beginning of an hour."""
    clock.advance((HOUR_MS - clock.now % HOUR_MS) // 1000 + 1)
    return sams_night(("Leo",))


def answers(word: str) -> int:
    return Message.objects.filter(word=word).count()


@pytest.mark.parametrize(
    ("number", "said", "word"), [(SAM, "LIST", "reply-list"), (LEO, "on my way", "reply-over")]
)
def test_a_machine_that_texts_all_night_is_answered_so_often_an_hour(
    sams: SamsNight, hook: Hook, clock: Clock, number: str, said: str, word: str
) -> None:
    for _ in range(ANSWERS_AN_HOUR + 10):
        hook.text(number, said)
    assert answers(word) == ANSWERS_AN_HOUR
    clock.advance(HOUR_MS // 1000)
    hook.text(number, said)
    assert answers(word) == ANSWERS_AN_HOUR + 1


def test_a_sign_of_life_and_a_cry_are_answered_however_often(sams: SamsNight, hook: Hook) -> None:
    for _ in range(ANSWERS_AN_HOUR + 5):
        hook.text(SAM, "LIST")
    for _ in range(ANSWERS_AN_HOUR + 5):
        hook.text(SAM, "ok")
    assert answers("reply-not-on") == ANSWERS_AN_HOUR + 5
    hook.text(SAM, "SOS")
    assert answers("reply-helping") == 1


def test_in_an_alarm_everything_is_answered(hook: Hook, clock: Clock) -> None:
    alarmed_night(clock)
    for _ in range(ANSWERS_AN_HOUR + 5):
        hook.text(LEO, "who is this")
    assert answers("reply-who") == ANSWERS_AN_HOUR + 5


@pytest.mark.parametrize("said", ["GO", "NAME Sam", "ok", "MORE"])
def test_whoever_forges_a_number_has_it_answered_so_often_an_hour(
    sams: SamsNight, hook: Hook, clock: Clock, said: str
) -> None:
    replies = Message.objects.filter(word__startswith="reply-")
    for _ in range(ALL_AN_HOUR + 10):
        hook.text(SAM, said)
    assert replies.count() <= ALL_AN_HOUR
    if said == "GO":
        assert replies.count() == ALL_AN_HOUR, "and it is done all the same"
        assert sams.person.watches.count() == 1
    clock.advance(HOUR_MS // 1000)
    hook.text(SAM, "LIST")
    assert answers("reply-list") == 1


def test_in_an_alarm_something_comes_back_every_two_minutes_however_often(
    hook: Hook, clock: Clock
) -> None:
    clock.advance((HOUR_MS - clock.now % HOUR_MS) // 1000 + 1)
    alarmed_night(clock)
    for _ in range(ALL_AN_HOUR + 10):
        hook.text(LEO, "who is this")
    assert answers("reply-who") == ALL_AN_HOUR + 1
    clock.advance(APART_MS // 1000)
    hook.text(LEO, "who is this")
    assert answers("reply-who") == ALL_AN_HOUR + 2
