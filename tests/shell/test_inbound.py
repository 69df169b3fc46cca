"""What comes in from phones: stored once, believed only when signed, and never made more of than
was said."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import Any

import pytest
from django.conf import settings as conf
from django.db import connection
from django.test import Client
from pytest_django.fixtures import Settings

from stillhere.channels.phones import SIGNATURE_HEADER, TIMESTAMP_HEADER, sign
from stillhere.core import events as ev
from stillhere.engine import letters
from stillhere.store import delivery, queries, services
from stillhere.store.models import Address, Arrival, Contact, Message, WatchRow
from tests.conftest import Clock
from tests.shell.circle import SamsNight, sams_night, tick_all, ways

pytestmark = pytest.mark.usefixtures("database")

# The numbers `sams_night` gives to Sam, then to the contacts in their order.
SAM, LEO, MAYA, MALLORY = "+12025550100", "+12025550101", "+12025550102", "+12025550199"
Told = tuple[int, dict[str, Any]]


@dataclass
class Hook:
    """The provider's side of the webhook. Ids count up unless a test says otherwise."""

    client: Client
    clock: Clock
    count: int = 0

    def tell(self, *events: dict[str, Any]) -> Told:
        """Post events, signed; return status and answer."""
        return self.post(json.dumps({"events": events}).encode())

    def post(self, body: bytes, secret: str = "", at_ms: int = 0) -> Told:
        secret = secret or conf.DERIVED_SECRET(conf.STILLHERE, "demo-phones").hex()
        at = str(at_ms or self.clock.now)
        headers = {TIMESTAMP_HEADER: at, SIGNATURE_HEADER: sign(secret, at, body)}
        answer = self.client.post("/hooks/phones", body, "application/json", headers=headers)
        return answer.status_code, answer.json() if answer.status_code == 200 else {}

    def event(self, number: str, kind: str, channel: str, **more: Any) -> dict[str, Any]:
        self.count += 1
        return {"id": f"e-{self.count}", "kind": kind, "channel": channel, "from": number} | more

    def text(self, number: str, text: str, **more: Any) -> None:
        """Somebody texts us."""
        assert self.tell(self.event(number, "text", "text", text=text, **more))[0] == 200

    def key(self, message: Message, key: str, number: str = "") -> str:
        """A key is pressed in a call of ours; return what is said then."""
        number = number or number_of(message)
        status, answer = self.tell(
            self.event(number, "key", "call", text=key, reply_ref=str(message.id))
        )
        assert status == 200
        return str(answer.get("say", ""))

    def receipt(self, message: Message, status: str, reply_ref: str = "") -> None:
        facts = {"status": status, "message_id": f"p-{message.id}", "reply_ref": reply_ref}
        event = self.event(number_of(message), "receipt", message.channel, **facts)
        assert self.tell(event)[0] == 200


@pytest.fixture
def hook(clock: Clock, settings: Settings) -> Hook:
    settings.STILLHERE = replace(settings.STILLHERE, demo_url="http://127.0.0.1:1")
    return Hook(Client(), clock)


def number_of(message: Message) -> str:
    assert message.address is not None
    return queries.address_value(message.address)


def asked_night(clock: Clock, *rungs: tuple[str, ...]) -> SamsNight:
    """Sam is asked, by text and then by a call."""
    night = sams_night(*(rungs or (("Leo",), ("Maya",))))
    Message.objects.filter(word="invite").update(status="sent")
    night.start()
    night.does(ev.Marked())
    for wait_s in (60, 5, 15):
        clock.advance(wait_s)
        tick_all()
    assert night.row().state == "asking"
    deliver(clock)
    return night


def alarmed_night(clock: Clock, *rungs: tuple[str, ...]) -> SamsNight:
    """Nobody answered: the first rung was told."""
    night = asked_night(clock, *rungs)
    clock.advance(40)
    tick_all()
    assert night.row().state == "alarm"
    deliver(clock)
    return night


