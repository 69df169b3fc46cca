"""What is built once: the clocks and the channels of an installation."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time
from dataclasses import replace

import pytest
from django.conf import settings
from django.db import connection
from django.db.backends.base.base import BaseDatabaseWrapper

from stillhere.channels.base import AddressError
from stillhere.channels.chat import ChatChannel
from stillhere.config.wiring import boot_ms, build_channels, derived_secret, raw_now_ms


def test_without_any_setting_there_are_notifications_and_chat() -> None:
    assert list(build_channels(settings.STILLHERE)) == ["page", "push", "chat"]


def test_every_setting_adds_its_channel() -> None:
    here = replace(
        settings.STILLHERE,
        smtp_url="smtp://127.0.0.1:25",
        mail_from="Lamp <lamp@example.org>",
        demo_url="http://127.0.0.1:1",
    )

    async def build() -> list[str]:
        channels = build_channels(here)
        names = [channel.name for channel in channels.values()]
        assert names == list(channels)
        for channel in channels.values():
            await channel.close()
        return names

    assert sorted(asyncio.run(build())) == ["call", "chat", "email", "page", "push", "text"]


def test_a_channel_that_is_loaded_later_is_the_same_channel() -> None:
    later, itself = build_channels(settings.STILLHERE)["chat"], ChatChannel()
    assert (later.name, later.capabilities) == (itself.name, itself.capabilities)
    assert (later.deadline_s, later.concurrency) == (itself.deadline_s, itself.concurrency)
    with pytest.raises(AddressError):
        later.normalise("nonsense")


def test_what_a_chat_can_do_is_known_without_loading_its_library() -> None:
    """The web server asks for every page; its start must not pay for it."""
    asking = (
        "import sys; from types import SimpleNamespace as S;"
        "from stillhere.config.wiring import build_channels;"
        "here = S(smtp_url='', demo_url='', chat_private=False, carriers=(), hostname='localhost',"
        " master_keys={1: b'k' * 32}, link_keys={'root': b'k' * 32});"
        "print(build_channels(here)['chat'].capabilities, 'apprise' in sys.modules)"
    )
    told = subprocess.run(
        [sys.executable, "-c", asking], capture_output=True, text=True, check=True
    )
    assert told.stdout.strip().endswith("False")


def test_secrets_for_two_purposes_differ_and_outlive_a_new_key() -> None:
    here = settings.STILLHERE
    secret = derived_secret(here, "one")
    assert secret != derived_secret(here, "two")
    rotated = replace(here, master_keys={**here.master_keys, 9: b"9" * 32})
    assert derived_secret(rotated, "one") == secret


def test_the_clock_is_the_databases(database: BaseDatabaseWrapper) -> None:
    before = time.time_ns() // 1_000_000
    told = raw_now_ms(connection)
    assert before - 2000 < told < before + 2000  # PostgreSQL may run on another machine


def test_the_boot_clock_runs_on() -> None:
    first = boot_ms()
    assert boot_ms() >= first > 0
