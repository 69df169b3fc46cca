"""The gate to the pages: how many at once, who is first, for how long, who gives back a place."""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import replace
from typing import Any

import pytest
from pytest_django.fixtures import Settings

from stillhere.web.access import readiness
from stillhere.web.asgi.body_limits import PRESS
from stillhere.web.asgi.page_gate import RETRY_S, Gate, Rank, rank_of

Request = tuple[str, str]


class Still(selectors.DefaultSelector):
    """Waits for nothing: the loop's clock moves on instead."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0

    def select(self, timeout: float | None = None) -> Any:
        found = super().select(0)
        if not found and timeout:
            self.now += timeout
        return found


class Loop(asyncio.SelectorEventLoop):
    """A loop whose hours take no time."""

    def __init__(self) -> None:
        self.still = Still()
        super().__init__(self.still)

    def time(self) -> float:
        return self.still.now


def run(story: Callable[[Town], Coroutine[Any, Any, None]], **gate: Any) -> Town:
    """Live through a story in front of a gate."""
    with asyncio.Runner(loop_factory=Loop) as runner:

        async def live() -> Town:
            town = Town(**gate)
            await story(town)
            await town.over()
            return town

        return runner.run(live())


class Visit:
    """One request: what it was answered, and whether its client is still there."""

    def __init__(self, path: str, method: str, parts: list[bytes], headers: Headers) -> None:
        self.parts, self.read, self.status = parts, 0, 0
        self.said: dict[str, str] = {}
        self.body = b""
        self.left = asyncio.Event()
        self.scope: Any = {
            "type": "http", "path": path, "method": method, "headers": list(headers),
        }  # fmt: skip
        self.task: asyncio.Task[None] | None = None

    async def receive(self) -> Any:
        if self.parts:
            self.read += 1
            body = self.parts.pop(0)
            return {"type": "http.request", "body": body, "more_body": bool(self.parts)}
        await self.left.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: Mapping[str, Any]) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            self.said = {k.decode(): v.decode() for k, v in message["headers"]}
        else:
            self.body += message["body"]


Headers = list[tuple[bytes, bytes]]


class Town:
    """Visits, and pages that are made when the story says so. ``order`` is in which they began."""

    def __init__(self, **gate: Any) -> None:
        self.gate = Gate(self.page, **gate)
        self.order: list[str] = []
        self.made: list[str] = []
        self.most = self.now = 0
        self.ready: dict[str, asyncio.Event] = {}
        self.visits: list[Visit] = []
        self.failing: set[str] = set()

    async def page(self, scope: Any, receive: Any, send: Any) -> None:
        self.order.append(scope["path"])
        self.now += 1
        self.most = max(self.most, self.now)
        try:
            while (await receive()).get("more_body"):
                pass
            if not await self._made(scope["path"], receive):
                return
            if scope["path"] in self.failing:
                raise ValueError(scope["path"])
        finally:
            self.now -= 1
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"page"})

    async def _made(self, path: str, receive: Any) -> bool:
        """Whether it was made before its client went away: as Django does, nobody else's is."""
        made = asyncio.ensure_future(self.ready.setdefault(path, asyncio.Event()).wait())
        leaves = asyncio.ensure_future(receive())
        await asyncio.wait({made, leaves}, return_when=asyncio.FIRST_COMPLETED)
        leaves.cancel()
        if made.done():
            self.made.append(path)
        return not made.cancel()

    def make(self, *paths: str) -> None:
        """These pages are ready."""
        for path in paths:
            self.ready.setdefault(path, asyncio.Event()).set()

    async def come(
        self, path: str, method: str = "GET", *parts: bytes, headers: Headers | None = None
    ) -> Visit:
        visit = Visit(path, method, list(parts) or [b""], headers or [])
        self.visits.append(visit)
        visit.task = asyncio.create_task(self.gate(visit.scope, visit.receive, visit.send))
        await self.settle()
        return visit

    async def settle(self) -> None:
        for _ in range(20):
            await asyncio.sleep(0)

    async def over(self) -> None:
        self.make(*self.order, *(str(visit.scope["path"]) for visit in self.visits))
        for visit in self.visits:
            assert visit.task is not None
            await asyncio.gather(visit.task, return_exceptions=True)


def test_so_many_pages_are_made_at_once_and_the_others_come_in_order() -> None:
    paths = [f"/c/{n}" for n in range(6)]

    async def story(town: Town) -> None:
        for path in paths:
            await town.come(path)
        assert town.order == paths[:2]
        assert town.gate.pages.waiting == 4
        for n, path in enumerate(paths):
            town.make(path)
            await town.settle()
            assert town.order == paths[: n + 3]

    town = run(story, pages=2)
    assert town.most == 2
    assert {visit.status for visit in town.visits} == {200}


