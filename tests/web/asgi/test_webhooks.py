"""What carriers tell us: believed only when it is signed, stored before it is thanked for, once."""

from __future__ import annotations

import asyncio
import base64
import hmac
import json
import threading
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, cast
from urllib.parse import urlencode

import pytest
from asgiref.typing import ASGI3Application
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.conf import settings
from django.core.asgi import get_asgi_application
from twilio.request_validator import RequestValidator

from stillhere.channels.carriers.carrier import MOST_PICTURE
from stillhere.cli.check import weaknesses
from stillhere.core import events as ev
from stillhere.core.messages import Inbound
from stillhere.store.inbound.inbox import take_all
from stillhere.store.models import Arrival, Message, WatchRow
from stillhere.store.watches.group_commit import GroupCommit, NotStored
from stillhere.web.asgi import webhooks
from stillhere.web.asgi.body_limits import WEBHOOK
from stillhere.web.asgi.webhooks import WebhookLane
from tests.channels.accounts import OURS, SECRET, carrier_of
from tests.circle import sams_night, tick_all
from tests.conftest import Clock
from tests.hook import LEO, SAM, alarmed_night, asked_night, last
from tests.web.lane import Answered, ask

pytestmark = pytest.mark.usefixtures("database")

TELNYX = Ed25519PrivateKey.from_private_bytes(b"k" * 32)
PUBLIC = base64.b64encode(TELNYX.public_key().public_bytes_raw()).decode()
CARRIERS = (
    carrier_of("twilio", "https://api.example.org"),
    carrier_of("telnyx", "https://api.example.org", name="two", options={"public_key": PUBLIC}),
    carrier_of("android", "https://phone.lan", name="phone", options={"key": "k"}),
)
Take = Callable[[list[Inbound]], list[None]]


@pytest.fixture
def inbox() -> Iterator[GroupCommit[Inbound, None]]:
    writer: GroupCommit[Inbound, None] = GroupCommit(take_all, proves=False)
    yield writer
    writer.stop()


