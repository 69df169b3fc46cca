"""A carrier at which sounds lie, and the engine that asks there."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from django.conf import settings

from stillhere.channels.carriers.failover import CALLS, Relay
from stillhere.channels.carriers.voice import VoiceCarrier
from stillhere.channels.http import HttpClient
from stillhere.engine.recordings import fetch_once

SAID = b"\xff\xfbthe blue house, second floor"


@dataclass
class Recorder:
    """What lies at the carrier by its id there; None: not to be had yet. ``asked`` is what the
    engine asked, ``stuck`` a carrier that deletes nothing."""

    sounds: dict[str, bytes | None] = field(default_factory=dict)
    stuck: bool = False
    asked: list[str] = field(default_factory=list)

    def round(self, times: int = 1) -> list[str]:
        """The engine looks; what it asked in these rounds."""
        before = len(self.asked)
        look(self._carrier(), times)
        return self.asked[before:]

    def _carrier(self) -> VoiceCarrier:
        recorder = self

        class Fake(VoiceCarrier):
            async def sound(self, ref: str) -> bytes | None:
                recorder.asked.append(f"get {ref}")
                return recorder.sounds.get(ref, SAID)

            async def forget_sound(self, ref: str) -> bool:
                recorder.asked.append(f"delete {ref}")
                return not recorder.stuck

        return Fake(settings.STILLHERE.carriers[0], "", HttpClient())


def look(carrier: VoiceCarrier, times: int = 1) -> None:
    """Rounds of the engine at this carrier, which makes nobody wait."""
    relay = Relay("call", [carrier], str, CALLS)
    for _ in range(times):
        with contextlib.suppress(StopIteration):  # nothing in it really waits: it ends at once
            fetch_once({"call": relay}, _safely).send(None)
            pytest.fail("it waits for something")


async def _safely(work: Callable[..., Any], *args: object) -> Any:
    return work(*args)
