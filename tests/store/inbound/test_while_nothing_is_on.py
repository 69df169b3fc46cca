"""A text of somebody we know while nothing is on: never silence that is taken for help."""

from __future__ import annotations

import pytest

from stillhere.store.inbound.person_says import HINTS_AN_HOUR
from stillhere.store.inbound.reply import HOUR_MS
from stillhere.store.models import Address, Message, WatchRow
from tests.circle import sams_night
from tests.conftest import Clock
from tests.hook import SAM, Hook, said_to

pytestmark = pytest.mark.usefixtures("database")


def hints() -> int:
    return Message.objects.filter(word="reply-hint").count()


@pytest.mark.parametrize(
    ("said", "lang"),
    [
        ("HELP", "en"), ("INFO", "en"), ("START", "en"), ("hello?", "en"), ("gonna use now", "en"),
        ("AYUDA", "es"), ("hola", "es"), ("vigilame", "es"),
    ],
)  # fmt: skip
def test_what_does_nothing_is_answered_with_what_would(
    hook: Hook, clock: Clock, said: str, lang: str
) -> None:
    night = sams_night(("Leo",))
    night.person.lang = lang
    night.person.save()
    hook.text(SAM, said)
    [told] = said_to(SAM, clock)
    assert "SOS" in told
    assert ("GO:" if lang == "en" else "EMPEZAR:") in told
    assert not WatchRow.objects.exists()


def test_a_machine_that_texts_back_is_not_answered_for_ever(hook: Hook, clock: Clock) -> None:
    sams_night(("Leo",))
    clock.advance((HOUR_MS - clock.now % HOUR_MS) // 1000 + 1)
    for _ in range(HINTS_AN_HOUR + 5):
        hook.text(SAM, "I will see your message later")
    assert hints() == 1
    for _ in range(HINTS_AN_HOUR + 5):
        hook.text(SAM, "HELP")
    assert hints() == 1 + HINTS_AN_HOUR


def test_a_number_that_is_not_shown_to_be_theirs_hears_nothing(hook: Hook) -> None:
    sams_night(("Leo",))
    Address.objects.update(proved_at=0)
    hook.text(SAM, "hello?")
    assert hints() == 0


def test_start_is_answered_in_the_language_they_speak(hook: Hook, clock: Clock) -> None:
    night = sams_night(("Leo",))
    night.person.lang = "es"
    night.person.save()
    hook.text(SAM, "STOP")
    hook.text(SAM, "START")
    assert any("EMPEZAR" in each for each in said_to(SAM, clock))