def deliver(clock: Clock) -> None:
    """Everything that is due leaves; what the provider calls it is ``p-<id>``."""
    for channel in ("text", "call"):
        for leased in delivery.lease(channel, clock.now, 50, 20):
            fated = delivery.Fated(leased, delivery.SENT, provider_ref=f"p-{leased.id}")
            delivery.record([fated], clock.now)


def last(number: str, channel: str) -> Message:
    """The newest message to this number."""
    theirs = Message.objects.filter(channel=channel, address__isnull=False).order_by("-id")
    return next(m for m in theirs if number_of(m) == number)


def said_to(number: str, clock: Clock) -> list[str]:
    """The texts that leave for this number now."""
    leased = delivery.lease("text", clock.now, 50, 20)
    return [letters.render(m, m.to).text for m in leased if m.to == number]


# --- whom we believe ------------------------------------------------------------------------------


def test_mallory_cannot_press_a_key_for_anyone(hook: Hook, clock: Clock) -> None:
    night = alarmed_night(clock)
    body = json.dumps({"events": [hook.event(LEO, "text", "text", text="1")]}).encode()
    assert hook.post(body, secret="guessed")[0] == 403
    assert hook.post(body, at_ms=clock.now - 3_600_000)[0] == 403
    assert hook.client.post("/hooks/phones", body, "application/json").status_code == 403
    assert night.row().state == "alarm"
    assert not Arrival.objects.exists()


def test_garbage_is_named_as_such_and_stored_nowhere(hook: Hook) -> None:
    for body in (b"", b"\xff", b"[]", b'{"events": [{"id": "e"}]}'):
        assert hook.post(body)[0] == 400
    assert hook.client.get("/hooks/phones").status_code == 405
    assert not Arrival.objects.exists()


def test_outside_a_demo_there_is_no_such_page(hook: Hook, settings: Settings) -> None:
    settings.STILLHERE = replace(settings.STILLHERE, demo_url="")
    assert hook.tell(hook.event(SAM, "text", "text", text="OK"))[0] == 404
    assert not Arrival.objects.exists()


def test_the_same_webhook_five_times_is_heard_once(hook: Hook, clock: Clock) -> None:
    night = alarmed_night(clock)
    event = hook.event(LEO, "text", "text", text="1")
    for _ in range(5):
        assert hook.tell(event, event)[0] == 200
    assert Arrival.objects.count() == 1
    assert [m.word for m in night.queued("reply-going")] == ["reply-going"]
    clock.advance(40)
    hook.tell(event)
    claim = json.loads(night.row().alarm)["claims"][0]
    assert claim["at"] == clock.now - 40_000, "a repeat must not hold the ladder for longer"


def test_what_cannot_be_stored_is_not_confirmed_and_counts_when_told_again(
    hook: Hook, clock: Clock
) -> None:
    night = asked_night(clock)
    event = hook.event(SAM, "text", "text", text="OK")
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE journal RENAME TO elsewhere")
        cursor.execute("ALTER TABLE arrival RENAME TO gone")
        assert hook.tell(event)[0] == 503
        cursor.execute("ALTER TABLE gone RENAME TO arrival")
        cursor.execute("ALTER TABLE elsewhere RENAME TO journal")
    assert night.row().state == "asking"
    assert hook.tell(event)[0] == 200
    assert night.row().state == "open"


def test_what_could_not_be_applied_is_not_taken_for_a_repeat_later(
    hook: Hook, clock: Clock
) -> None:
    night = alarmed_night(clock)
    event = hook.event(LEO, "text", "text", text="1")
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE journal RENAME TO elsewhere")
        assert hook.tell(event)[0] == 503
        cursor.execute("ALTER TABLE elsewhere RENAME TO journal")
    assert not Arrival.objects.exists()
    assert hook.tell(event)[0] == 200
    assert night.row().state == "claimed"


def test_a_stranger_is_stored_and_no_more(hook: Hook, clock: Clock) -> None:
    night = alarmed_night(clock)
    before = Message.objects.count()
    hook.text(MALLORY, "1")
    hook.text("", "1")
    hook.text("+1\u0660", "1")
    assert Arrival.objects.count() == 3
    assert night.row().state == "alarm"
    assert Message.objects.count() == before


