"""What a webhook must prove before it is believed, and what makes no sense all the same."""

from __future__ import annotations

import json

import pytest

from stillhere.channels.base import GarbageError, SignatureError
from stillhere.channels.demo import (
    SIGNATURE_HEADER,
    TIMESTAMP_HEADER,
    TOLERANCE_MS,
    parse_webhook,
    sign,
)
from stillhere.core.messages import Inbound
from tests.channels.rigs import NOW_MS, SECRET

MAYA = "+12025550102"
EVENT = {"id": "e-1", "kind": "text", "channel": "text", "from": MAYA, "text": "GO"}


def hook(body: bytes, *, at_ms: int = NOW_MS, secret: str = SECRET) -> list[Inbound]:
    headers = {
        TIMESTAMP_HEADER.upper(): str(at_ms),
        SIGNATURE_HEADER.lower(): sign(secret, str(at_ms), body),
    }
    return parse_webhook(headers, body, SECRET, NOW_MS)


def events(*rows: object) -> bytes:
    return json.dumps({"events": rows}).encode()


def test_a_signed_webhook_is_believed() -> None:
    expected = Inbound("text", "e-1", "text", sender=MAYA, text="GO")
    assert hook(events(EVENT)) == [expected]
    assert hook(events()) == []
    assert hook(events(EVENT, EVENT)) == [expected, expected]


@pytest.mark.parametrize("late_ms", [-TOLERANCE_MS, 0, TOLERANCE_MS])
def test_five_minutes_of_difference_are_forgiven(late_ms: int) -> None:
    assert hook(events(EVENT), at_ms=NOW_MS + late_ms)
    beyond = late_ms + (1 if late_ms >= 0 else -1)
    if late_ms:
        with pytest.raises(SignatureError, match="too long ago"):
            hook(events(EVENT), at_ms=NOW_MS + beyond)


def test_mallory_cannot_sign() -> None:
    body = events(EVENT)
    good = {
        TIMESTAMP_HEADER: str(NOW_MS),
        SIGNATURE_HEADER: sign(SECRET, str(NOW_MS), body),
    }
    assert parse_webhook(good, body, SECRET, NOW_MS)
    for headers, sent in [
        ({}, body),
        ({**good, SIGNATURE_HEADER: ""}, body),
        ({**good, SIGNATURE_HEADER: "ñ"}, body),
        ({**good, SIGNATURE_HEADER: good[SIGNATURE_HEADER][:-1]}, body),
        ({**good, SIGNATURE_HEADER: good[SIGNATURE_HEADER].upper()}, body),
        ({**good, TIMESTAMP_HEADER: str(NOW_MS + 1)}, body),
        (good, body + b" "),
        (good, b"not JSON at all"),
    ]:
        with pytest.raises(SignatureError, match="wrong signature"):
            parse_webhook(headers, sent, SECRET, NOW_MS)
    with pytest.raises(SignatureError):
        hook(body, secret="a guess")
    for odd in ("", "-1", "soon", "١٢٣", "1e12"):
        headers = {TIMESTAMP_HEADER: odd, SIGNATURE_HEADER: sign(SECRET, odd, body)}
        with pytest.raises(SignatureError, match="no time"):
            parse_webhook(headers, body, SECRET, NOW_MS)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{}",
        b"[]",
        b"7",
        b"\xff\xfe",
        b"[" * 100_000,
        b'{"events": 7}',
        b'{"events": {"id": 1}}',
        b" " * 70_000 + b'{"events": []}',
        events(7),
        events({}),
        events({**EVENT, "id": ""}),
        events({**EVENT, "id": 7}),
        events({**EVENT, "channel": "email"}),
        events({**EVENT, "kind": "order"}),
        events({**EVENT, "text": ["GO"]}),
        events({**EVENT, "kind": "receipt", "status": "raptured"}),
        events(*[EVENT] * 101),
    ],
)
def test_garbage_with_a_good_signature_is_still_garbage(body: bytes) -> None:
    with pytest.raises(GarbageError):
        hook(body)


def test_what_is_too_long_is_cut() -> None:
    [inbound] = hook(events({**EVENT, "text": "x" * 9_000, "from": "1" * 900}))
    assert (len(inbound.text), len(inbound.sender)) == (1_600, 128)


@pytest.mark.parametrize(
    ("said", "believed"),
    [
        (NOW_MS - 3_600_000, 3_600_000),
        (-1, 0),
        (0, 0),
        ("soon", 0),
        (10**30, 0),
    ],
)
def test_when_it_happened_is_kept_where_it_makes_sense(said: object, believed: int) -> None:
    [inbound] = hook(events({**EVENT, "at_ms": said}))
    assert inbound.age_ms == believed
