"""What carriers tell us: believed only when it is signed, stored before it is thanked for, once."""

from __future__ import annotations

import base64
import threading
from typing import Any
from urllib.parse import urlencode

import pytest
from django.conf import settings
from twilio.request_validator import RequestValidator

from stillhere.core.messages import Inbound
from stillhere.store.inbound.inbox import take_all
from stillhere.store.models import Arrival
from stillhere.store.watches.group_commit import GroupCommit, NotStored
from stillhere.web.asgi import webhooks
from stillhere.web.asgi.body_limits import WEBHOOK
from tests.channels.accounts import OURS, SECRET
from tests.conftest import Clock
from tests.hook import LEO, SAM, alarmed_night, asked_night, last
from tests.web.asgi.carrier_posts import (
    TELNYX,
    Phone,
    inbox,
    phone,
)

pytestmark = pytest.mark.usefixtures("database")
__all__ = ["inbox", "phone"]


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
