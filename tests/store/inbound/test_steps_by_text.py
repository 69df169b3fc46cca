"""What to do, by text, for a contact whose phone opens no page."""

from __future__ import annotations

import pytest
from django.conf import settings

from stillhere.content import steps
from stillhere.core import events as ev
from stillhere.core.messages import Fate, Receipt
from stillhere.engine import render
from stillhere.store.messages import delivery
from stillhere.store.models import Message
from tests.conftest import Clock
from tests.hook import LEO, MAYA, Hook, alarmed_night, deliver

pytestmark = pytest.mark.usefixtures("database")

NEXT = " Reply 5 for the next, 3 for this again."


def texts(clock: Clock, to: str = LEO) -> list[str]:
    """What leaves now, and arrives."""
    leased = delivery.lease("text", clock.now, 50, 20)
    arrived = Receipt(Fate.ACCEPTED, provider_ref="p")
    delivery.record([m.result(arrived) for m in leased], clock.now)
    return [render.render(m, m.to).text for m in leased if m.to == to]


def answer(hook: Hook, clock: Clock, text: str, to: str = LEO) -> list[str]:
    """What one text is answered with, at once."""
    clock.advance(5)
    hook.text(to, text)
    return texts(clock, to)


def test_five_brings_one_step_after_the_other(hook: Hook, clock: Clock) -> None:
    alarmed_night(clock)
    deliver(clock)
    told = [answer(hook, clock, "5") for _ in steps.spoken_order()]
    assert [len(texts) for texts in told] == [1] * len(told)
    assert told[0] == [f"{steps.told('look', 'en')}{NEXT}"]
    assert [texts[0].partition(":")[0] for texts in told] == [f"{no}/8" for no in range(1, 9)]
    assert answer(hook, clock, "5") == told[-1], "the last one again"


def test_three_says_it_again_and_help_is_the_next(hook: Hook, clock: Clock) -> None:
    alarmed_night(clock)
    deliver(clock)
    [first] = answer(hook, clock, "what do i do?")
    assert answer(hook, clock, "3") == [first]
    [second] = answer(hook, clock, "help")
    assert second.startswith("2/8: ")


def test_whoever_is_there_is_told_the_first_step_at_once(hook: Hook, clock: Clock) -> None:
    alarmed_night(clock)
    deliver(clock)
    answer(hook, clock, "5")
    [there] = answer(hook, clock, "4")
    assert there.startswith(f"Good that you are there. {steps.told('look', 'en')}")


def test_some_minutes_after_the_medicine_we_ask_to_look_again(hook: Hook, clock: Clock) -> None:
    night = alarmed_night(clock)
    deliver(clock)
    for _ in range(4):
        answer(hook, clock, "5")
    assert texts(clock) == []
    _, (_, _, after_s) = settings.TOLD_STEPS()
    clock.advance(after_s - 1)
    assert texts(clock) == []
    clock.advance(1)
    [again] = texts(clock)
    assert again.startswith("6/8: Look at the chest.")
    [then] = answer(hook, clock, "5")
    assert then.startswith("7/8: ")
    for _ in range(4):
        answer(hook, clock, "3")
    night.does(ev.Arrived(night.contacts["Leo"].id))
    night.does(ev.Resolved(night.contacts["Leo"].id, ev.Outcome.FINE))
    clock.advance(after_s)
    assert not Message.objects.filter(word="reply-steps", status="queued").exists()


def test_each_contact_goes_at_their_own_pace(hook: Hook, clock: Clock) -> None:
    alarmed_night(clock, ("Leo", "Maya"))
    deliver(clock)
    answer(hook, clock, "5")
    answer(hook, clock, "5")
    assert answer(hook, clock, "5")[0].startswith("3/8: ")
    assert answer(hook, clock, "5", MAYA)[0].startswith("1/8: ")