def test_a_key_counts_for_the_number_it_was_pressed_on_only(hook: Hook, clock: Clock) -> None:
    night = alarmed_night(clock)
    assert hook.key(last(LEO, "call"), "1", number=MALLORY) == ""
    assert night.row().state == "alarm"
    # Sam's phone names Leo's call: it is Sam who speaks all the same.
    hook.key(last(LEO, "call"), "1", number=SAM)
    assert night.row().state == "open"


@pytest.mark.parametrize(
    "strange",
    [
        {"id": "x" * 128},
        {"id": "e\x00"},
        {"id": "\ud800"},
        {"reply_ref": "9" * 30},
        {"reply_ref": "\u0663"},
        {"reply_ref": "\x00"},
        {"text": "1\x00"},
        {"text": "\ud800"},
    ],
)
def test_strange_signs_never_stop_the_line(
    hook: Hook, clock: Clock, strange: dict[str, str]
) -> None:
    alarmed_night(clock)
    assert hook.tell(hook.event(LEO, "text", "text", text="1") | strange)[0] == 200
    assert Arrival.objects.count() == 1


# --- Sam ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", ["OK", "im here!!", "Still here", "aquí estoy", "👍"])
def test_sam_answers_by_text(hook: Hook, clock: Clock, text: str) -> None:
    night = asked_night(clock)
    hook.text(SAM, text)
    assert night.row().state == "open"
    assert not night.queued(), "an answer costs nothing and asks for nothing"


@pytest.mark.parametrize("text", ["who is this?", "ok?", "im not here", "", "List"])
def test_what_is_unclear_is_never_a_check_in_and_rings(hook: Hook, clock: Clock, text: str) -> None:
    night = asked_night(clock)
    grace_at = night.row().grace_at
    assert grace_at is not None
    hook.text(SAM, text)
    row = night.row()
    assert (row.state, row.unclear, row.grace_at) == ("asking", True, grace_at + 60_000)


def test_any_key_answers_a_call_and_nine_calls_for_help(hook: Hook, clock: Clock) -> None:
    night = asked_night(clock)
    assert hook.key(last(SAM, "call"), "4") == "Got it."
    assert night.row().state == "open"
    assert hook.key(last(SAM, "call"), "9") == "We are reaching the people on your list now."
    assert night.row().state == "alarm"
    assert [m.word for m in night.queued("help")] == ["help"] * 2


def test_a_missed_call_is_a_check_in_that_costs_nothing(hook: Hook, clock: Clock) -> None:
    night = asked_night(clock)
    assert hook.tell(hook.event(SAM, "missed-call", "call")) == (200, {})
    assert night.row().state == "open"
    assert not night.queued()


def test_a_whole_watch_by_text(hook: Hook, clock: Clock) -> None:
    night = sams_night(("Leo",))
    deliver(clock)
    hook.text(SAM, "Go")
    night.watch = WatchRow.objects.get().id
    assert said_to(SAM, clock)[0].startswith("It's on. We ask soon")
    hook.text(SAM, "GO")
    hook.text(SAM, "mark")
    assert night.row().marked_at == clock.now
    ends_at = night.row().ends_at
    hook.text(SAM, "more")
    assert night.row().ends_at == (ends_at or 0) + 600_000
    hook.text(SAM, "done")
    assert night.row().outcome == "ended"
    hook.text(SAM, "OK")
    assert WatchRow.objects.count() == 1
    assert "Nobody is watching now. Reply GO to start." in said_to(SAM, clock)[-1]


def test_the_mark_alone_begins_a_watch(hook: Hook, clock: Clock) -> None:
    sams_night(("Leo",))
    hook.text(SAM, "i used")
    assert WatchRow.objects.get().marked_at == clock.now


