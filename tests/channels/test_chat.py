"""Chat beyond the contract: what we let a stranger point us at, and what a slow host may cost."""

from __future__ import annotations

import asyncio
import importlib
import inspect
import re
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiohttp import web
from apprise import NotifyType, URLBase

from stillhere.channels.apps import APPS
from stillhere.channels.base import AddressError, Outgoing
from stillhere.channels.chat import ChatChannel, sender
from stillhere.channels.network_policy import is_public
from stillhere.core.messages import Fate
from tests.channels.rigs import ChatRig

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@pytest.mark.parametrize(
    ("typed", "stored"),
    [
        ("ntfys://ntfy.sh/sams-topic", "ntfys://ntfy.sh/sams-topic"),
        (" NTFY://sams-topic ", "ntfy://sams-topic"),
        ("tgram://123456789:abcdefg_hijklmnop/12315544/", None),
        ("zulip://bot@harbor/a8o1g2a8o1g2a8o1g2a8o1g2a8o1g2a8", None),
        ("toots://token@mastodon.social", None),
        ("matrixs://maya:word@matrix.example.org/#room", None),
        ("gotifys://push.example.org/AbCdEf123456789", None),
        ("signals://signal.example.org/+12025550101/+12025550102", None),
    ],
)
def test_addresses_of_apps_are_kept_as_typed(typed: str, stored: str | None) -> None:
    ours = ("matrix.example.org", "push.example.org", "signal.example.org")
    assert ChatChannel(hosts=ours).normalise(typed) == (stored or typed)


@pytest.mark.parametrize(
    ("typed", "app"),
    [
        ("https://ntfy.sh/sams-topic", "ntfys://sams-topic"),
        ("https://discord.com/api/webhooks/4174216298/JHMHI8qBe7bk2ZwO5U711o3dV_js", "discord://"),
    ],
)
def test_an_apps_web_address_is_understood(typed: str, app: str) -> None:
    channel = ChatChannel()
    stored = channel.normalise(typed)
    assert stored.startswith(app)
    assert channel.normalise(stored) == stored


@pytest.mark.parametrize(
    "typed",
    [
        "syslog://",
        "rsyslog://example.org",
        "dbus://",
        "gnome://",
        "macosx://",
        "windows://",
        "file:///etc/passwd",
        "mailto://maya:word@example.org",
        "smpp://x:y@example.org:2775/1/2",
        "mqtt://example.org/topic",
        "workflows://example.org/a/b/c",
        "vapid://maya@example.org/x?keyfile=/etc/passwd",
        "https://example.org/anything",
        "javascript://x",
        "include://x",
    ],
)
def test_other_kinds_of_address_are_refused(typed: str) -> None:
    with pytest.raises(AddressError, match="cannot send to this kind"):
        ChatChannel(allow_private=True).normalise(typed)


