"""A real telephone rings, by SIP, and a real key is pressed: no company in between.

The other end is a telephone of its own behind the "trunk", on this machine's loopback.
"""

from __future__ import annotations

import array
import asyncio
import wave
from collections.abc import Iterator
from pathlib import Path

import pytest

from stillhere.sip.baresip import Telephone, Trunk
from tests.installation import Installation, free_port, wait_for
from tests.journeys.town import Inside

pytestmark = [pytest.mark.slow]

SAM, MAYA, OURS = "+12025550101", "+12025550102", "+12025550100"
PATIENCE_S = 60.0  # the box speaks its first words into files before it answers


class Heard(Telephone):
    """A telephone that also keeps what it hears, to be listened to afterwards."""

    def __init__(self, trunk: Trunk, port: int, folder: Path) -> None:
        super().__init__(trunk, port=port)
        self.kept = folder

    def configuration(self, near: str, rings: int, talks: int) -> str:
        more = f"module sndfile.so\nsnd_path {self.kept}\n"
        return (
            super().configuration(near, rings, talks).replace("module_tmp", f"{more}module_tmp", 1)
        )

    async def until(self, *kinds: str) -> str:
        """Wait for one of these events."""
        while True:
            told = await self.happened(PATIENCE_S)
            assert told is not None, f"waited in vain for {kinds}"
            if told.kind in kinds:
                return told.kind

    async def presses(self, digit: str, after_s: float) -> None:
        await asyncio.sleep(after_s)
        self.tell("sndcode", digit)

    def loudness(self) -> int:
        """The loudest hundredth of a second of what was heard."""
        loudest = 0
        for file in self.kept.glob("*dec*.wav"):
            with wave.open(str(file)) as sound:
                samples = array.array("h", sound.readframes(sound.getnframes()))
            loudest = max([loudest, *(abs(sample) for sample in samples)])
        return loudest


class Here:
    """An installation whose only carrier is a trunk, and the two ports of that."""

    def __init__(self, folder: Path) -> None:
        self.trunk, self.listens, port = free_port(), free_port(), free_port()
        carrier = f"sip://127.0.0.1:{self.trunk}?from={OURS}&port={port}&listen={self.listens}"
        self.ours = Installation(folder, {"STILLHERE_CARRIERS": carrier})
        self.kept = folder / "heard"
        self.kept.mkdir()
        self.ours.prepare()
        self.ours.up()
        self.inside = Inside(self.ours.environment)

    def phone(self, number: str) -> Heard:
        """The telephone with this number, at the other end of the trunk."""
        return Heard(Trunk(f"127.0.0.1:{self.listens}", number), self.trunk, self.kept)

    def state(self) -> str:
        return str(self.inside("watches")[-1]["state"])

    async def becomes(self, state: str) -> None:
        for _ in range(200):
            if self.state() == state:
                return
            await asyncio.sleep(0.1)
        pytest.fail(f"{self.state()}, not {state}")


@pytest.fixture
def here(tmp_path: Path) -> Iterator[Here]:
    here = Here(tmp_path)
    yield here
    here.inside.close()
    here.ours.stop()


def test_a_contact_is_rung_hears_what_happened_and_presses_a_key(here: Here) -> None:
    async def night() -> None:
        async with here.phone(MAYA) as maya:
            here.inside(
                "seed", name="Sam", rungs=[["Maya"]], numbers={"Sam": SAM, "Maya": MAYA}, start=True
            )
            here.inside("pass_time", seconds=600)
            await here.becomes("asking")
            here.inside("pass_time", seconds=120)
            await maya.until("CALL_INCOMING")
            maya.accept()
            await maya.until("CALL_ESTABLISHED")
            await maya.presses("1", 1)
            await here.becomes("claimed")
            await maya.presses("3", 1)  # how soon
            await maya.until("CALL_CLOSED")
        assert maya.loudness() > 3_000

    asyncio.run(night())


def test_sam_calls_the_box_itself_and_is_asked_by_it(here: Here) -> None:
    """No account, no app: 1 starts a watch; ringing and hanging up is a sign of life, and free; an
    ask is a call, and any key answers it."""

    async def night() -> None:
        async with here.phone(SAM) as sam:
            sam.dial(OURS)
            await sam.until("CALL_ESTABLISHED")
            await sam.presses("1", 1)
            await here.becomes("open")
            await sam.until("CALL_CLOSED")

            here.inside("pass_time", seconds=70)
            seen = here.inside("watches")[-1]["seen_at"]
            sam.dial(OURS)
            assert await sam.until("CALL_ESTABLISHED", "CALL_CLOSED") == "CALL_CLOSED"
            assert here.inside("watches")[-1]["seen_at"] > seen

            here.inside("pass_time", seconds=600)
            await sam.until("CALL_INCOMING")
            sam.accept()
            await sam.until("CALL_ESTABLISHED")
            await here.becomes("asking")
            await sam.presses("5", 1)
            await here.becomes("open")

    asyncio.run(night())


def test_a_trunk_that_is_not_there_is_said_and_the_ladder_goes_on(here: Here) -> None:
    here.inside(
        "seed", name="Sam", rungs=[["Maya"]], numbers={"Sam": SAM, "Maya": MAYA}, start=True
    )
    here.inside("pass_time", seconds=600)
    asyncio.run(here.becomes("asking"))
    here.inside("pass_time", seconds=120)
    asyncio.run(here.becomes("alarm"))

    def failed() -> bool:
        calls = [m for m in here.inside("messages") if m["channel"] == "call"]
        return any("failed" in m["why"] for m in calls)

    wait_for(failed, "a call that is known to have failed")
