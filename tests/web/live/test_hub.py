"""The hub tells in time, keeps nobody waiting for a page that does not read, and lets all go."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest

from stillhere.web.live import hub
from stillhere.web.live.hub import BACK_MS, Hub, WaitingPage
from stillhere.web.live.states import OwnPage, PageNews, PageRef, ServiceState, States


@dataclass
class Fake(States):
    """What the store would say, in the test's hands."""

    versions: dict[int, int | None] = field(default_factory=dict)
    news: set[int] = field(default_factory=set)
    behind: bool | None = False
    reads: list[list[int]] = field(default_factory=list)
    fails: int = 0

    def changed(self) -> set[int]:
        found, self.news = self.news, set()
        return found

    def standing(self) -> ServiceState | None:
        return None if self.behind is None else ServiceState(self.behind, 0)

    def read(self, pages: Iterable[PageRef]) -> dict[PageRef, PageNews | None]:
        pages = list(pages)
        self.reads.append([page.person for page in pages])
        if self.fails:
            self.fails -= 1
            return {}
        found: dict[PageRef, PageNews | None] = {}
        for page in pages:
            version = self.versions.get(page.person, 1)
            told = None if version is None else PageNews(str(version), b"%d" % version)
            found[page] = told
        return found

    def happens(self, person: int) -> None:
        self.versions[person] = (self.versions.get(person) or 1) + 1
        self.news.add(person)


class Phone:
    """Where one page is told; it reads only while it ``takes``."""

    def __init__(self) -> None:
        self.heard: list[str] = []
        self.takes = asyncio.Event()
        self.takes.set()
        self._news = asyncio.Event()

    async def send(self, message: Any) -> None:
        await self.takes.wait()
        self.heard += [part for part in message["body"].decode().split("\n\n") if part]
        self._news.set()

    async def until(self, *heard: str) -> None:
        await self._wait(lambda: self.heard == [*heard])

    async def until_it_hears(self, part: str) -> None:
        await self._wait(lambda: part in self.heard)

    async def _wait(self, true: Callable[[], bool]) -> None:
        async with asyncio.timeout(5):
            while not true():
                self._news.clear()
                await self._news.wait()


@asynccontextmanager
async def told(states: Fake) -> AsyncIterator[Hub]:
    made = Hub(lambda: states, look_s=0.005)
    try:
        yield made
    finally:
        await made.close()


def run(test: Callable[[Hub, Fake], Awaitable[None]]) -> None:
    async def whole() -> None:
        states = Fake()
        async with told(states) as made:
            await test(made, states)

    asyncio.run(whole())


def own(person: int, token: bytes = b"t") -> OwnPage:
    return OwnPage(person, token)


def test_only_the_pages_of_whoever_changed_are_read() -> None:
    async def test(made: Hub, states: Fake) -> None:
        phones = {person: Phone() for person in (1, 2, 3)}
        for person, phone in phones.items():
            made.add(own(person), phone.send)
        for phone in phones.values():
            await phone.until("data: 1")
        states.reads.clear()
        states.happens(2)
        await phones[2].until("data: 1", "data: 2")
        assert states.reads == [[2]]
        assert phones[1].heard == ["data: 1"]

    run(test)


def test_two_pages_of_one_person_are_read_once() -> None:
    async def test(made: Hub, states: Fake) -> None:
        one, other = Phone(), Phone()
        made.add(own(1), one.send)
        made.add(own(1), other.send)
        await one.until("data: 1")
        await other.until("data: 1")
        states.reads.clear()
        states.happens(1)
        await one.until("data: 1", "data: 2")
        await other.until("data: 1", "data: 2")
        assert states.reads == [[1]]

    run(test)


def test_news_that_changes_nothing_on_a_page_says_nothing() -> None:
    async def test(made: Hub, states: Fake) -> None:
        phone, next_one = Phone(), Phone()
        made.add(own(1), phone.send)
        await phone.until("data: 1")
        states.news.add(1)
        made.add(own(2), next_one.send)
        await next_one.until("data: 1")
        assert phone.heard == ["data: 1"]

    run(test)


def test_a_page_that_reads_nothing_keeps_nobody_waiting_and_then_hears_the_newest() -> None:
    async def test(made: Hub, states: Fake) -> None:
        deaf, other = Phone(), Phone()
        deaf.takes.clear()
        made.add(own(1), deaf.send)
        made.add(own(2), other.send)
        await other.until("data: 1")
        for no in range(2, 6):
            states.happens(1)
            states.happens(2)
            await other.until(*(f"data: {n}" for n in range(1, no + 1)))
        deaf.takes.set()
        await deaf.until("data: 1", "data: 5")

    run(test)


