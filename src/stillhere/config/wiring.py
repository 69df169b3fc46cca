"""The real clock and the real channels, built once and handed down.

Owns the only place that reads a clock, and the list of channels an installation has. Decides
nothing. Lower floors never import this file: they get what it builds as arguments or from
`django.conf.settings` (``RAW_NOW_MS``, ``BOOT_MS``, ``BOOT_ID``, ``PROVED_MS``, ``WALL_MS``,
``BUILD_CHANNELS``).
"""

from __future__ import annotations

import ctypes
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING

from stillhere.channels.base import Capability
from stillhere.channels.carriers.carrier import Carrier
from stillhere.channels.page import PageChannel
from stillhere.config.environment import Stillhere
from stillhere.config.lazy_channel import Later
from stillhere.store.db import encryption

if TYPE_CHECKING:
    from django.db.backends.base.base import BaseDatabaseWrapper

    from stillhere.channels.base import Channel
    from stillhere.channels.carriers.failover import Carries
    from stillhere.channels.http import HttpClient

LINE_PORT = "8421"
# Counts on through sleep, never jumps. Elsewhere than Linux the monotonic clock does that.
_BOOT_CLOCK = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)


def raw_now_ms(connection: BaseDatabaseWrapper) -> int:
    """The database's time in milliseconds since 1970 UTC, before the installation's own offset.

    Several machines may share one PostgreSQL, so its clock counts; SQLite's is this machine's.
    `clock_timestamp`, not `now`: the latter stands still at the start of a transaction.
    """
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT (extract(epoch FROM clock_timestamp()) * 1000)::bigint")
            return int(cursor.fetchone()[0])
    return wall_ms()


def wall_ms() -> int:
    """This machine's own time in milliseconds since 1970 UTC: for mail headers and signatures,
    not for watches."""
    return time.time_ns() // 1_000_000


def boot_ms() -> int:
    """Milliseconds since this machine started, asleep or not: jumps are held against it."""
    return time.clock_gettime_ns(_BOOT_CLOCK) // 1_000_000


def boot_id() -> str:
    """Which start of this machine it is; "" where nobody can say."""
    return _boot_id()


@cache
def _boot_id() -> str:
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return ""


class _Timex(ctypes.Structure):
    """What ``adjtimex`` fills in, as far as its time (adjtimex(2)); the rest is room."""

    _fields_ = (
        ("modes", ctypes.c_uint),
        *((name, ctypes.c_long) for name in ("offset", "freq", "maxerror", "esterror")),
        ("status", ctypes.c_int),
        *((name, ctypes.c_long) for name in ("constant", "precision", "tolerance")),
        ("seconds", ctypes.c_long),
        ("fraction", ctypes.c_long),
        ("rest", ctypes.c_char * 512),
    )


_STA_NANO, _TIME_ERROR = 0x2000, 5


def proved_ms() -> int | None:
    """The kernel's own time in milliseconds since 1970 UTC where a time service keeps it right, 0
    where none does, None where nobody can say (adjtimex(2); some containers forbid it)."""
    found = _Timex()  # all modes 0: it reads only
    try:
        state = int(ctypes.CDLL(None).adjtimex(ctypes.byref(found)))
    except (OSError, AttributeError):
        return None
    if state < 0:
        return None
    if state == _TIME_ERROR:
        return 0
    per_ms = 1_000_000 if found.status & _STA_NANO else 1_000
    return int(found.seconds) * 1000 + int(found.fraction) // per_ms


def build_channels(stillhere: Stillhere) -> dict[str, Channel]:
    """The channels this installation is configured for, by name.

    Imports stand here because some of these libraries cost half a second, and most installations
    need few of them.
    """
    channels: list[Channel] = [PageChannel()]
    if stillhere.smtp_url:
        from stillhere.channels.email import EmailChannel

        secret = derived_secret(stillhere, "message-id")
        channels.append(
            EmailChannel(stillhere.smtp_url, stillhere.mail_from, clock=wall_ms, secret=secret)
        )
    if stillhere.demo_url:
        from stillhere.channels.demo import demo_phones

        secret = derived_secret(stillhere, "demo-phones")
        channels.extend(
            demo_phones(
                stillhere.demo_url,
                secret.hex(),
                demo=stillhere.demo,
                region=stillhere.country,
                countries=stillhere.countries,
            )
        )
    elif stillhere.carriers:
        channels.extend(_relays(stillhere))
    channels.append(_push(stillhere))
    channels.append(Later("chat", frozenset({Capability.LINKS}), lambda: _chat(stillhere)))
    return {channel.name: channel for channel in channels}


