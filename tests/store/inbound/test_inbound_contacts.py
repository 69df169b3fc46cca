"""What contacts say by phone: a one is "I'm going", a no wins, and a number may be several
people's."""

from __future__ import annotations

import json

import pytest

from stillhere.core import events as ev
from stillhere.store.models import Contact, Message
from stillhere.store.people import invitations
from tests.circle import sams_night, tick_all, ways
from tests.conftest import Clock
from tests.hook import LEO, MAYA, SAM, Hook, alarmed_night, deliver, last, said_to

pytestmark = pytest.mark.usefixtures("database")


# --- contacts -------------------------------------------------------------------------------------


def test_leo_texts_one_and_the_others_hear_it(hook: Hook, clock: Clock) -> None:
    night = alarmed_night(clock, ("Leo", "Maya"))
    hook.text(LEO, "1")
    row = night.row()
    assert row.state == "claimed"
    assert row.wake_at == clock.now + 300_000
    assert said_to(MAYA, clock) == ["Leo is going to Sam: about 5 minutes. It is not over."]
    assert said_to(LEO, clock) == []
    clock.advance(31)
    answers = Message.objects.filter(word="reply-going")
    assert [(m.contact_id, m.channel) for m in answers] == [(night.contacts["Leo"].id, "text")]


def test_leo_presses_one_and_hears_what_was_understood(hook: Hook, clock: Clock) -> None:
    night = alarmed_night(clock)
    said = hook.key(last(LEO, "call"), "1")
    assert said.startswith("Thank you. In how many minutes are you there?")
    assert night.row().state == "claimed"
    replies = Message.objects.filter(word__startswith="reply-").values_list("word", flat=True)
    assert list(replies) == ["reply-place"], "the answer is spoken; where they are is also written"


@pytest.mark.parametrize(
    ("text", "state", "word"),
    [
        ("omw 3 min", "claimed", "reply-going"),
        ("voy en 10 min", "alarm", "reply-going"),
        ("too far, ill phone", "alarm", "reply-far"),
        ("4", "attended", "reply-there"),
        ("im there", "attended", "reply-there"),
        ("6", "alarm", "reply-locked"),
        ("the door is locked", "alarm", "reply-locked"),
        ("what do i do?", "alarm", "reply-steps"),
        ("who is this?", "alarm", "reply-who"),
        ("ok", "alarm", "reply-unclear"),
        ("2", "alarm", "reply-cannot"),
    ],
)
def test_what_leo_can_say(hook: Hook, clock: Clock, text: str, state: str, word: str) -> None:
    night = alarmed_night(clock)
    hook.text(LEO, text)
    assert night.row().state == state
    assert [m.word for m in Message.objects.filter(word__startswith="reply-")] == [word]


def test_three_minutes_hold_three_minutes(hook: Hook, clock: Clock) -> None:
    night = alarmed_night(clock)
    hook.text(LEO, "omw 3 min")
    assert night.row().wake_at == clock.now + 180_000


def test_a_claim_that_comes_far_too_late_holds_nothing(hook: Hook, clock: Clock) -> None:
    night = alarmed_night(clock)
    hook.text(LEO, "1", at_ms=clock.now - 3_600_000)
    assert night.row().state == "alarm"
    assert json.loads(night.row().alarm)["claims"]


def test_leo_cannot_and_the_next_rung_is_told_at_once(hook: Hook, clock: Clock) -> None:
    night = alarmed_night(clock)
    hook.key(last(LEO, "call"), "2")
    tick_all()
    assert {m.contact_id for m in night.queued("alarm")} == {night.contacts["Maya"].id}


def test_the_call_can_be_heard_again(hook: Hook, clock: Clock) -> None:
    alarmed_night(clock)
    call = last(LEO, "call")
    said = hook.key(call, "3")
    assert said == (
        "Sam may need help NOW. No answer since 17:00. "
        "Press 1 if you are going, 2 if you can't, 3 to hear this again."
    )
    assert hook.key(call, "7").startswith("We could not read your answer about Sam. Press 1")


def test_what_is_not_read_is_said_once_so_that_two_machines_do_not_talk_all_night(
    hook: Hook, clock: Clock
) -> None:
    alarmed_night(clock)
    for _ in range(3):
        hook.text(LEO, "I am driving. I will see your message later.")
    assert Message.objects.filter(word="reply-unclear").count() == 1


