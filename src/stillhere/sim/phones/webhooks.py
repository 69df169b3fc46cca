"""Webhooks out: every event signed, sent until somebody says 2xx, in a bounded space.

Owns the queues and the retries. Events of one phone go out in order, different phones side by
side, as with a real carrier; two faults, asked for by tests, send everything twice or swap
neighbours. Refuses to hold more than ``MAX_WAITING`` events: the oldest of the fullest lane goes,
and ``dropped`` counts it.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import zlib
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from stillhere.channels.demo import SIGNATURE_HEADER, TIMESTAMP_HEADER, sign
from stillhere.channels.http import HttpClient, HttpReply, NoAnswerError, NotSentError
from stillhere.sim.phones.exchange import CarrierEvent

LANES = 8
MAX_WAITING = 10_000
DEADLINE_S = 5.0
MAX_BACK_OFF_S = 5.0
TRIES_AT_THE_FRONT = 5
HOLD_S = 0.05


@dataclass(slots=True)
class Parcel:
    """One event on its way: its id is the same at every try."""

    id: str
    event: CarrierEvent
    at_ms: int
    tries: int = 0

    def body(self) -> bytes:
        event = self.event
        fields = {
            "id": self.id,
            "kind": event.kind,
            "channel": event.channel,
            "from": event.number,
            "message_id": event.message_id,
            "status": event.status,
            "text": event.text,
            "reply_ref": event.reply_ref,
            "at": event.at,
            "turn": event.turn,
            "at_ms": self.at_ms,
        }
        return json.dumps({"events": [fields]}, ensure_ascii=False).encode("utf-8", "replace")


class Webhooks:
    """Sends events to one URL. ``on_reply`` hears what was answered to each.

    ``run`` is different in every process: ids must not come again after a restart.
    """

    def __init__(
        self,
        url: str,
        secret: str,
        clock: Callable[[], int],
        *,
        run: str,
        on_reply: Callable[[CarrierEvent, HttpReply], None],
        back_off_s: float = 0.2,
    ) -> None:
        self.twice = False
        self.swapped = False
        self.dropped = 0
        self._url = url
        self._secret = secret
        self._clock = clock
        self._run = run
        self._on_reply = on_reply
        self._back_off_s = back_off_s
        self._http = HttpClient(connections=LANES)
        self._lanes = [_Lane() for _ in range(LANES)]
        self._held: Parcel | None = None
        self._count = 0
        self._tasks: list[asyncio.Task[None]] = []

    def start(self) -> None:
        self._tasks = [asyncio.create_task(self._work(lane)) for lane in self._lanes]

    async def stop(self) -> None:
        for task in self._tasks:
            task.cancel()
        for task in self._tasks:
            with contextlib.suppress(asyncio.CancelledError):
                await task
        await self._http.close()

    @property
    def waiting(self) -> int:
        """Events that nobody has confirmed yet."""
        return sum(len(lane.parcels) for lane in self._lanes) + (self._held is not None)

    def put(self, event: CarrierEvent) -> None:
        if not self._url:
            return
        self._count += 1
        parcel = Parcel(f"{self._run}-{self._count}", event, self._clock())
        if self.swapped and self._held is None:
            self._held = parcel
            asyncio.get_running_loop().call_later(HOLD_S, self._release)
            return
        self._queue(parcel)
        self._release()

    def _release(self) -> None:
        held, self._held = self._held, None
        if held is not None:
            self._queue(held)

    def _queue(self, parcel: Parcel) -> None:
        # Swapped events must share a lane, or the order of their going is left to chance.
        number = "" if self.swapped else parcel.event.number
        lane = self._lanes[zlib.crc32(number.encode()) % LANES]
        for _ in range(2 if self.twice else 1):
            if self.waiting >= MAX_WAITING:
                max(self._lanes, key=lambda full: len(full.parcels)).parcels.popleft()
                self.dropped += 1
            lane.parcels.append(parcel)
        lane.news.set()

    async def _work(self, lane: _Lane) -> None:
        while True:
            while not lane.parcels:
                lane.news.clear()
                await lane.news.wait()
            parcel = lane.parcels[0]
            reply = await self._try(parcel)
            confirmed = reply is not None and 200 <= reply.status <= 299
            if lane.parcels and lane.parcels[0] is parcel:
                lane.parcels.popleft()
                if not confirmed:
                    parcel.tries += 1
                    # One that is refused again and again must not hold up the others for ever.
                    at_front = parcel.tries < TRIES_AT_THE_FRONT
                    (lane.parcels.appendleft if at_front else lane.parcels.append)(parcel)
            if reply is not None and confirmed:
                self._on_reply(parcel.event, reply)
            else:
                pause_s = self._back_off_s * 2 ** min(parcel.tries, 10)
                await asyncio.sleep(min(pause_s, MAX_BACK_OFF_S))

    async def _try(self, parcel: Parcel) -> HttpReply | None:
        body = parcel.body()
        timestamp = str(self._clock())
        headers = {
            "Content-Type": "application/json",
            TIMESTAMP_HEADER: timestamp,
            SIGNATURE_HEADER: sign(self._secret, timestamp, body),
        }
        try:
            return await self._http.send(
                "POST", self._url, body, headers=headers, deadline_s=DEADLINE_S
            )
        except (NotSentError, NoAnswerError):
            return None


class _Lane:
    """The events of some phones, in order."""

    def __init__(self) -> None:
        self.parcels: deque[Parcel] = deque()
        self.news = asyncio.Event()
