"""What comes in from phones: stored once, believed only when signed, and never made more of than
was said. Whom we believe, what Sam says, and what receipts say."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from django.db import connection
from pytest_django.fixtures import Settings

from stillhere.core import events as ev
from stillhere.core.messages import Fate, Receipt
from stillhere.store.messages import delivery
from stillhere.store.models import Address, Arrival, Message, WatchRow
from stillhere.store.watches import queries
from tests.circle import sams_night, tick_all
from tests.conftest import Clock
from tests.hook import (
    LEO,
    MALLORY,
    SAM,
    Hook,
    Told,
    alarmed_night,
    asked_night,
    deliver,
    last,
    said_to,
)

pytestmark = pytest.mark.usefixtures("database")


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


def test_a_stranger_does_nothing_to_anybody(hook: Hook, clock: Clock) -> None:
    night = alarmed_night(clock)
    before = Message.objects.exclude(word="reply-hello").count()
    hook.text(MALLORY, "1")
    hook.text("", "1")
    hook.text("+1\u0660", "1")
    assert Arrival.objects.count() == 3
    assert night.row().state == "alarm"
    assert Message.objects.exclude(word="reply-hello").count() == before


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


@pytest.mark.parametrize("text", ["who is this?", "ok?", "im not here", "", "Listen"])
def test_what_is_unclear_is_never_a_check_in_and_rings(hook: Hook, clock: Clock, text: str) -> None:
    night = asked_night(clock)
    grace_at = night.row().grace_at
    assert grace_at is not None
    hook.text(SAM, text)
    row = night.row()
    assert (row.state, row.unclear_at, row.grace_at) == ("asking", clock.now, grace_at)
    assert {m.channel for m in night.queued("ask-ring")} == {"text", "call"}


@pytest.mark.parametrize("text", ["who is this?", "qwzx", ""])
def test_what_is_unclear_between_asks_rings_at_once(hook: Hook, clock: Clock, text: str) -> None:
    night = sams_night(("Leo",))
    night.start()
    clock.advance(10)
    hook.text(SAM, text)
    assert night.row().state == "asking"
    assert {m.channel for m in night.queued("ask-ring")} == {"text", "call"}


def test_whoever_is_going_hears_that_a_text_came_that_nobody_can_read(
    hook: Hook, clock: Clock
) -> None:
    night = alarmed_night(clock)
    hook.text(LEO, "1")
    hook.text(SAM, "sdkfj")
    said = night.queued("unreadable")
    assert {m.contact_id for m in said} == {night.contacts["Leo"].id}
    assert night.row().state == "claimed"


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


def test_a_no_from_sam_ends_what_reaches_that_phone_and_the_watch_goes_on(
    hook: Hook, clock: Clock
) -> None:
    night = sams_night(("Leo",))
    night.start()
    night.does(ev.Marked())
    clock.advance(60)
    tick_all()
    deliver(clock)
    hook.text(SAM, "STOP")
    assert {a.state for a in Address.objects.filter(person=night.person)} == {"opted-out"}
    assert not night.queued("ask-ring")
    assert night.row().state == "asking"


def test_a_watch_that_was_set_aside_says_that_nothing_is_counted(hook: Hook, clock: Clock) -> None:
    night = asked_night(clock)
    WatchRow.objects.filter(id=night.watch).update(quarantined_at=clock.now)
    hook.text(SAM, "OK")
    assert "nothing is counted" in said_to(SAM, clock)[-1]


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
        delivery.record([m.result(Receipt(Fate.ACCEPTED, f"p-{m.id}"))], clock.now)
    assert {Message.objects.get(id=m.id).status for m in leased} == {"failed"}
    tick_all()
    assert {m.contact_id for m in night.queued("alarm")} == {night.contacts["Maya"].id}


def test_delivered_is_written_down_and_a_call_nobody_took_is_made_again(
    hook: Hook, clock: Clock
) -> None:
    night = alarmed_night(clock)
    hook.receipt(last(LEO, "text"), "delivered")
    hook.receipt(last(LEO, "call"), "no-answer")
    assert last(LEO, "text").status == "delivered"
    assert last(LEO, "call").status == "queued", "rung once more, a little later"
    assert last(LEO, "call").due_at == clock.now + 45_000
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


# --- a demo's phone calls us -----------------------------------------------------------------


def turn(hook: Hook, number: str, call: str, key: str = "", at: str = "", no: int = 0) -> Told:
    facts = {"message_id": call, "text": key, "at": at, "turn": no}
    return hook.tell(hook.event(number, "turn", "call", **facts))


def test_a_call_to_us_goes_turn_by_turn(hook: Hook) -> None:
    status, said = turn(hook, MALLORY, "call-1")
    assert status == 200
    assert str(said["say"]).startswith("This is Lamp. Nobody can come to you now.")
    assert (said["at"], said["turn"], said["hang_up"]) == ("unknown", 1, False)
    _, said = turn(hook, MALLORY, "call-1", "2", "unknown", 1)
    assert "We stay with you" in str(said["say"])
    assert said["at"] == "stay"
    assert WatchRow.objects.get().state == "open"
    status, _ = hook.tell(hook.event(MALLORY, "ended", "call", message_id="call-1"))
    assert status == 200
    assert WatchRow.objects.get().state == "asking"


def test_who_rings_and_is_on_watch_is_counted_and_not_answered(hook: Hook, clock: Clock) -> None:
    night = asked_night(clock)
    clock.now += 30_000
    _, said = turn(hook, SAM, "call-2")
    assert said["reject"]
    assert night.row().state == "open"


def test_a_key_in_a_call_of_ours_leads_on_to_how_soon(hook: Hook, clock: Clock) -> None:
    night = alarmed_night(clock)
    message = last(LEO, "call")
    event = hook.event(LEO, "key", "call", text="1", reply_ref=str(message.id))
    _, said = hook.tell(event)
    assert said["at"] == "soon"
    more = hook.event(LEO, "key", "call", text="3", reply_ref=str(message.id))
    _, said = hook.tell(more | {"at": "soon", "turn": 1})
    assert "The others hear that you are going" in str(said["say"])
    [alarmed] = queries.open_alarms()
    alarm = queries.shown_by_id([alarmed])[alarmed].watch.alarm
    assert alarm is not None
    assert alarm.claims[0].eta_s == 180
    assert night.row().state == "claimed"
