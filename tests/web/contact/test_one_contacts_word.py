"""One contact on the first rung keeps no alarm from the others, whatever they say and how often."""

from __future__ import annotations

import pytest
from django.test import Client

from stillhere.store.watches.apply import CheckIn
from tests.circle import SamsNight, answers_both_looks, tick_all
from tests.conftest import Clock
from tests.hook import LEO, MAYA, Hook, alarmed_night, deliver, last, said_to
from tests.web.conftest import browser
from tests.web.pages import contact_path, press, read
from tests.web.refusing import handed_over

BEFORE = "You told us before that it was over, and they have not answered us since."
FINE = {"do": "resolve", "outcome": "fine"}
HALF_AN_HOUR_S = 1800


@pytest.fixture
def night(clock: Clock) -> SamsNight:
    """Leo was rung, Maya comes after him."""
    return alarmed_night(clock)


@pytest.fixture
def leo(night: SamsNight) -> str:
    return contact_path(night, "Leo")


def ended_by_leo(night: SamsNight, leo: str, clock: Clock) -> None:
    """Leo said that Sam is fine, and Sam does not answer when we ask."""
    press(browser(), leo, **FINE)
    for _ in range(3):
        clock.advance(60)
        tick_all()
    assert night.row().state == "alarm"
    assert night.row().alarms == 2


@pytest.mark.slow
@pytest.mark.parametrize("do", [{"do": "arrived"}, FINE], ids=["with them", "fine"])
def test_the_others_hear_of_it_within_half_an_hour(
    clock: Clock, night: SamsNight, leo: str, do: dict[str, str]
) -> None:
    phone, heard = browser(), list[tuple[str, str]]()
    for second in range(HALF_AN_HOUR_S):
        if night.row().state == "alarm" or second % 500 == 0:
            looks = second % 60 == 0  # at what the page shows then; looking changes nothing
            answer = phone.post(f"{leo}/answer", do, follow=looks)
            assert answer.status_code == (200 if looks else 303)
        heard += handed_over(clock, 1, MAYA)
    assert heard


def test_whoever_ended_an_alarm_is_told_why_they_end_no_other(
    clock: Clock, night: SamsNight, leo: str
) -> None:
    ended_by_leo(night, leo, clock)
    told = press(browser(), leo, **FINE)
    assert BEFORE in told
    assert "Go there if you can." in told
    assert night.row().state == "alarm"
    spanish = browser(lang="es").post(f"{leo}/answer", FINE, follow=True).content.decode()
    assert "Antes nos dijiste que ya había pasado" in spanish


@pytest.mark.parametrize("do", [{"do": "arrived"}, {"do": "claim", "soon": "5"}])
def test_they_are_heard_and_the_others_are_called_on(
    clock: Clock, night: SamsNight, leo: str, do: dict[str, str]
) -> None:
    ended_by_leo(night, leo, clock)
    assert "we go on calling them" in press(browser(), leo, **do)
    assert night.row().state == "alarm"
    assert ("call", "alarm") in handed_over(clock, 50, MAYA)


def test_by_text_they_are_told_so_too(clock: Clock, night: SamsNight, leo: str) -> None:
    hook = Hook(Client(), clock)
    ended_by_leo(night, leo, clock)
    deliver(clock)
    hook.text(LEO, "1")
    hook.text(LEO, "4")
    assert [t for t in said_to(LEO, clock) if "we go on calling" in t]
    assert night.row().state == "alarm"


def test_by_text_too_they_end_no_other(clock: Clock, night: SamsNight, leo: str) -> None:
    hook = Hook(Client(), clock)
    ended_by_leo(night, leo, clock)
    deliver(clock)
    hook.text(LEO, "he is fine")
    assert [t for t in said_to(LEO, clock) if t.startswith("How is Sam?")]
    hook.text(LEO, "7")
    assert [t for t in said_to(LEO, clock) if t.startswith("You ended an alarm before, and Sam")]
    assert night.row().state == "alarm"


def test_by_call_they_are_told_so_too(clock: Clock, night: SamsNight, leo: str) -> None:
    hook = Hook(Client(), clock)
    ended_by_leo(night, leo, clock)
    deliver(clock)
    assert "we go on calling" in hook.key(last(LEO, "call"), "4")
    assert night.row().state == "alarm"


def test_once_sam_has_answered_their_word_counts_again(
    clock: Clock, night: SamsNight, leo: str
) -> None:
    ended_by_leo(night, leo, clock)
    night.does(CheckIn())
    answers_both_looks(night, clock)
    for _ in range(30):
        clock.advance(60)
        tick_all()
        if night.row().state == "alarm":
            break
    press(browser(), leo, **FINE)
    assert night.row().state == "open"


def test_who_reads_that_leo_is_there_reads_a_whole_sentence(
    clock: Clock, night: SamsNight, leo: str
) -> None:
    for _ in range(4):
        press(browser(), leo, "arrived")
        clock.advance(450)
        tick_all()
    [text] = said_to(MAYA, clock)
    assert text.startswith("Sam may have needed help since 17:")
    assert "Leo says: I am with them. It is not over. To be sure, phone or go." in text
    assert "call" not in {m.channel for m in night.queued("still-there")}
    assert "Leo is there" in read(browser(), contact_path(night, "Maya"))
