"""What an Android phone on a window sill tells us: texts, pictures, and when they came."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Any

import pytest
from django.conf import settings

from stillhere.channels.carriers.carrier import MOST_PICTURE
from stillhere.cli.check import weaknesses
from stillhere.core import events as ev
from stillhere.core.messages import Inbound
from stillhere.store.models import Message, WatchRow
from stillhere.web.asgi import webhooks
from stillhere.web.asgi.body_limits import WEBHOOK
from tests.circle import sams_night, tick_all
from tests.conftest import Clock
from tests.hook import LEO, SAM, alarmed_night, asked_night, last
from tests.web.asgi.carrier_posts import (
    Phone,
    dropped,
    inbox,
    phone,
    signed,
)
from tests.web.lane import Answered, ask

pytestmark = pytest.mark.usefixtures("database")
__all__ = ["inbox", "phone"]


# --- an Android phone -----------------------------------------------------------------------------


def received(words: str, at: str, sender: str = SAM) -> dict[str, object]:
    payload = {"messageId": "1", "sender": sender, "message": words, "receivedAt": at}
    return {"event": "sms:received", "payload": payload}


def test_a_text_by_the_phone_counts_from_when_it_came(phone: Phone, clock: Clock) -> None:
    night = asked_night(clock)
    assert phone.event(received("ok", "2020-01-01T00:00:00Z")).status == 204
    assert night.row().state == "asking", "years late: no sign of life of now"
    assert phone.event(received("ok", "soon")).status == 204
    assert night.row().state == "open"


@pytest.fixture
def gateway(phone: Phone, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> Phone:
    """The phone on the window sill; the machine's own time goes by with the installation's."""
    monkeypatch.setattr(settings, "WALL_MS", lambda: clock.now)
    return phone


def stamp(clock: Clock, early_s: int) -> str:
    at = datetime.fromtimestamp(clock.now / 1000 - early_s, UTC)
    return at.isoformat(timespec="seconds").replace("+00:00", "Z")


def test_a_night_by_a_phone_whose_carrier_stamps_an_hour_early(
    gateway: Phone, clock: Clock
) -> None:
    """GO, the mark, and then OK for every ask: all of it counts, and nobody is alarmed."""
    sams_night(("Leo",))
    for words in ("GO", "MARK", *["OK"] * 40):
        assert gateway.event(received(words, stamp(clock, 3_480))).status == 204
        clock.advance(8)
        tick_all()
    row = WatchRow.objects.get()
    assert (row.state, row.alarms) == ("open", 0)
    assert clock.now - row.seen_at < 20_000
    said = [sentence for _, sentence in weaknesses.gateways()]
    assert said == ["phone stamps texts 58 minutes early: they are counted from when they arrive."]


def test_a_text_that_was_late_never_ends_an_alarm_younger_than_it(
    gateway: Phone, clock: Clock
) -> None:
    """The first words that we hear of this gateway: the stamp may be wrong, or the text late."""
    night = alarmed_night(clock)
    assert gateway.event(received("OK", stamp(clock, 1_800))).status == 204
    assert night.row().state == "alarm"
    for _ in range(4):
        clock.advance(30)
        assert gateway.event(received("hm", stamp(clock, 1_800))).status == 204
    assert gateway.event(received("OK", stamp(clock, 1_800 + 400))).status == 204
    assert night.row().state == "alarm", "late by the gateway's own clock"
    assert gateway.event(received("OK", stamp(clock, 1_801))).status == 204
    assert night.row().state != "alarm"


@pytest.mark.parametrize(
    "sender", ["2025550100", "(202) 555-0100", "+1 202-555-0100", "12025550100", "0012025550100"]
)
def test_a_number_is_the_same_however_a_carrier_writes_it(
    phone: Phone, clock: Clock, sender: str
) -> None:
    night = asked_night(clock)
    assert phone.event(received("ok", "soon", sender)).status == 204
    assert night.row().state == "open"


def test_a_name_that_holds_the_digits_of_a_number_answers_for_nobody(
    phone: Phone, clock: Clock
) -> None:
    night = asked_night(clock)
    for sender in ("a2025550100", "2025550100x", "tel:2025550100", "+1202555O100"):
        assert phone.event(received("ok", "soon", sender)).status == 204
    assert night.row().state == "asking"


@pytest.mark.parametrize(("words", "state"), [("OK", "open"), ("HELP ME", "alarm")])
def test_a_long_text_sent_as_a_picture_is_read_like_any(
    phone: Phone, clock: Clock, words: str, state: str
) -> None:
    night = asked_night(clock)
    picture = {"partId": 1, "contentType": "image/jpeg", "size": 900_000, "data": "A" * 1_200_000}
    payload = {"messageId": "9", "sender": SAM, "body": words, "attachments": [picture]}
    told = {"event": "mms:received", "payload": {"messageId": "9", "sender": SAM, "size": 9}}
    assert phone.event(told).status == 204
    assert night.row().state == "asking"
    assert phone.event({"event": "mms:downloaded", "payload": payload}).status == 204
    assert night.row().state == state


def test_pictures_are_let_in_a_few_at_a_time(phone: Phone) -> None:
    long = b"x" * (WEBHOOK.most + 1)
    phone.lane._held = webhooks.MOST_HELD
    assert phone.post("/in/phone/event", long, {}).status == 503
    assert phone.post("/in/phone/event", b"x" * WEBHOOK.most, {}).status == 403, "a short one is"
    phone.lane._held = 0
    assert phone.post("/in/phone/event", long, {}).status == 403
    assert phone.post("/in/phone/event", b"x" * (MOST_PICTURE + 1), {}).status == 413


def test_a_picture_keeps_its_place_until_it_was_read(
    phone: Phone, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Those that wait to be read lie in memory as well."""
    held: list[int] = []
    read = webhooks.read

    def watched(*asked: Any) -> Inbound | None:
        held.append(phone.lane._held)
        return read(*asked)

    monkeypatch.setattr(webhooks, "read", watched)
    asked_night(clock)
    picture = {"partId": 1, "contentType": "image/jpeg", "size": 9, "data": "A" * 100_000}
    payload = {"messageId": "9", "sender": SAM, "body": "OK", "attachments": [picture]}
    assert phone.event({"event": "mms:downloaded", "payload": payload}).status == 204
    assert held[0] > 100_000
    assert phone.lane._held == 0


