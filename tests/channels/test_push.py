"""Notifications: what a push service sees, what a browser reads, and whom we refuse to speak to."""

from __future__ import annotations

import asyncio
import base64
import dataclasses
import json
import socket

import pytest

from stillhere.channels.base import AddressError, Outgoing
from stillhere.channels.push import SIGN_AGAIN_S, PushChannel, _receipt
from stillhere.core.messages import Fate
from tests.channels.browsers import SECRET, BrowserKeys, PushRig
from tests.channels.rigs import NOW_MS

LINK = "https://lamp.example.org/k/Zt4fJq8x2mZk0YpTtV"
ASK = Outgoing(
    key="w7",
    to="",
    text="",
    subject="Lamp: are you there?",
    link=LINK,
    reply_ref="7",
    choices={"1": "Still here", "9": "I need help", "3": "Say it again"},
)


def public(**changes: object) -> PushChannel:
    return PushChannel(SECRET, "https://lamp.example.org", clock=lambda: NOW_MS, **changes)  # type: ignore[arg-type]


def test_a_browser_reads_the_words_and_the_company_between_reads_nothing() -> None:
    async def tell() -> None:
        async with PushRig() as rig:
            channel = rig.channel()
            message = dataclasses.replace(ASK, to=rig.good)
            assert (await channel.send(message)).fate is Fate.ACCEPTED
            assert (await channel.send(message)).fate is Fate.ACCEPTED
            assert rig.payloads[0] == {
                "title": "Lamp: are you there?",
                "body": "",
                "link": LINK,
                "ref": "7",
                "lang": "en",
                "presses": [["1", "Still here"], ["9", "I need help"]],
            }
            [first, second] = rig.headers
            assert first["Urgency"] == "high"
            assert first["Content-Encoding"] == "aes128gcm"
            assert first["Topic"] == second["Topic"]  # the later one takes its place
            assert len(first["Topic"]) == 32  # at most that (RFC 8030, 5.4)
            assert LINK not in str(rig.headers)

    asyncio.run(tell())


def test_we_sign_for_each_push_service_and_anew_twice_a_day() -> None:
    now = NOW_MS
    channel = PushChannel(SECRET, "https://lamp.example.org", clock=lambda: now)

    def claims(endpoint: str) -> dict[str, object]:
        token = channel._authorization(endpoint).partition("t=")[2].partition(",")[0]
        middle = token.split(".")[1]
        read: dict[str, object] = json.loads(base64.urlsafe_b64decode(middle + "=="))
        return read

    assert claims("https://push.example.org/a/b?c")["aud"] == "https://push.example.org"
    assert claims("https://push.example.org/d") == claims("https://push.example.org/e")
    assert claims("https://other.example.org/e")["aud"] == "https://other.example.org"
    first = claims("https://push.example.org/a")["exp"]
    now += SIGN_AGAIN_S * 1000
    assert claims("https://push.example.org/a")["exp"] == int(str(first)) + SIGN_AGAIN_S


def test_our_key_outlives_a_restart_and_is_nobody_elses() -> None:
    assert public().public_key == public().public_key
    assert len(base64.urlsafe_b64decode(public().public_key + "=")) == 65
    other = PushChannel(b"another secret", "https://lamp.example.org", clock=lambda: NOW_MS)
    assert other.public_key != public().public_key


@pytest.mark.parametrize(
    "endpoint",
    [
        "http://push.example.org/a",
        "https://127.0.0.1/a",
        "https://127.1/a",
        "https://0x7f000001/a",
        "https://2130706433/a",
        "https://[::1]/a",
        "https://[::ffff:10.0.0.1]/a",
        "https://10.0.0.7:8443/a",
        "https://localhost/a",
        "https://%6c%6f%63alhost/a",
        "https://metadata.google.internal/a",
        "https://[fec0::1]/a",
        "https://169.254.169.254/latest/meta-data",
        "https://push.example.org@10.0.0.1/a",
        "https://user:word@push.example.org/a",
        "https://push.example.org:99999/a",
        "https://push example.org/a",
        "https://push.example.org/a\r\nX: y",
        "ftp://push.example.org/a",
        "https:///a",
        "https://push.example.org/" + "a" * 2_000,
        "",
    ],
)
def test_mallory_cannot_make_us_knock_inside_our_own_network(endpoint: str) -> None:
    channel = public()
    subscription = BrowserKeys(endpoint).subscription
    with pytest.raises(AddressError):
        channel.normalise(subscription)
    message = Outgoing(key="w7", to=subscription, text="", link=LINK)
    assert asyncio.run(channel.send(message)).fate is Fate.FAILED


def test_a_name_that_leads_inside_is_not_connected_to(monkeypatch: pytest.MonkeyPatch) -> None:
    """What was a public name when it was kept may lead elsewhere when it is used."""
    find = socket.getaddrinfo
    monkeypatch.setattr(
        socket, "getaddrinfo", lambda _host, *more, **k: find("127.0.0.1", *more, **k)
    )

    async def tell() -> None:
        knocks: list[object] = []
        inside = await asyncio.start_server(lambda *_: knocks.append(1), "127.0.0.1", 0)
        port = inside.sockets[0].getsockname()[1]
        channel = public(deadline_s=2.0)
        subscription = BrowserKeys(f"https://push.example.org:{port}/a").subscription
        receipt = await channel.send(dataclasses.replace(ASK, to=subscription))
        await channel.close()
        inside.close()
        assert receipt.fate is Fate.BUSY
        assert not knocks

    asyncio.run(tell())


@pytest.mark.parametrize(
    "broken",
    [
        {"keys": {"auth": "AAAA", "p256dh": "BBBB"}},
        {"endpoint": "https://push.example.org/a"},
        {"endpoint": 7, "keys": {"auth": "AAAAAAAAAAAAAAAAAAAAAA", "p256dh": "x"}},
        {"endpoint": "https://push.example.org/a", "keys": "auth"},
        {"endpoint": "https://push.example.org/a", "keys": {"auth": 5, "p256dh": None}},
        [],
        "https://push.example.org/a",
    ],
)
def test_what_is_no_subscription_is_answered_kindly(broken: object) -> None:
    with pytest.raises(AddressError, match="Try once more"):
        public().normalise(json.dumps(broken))


def test_a_point_that_is_not_on_the_curve_is_refused() -> None:
    keys = BrowserKeys("https://push.example.org/a")
    given = json.loads(keys.subscription)
    given["keys"]["p256dh"] = base64.urlsafe_b64encode(b"\x04" + b"\x07" * 64).decode()
    with pytest.raises(AddressError):
        public().normalise(json.dumps(given))
    assert public().normalise(keys.subscription) == keys.subscription


@pytest.mark.parametrize(
    ("status", "fate"),
    [(200, Fate.ACCEPTED), (201, Fate.ACCEPTED), (404, Fate.FAILED), (410, Fate.FAILED),
     (400, Fate.BUSY), (401, Fate.BUSY), (403, Fate.BUSY), (413, Fate.BUSY), (429, Fate.BUSY),
     (500, Fate.BUSY), (302, Fate.BUSY)],
)  # fmt: skip
def test_only_a_subscription_that_is_gone_breaks_the_way(status: int, fate: Fate) -> None:
    assert _receipt(status, None).fate is fate
