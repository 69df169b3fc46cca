"""The pages that wait, and the one task that tells them.

Four times a second it asks whose pages changed, reads what those show now, and tells them; a beat
every 25 seconds says that the line is alive, and once a minute each page is looked at in any case.
So a page that nothing happens to costs a few bytes a minute. Everything here belongs to the event
loop but the reading, which has one thread.

A page that does not read what it is sent keeps nobody waiting: it is sent the newest state when it
can take it, and is hung up on when it takes nothing for a while.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections import OrderedDict, deque
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from asgiref.typing import ASGISendCallable
from django.db import connection

from stillhere.web.live.states import PageNews, PageRef, ServiceState, States

log = logging.getLogger("stillhere.live")

LOOK_S = 0.25
BEAT_S = 25.0  # shorter than any proxy's patience
ANYWAY_S = 60.0  # each page is looked at, whether or not anything is known of it
STUCK_S = 30.0  # it has taken nothing for so long
MOST = 12_000
MOST_OF_A_KEY = 4
MOST_ASKING = 500  # whose key is looked up, at once
BACK_MS = 20_000  # over so long they come back after a restart
PART = 200  # told before others have their turn

T = TypeVar("T")


class WaitingPage:
    """One page: where it is told, and what it was told last."""

    __slots__ = (
        "_ends",
        "_next",
        "_send",
        "_sending",
        "_since",
        "beat_at",
        "looked_at",
        "over",
        "ref",
        "version",
    )

    def __init__(self, ref: PageRef, send: ASGISendCallable, over: asyncio.Future[None]) -> None:
        self.ref = ref
        self.over = over  # done when it waits no more
        self.version = ""
        self.looked_at = self.beat_at = 0.0
        self._send = send
        self._next = b""
        self._ends = False
        self._sending: asyncio.Task[None] | None = None
        self._since = 0.0

    def tell(self, event: bytes, now: float) -> None:
        """Send it as soon as the page takes it; what is newer takes its place until then."""
        self._next = event
        self._begin(now)

    def add(self, event: bytes, now: float) -> None:
        """Send it after what waits."""
        self._next += event
        self._begin(now)

    def end_with(self, event: bytes, now: float) -> None:
        """Send this as the last."""
        self._ends = True
        self.tell(event, now)

    def beat(self, now: float) -> None:
        """Say that the line is alive, where nothing else says so."""
        if self._sending is None:
            self.tell(b"event: beat\ndata:\n\n", now)
        elif now - self._since > STUCK_S:
            self.end()

    def _begin(self, now: float) -> None:
        self.beat_at = now
        if self._sending is None:
            self._since = now
            self._sending = asyncio.create_task(self._all())
        elif now - self._since > STUCK_S:
            self.end()

    async def _all(self) -> None:
        try:
            while self._next:
                event, self._next = self._next, b""
                await self._send({"type": "http.response.body", "body": event, "more_body": True})
                self._since = _time()
            if self._ends:
                self.end()
        except Exception:
            log.debug("a page went away in the middle", exc_info=True)
            self.end()
        finally:
            self._sending = None

    async def told(self, within_s: float) -> None:
        """Wait until it has taken everything, at most for so long."""
        if self._sending is not None:
            await asyncio.wait([self._sending], timeout=within_s)

    def end(self) -> None:
        """It waits no more."""
        if not self.over.done():
            self.over.set_result(None)

    def drop(self) -> None:
        """Nothing is sent to it any more."""
        if self._sending is not None:
            self._sending.cancel()


class Hub:
    """All pages that wait in this process. The parameters are for tests."""

    def __init__(self, states: Callable[[], States] = States, look_s: float = LOOK_S) -> None:
        self._make_states = states
        self._states: States | None = None
        self._look_s = look_s
        self._pages: OrderedDict[WaitingPage, None] = OrderedDict()  # soonest looked at first
        self._of_person: dict[int, set[WaitingPage]] = {}
        self._of_ref: dict[PageRef, deque[WaitingPage]] = {}
        self._fresh: list[WaitingPage] = []
        self._wake = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._thread = ThreadPoolExecutor(1, "live")
        self._finds = ThreadPoolExecutor(1, "live-find")  # whoever tries keys keeps no page waiting
        self._asking = 0
        self._behind: bool | None = None
        self.leaving = False

    def __len__(self) -> int:
        return len(self._pages)

    @property
    def full(self) -> bool:
        """Whether no more can wait."""
        return self.leaving or len(self._pages) + self._asking >= MOST

    @property
    def busy(self) -> bool:
        """Whether more keys wait to be looked up than are looked up soon."""
        return self._asking >= MOST_ASKING

    async def find(self, read: Callable[[], T]) -> T:
        """What ``read`` finds of a key, in a thread for that. Raises what it raises."""
        self._asking += 1
        try:
            return await _run(self._finds, read)
        finally:
            self._asking -= 1

    def add(self, ref: PageRef, send: ASGISendCallable) -> WaitingPage:
        """It is told from now on, first what it shows now. Of one key the oldest goes."""
        page = WaitingPage(ref, send, asyncio.get_running_loop().create_future())
        page.beat_at = _time()
        self._pages[page] = None
        self._of_person.setdefault(ref.person, set()).add(page)
        same = self._of_ref.setdefault(ref, deque())
        same.append(page)
        if len(same) > MOST_OF_A_KEY:
            same[0].end()
            self.remove(same[0])
        self._fresh.append(page)
        self._wake.set()
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._run())
        return page

    def remove(self, page: WaitingPage) -> None:
        """It is gone."""
        if page not in self._pages:
            return
        del self._pages[page]
        for pages, key in ((self._of_person, page.ref.person), (self._of_ref, page.ref)):
            those = pages[key]  # type: ignore[index]
            those.remove(page)
            if not those:
                del pages[key]  # type: ignore[arg-type]

    async def leave(self) -> None:
        """Tell every page when to come back, spread, and let it go: this process ends."""
        self.leaving = True
        pages, now = [*self._pages], _time()
        for start in range(0, len(pages), PART):
            for page in pages[start : start + PART]:
                page.end_with(b"event: back\ndata: %d\n\n" % secrets.randbelow(BACK_MS), now)
            await asyncio.sleep(0)
        until = now + 1.0
        for page in pages:
            await page.told(max(0.0, until - _time()))
            page.end()

    async def close(self) -> None:
        """Nobody waits and nothing is read any more."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])
        for thread in (self._thread, self._finds):
            await _run(thread, lambda: connection.close())  # noqa: PLW0108  that of the thread
            thread.shutdown()

    async def _run(self) -> None:
        """While somebody waits."""
        while self._pages:
            self._wake.clear()
            try:
                await self._round()
            except Exception:
                log.exception("this round failed, the next one comes")
            with_fresh = asyncio.create_task(self._wake.wait())
            await asyncio.wait([with_fresh], timeout=self._look_s)
            with_fresh.cancel()

    async def _round(self) -> None:
        if self._states is None:
            self._states = self._make_states()
        states, fresh = self._states, [page for page in self._fresh if page in self._pages]
        self._fresh = []
        changed, standing = await _run(self._thread, lambda: (states.changed(), states.standing()))
        due = dict.fromkeys(fresh)
        for person in changed:
            due.update(dict.fromkeys(self._of_person.get(person, ())))
        due.update(dict.fromkeys(self._anyway()))
        if due:
            refs = list(dict.fromkeys(page.ref for page in due))
            told = await _run(self._thread, lambda: states.read(refs))
            self._fresh += [page for page in fresh if page.ref not in told]
            await self._tell(due, told)
        await self._say_behind(standing)
        await self._beat()

    def _anyway(self) -> Iterable[WaitingPage]:
        """Those that were not looked at for a minute, some of them at a time."""
        now, found = _time(), list[WaitingPage]()
        most = 1 + int(len(self._pages) * self._look_s * 2 / ANYWAY_S)
        for page in self._pages:
            if len(found) >= most or now - page.looked_at < ANYWAY_S:
                break
            found.append(page)
        return found

    async def _tell(
        self, pages: Iterable[WaitingPage], told: dict[PageRef, PageNews | None]
    ) -> None:
        now = _time()
        for no, page in enumerate(pages, 1):
            if page in self._pages and page.ref in told:
                self._pages.move_to_end(page)
                page.looked_at = now
                self._tell_one(page, told[page.ref], now)
            if not no % PART:
                await asyncio.sleep(0)

    def _tell_one(self, page: WaitingPage, told: PageNews | None, now: float) -> None:
        if told is None:
            page.end_with(b"event: gone\ndata:\n\n", now)
        elif told.version != page.version:
            page.version = told.version
            page.tell(b"data: %b\n\n" % told.event, now)

    async def _say_behind(self, standing: ServiceState | None) -> None:
        """Where nobody is watching any more, or again, each page hears only that."""
        behind = standing.behind if standing is not None else True
        if self._behind is not None and behind != self._behind:
            event = b"event: behind\ndata: %d\n\n" % behind
            await self._each([*self._pages], lambda page, now: page.add(event, now))
        self._behind = behind

    async def _beat(self) -> None:
        """Those that heard nothing for a while; and hang up on who takes nothing."""
        now = _time()
        quiet = [page for page in self._pages if now - page.beat_at >= BEAT_S]
        await self._each(quiet, WaitingPage.beat)

    async def _each(
        self, pages: list[WaitingPage], do: Callable[[WaitingPage, float], None]
    ) -> None:
        for start in range(0, len(pages), PART):
            now = _time()
            for page in pages[start : start + PART]:
                if page in self._pages:
                    do(page, now)
            await asyncio.sleep(0)


async def _run(thread: ThreadPoolExecutor, read: Callable[[], T]) -> T:
    """What ``read`` returns there. Where it fails the connection of that thread is closed."""

    def reading() -> T:
        try:
            return read()
        except Exception:
            connection.close()
            raise

    return await asyncio.get_running_loop().run_in_executor(thread, reading)


def _time() -> float:
    return asyncio.get_running_loop().time()