class Phone:
    """Posts to the lane as carriers do."""

    def __init__(self, inbox: GroupCommit[Inbound, None]) -> None:
        self.lane = WebhookLane(cast(ASGI3Application, get_asgi_application()), CARRIERS, inbox)

    def post(self, path: str, body: bytes, headers: Mapping[str, str], query: str = "") -> Answered:
        kind = {"content-type": "application/x-www-form-urlencoded"}
        return asyncio.run(ask(self.lane, path, [body], {**kind, **headers}, query=query))

    def twilio(
        self, kind: str, fields: Mapping[str, str], query: str = "", secret: str = SECRET
    ) -> Answered:
        path = f"/in/one/{kind}"
        url = f"{settings.STILLHERE.base_url}{path}{f'?{query}' if query else ''}"
        signature = RequestValidator(secret).compute_signature(url, dict(fields))
        body = urlencode(fields).encode()
        return self.post(path, body, {"X-Twilio-Signature": signature}, query)

    def text(
        self, words: str, sender: str = SAM, sid: str = "SM1", secret: str = SECRET, **more: str
    ) -> Answered:
        fields = {"MessageSid": sid, "From": sender, "To": OURS, "Body": words, "NumMedia": "0"}
        return self.twilio("text", fields | more, secret=secret)

    def receipt(self, m: Message, status: str, code: str = "", sid: str = "") -> Answered:
        name = "Message" if m.channel == "text" else "Call"
        told = {f"{name}Sid": sid or f"p{m.id}", f"{name}Status": status}
        return self.twilio("status", told | ({"ErrorCode": code} if code else {}), f"m={m.id}")

    def event(self, told: object, *, key: str = "k", late_s: int = 0) -> Answered:
        body = json.dumps(told).encode()
        stamp = str(settings.WALL_MS() // 1000 - late_s)
        signature = hmac.new(key.encode(), body + stamp.encode(), "sha256").hexdigest()
        headers = {"X-Signature": signature, "X-Timestamp": stamp}
        return self.post("/in/phone/event", body, headers)


@pytest.fixture
def phone(inbox: GroupCommit[Inbound, None]) -> Phone:
    return Phone(inbox)


# --- texts ----------------------------------------------------------------------------------------


def test_a_text_still_here_is_a_check_in(phone: Phone, clock: Clock) -> None:
    night = asked_night(clock)
    answer = phone.text("ok")
    assert (answer.status, answer.headers["content-type"]) == (200, "text/xml; charset=utf-8")
    assert b"<Response/>" in answer.body
    assert night.row().state == "open"


def test_what_is_unclear_is_no_check_in(phone: Phone, clock: Clock) -> None:
    night = asked_night(clock)
    assert phone.text("who is this").status == 200
    assert night.row().state == "asking"


def test_five_times_the_same_text_is_one(phone: Phone, clock: Clock) -> None:
    night = alarmed_night(clock)
    for _ in range(5):
        assert phone.text("1", sender=LEO).status == 200
    assert Arrival.objects.filter(kind="text").count() == 1
    assert night.row().state == "claimed"


def test_many_people_at_once_are_each_heard(phone: Phone, clock: Clock) -> None:
    night = asked_night(clock)
    came = [
        Inbound("text", "a", "text", SAM, "ok"),
        Inbound("text", "b", "text", "+12025550199", "ok"),
        Inbound("text", "a", "text", SAM, "ok"),
        Inbound("text", "c", "text", "", "ok"),
        Inbound("text", "d", "text", "not a number", "ok"),
    ]
    assert take_all(came) == [None] * 5
    assert night.row().state == "open"
    assert Arrival.objects.count() == 4


def test_a_text_of_any_signs_is_taken(phone: Phone, clock: Clock) -> None:
    asked_night(clock)
    for no, words in enumerate(("\x00", "🙂" * 500, "a" * 5_000, "ñ\r\nBcc: x", "")):
        assert phone.text(words, sid=f"SM{no}").status == 200


# --- receipts -------------------------------------------------------------------------------------


def test_a_dead_number_moves_the_ladder_by_its_code(phone: Phone, clock: Clock) -> None:
    night = alarmed_night(clock, ("Leo",), ("Maya",))
    for channel in ("text", "call"):
        m = last(LEO, channel)
        answer = phone.receipt(m, "failed", "30005" if channel == "text" else "13224")
        assert answer.status == 204
    assert last(LEO, "text").status == "failed"
    assert night.row().wake_at == clock.now


def test_receipts_out_of_order_end_where_they_should(phone: Phone, clock: Clock) -> None:
    alarmed_night(clock)
    text = last(LEO, "text")
    for status in ("delivered", "sent", "queued", "delivered"):
        assert phone.receipt(text, status).status == 204
    assert last(LEO, "text").status == "delivered"


def test_the_price_in_a_receipt_is_kept(phone: Phone, clock: Clock) -> None:
    alarmed_night(clock)
    text = last(LEO, "text")
    told = {"MessageSid": "p1", "MessageStatus": "delivered", "Price": "-0.0079"}
    phone.twilio("status", told, f"m={text.id}")
    kept = last(LEO, "text")
    assert (kept.cost_micros, kept.currency) == (7_900, "USD")


def test_a_word_the_carrier_does_not_document_is_told_back(phone: Phone, clock: Clock) -> None:
    alarmed_night(clock)
    assert phone.receipt(last(LEO, "text"), "teleported").status == 400


# --- who is believed ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "headers"),
    [
        ("/in/one/text", {}),
        ("/in/one/text", {"X-Twilio-Signature": "bm90IGl0"}),
        ("/in/one/text", {"X-Twilio-Signature": "\xff"}),
        ("/in/two/status", {}),
        ("/in/two/status", {"telnyx-signature-ed25519": "AAAA", "telnyx-timestamp": "1"}),
        ("/in/phone/event", {}),
        ("/in/phone/event", {"X-Signature": "00", "X-Timestamp": "1"}),
    ],
)
def test_nothing_unsigned_is_believed(
    phone: Phone, clock: Clock, path: str, headers: dict[str, str]
) -> None:
    night = asked_night(clock)
    body = urlencode({"MessageSid": "SM1", "From": SAM, "Body": "ok"}).encode()
    assert phone.post(path, body, headers).status == 403
    assert night.row().state == "asking"
    assert not Arrival.objects.exists()


def test_a_signature_of_another_address_or_another_secret_is_refused(phone: Phone) -> None:
    fields = {"MessageSid": "SM1", "From": SAM, "Body": "ok"}
    assert phone.twilio("text", fields, secret="guessed").status == 403
    url = "https://elsewhere.example.org/in/one/text"
    signature = RequestValidator(SECRET).compute_signature(url, fields)
    body = urlencode(fields).encode()
    assert phone.post("/in/one/text", body, {"X-Twilio-Signature": signature}).status == 403
    altered = urlencode({**fields, "From": LEO}).encode()
    ours = f"{settings.STILLHERE.base_url}/in/one/text"
    signature = RequestValidator(SECRET).compute_signature(ours, fields)
    assert phone.post("/in/one/text", altered, {"X-Twilio-Signature": signature}).status == 403


