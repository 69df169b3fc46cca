"""What Sam texts, in Sam's own words, and what it does."""

from __future__ import annotations

import json

import pytest

from stillhere.store.inbound.reply import UNCLEAR_MOST
from stillhere.store.models import Contact, JournalLine, Message
from stillhere.store.people import invitations
from tests.circle import sams_night, tick_all, ways
from tests.conftest import Clock
from tests.hook import LEO, MAYA, SAM, Hook, alarmed_night, asked_night, deliver, said_to

pytestmark = pytest.mark.usefixtures("database")


@pytest.mark.parametrize("text", ["yes", "Yes", "yes i am", "si"])
def test_yes_to_still_here_is_a_sign_of_life(hook: Hook, clock: Clock, text: str) -> None:
    night = asked_night(clock)
    hook.text(SAM, text)
    assert night.row().state == "open"


@pytest.mark.parametrize("text", ["no", "Nope", "no im not", "nel"])
def test_no_to_still_here_is_a_cry_for_help(hook: Hook, clock: Clock, text: str) -> None:
    night = asked_night(clock)
    hook.text(SAM, text)
    assert night.row().state == "alarm"
    assert night.queued("help")


@pytest.mark.parametrize("text", ["Im", "I'm...", "Estoy", "Liked “Still here?” wait"])
def test_half_a_sentence_is_no_sign_of_life(hook: Hook, clock: Clock, text: str) -> None:
    night = asked_night(clock)
    seen_at = night.row().seen_at
    hook.text(SAM, text)
    assert (night.row().state, night.row().seen_at) == ("asking", seen_at)


@pytest.mark.parametrize(
    "text", ["Liked “Still here?” help me", "ok\nOn the floor i wrote:\nhelp me cant breathe"]
)
def test_a_cry_beside_a_quotation_calls_everybody(hook: Hook, clock: Clock, text: str) -> None:
    night = asked_night(clock)
    hook.text(SAM, text)
    assert night.row().state == "alarm"
    assert night.queued("help")


@pytest.mark.parametrize("text", ["no", "yes"])
def test_where_nobody_asked_a_yes_or_no_means_nothing(hook: Hook, clock: Clock, text: str) -> None:
    night = sams_night(("Leo",))
    night.start()
    clock.advance(10)
    seen_at = night.row().seen_at
    hook.text(SAM, text)
    assert (night.row().seen_at, night.row().alarm) == (seen_at, "")


@pytest.mark.parametrize("text", ["i think i took too much", "esta azul y no despierta"])
def test_a_cry_in_sams_own_words_calls_everybody(hook: Hook, clock: Clock, text: str) -> None:
    night = asked_night(clock)
    hook.text(SAM, text)
    assert night.row().state == "alarm"
    assert night.queued("help")


@pytest.mark.parametrize("text", ["i dont want to live anymore", "Me quiero morir"])
def test_a_text_about_dying_is_a_cry_and_says_so(hook: Hook, clock: Clock, text: str) -> None:
    night = asked_night(clock)
    hook.text(SAM, text)
    assert night.row().state == "alarm"
    line = JournalLine.objects.get(event="NeedHelp")
    assert json.loads(line.facts)["wants_to_die"] is True


def test_took_it_all_is_no_mark_and_finished_no_end(hook: Hook, clock: Clock) -> None:
    night = asked_night(clock)
    for text in ("i took it all", "finished"):
        hook.text(SAM, text)
    assert night.row().state == "asking"


# --- a contact, in an alarm -----------------------------------------------------------------------


def back(hook: Hook, text: str, clock: Clock) -> str:
    """Leo texts; what goes back to him."""
    hook.text(LEO, text)
    told = Message.objects.filter(word__startswith="reply-").order_by("-id").first()
    assert told is not None, "silence"
    deliver(clock)
    return told.word


@pytest.mark.parametrize(
    ("text", "state", "word"),
    [
        ("omw 10", "alarm", "reply-going"),
        ("almost there", "claimed", "reply-going"),
        ("at the door", "claimed", "reply-at-door"),
        ("found him", "attended", "reply-there"),
        ("I'm in!", "claimed", "reply-going"),
        ("im in the house", "attended", "reply-there"),
        ("with her mom", "alarm", "reply-unclear"),
        ("wrong apartment", "alarm", "reply-not-found"),
        ("he is fine", "alarm", "reply-how"),
        ("taking him to hospital", "alarm", "reply-how"),
        ("the ambulance is here", "alarm", "reply-how"),
        ("done", "alarm", "reply-how"),
        ("where?", "alarm", "reply-where"),
        ("address", "alarm", "reply-where"),
        ("who?", "alarm", "reply-who"),
        ("yes", "alarm", "reply-unclear"),
        ("hes gray and wont wake", "alarm", "reply-steps"),
        ("i called 911", "alarm", "reply-called"),
        ("ya llamé al 911", "alarm", "reply-called"),
        ("called 911 hes not breathing", "alarm", "reply-steps"),
        ("3 min", "alarm", "reply-unclear"),
        ("qwzx", "alarm", "reply-unclear"),
    ],
)
def test_whatever_leo_texts_in_an_alarm_something_comes_back(
    hook: Hook, clock: Clock, text: str, state: str, word: str
) -> None:
    night = alarmed_night(clock)
    assert back(hook, text, clock) == word
    assert night.row().state == state


def test_minutes_after_the_one_say_how_soon(hook: Hook, clock: Clock) -> None:
    night = alarmed_night(clock)
    assert back(hook, "1", clock) == "reply-going"
    clock.advance(31)
    assert back(hook, "3 min", clock) == "reply-going"
    [claim] = json.loads(night.row().alarm)["claims"]
    assert claim["eta_s"] == 180