def test_a_no_wins_and_the_ladder_moves_on(hook: Hook, clock: Clock) -> None:
    night = alarmed_night(clock)
    hook.text(LEO, "STOP")
    tick_all()
    assert Contact.objects.get(id=night.contacts["Leo"].id).status == "left"
    assert {m.contact_id for m in night.queued("alarm")} == {night.contacts["Maya"].id}
    hook.text(LEO, "1")
    assert night.row().state == "alarm", "someone who left is a stranger"


@pytest.mark.parametrize(
    ("text", "status"), [("1", "confirmed"), ("si no se", "invited"), ("no", "erased")]
)
def test_an_invitation_is_answered_by_text(
    hook: Hook, clock: Clock, text: str, status: str
) -> None:
    night = sams_night()
    maya = invitations.add_contact(night.person, "Maya", ways(102))
    deliver(clock)
    hook.text(MAYA, text)
    found = Contact.objects.filter(id=maya.id).first()
    assert (found.status if found is not None else "erased") == status


def test_an_answer_after_the_end_hears_that_it_is_over(hook: Hook, clock: Clock) -> None:
    night = alarmed_night(clock)
    hook.text(SAM, "OK")
    assert hook.key(last(LEO, "call"), "1") == "There is no open alarm about Sam now. Thank you."
    hook.text(LEO, "going")
    deliver(clock)
    assert last(LEO, "text").word == "reply-over"
    assert night.row().state == "open"


@pytest.mark.parametrize(
    ("said", "stays"), [("no", False), ("No thanks", False), ("can't come", True), ("2", True)]
)
def test_a_no_from_somebody_only_invited_is_one_to_the_invitation_in_an_alarm_too(
    hook: Hook, clock: Clock, said: str, stays: bool
) -> None:
    night = alarmed_night(clock)
    leo = night.contacts["Leo"].id
    Contact.objects.filter(id=leo).update(status=Contact.Status.INVITED)
    hook.text(LEO, said)
    tick_all()
    assert Contact.objects.filter(id=leo, status="invited").exists() == stays
    assert night.row().state == "alarm"
    assert night.contacts["Maya"].id in {m.contact_id for m in night.queued("alarm")}


def test_ringing_back_is_no_answer(hook: Hook, clock: Clock) -> None:
    night = alarmed_night(clock)
    hook.tell(hook.event(LEO, "missed-call", "call"))
    assert night.row().state == "alarm"


# --- one number, several people -------------------------------------------------------------------


def test_one_phone_for_two_people_the_one_who_was_told_last_speaks(
    hook: Hook, clock: Clock
) -> None:
    night = sams_night()
    leo = invitations.add_contact(night.person, "Leo", ways(100))  # Sam's own phone
    invitations.join(leo)
    deliver(clock)
    night.start()
    night.does(ev.Marked())
    for wait_s in (60, 5, 15, 40):
        clock.advance(wait_s)
        tick_all()
        deliver(clock)
    hook.text(SAM, "1")
    assert night.row().state == "claimed", "Leo is going: nobody said that Sam is fine"


def test_ana_answers_the_alarm_whose_number_she_texts(hook: Hook, clock: Clock) -> None:
    nights = [alarmed_night(clock, ("Ana",)) for _ in range(2)]  # both gave Ana this number
    clock.advance(10)
    hook.text(LEO, "1")
    assert [night.row().state for night in nights] == ["claimed", "alarm"]


def test_a_key_answers_the_call_it_was_pressed_in(hook: Hook, clock: Clock) -> None:
    nights = [alarmed_night(clock, ("Ana",)) for _ in range(2)]
    first = Message.objects.get(watch=nights[0].watch, channel="call", word="alarm")
    hook.key(first, "1")
    assert [night.row().state for night in nights] == ["claimed", "alarm"]


def test_a_no_is_for_the_number_whoever_has_it(hook: Hook, clock: Clock) -> None:
    nights = [alarmed_night(clock, ("Ana",)) for _ in range(2)]
    hook.text(LEO, "stop")
    for night in nights:
        assert Contact.objects.get(id=night.contacts["Ana"].id).status == "left"