def _relays(stillhere: Stillhere) -> list[Channel]:
    """The channels over the carriers of the settings, each over those that carry it."""
    from stillhere.channels.carriers.failover import CALLS, CHATS, TEXTS, Relay
    from stillhere.channels.carriers.numbers import E164, normalise_for_texts, normalise_number
    from stillhere.channels.carriers.telegram import CHAT, normalise_chat
    from stillhere.channels.http import HttpClient

    found: dict[str, list[Carries]] = {}
    for carrier in stillhere.carriers:
        hooks = f"{stillhere.base_url}/in/{carrier.name}"
        http = HttpClient(connections=320)
        for what in carrier.carries:
            found.setdefault(what, []).append(_adapter(carrier, what, hooks, http))
    own, allowed = stillhere.country, stillhere.countries
    text = partial(normalise_for_texts, region=own, countries=allowed)
    number = partial(normalise_number, region=own, countries=allowed)
    shapes: Mapping[str, tuple[Callable[[str], str], frozenset[Capability], re.Pattern[str]]] = {
        "text": (text, TEXTS, E164),
        "call": (number, CALLS, E164),
        "whatsapp": (number, TEXTS, E164),
        "telegram": (normalise_chat, CHATS, CHAT),
    }
    return [Relay(what, found[what], *shapes[what]) for what in shapes if what in found]


def _adapter(carrier: Carrier, what: str, hooks: str, http: HttpClient) -> Carries:
    """What speaks to this carrier of ``what`` it carries."""
    from stillhere.channels.carriers.android import AndroidCarrier
    from stillhere.channels.carriers.sms import SmsCarrier
    from stillhere.channels.carriers.telegram import TelegramCarrier
    from stillhere.channels.carriers.voice import VoiceCarrier
    from stillhere.channels.carriers.whatsapp import WhatsAppCarrier

    if carrier.kind == "android":
        return AndroidCarrier(carrier, http)
    adapters: Mapping[str, Callable[[Carrier, str, HttpClient], Carries]] = {
        "text": SmsCarrier,
        "call": VoiceCarrier,
        "whatsapp": WhatsAppCarrier,
        "telegram": TelegramCarrier,
    }
    return adapters[what](carrier, hooks, http)


def _push(stillhere: Stillhere) -> Channel:
    from stillhere.channels.push import PushChannel

    secret = derived_secret(stillhere, "push")
    return PushChannel(
        secret,
        f"https://{stillhere.hostname}",
        clock=wall_ms,
        allow_private=stillhere.chat_private,
    )


def _chat(stillhere: Stillhere) -> Channel:
    from stillhere.channels.chat import ChatChannel

    return ChatChannel(hosts=stillhere.chat_hosts, allow_private=stillhere.chat_private)


def carriers(stillhere: Stillhere) -> tuple[Carrier, ...]:
    """Who carries texts and calls, as the rest of Stillhere speaks to them: a trunk is spoken to
    through our own line."""
    return tuple(spoken(stillhere, c) if c.kind == "sip" else c for c in stillhere.carriers)


def spoken(stillhere: Stillhere, trunk: Carrier) -> Carrier:
    """The line to this trunk, as a carrier on this machine."""
    return replace(
        trunk,
        base_url=f"http://127.0.0.1:{trunk.options.get('port', LINE_PORT)}",
        account="line",
        secret=derived_secret(stillhere, f"line {trunk.name}").hex(),
    )


def phone_number(stillhere: Stillhere) -> Callable[[str], str]:
    """What makes a phone number of what somebody typed, as E.164; raises ValueError."""

    def normalise(typed: str) -> str:
        from stillhere.channels.carriers.numbers import normalise_number

        return normalise_number(typed, stillhere.country, stillhere.countries)

    return normalise


def may_reach(stillhere: Stillhere) -> Callable[..., bool]:
    """What says whether a number that wrote to us or rang us, as E.164, may be texted and rung; or,
    with ``anywhere``, whether it could be where every country is allowed."""

    def reaches(e164: str, *, anywhere: bool = False) -> bool:
        from stillhere.channels.carriers.numbers import in_reach

        return in_reach(e164, None if anywhere else stillhere.countries)

    return reaches


def time_zone_of(e164: str) -> str:
    """The time zone in which a number probably is, as an IANA name."""
    from stillhere.channels.carriers import numbers

    return numbers.time_zone_of(e164)


def told_steps() -> tuple[tuple[str, ...], tuple[str, str, int]]:
    """The steps that are told one by one, by their ids; and the one after which another is told
    again, with how many seconds later."""
    from stillhere.content import steps

    return steps.spoken_order(), steps.LOOK_AGAIN


def derived_secret(stillhere: Stillhere, purpose: str) -> bytes:
    """A secret for one purpose that outlives every rotation."""
    return encryption.derived(stillhere.link_keys, purpose)