@pytest.mark.parametrize("pages", [1, 2])
def test_a_page_of_an_alarm_goes_before_polls_and_quiet_pages(pages: int) -> None:
    first = ["/c/a", "/c/b"][:pages]

    async def story(town: Town) -> None:
        for path in first:
            await town.come(path)
        for path in ("/watch/state", "/people", "/c/c", "/c/c/state", "/watch", "/k/d"):
            await town.come(path)
        town.make(*first, "/c/c", "/watch", "/k/d")
        await town.settle()

    town = run(story, pages=pages)
    quiet = ["/watch/state", "/people", "/c/c/state"]
    assert town.order == [*first, "/c/c", "/watch", "/k/d", *quiet]


def test_the_last_free_place_is_kept_from_quiet_pages() -> None:
    async def story(town: Town) -> None:
        for n in range(3):
            await town.come(f"/paper/{n}.pdf")
        assert town.order == ["/paper/0.pdf", "/paper/1.pdf"]
        await town.come("/c/a")
        assert town.order[-1] == "/c/a"

    run(story, pages=3)


def test_a_press_waits_for_no_page() -> None:
    async def story(town: Town) -> None:
        for n in range(9):
            await town.come(f"/c/{n}")
        await town.come("/c/0/answer", "POST", b"do=claim")
        await town.come("/healthz")
        assert town.order[-2:] == ["/c/0/answer", "/healthz"]

    run(story, pages=2)


@pytest.mark.parametrize(
    ("method", "path", "headers", "rank"),
    [
        ("POST", "/c/key/answer", [], Rank.PRESS),
        ("POST", "/k/key/help", [(b"content-length", b"9")], Rank.PRESS),
        ("POST", "/watch", [], Rank.PRESS),
        ("POST", "/later", [], Rank.PRESS),
        ("POST", "/in/one/call", [], Rank.PRESS),
        ("POST", "/hooks/phones", [], Rank.PRESS),
        ("POST", "/desk/key/act", [], Rank.PRESS),
        ("POST", "/r/key/shift", [], Rank.PRESS),
        ("POST", "/", [], Rank.FORM),
        ("POST", "/pin", [], Rank.FORM),
        ("POST", "/mine", [], Rank.FORM),
        ("POST", "/people", [(b"content-length", b"9")], Rank.FORM),
        ("POST", "/paper/certificate.pdf", [], Rank.FORM),
        ("GET", "/healthz", [], Rank.PRESS),
        ("GET", "/c/key", [], Rank.ACTED_ON),
        ("GET", "/c/key/part", [], Rank.ACTED_ON),
        ("GET", "/watch/part", [], Rank.ACTED_ON),
        ("GET", "/help-now", [], Rank.ACTED_ON),
        ("GET", "/desk/key", [], Rank.ACTED_ON),
        ("GET", "/watch/state", [], Rank.QUIET),
        ("GET", "/c/key/state", [], Rank.QUIET),
        ("GET", "/learn", [], Rank.QUIET),
        ("POST", "/people", [(b"content-length", str(PRESS + 1).encode())], Rank.QUIET),
        ("POST", "/people", [(b"content-length", b"9" * 40)], Rank.QUIET),
        ("POST", "/people", [(b"transfer-encoding", b"chunked")], Rank.QUIET),
    ],
)
def test_who_goes_first(method: str, path: str, headers: Headers, rank: Rank) -> None:
    scope: Any = {"method": method, "path": path, "headers": headers}
    assert rank_of(scope) is rank


def test_whoever_goes_away_gives_the_place_back_at_once() -> None:
    async def story(town: Town) -> None:
        await town.come("/c/a")
        gone = await town.come("/c/b")
        await town.come("/c/c")
        gone.left.set()
        await town.settle()
        assert gone.task is not None
        assert gone.task.done()
        assert town.gate.pages.waiting == 1
        town.make("/c/a")
        await town.settle()
        assert town.order == ["/c/a", "/c/c"]

    run(story, pages=1)


def test_a_press_that_was_heard_is_carried_out_though_the_phone_is_gone() -> None:
    async def story(town: Town) -> None:
        await town.come("/k/a/help", "POST", b"")
        gone = await town.come("/k/b/help", "POST", b"back=watch")
        gone.left.set()
        await town.settle()
        town.make("/k/a/help")
        await town.settle()
        town.make("/k/b/help")
        await town.settle()
        assert town.made == ["/k/a/help", "/k/b/help"]

    run(story, presses=1)


def test_a_press_cut_off_in_the_middle_is_none() -> None:
    async def story(town: Town) -> None:
        visit = Visit("/c/a/answer", "POST", [b"do=", b"cl"], [])
        visit.left.set()

        async def cut() -> Any:
            return {"type": "http.disconnect"} if visit.read else await visit.receive()

        await town.gate(visit.scope, cut, visit.send)
        assert town.order == []
        assert visit.status == 0

    run(story)


