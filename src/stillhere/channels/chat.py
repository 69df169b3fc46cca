"""Chat and push apps through Apprise: one URL per contact (``ntfys://…``, ``tgram://…``).

Owns the walls around a library that was made for one's own scripts: it runs in a thread with a
deadline, may hold only so many threads per host, reads no local file, follows no redirect and
reaches no private address. Whoever types on a page may name a service, or an app on a server that
is open to all or known here, and nothing else (``apps.py``): no stranger picks whom we write to.
Refuses to say
more than Apprise knows: "accepted" or "not this time", never "delivered" and never "for ever".

Importing this module costs more than half a second, because it loads all of Apprise's plugins: so
only wiring imports it, where the channel is switched on, and the first alarm does not wait for it.
"""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import logging
import socket
import threading
import warnings
from collections import Counter
from collections.abc import Collection
from typing import Any
from urllib.parse import urlsplit

import urllib3.util.connection
from apprise import Apprise, AppriseAsset, AppriseAttachment, NotifyBase, NotifyFormat

from stillhere.channels.apps import APPS, ON_A_SERVER, PUBLIC_DOMAINS, PUBLIC_HOSTS, SERVICES
from stillhere.channels.base import (
    AddressError,
    Capability,
    Outgoing,
    gettext_noop,
    one_line,
    text_with_link,
)
from stillhere.channels.network_policy import is_public
from stillhere.core.messages import Fate, Receipt
from stillhere.core.reading import same_address

MAX_URL = 2_000
MAX_TEXT = 1_800  # every app on the list takes this much in one piece

_WEB = frozenset({"http", "https"})
_HIDING = frozenset("?;#%")  # what a topic can stand behind

_AT_THE_APPS_OWN = ("cloud", "t2bot")  # how Apprise calls it, for ntfy and Matrix
_LOCAL_NAMES = (".localhost", ".local", ".lan", ".internal", ".home.arpa")

_NOT_A_URL = gettext_noop(
    "Type the address the app shows for notifications, like ntfys://ntfy.sh/name-of-your-topic."
)
_NOT_ON_THE_LIST = gettext_noop("We cannot send to this kind of address.")
_UNKNOWN_SERVER = gettext_noop(
    "We do not know this server. Use another way, or ask whoever runs this to add it."
)
_ONE_ONLY = gettext_noop("Type the address of one topic or chat, not of several.")
_PRIVATE = gettext_noop(
    "This address is inside a private network. Type one that can be reached from the internet."
)

# Apprise logs hosts and answers; our log holds ids only.
logging.getLogger("apprise").setLevel(logging.CRITICAL + 1)
with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # its plugins import what newer Pythons dropped, and cope
    Apprise.instantiate("json://localhost")


class _Wall(threading.local):
    """Whether this thread may reach only public addresses, and whether it tried another."""

    up = False
    hit = False


_wall = _Wall()
_plain_connect = urllib3.util.connection.create_connection


def _connect(address: tuple[str, int], *args: Any, **kwargs: Any) -> socket.socket:
    """Every connection of ``requests`` comes through here, redirects and discoveries included.

    The check stands here because a name looked at earlier may point elsewhere now: what was
    checked is what is connected to.
    """
    if not _wall.up:
        return _plain_connect(address, *args, **kwargs)
    host, port = address
    found = {str(info[4][0]) for info in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)}
    if not all(is_public(ip) for ip in found):
        _wall.hit = True
        raise PermissionError("private address")
    for ip in sorted(found, key=lambda ip: ":" in ip):  # IPv4 first: it works everywhere
        with contextlib.suppress(OSError):
            return _plain_connect((ip, port), *args, **kwargs)
    raise ConnectionError("none of its addresses answers")


urllib3.util.connection.create_connection = _connect