def test_who_takes_nothing_for_long_is_hung_up_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hub, "STUCK_S", -1.0)
    monkeypatch.setattr(hub, "BEAT_S", 0.0)

    async def test(made: Hub, _states: Fake) -> None:
        deaf = Phone()
        deaf.takes.clear()
        page = made.add(own(1), deaf.send)
        await asyncio.wait_for(page.over, 5)

    run(test)


def test_a_quiet_page_hears_that_the_line_is_alive(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hub, "BEAT_S", 0.0)

    async def test(made: Hub, _states: Fake) -> None:
        phone = Phone()
        made.add(own(1), phone.send)
        await phone.until_it_hears("event: beat\ndata:")

    run(test)


def test_each_page_is_looked_at_now_and_then_in_any_case(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hub, "ANYWAY_S", 0.01)

    async def test(made: Hub, states: Fake) -> None:
        phone = Phone()
        made.add(own(1), phone.send)
        await phone.until("data: 1")
        states.versions[1] = 2  # and nobody said so
        await phone.until("data: 1", "data: 2")

    run(test)


def test_what_cannot_be_read_just_now_is_read_the_next_time() -> None:
    async def test(made: Hub, states: Fake) -> None:
        states.fails = 3
        phone = Phone()
        made.add(own(1), phone.send)
        await phone.until("data: 1")
        assert states.reads == [[1]] * 4

    run(test)


@pytest.mark.parametrize("trouble", [True, None])
def test_everybody_hears_that_nobody_is_watching(trouble: bool | None) -> None:
    async def test(made: Hub, states: Fake) -> None:
        phones = [Phone(), Phone()]
        for person, phone in enumerate(phones):
            made.add(own(person), phone.send)
            await phone.until("data: 1")
        states.reads.clear()
        states.behind = trouble
        for phone in phones:
            await phone.until("data: 1", "event: behind\ndata: 1")
        states.behind = False
        for phone in phones:
            await phone.until("data: 1", "event: behind\ndata: 1", "event: behind\ndata: 0")
        assert states.reads == []

    run(test)


def test_behind_does_not_swallow_what_changed() -> None:
    async def test(made: Hub, states: Fake) -> None:
        deaf, other = Phone(), Phone()
        for person, phone in ((1, deaf), (2, other)):
            made.add(own(person), phone.send)
            await phone.until("data: 1")
        deaf.takes.clear()
        states.behind = True
        await other.until("data: 1", "event: behind\ndata: 1")
        states.happens(1)
        states.happens(2)
        await other.until("data: 1", "event: behind\ndata: 1", "data: 2")
        states.behind = False
        await other.until("data: 1", "event: behind\ndata: 1", "data: 2", "event: behind\ndata: 0")
        deaf.takes.set()
        await deaf.until(
            "data: 1", "event: behind\ndata: 1", "data: 2", "event: behind\ndata: 0"
        )  # fmt: skip

    run(test)


def test_a_key_that_opens_nothing_any_more_is_told_so_and_let_go() -> None:
    async def test(made: Hub, states: Fake) -> None:
        phone = Phone()
        page = made.add(own(1), phone.send)
        await phone.until("data: 1")
        states.versions[1] = None
        states.news.add(1)
        await phone.until("data: 1", "event: gone\ndata:")
        await asyncio.wait_for(page.over, 5)

    run(test)


def test_at_the_end_each_is_told_when_to_come_back_also_beside_one_who_reads_nothing() -> None:
    async def test(made: Hub, _states: Fake) -> None:
        phones, deaf = [Phone() for _ in range(50)], Phone()
        deaf.takes.clear()
        pages = [made.add(own(no), phone.send) for no, phone in enumerate(phones)]
        stuck = made.add(own(99), deaf.send)
        for phone in phones:
            await phone.until("data: 1")
        began = asyncio.get_running_loop().time()
        await made.leave()
        took_s = asyncio.get_running_loop().time() - began
        assert took_s < 3
        backs = [int(phone.heard[-1].removeprefix("event: back\ndata: ")) for phone in phones]
        assert len(set(backs)) > 25, "not all at once"
        assert 0 <= min(backs) <= max(backs) < BACK_MS
        assert all(page.over.done() for page in [*pages, stuck])
        assert made.full

    run(test)


def test_of_who_went_away_nothing_is_left() -> None:
    async def test(made: Hub, states: Fake) -> None:
        async def gone(_: Any) -> None:
            raise ConnectionError

        page: WaitingPage = made.add(own(1), gone)
        await asyncio.wait_for(page.over, 5)
        made.remove(page)
        made.remove(page)
        assert len(made) == 0
        assert (made._of_person, made._of_ref) == ({}, {})
        phone = Phone()  # and it goes on for whoever comes after that
        made.add(own(2), phone.send)
        await phone.until("data: 1")
        assert states.reads[-1] == [2]

    run(test)