def test_a_large_body_is_not_read_before_its_turn() -> None:
    async def story(town: Town) -> None:
        await town.come("/c/a")
        length = [(b"content-length", b"200000")]
        large = await town.come("/people", "POST", b"x" * 9, headers=length)
        assert large.read == 0
        town.make("/c/a")
        await town.settle()
        assert large.read == 1

    run(story, pages=1)


def test_a_full_queue_says_so_at_once_and_when_to_come_again() -> None:
    async def story(town: Town) -> None:
        for n in range(3):
            await town.come(f"/c/{n}")
        refused = await town.come("/c/4")
        assert refused.status == 503
        assert refused.said["retry-after"] == str(RETRY_S)
        assert town.order == ["/c/0"]

    run(story, pages=1, places=2)


def test_nobody_waits_longer_than_the_limit() -> None:
    async def story(town: Town) -> None:
        loop = asyncio.get_running_loop()
        await town.come("/c/a")
        late = await town.come("/c/b")
        began = loop.time()
        assert late.task is not None
        await late.task
        assert loop.time() - began == pytest.approx(8.0)
        assert late.status == 503
        assert town.gate.pages.waiting == 0
        town.make("/c/a")
        await town.settle()
        assert town.order == ["/c/a"], "who was told to come again is not served behind their back"

    run(story, pages=1, wait_s=8.0)


@pytest.mark.parametrize(
    ("lang", "says"),
    [("en", "It opens by itself in a few seconds."), ("es", "Se abre sola en unos segundos.")],
)
def test_the_page_that_asks_for_patience_loads_itself_and_names_whom_to_call(
    lang: str, says: str
) -> None:
    async def story(town: Town) -> None:
        await town.come("/c/a")
        language = [(b"accept-language", lang.encode())]
        alarming = await town.come("/c/b", headers=language)
        quiet = await town.come("/learn", headers=language)
        html = alarming.body.decode()
        assert says in html
        assert f'<meta http-equiv="refresh" id="refresh" content="{RETRY_S}">' in html
        assert 'href="tel:911"' in html
        assert 'href="/lines"' in html
        assert "tel:911" not in quiet.body.decode()

    run(story, pages=1, places=0)


def test_what_was_pressed_is_never_pressed_again_by_a_page_that_loads_itself() -> None:
    async def story(town: Town) -> None:
        await town.come("/k/a/help", "POST", b"")
        refused = await town.come("/k/b/help", "POST", b"")
        assert refused.status == 503
        html = refused.body.decode()
        assert 'http-equiv="refresh"' not in html
        assert "Nothing was kept. Go back and press again." in html

    run(story, presses=1, places=0)


def test_a_page_that_fails_gives_its_turn_back() -> None:
    async def story(town: Town) -> None:
        town.failing = {"/c/a"}
        await town.come("/c/a")
        await town.come("/c/b")
        town.make("/c/a")
        await town.settle()
        assert town.order == ["/c/a", "/c/b"]

    run(story, pages=1)


def test_whoever_never_reads_the_answer_holds_no_turn() -> None:
    async def story(town: Town) -> None:
        slow = await town.come("/c/a")
        reads = asyncio.Event()

        async def send(message: Mapping[str, Any]) -> None:
            await reads.wait()

        slow.send = send  # type: ignore[method-assign]
        stuck = Visit("/c/stuck", "GET", [b""], [])
        task = asyncio.create_task(town.gate(stuck.scope, stuck.receive, send))
        town.make("/c/a", "/c/stuck")
        await town.settle()
        await town.come("/c/b")
        assert town.order == ["/c/a", "/c/stuck", "/c/b"]
        reads.set()
        await task

    run(story, pages=1)


def test_a_turn_that_is_cancelled_is_handed_on() -> None:
    async def story(town: Town) -> None:
        await town.come("/c/a")
        waits = await town.come("/c/b")
        await town.come("/c/c")
        assert waits.task is not None
        waits.task.cancel()
        await town.settle()
        town.make("/c/a")
        await town.settle()
        assert town.order == ["/c/a", "/c/c"]
        assert town.gate.pages.free == 0

    run(story, pages=1)


def test_it_says_practice_as_long_as_it_is_and_no_longer(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.STILLHERE = replace(settings.STILLHERE, demo_url="")
    spanish = [(b"accept-language", b"es")]

    async def story(town: Town) -> None:
        await town.come("/k/a/help", "POST", b"")
        for reasons, said in ((["Nobody would wake up."], True), ([], False)):
            monkeypatch.setattr(readiness, "practice", lambda reasons=reasons: reasons)
            refused = await town.come("/k/b/help", "POST", b"", headers=spanish)
            assert ("Práctica: no se llamará a nadie." in refused.body.decode()) is said

    run(story, presses=1, places=0)