def test_a_watch_by_text_is_like_the_last_one(hook: Hook, clock: Clock) -> None:
    night = sams_night(("Leo",))
    night.start("snorted")
    night.does(ev.Ended())
    hook.text(SAM, "go")
    hook.text(SAM, "done")
    hook.text(SAM, "go long")
    profiles = WatchRow.objects.order_by("id").values_list("profile", flat=True)
    assert list(profiles) == ["snorted", "snorted", "swallowed"]


def test_a_watch_with_nobody_to_tell_says_so(hook: Hook, clock: Clock) -> None:
    sams_night()
    hook.text(SAM, "go")
    assert "nobody would be told" in said_to(SAM, clock)[0]
    hook.text(SAM, "sos")
    assert "Nobody on your list can be reached" in said_to(SAM, clock)[-1]


def test_a_cry_for_help_needs_no_watch(hook: Hook, clock: Clock) -> None:
    night = sams_night(("Leo",))
    hook.text(SAM, "please help me")
    night.watch = WatchRow.objects.get().id
    assert night.row().state == "alarm"
    assert [m.word for m in night.queued("help")] == ["help"] * 2


def test_done_in_an_alarm_is_an_answer_and_no_more(hook: Hook, clock: Clock) -> None:
    night = alarmed_night(clock)
    hook.text(SAM, "done")
    assert night.row().state == "open"
    assert night.row().closed_at is None
    assert [m.word for m in night.queued("stand-down", "reply-ended")] == ["stand-down"]


def test_a_text_that_comes_an_hour_late_stands_nobody_down(hook: Hook, clock: Clock) -> None:
    night = alarmed_night(clock)
    hook.text(SAM, "OK", at_ms=clock.now - 3_600_000)
    assert night.row().state == "alarm"
    clock.advance(5)
    hook.text(SAM, "OK", at_ms=clock.now - 1_000)
    assert night.row().state == "open"


def test_a_text_meant_for_last_nights_watch_is_not_for_this_one(hook: Hook, clock: Clock) -> None:
    night = asked_night(clock)
    hook.text(SAM, "OK", at_ms=clock.now - 10 * 3_600_000)
    assert night.row().state == "asking"


def test_how_late_it_is_is_told_in_the_time_of_the_installation(hook: Hook, clock: Clock) -> None:
    night = alarmed_night(clock)
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO installation (id, clock_offset_ms, clock_rate, clock_anchor_at, beat_at, "
            "proof_at, proof_says, desk_nonce) VALUES (1, 0, 10, %s, 0, 0, '', %s)",
            [clock.now, b""],
        )
    clock.advance(10)  # which is a hundred seconds at this rate
    hook.text(SAM, "OK", at_ms=clock.now - 11_000)
    assert night.row().state == "alarm", "made before the alarm"
    hook.text(SAM, "OK", at_ms=clock.now - 9_000)
    assert night.row().state == "open"


def test_a_no_from_sam_blocks_the_texts_and_rings_at_once(hook: Hook, clock: Clock) -> None:
    night = sams_night(("Leo",))
    night.start()
    night.does(ev.Marked())
    clock.advance(60)
    tick_all()
    deliver(clock)
    hook.text(SAM, "STOP")
    texts = Address.objects.get(person=night.person, channel="text")
    assert texts.state == "opted-out"
    assert [m.channel for m in night.queued("ask-ring")] == ["call"]
    assert night.row().state == "asking"


def test_a_watch_that_was_set_aside_says_that_nothing_is_counted(hook: Hook, clock: Clock) -> None:
    night = asked_night(clock)
    WatchRow.objects.filter(id=night.watch).update(quarantined_at=clock.now)
    hook.text(SAM, "OK")
    assert "nothing is counted" in said_to(SAM, clock)[-1]


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
    assert said.startswith("Thank you. The others hear that you are going to Sam.")
    assert night.row().state == "claimed"
    assert not Message.objects.filter(word__startswith="reply-").exists()


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
        ("who is this?", "alarm", "reply-unclear"),
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
        "Sam may need help NOW. No answer since 17:02. "
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
    ("text", "status"), [("1", "confirmed"), ("si no se", "invited"), ("no", "left")]
)
def test_an_invitation_is_answered_by_text(
    hook: Hook, clock: Clock, text: str, status: str
) -> None:
    night = sams_night()
    maya = services.add_contact(night.person, "Maya", ways(102))
    deliver(clock)
    hook.text(MAYA, text)
    assert Contact.objects.get(id=maya.id).status == status