def test_bodies_that_trickle_keep_no_picture_with_a_cry_out(phone: Phone, clock: Clock) -> None:
    night = asked_night(clock)
    picture = {"partId": 1, "contentType": "image/jpeg", "size": 9, "data": "A" * 100_000}
    payload = {"messageId": "9", "sender": SAM, "body": "SOS", "attachments": [picture]}

    body, headers = signed({"event": "mms:downloaded", "payload": payload})
    scope: Any = {
        "type": "http", "method": "POST", "path": "/in/phone/event", "query_string": b"",
        "headers": [],
    }  # fmt: skip
    came = iter([b"x" * WEBHOOK.most] * 40)

    async def trickles() -> Any:
        piece = next(came, None)
        if piece is None:
            await asyncio.sleep(60)
        return {"type": "http.request", "body": piece, "more_body": True}

    async def under_attack() -> Answered:
        held = [asyncio.create_task(phone.lane(scope, trickles, dropped)) for _ in range(40)]
        for _ in range(50):  # each has its place
            await asyncio.sleep(0)
        try:
            return await ask(phone.lane, "/in/phone/event", [body], headers)
        finally:
            for task in held:
                task.cancel()

    assert asyncio.run(under_attack()).status == 204
    assert night.row().state == "alarm"


def test_a_picture_that_nobody_signed_waits_in_no_queue(phone: Phone) -> None:
    phone.lane._reading = webhooks.MOST_READING
    assert phone.event({"event": "x" * 100_000}, key="wrong").status == 403
    assert phone.event({"event": "x" * 100_000}).status == 503


def test_an_event_that_nobody_knows_is_logged_once(
    phone: Phone, caplog: pytest.LogCaptureFixture
) -> None:
    for _ in range(3):
        assert phone.event({"event": "rcs:received", "payload": {}}).status == 204
    assert [r.getMessage() for r in caplog.records if "rcs" in r.getMessage()] == [
        "the phone tells of 'rcs:received', which is not read here"
    ]


def test_what_the_phone_says_of_a_text_is_a_receipt(phone: Phone, clock: Clock) -> None:
    alarmed_night(clock)
    text = last(LEO, "text")
    Message.objects.filter(id=text.id).update(provider_ref="phone:abc")
    told = {"event": "sms:delivered", "payload": {"messageId": "abc"}}
    assert phone.event(told).status == 204
    assert last(LEO, "text").status == "delivered"


def test_an_old_or_foreign_signature_of_the_phone_is_refused(phone: Phone) -> None:
    told = {"event": "system:ping", "payload": {}}
    assert phone.event(told, late_s=3_600).status == 403
    assert phone.event(told, key="guessed").status == 403
    assert phone.event(told).status == 204
    nonsense: object
    for nonsense in ([], "x", {}, {"event": 1, "payload": {}}, {"event": "sms:received"}):
        assert phone.event(nonsense).status == 400


def test_a_text_from_someone_on_watch_needs_no_other_word(phone: Phone, clock: Clock) -> None:
    night = asked_night(clock)
    phone.text("OK", sid="SM9")
    assert not Message.objects.filter(word__startswith="reply").exists()
    night.does(ev.Ended())
    phone.text("OK", sid="SM10")
    assert Message.objects.filter(word="reply-not-on").exists(), "nobody is watching: that is said"