@pytest.mark.parametrize("schema", sorted(APPS))
@pytest.mark.parametrize(
    "rest",
    [
        "mallory.example.org",
        "mallory.example.org/AbCdEf123456789",
        "mallory.example.org:8080/a/b/c",
        "user:word@mallory.example.org/a/+12025550101/+12025550102",
        "bot@mallory.example.org/a8o1g2a8o1g2a8o1g2a8o1g2a8o1g2a8",
        "token@mallory.example.org/x?mode=cloud&host=mallory.example.org&method=DELETE",
        "a8o1g2a8o1g2a8o1g2a8o1g2a8o1g2a8/x?host=mallory.example.org&region=mallory.example.org",
        "x@mallory.example.org/x?mode=t2bot",
    ],
)
def test_no_stranger_picks_whom_we_write_to(
    schema: str, rest: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def look_up(host: str, port: int, **_: object) -> list[Any]:
        asked.append(host)
        raise OSError("nobody is asked here")

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    # Some kinds wait for seconds between two requests, and gave up before they had made the second.
    monkeypatch.setattr(URLBase, "throttle", lambda *_, **__: None)
    channel = ChatChannel(deadline_s=5)
    try:
        to = channel.normalise(f"{schema}://{rest}")
    except AddressError:
        return
    asyncio.run(channel.send(Outgoing("k", to, "hello")))
    assert not [host for host in asked if host.endswith("example.org")]


@pytest.mark.parametrize("url", ["jsons://ntfy.sh/x", "forms://ntfy.sh/x", "apprises://ntfy.sh/x"])
def test_a_request_of_ones_own_is_no_app(url: str) -> None:
    with pytest.raises(AddressError, match="cannot send to this kind"):
        ChatChannel(hosts=["ntfy.sh"]).normalise(url)


@pytest.mark.parametrize("key", ["template", "TEMPLATE", "%74emplate", "+x=1&template"])
@pytest.mark.parametrize(
    "url",
    [
        "slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ",
        "discord://4174216298/JHMHI8qBe7bk2ZwO5U711o3dV_js/",
        "tgram://123456789:abcdefg_hijklmnop/12315544/",
    ],
)
def test_no_local_file_is_ever_sent(url: str, key: str) -> None:
    channel = ChatChannel()
    assert channel.normalise(url) == url
    with pytest.raises(AddressError):
        channel.normalise(f"{url}?{key}=/etc/hostname")
    receipt = asyncio.run(channel.send(Outgoing("k", f"{url}?{key}=/etc/hostname", "hello")))
    assert receipt.fate is Fate.FAILED


def test_every_app_on_the_list_speaks_http_through_requests_only() -> None:
    """The wall against private addresses stands there and nowhere else."""
    manager = importlib.import_module("apprise.manager_plugins").NotificationManager()
    other = re.compile(r"\n\s*(?:import|from) (socket|subprocess|smtplib|paho|slixmpp|ssl)\b")
    for schema in APPS:
        module = sys.modules[manager[schema].__module__]
        source = inspect.getsource(module)
        assert "requests" in source, schema
        assert not other.search(source), schema


@pytest.mark.parametrize(
    "host",
    [
        "localhost",
        "LOCALHOST",
        "printer.local",
        "chat.lan",
        "db.internal",
        "nas.home.arpa",
        "x.localhost",
        "127.0.0.1",
        "10.1.2.3",
        "192.168.1.20",
        "172.16.0.1",
        "169.254.169.254",
        "100.64.0.1",
        "0.0.0.0",
        "[::1]",
        "[fe80::1]",
        "[fd00::1]",
    ],
)
def test_addresses_inside_a_network_are_refused_at_once(host: str) -> None:
    with pytest.raises(AddressError, match="private network"):
        ChatChannel(hosts=[host]).normalise(f"gotify://{host}:8080/x")
    if "[" not in host:  # Apprise knows few IPv6 addresses; where it does, so do we
        open_to_us = ChatChannel(hosts=[host.lower()], allow_private=True)
        assert open_to_us.normalise(f"gotify://{host}:8080/x")


@pytest.mark.parametrize(
    ("ip", "public"),
    [
        ("8.8.8.8", True),
        ("2606:4700::1111", True),
        ("127.0.0.1", False),
        ("169.254.169.254", False),
        ("100.64.0.1", False),
        ("224.0.0.1", False),
        ("0.0.0.0", False),
        ("::", False),
        ("::1", False),
        ("fe80::1%eth0", False),
        ("fd00::1", False),
        ("::ffff:127.0.0.1", False),
        ("::ffff:8.8.8.8", True),
        ("2002:7f00:1::", False),
        ("64:ff9b::7f00:1", False),
        ("64:ff9b::808:808", True),
        ("nonsense", False),
    ],
)
def test_what_is_public(ip: str, public: bool) -> None:
    assert is_public(ip) is public


class Names:
    """A name server of Mallory's: the name pointed elsewhere when it was looked at before."""

    def __init__(self, ips: list[str]) -> None:
        self.ips = ips

    def look_up(self, host: str, port: int, **_: object) -> list[Any]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (ip, port)) for ip in self.ips]