def test_an_answer_after_the_end_hears_that_it_is_over(hook: Hook, clock: Clock) -> None:
    night = alarmed_night(clock)
    hook.text(SAM, "OK")
    assert hook.key(last(LEO, "call"), "1") == "There is no open alarm about Sam now. Thank you."
    hook.text(LEO, "going")
    deliver(clock)
    assert last(LEO, "text").word == "reply-over"
    assert night.row().state == "open"


def test_ringing_back_is_no_answer(hook: Hook, clock: Clock) -> None:
    night = alarmed_night(clock)
    hook.tell(hook.event(LEO, "missed-call", "call"))
    assert night.row().state == "alarm"


# --- one number, several people -------------------------------------------------------------------


def test_one_phone_for_two_people_the_one_who_was_told_last_speaks(
    hook: Hook, clock: Clock
) -> None:
    night = sams_night()
    leo = services.add_contact(night.person, "Leo", ways(100))  # Sam's own phone
    services.join(leo)
    deliver(clock)
    night.start()
    night.does(ev.Marked())
    for wait_s in (60, 5, 15, 40):
        clock.advance(wait_s)
        tick_all()
        deliver(clock)
    hook.text(SAM, "1")
    assert night.row().state == "claimed", "Leo is going: nobody said that Sam is fine"


def test_ana_answers_the_alarm_she_heard_of_last(hook: Hook, clock: Clock) -> None:
    nights = [alarmed_night(clock, ("Ana",)) for _ in range(2)]
    hook.text(LEO, "1")  # both nights gave Ana this number
    assert [night.row().state for night in nights] == ["alarm", "claimed"]


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


# --- receipts -------------------------------------------------------------------------------------


def test_a_dead_number_moves_the_ladder_at_once(hook: Hook, clock: Clock) -> None:
    night = alarmed_night(clock)
    for channel in ("text", "call"):
        hook.receipt(last(LEO, channel), "undeliverable")
    tick_all()
    assert {m.contact_id for m in night.queued("alarm")} == {night.contacts["Maya"].id}


def test_a_receipt_may_overtake_the_record_of_its_own_send(hook: Hook, clock: Clock) -> None:
    night = asked_night(clock)
    clock.advance(40)
    tick_all()
    leased = [m for c in ("text", "call") for m in delivery.lease(c, clock.now, 50, 20)]
    for m in leased:
        hook.receipt(Message.objects.get(id=m.id), "undeliverable", reply_ref=str(m.id))
    for m in leased:
        delivery.record([delivery.Fated(m, delivery.SENT, f"p-{m.id}")], clock.now)
    assert {Message.objects.get(id=m.id).status for m in leased} == {"failed"}
    tick_all()
    assert {m.contact_id for m in night.queued("alarm")} == {night.contacts["Maya"].id}


def test_delivered_is_written_down_and_no_answer_moves_nothing(hook: Hook, clock: Clock) -> None:
    night = alarmed_night(clock)
    hook.receipt(last(LEO, "text"), "delivered")
    hook.receipt(last(LEO, "call"), "no-answer")
    assert last(LEO, "text").status == "delivered"
    assert last(LEO, "call").status == "sent"
    assert night.row().state == "alarm"
    assert not Address.objects.exclude(state="ok").exists()


def test_a_receipt_about_nothing_of_ours_is_confirmed_and_forgotten(
    hook: Hook, clock: Clock
) -> None:
    alarmed_night(clock)
    event = hook.event(LEO, "receipt", "text", status="undeliverable", message_id="p-unknown")
    assert hook.tell(event)[0] == 200
    assert hook.tell(event | {"id": "other", "message_id": ""})[0] == 200
    assert not Address.objects.exclude(state="ok").exists()
