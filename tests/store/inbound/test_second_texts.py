"""The text after the first one: how soon they come; and a name after another word for ADD."""

from __future__ import annotations

import pytest

from stillhere.store.models import Contact, Message, sealed_columns
from tests.circle import sams_night, tick_all
from tests.conftest import Clock
from tests.hook import LEO, SAM, Hook, alarmed_night, deliver, said_to

pytestmark = pytest.mark.usefixtures("database")


@pytest.mark.parametrize("after_s", [0, 5])
@pytest.mark.parametrize("said", ["10", "20", "10 min"])
def test_the_minutes_may_come_after_the_1(
    hook: Hook, clock: Clock, said: str, after_s: int
) -> None:
    night = alarmed_night(clock)
    hook.text(LEO, "1")
    assert night.row().state == "claimed"
    clock.advance(after_s)
    tick_all()
    deliver(clock)
    hook.text(LEO, said)
    assert night.row().state == "alarm", "that is too long to wait for: the others are called on"
    assert not Message.objects.filter(word__startswith="reply-unclear").exists()
    assert Message.objects.filter(word="reply-going").count() == 2


def test_two_digits_alone_are_no_claim(hook: Hook, clock: Clock) -> None:
    night = alarmed_night(clock)
    hook.text(LEO, "10")
    assert night.row().state == "alarm"


@pytest.mark.parametrize("said", ["añade a Ana 202 555 0104", "Añade Ana 2025550104"])
def test_a_name_is_without_the_word_before_it(hook: Hook, clock: Clock, said: str) -> None:
    sams_night(("Leo",))
    hook.text(SAM, said)
    assert sealed_columns.contact_name(Contact.objects.latest("id")) == "Ana"
    assert said_to(SAM, clock)