def test_the_same_that_cannot_be_read_is_asked_back_again_after_two_minutes(
    hook: Hook, clock: Clock
) -> None:
    alarmed_night(clock)
    asked = Message.objects.filter(word="reply-unclear")
    for no in range(1, 14):
        hook.text(LEO, "qwzx")
        hook.text(LEO, "qwzx")
        assert asked.count() == min(no, UNCLEAR_MOST), "two machines do not talk all night"
        clock.advance(121)


def test_another_that_cannot_be_read_is_asked_back_at_once(hook: Hook, clock: Clock) -> None:
    alarmed_night(clock)
    for text in ("qwzx", "qw zx", "brb zx"):
        assert back(hook, text, clock) == "reply-unclear"
        clock.advance(5)


@pytest.mark.parametrize(
    ("digit", "state", "word"),
    [
        ("7", "open", "reply-thanks"),  # Sam is asked again
        ("8", "open", "reply-thanks"),
        ("9", "closed", "reply-taken-over"),
    ],
)
def test_an_alarm_is_ended_by_text_after_one_question_back(
    hook: Hook, clock: Clock, digit: str, state: str, word: str
) -> None:
    night = alarmed_night(clock)
    back(hook, "4", clock)
    assert back(hook, "awake and well", clock) == "reply-how"
    assert night.row().state == "attended", "nothing ends before the answer"
    assert back(hook, digit, clock) == word
    assert (night.row().state, night.row().alarm) == (state, "")


@pytest.mark.parametrize("digit", ["7", "8", "9"])
def test_without_that_question_its_digits_end_nothing(hook: Hook, clock: Clock, digit: str) -> None:
    night = alarmed_night(clock)
    back(hook, "4", clock)
    back(hook, digit, clock)
    assert night.row().state == "attended"


def test_whoever_is_not_there_cannot_say_that_somebody_was_brought_back(
    hook: Hook, clock: Clock
) -> None:
    night = alarmed_night(clock)
    back(hook, "brought back", clock)
    assert back(hook, "8", clock) == "reply-be-there"
    assert night.row().state == "alarm"


@pytest.mark.parametrize("text", ["yes", "Y", "ok", "sure", "Yes I will", "sí", "claro que sí"])
def test_a_yes_to_the_invitation_is_one(hook: Hook, clock: Clock, text: str) -> None:
    night = sams_night()
    maya = invitations.add_contact(night.person, "Maya", ways(102))
    deliver(clock)
    hook.text(MAYA, text)
    assert Contact.objects.get(id=maya.id).status == Contact.Status.CONFIRMED


# --- a text about dying ---------------------------------------------------------------------------


def texts(number: str, clock: Clock) -> str:
    """What leaves for this number now."""
    return "\n".join(said_to(number, clock))


def test_contacts_read_that_sam_wants_to_die(hook: Hook, clock: Clock) -> None:
    night = asked_night(clock)
    hook.text(SAM, "i want to die")
    said = texts(LEO, clock)
    assert "Sam says they want to die. Phone or go NOW: ask them straight, listen, stay." in said
    clock.advance(45)
    tick_all()
    assert "Sam says they want to die." in texts(MAYA, clock), "the next rung too"
    assert night.row().state == "alarm"


def test_a_cry_for_help_says_nothing_of_dying(hook: Hook, clock: Clock) -> None:
    asked_night(clock)
    hook.text(SAM, "help me")
    assert "want to die" not in texts(LEO, clock)


def test_how_to_be_with_them_comes_before_the_steps(hook: Hook, clock: Clock) -> None:
    asked_night(clock)
    hook.text(SAM, "quiero morir")
    deliver(clock)
    assert back(hook, "5", clock) == "reply-stay"
    assert back(hook, "5", clock) == "reply-steps"


def test_what_was_said_in_an_earlier_alarm_is_not_said_in_this_one(
    hook: Hook, clock: Clock
) -> None:
    night = asked_night(clock)
    hook.text(SAM, "i want to die")
    deliver(clock)
    for _ in range(3):
        clock.advance(60)
        hook.text(SAM, "OK")
    assert night.row().alarm == ""
    deliver(clock)
    hook.text(SAM, "help me")
    assert "want to die" not in texts(LEO, clock)


@pytest.mark.parametrize("first", ["help me", "i took too much"])
def test_said_after_another_cry_it_is_read_at_once_and_once(
    hook: Hook, clock: Clock, first: str
) -> None:
    """One more message to who was told, also to who is going; whoever comes later reads it too."""
    night = asked_night(clock)
    hook.text(SAM, first)
    assert "want to die" not in texts(LEO, clock)
    back(hook, "omw", clock)
    clock.advance(5)
    hook.text(SAM, "i want to die")
    assert "Sam says they want to die. Phone or go NOW" in texts(LEO, clock)
    assert night.row().state == "claimed", "whoever is going still holds the others"
    clock.advance(5)
    hook.text(SAM, "i just want to die")
    assert "want to die" not in texts(LEO, clock)
    clock.advance(600)
    tick_all()
    assert "Sam says they want to die." in texts(MAYA, clock)


def test_a_stranger_is_not_told_how_to_be_with_who_wants_to_die(hook: Hook, clock: Clock) -> None:
    """Whoever has not said yes does not read it, and so not by the steps either."""
    night = asked_night(clock)
    Contact.objects.filter(id=night.contacts["Leo"].id).update(status=Contact.Status.INVITED)
    hook.text(SAM, "i want to die")
    deliver(clock)
    assert back(hook, "5", clock) == "reply-steps"