def test_telnyx_signs_with_its_key_and_its_time(phone: Phone, clock: Clock) -> None:
    asked_night(clock)
    body = urlencode({"MessageSid": "SM1", "From": SAM, "Body": "ok", "To": OURS}).encode()

    def post(stamp: str) -> int:
        signature = base64.b64encode(TELNYX.sign(f"{stamp}|".encode() + body)).decode()
        headers = {"telnyx-signature-ed25519": signature, "telnyx-timestamp": stamp}
        return phone.post("/in/two/text", body, headers).status

    now_s = settings.WALL_MS() // 1000
    assert post(str(now_s - 3_600)) == 403
    assert post("soon") == 403
    assert post(str(now_s)) == 200


@pytest.mark.parametrize(
    ("path", "status"),
    [("/in/nobody/text", 404), ("/in/one/", 404), ("/in/one/teapot", 404), ("/in/one/event", 400)],
)
def test_what_is_no_webhook_of_ours_is_said_so(phone: Phone, path: str, status: int) -> None:
    body = b"MessageSid=SM1"
    url = f"{settings.STILLHERE.base_url}{path}"
    signature = RequestValidator(SECRET).compute_signature(url, {"MessageSid": "SM1"})
    assert phone.post(path, body, {"X-Twilio-Signature": signature}).status == status


@pytest.mark.parametrize("body", [b"\xff\xfe", b"a=1&" * 300, b"[]", b""])
def test_garbage_is_told_from_news(phone: Phone, body: bytes) -> None:
    assert phone.post("/in/one/text", body, {"X-Twilio-Signature": "x"}).status in (400, 403)


def test_a_body_too_long_is_not_read_to_its_end(phone: Phone) -> None:
    assert phone.post("/in/one/text", b"a" * (WEBHOOK.most + 1), {}).status == 413


def test_what_could_not_be_stored_is_to_be_told_again(clock: Clock) -> None:
    def gone(_: list[Inbound]) -> list[None]:
        raise NotStored("no database")

    writer: GroupCommit[Inbound, None] = GroupCommit(gone, proves=False)  # type: ignore[arg-type]
    answer = Phone(writer).text("ok")
    writer.stop()
    assert (answer.status, answer.headers["retry-after"]) == (503, "1")


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
    phone.lane._pictures = webhooks.MOST_PICTURES
    assert phone.post("/in/phone/event", long, {}).status == 503
    phone.lane._pictures = 0
    assert phone.post("/in/phone/event", long, {}).status == 403
    assert phone.post("/in/phone/event", b"x" * (MOST_PICTURE + 1), {}).status == 413


def test_a_picture_keeps_its_place_until_it_was_read(
    phone: Phone, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Those that wait to be read lie in memory as well."""
    held: list[int] = []
    read = webhooks.read

    def watched(*asked: Any) -> Inbound | None:
        held.append(phone.lane._pictures)
        return read(*asked)

    monkeypatch.setattr(webhooks, "read", watched)
    asked_night(clock)
    picture = {"partId": 1, "contentType": "image/jpeg", "size": 9, "data": "A" * 100_000}
    payload = {"messageId": "9", "sender": SAM, "body": "OK", "attachments": [picture]}
    assert phone.event({"event": "mms:downloaded", "payload": payload}).status == 204
    assert held == [1]
    assert phone.lane._pictures == 0


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


def test_a_long_webhook_is_read_beside_the_loop_and_too_many_are_put_off(
    phone: Phone, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It must be read before it is known who sent it, and check-ins are answered in that loop."""
    threads: list[str] = []
    read = webhooks.read

    def watched(*asked: Any) -> Inbound | None:
        threads.append(threading.current_thread().name.partition("_")[0])
        return read(*asked)

    monkeypatch.setattr(webhooks, "read", watched)
    long = "\ufdfa" * 1_500
    assert phone.text("OK", sid="SM1").status == 200
    assert phone.text(long, sid="SM2").status == 200
    assert phone.text(long, sid="SM3", secret="wrong").status == 403
    assert threads == ["MainThread", "webhook", "webhook"]
    phone.lane._reading = webhooks.MOST_READING
    assert phone.text(long, sid="SM4").status == 503
    assert phone.text("OK", sid="SM5").status == 200