class ChatChannel:
    """One message to one Apprise URL. See ``Channel`` for the contract.

    ``hosts`` are servers that people may name beside the public ones; ``allow_private`` is for
    those whose chat server stands in their own network, and for tests.
    """

    name = "chat"
    capabilities = frozenset({Capability.LINKS})

    def __init__(
        self,
        *,
        hosts: Collection[str] = (),
        allow_private: bool = False,
        deadline_s: float = 15.0,
        concurrency: int = 32,
        per_host: int = 8,
    ) -> None:
        self.deadline_s = deadline_s
        self.concurrency = concurrency
        self._per_host = per_host
        self._allow_private = allow_private
        self._hosts = PUBLIC_HOSTS | frozenset(hosts)
        self._threads: Counter[str] = Counter()  # by host, touched on the event loop only
        self._closed = False

    def normalise(self, typed: str) -> str:
        url = typed.strip()
        if not url or len(url) > MAX_URL or any(c.isspace() or not c.isprintable() for c in url):
            raise AddressError(_NOT_A_URL)
        schema, separator, rest = url.partition("://")
        if not separator:
            raise AddressError(_NOT_A_URL)
        url = f"{schema.lower()}://{rest}"
        plugin = sender(url)
        if plugin is not None and _schema(url) in _WEB:
            # An app's own web address, as people paste it.
            url = str(plugin.url(privacy=False))  # type: ignore[no-untyped-call]
            plugin = sender(url)
        if _schema(url) not in SERVICES | ON_A_SERVER:
            raise AddressError(_NOT_ON_THE_LIST)
        if plugin is None or not _host(url):
            raise AddressError(_NOT_A_URL)
        if not self._allow_private and _looks_private(_host(url)):
            raise AddressError(_PRIVATE)
        if _schema(url) in ON_A_SERVER and not self._knows(plugin, _host(url)):
            raise AddressError(_UNKNOWN_SERVER)
        if len(plugin) > 1:
            raise AddressError(_ONE_ONLY)
        return self._plain(url, plugin)

    def _plain(self, url: str, plugin: NotifyBase) -> str:
        """As typed, unless only the app's plugin sees in it where it leads."""
        own = str(plugin.url(privacy=False))  # type: ignore[no-untyped-call]
        same = same_address.plain(self.name, own) == same_address.plain(self.name, url)
        return url if same or _HIDING.isdisjoint(url) or sender(own) is None else own

    def _knows(self, plugin: NotifyBase, host: str) -> bool:
        """Whether this leads to a server that people may name. An address without one (a topic, an
        organization) leads to the app's own."""
        if getattr(plugin, "mode", "") in _AT_THE_APPS_OWN:
            return True
        if _schema(str(plugin.url())) == "zulip":  # type: ignore[no-untyped-call]
            host = host if "." in host else f"{host}.zulipchat.com"
        return host in self._hosts or host.endswith(PUBLIC_DOMAINS)

    async def send(self, message: Outgoing) -> Receipt:
        host = _host(message.to)
        if self._closed:
            return Receipt(Fate.BUSY, why="channel closed")
        if self.open_sends >= self.concurrency or self._threads[host] >= self._per_host:
            return Receipt(Fate.BUSY, why="too many sends are still open")
        try:
            async with asyncio.timeout(self.deadline_s):
                return await self._in_thread(host, message)
        except TimeoutError:
            return Receipt(Fate.UNKNOWN, why="no answer in time")

    async def close(self) -> None:
        self._closed = True

    @property
    def open_sends(self) -> int:
        """Threads that have not come back, those whose deadline has passed among them."""
        return self._threads.total()

    def _in_thread(self, host: str, message: Outgoing) -> asyncio.Future[Receipt]:
        """Send in a thread of its own: a daemon, because one that hangs must not hold the exit."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Receipt] = loop.create_future()

        def settle(receipt: Receipt) -> None:
            self._threads[host] -= 1
            if not self._threads[host]:
                del self._threads[host]
            if not future.done():
                future.set_result(receipt)

        def work() -> None:
            receipt = self._deliver(message)
            with contextlib.suppress(RuntimeError):  # the loop has closed: nobody waits
                loop.call_soon_threadsafe(settle, receipt)

        self._threads[host] += 1
        threading.Thread(target=work, name="chat", daemon=True).start()
        return future

    def _deliver(self, message: Outgoing) -> Receipt:
        _wall.up, _wall.hit = not self._allow_private, False
        try:
            plugin = None if _schema(message.to) in _WEB else sender(message.to)
            if plugin is None:
                return Receipt(Fate.FAILED, why="not an address we can send to")
            # A connection that does not come up is a sure no. An answer that does not come is
            # for the deadline to judge, so this thread waits a little longer than that.
            plugin.socket_connect_timeout = self.deadline_s * 0.6
            plugin.socket_read_timeout = self.deadline_s + 0.5
            accepted = plugin.notify(
                body=text_with_link(message, MAX_TEXT),
                title=one_line(message.subject, 120),
                body_format=NotifyFormat.TEXT,
            )
        except Exception as error:  # noqa: BLE001 - 60 plugins, each with surprises of its own
            return Receipt(Fate.UNKNOWN, why=f"chat library: {type(error).__name__}")
        if accepted:
            return Receipt(Fate.ACCEPTED)
        if _wall.hit:
            return Receipt(Fate.FAILED, why="a private address")
        return Receipt(Fate.BUSY, why="not accepted; the app's service does not say why")


def sender(url: str) -> NotifyBase | None:
    """Apprise's sender for a URL, or ``None`` for one that is broken or that we do not allow.

    Nothing in it tells a third party of us: no icon to fetch, no name of ours.
    """
    if _schema(url) not in APPS | _WEB:
        return None
    asset = AppriseAsset(
        app_id="Lamp",
        app_desc="Lamp",
        app_url="",
        image_url_mask="",
        image_url_logo="",
        http_redirects=False,
        async_mode=False,
    )
    plugin = Apprise.instantiate(url, asset=asset)
    template = getattr(plugin, "template", None)
    if isinstance(template, AppriseAttachment) and len(template):
        return None  # it names a local file, whose text would be sent
    if plugin is not None and hasattr(plugin, "include_image"):
        plugin.include_image = False
    return plugin


def _schema(url: str) -> str:
    return url.partition("://")[0]


def _host(url: str) -> str:
    try:
        return (urlsplit(url).hostname or "").lower()
    except ValueError:
        return ""


def _looks_private(host: str) -> bool:
    """What can be seen without asking anyone; ``_connect`` sees the rest."""
    if host == "localhost" or host.endswith(_LOCAL_NAMES):
        return True
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return not is_public(host)