@pytest.mark.parametrize("ips", [["127.0.0.1"], ["8.8.8.8", "127.0.0.1"]])
def test_a_name_that_leads_inside_reaches_nothing(
    ips: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    async def story() -> None:
        async with ChatRig() as rig:
            channel = ChatChannel(hosts=["mallory.example.org"])
            to = channel.normalise(f"gotify://mallory.example.org:{rig.port}/maya")
            monkeypatch.setattr(socket, "getaddrinfo", Names(ips).look_up)
            receipt = await channel.send(Outgoing("k", to, "hello"))
            assert (receipt.fate, receipt.why) == (Fate.FAILED, "a private address")
            assert rig.received() == []

    asyncio.run(story())


@pytest.mark.parametrize("host", ["127.0.0.1", "127.1", "2130706433", "0x7f000001"])
def test_a_number_that_leads_inside_reaches_nothing(host: str) -> None:
    async def story() -> None:
        async with ChatRig() as rig:
            receipt = await ChatChannel().send(Outgoing("k", f"json://{host}:{rig.port}/x", "hi"))
            assert receipt.fate is Fate.FAILED
            assert rig.received() == []

    asyncio.run(story())


@asynccontextmanager
async def server(handler: Handler, host: str = "127.0.0.1") -> AsyncIterator[str]:
    """One handler for every POST; yields ``host:port``."""
    app = web.Application()
    app.add_routes([web.post("/{tail:.*}", handler)])
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, host, 0).start()
    try:
        yield f"{host}:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


def test_a_redirect_is_not_followed() -> None:
    async def story() -> None:
        async with ChatRig() as rig:

            async def elsewhere(_: web.Request) -> web.StreamResponse:
                raise web.HTTPTemporaryRedirect(f"http://127.0.0.1:{rig.port}/maya")

            async with server(elsewhere) as place:
                receipt = await rig.channel().send(Outgoing("k", f"json://{place}/x", "hello"))
            assert receipt.fate is Fate.BUSY
            assert rig.received() == []

    asyncio.run(story())


def test_ntfy_gets_no_picture_to_fetch_and_no_name_of_ours() -> None:
    heard: list[str] = []

    async def take(request: web.Request) -> web.StreamResponse:
        heard.append(f"{list(request.headers.items())} {await request.text()}".lower())
        return web.Response(text="{}")

    async def story() -> None:
        channel = ChatChannel(hosts=["127.0.0.1"], allow_private=True)
        async with server(take) as place:
            to = channel.normalise(f"ntfy://{place}/topic?image=yes")
            receipt = await channel.send(Outgoing("k", to, "hello", subject="Lamp"))
        assert receipt.fate is Fate.ACCEPTED

    asyncio.run(story())
    assert len(heard) == 1
    for word in ("icon", "http:", "https:", "apprise", "stillhere"):
        assert word not in heard[0]


@pytest.mark.parametrize(
    "url",
    [
        "ntfys://ntfy.sh/topic?image=yes",
        "tgram://123456789:abcdefg_hijklmnop/12315544/?image=yes",
        "discord://4174216298/JHMHI8qBe7bk2ZwO5U711o3dV_js/?image=yes",
    ],
)
def test_no_app_is_given_a_picture_of_a_third_party(url: str) -> None:
    plugin = sender(url)
    assert plugin is not None
    assert getattr(plugin, "include_image", None) is False
    assert not plugin.image_url(notify_type=NotifyType.INFO)


def test_one_slow_host_does_not_silence_the_others() -> None:
    async def story() -> None:
        let_go = asyncio.Event()

        async def hold(_: web.Request) -> web.StreamResponse:
            await let_go.wait()
            return web.Response()

        async with ChatRig() as quick, server(hold, "127.0.0.2") as place:
            channel = ChatChannel(allow_private=True, deadline_s=0.1, concurrency=5, per_host=2)
            slow = [Outgoing(str(n), f"json://{place}/maya", "hello") for n in range(4)]
            fates = [(await channel.send(one)).fate for one in slow]
            assert fates == [Fate.UNKNOWN, Fate.UNKNOWN, Fate.BUSY, Fate.BUSY]
            channel.deadline_s = 5
            assert (await channel.send(Outgoing("q", quick.good, "hi"))).fate is Fate.ACCEPTED
            let_go.set()  # the threads that were held end, and there is room again
            async with asyncio.timeout(5):
                while channel.open_sends:  # noqa: ASYNC110 - ends with threads, not with an event
                    await asyncio.sleep(0.01)
            assert (await channel.send(slow[0])).fate is Fate.ACCEPTED

    asyncio.run(story())


def test_apprise_is_loaded_by_this_channel_alone() -> None:
    code = (
        "import sys, stillhere.channels.base, stillhere.channels.email, stillhere.channels.demo\n"
        "assert 'apprise' not in sys.modules\n"
        "import stillhere.channels.chat\n"
        "assert 'apprise.plugins.ntfy' in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
