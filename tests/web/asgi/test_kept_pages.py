"""Pages that are the same for everybody are made once, for nobody in particular, and are never
stale."""

from __future__ import annotations

import asyncio
import gzip
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest
from asgiref.typing import ASGI3Application
from pytest_django.fixtures import Settings

from stillhere.channels.base import Capability
from stillhere.content import steps
from stillhere.store.installation import proof
from stillhere.store.models import Installation
from stillhere.web.access import readiness
from stillhere.web.asgi import kept_pages
from stillhere.web.asgi.kept_pages import MOST, PAGES, KeptPages
from stillhere.web.asgi.page_handler import PageHandler
from tests.circle import SamsNight, session_of
from tests.conftest import Clock
from tests.web.conftest import browser
from tests.web.lane import Answered, ask

WITHOUT_A_DATABASE = ("/help-now", "/steps", "/sources")
ZIPPED = {"Accept-Encoding": "gzip, deflate, br"}


class Front:
    """The lane before the real pages, or before what is put ``behind`` it; counts what is made."""

    def __init__(
        self, behind: Any = None, look: Any = lambda: None, patience_s: float = 0.2
    ) -> None:
        self.made: list[str] = []
        self.scopes: list[Any] = []
        self._django = behind or cast(ASGI3Application, PageHandler())
        self.lane = KeptPages(self._page, look, patience_s)

    async def _page(self, scope: Any, receive: Any, send: Any) -> None:
        self.made.append(scope["path"])
        self.scopes.append(scope)
        await self._django(scope, receive, send)

    async def ask(self, path: str, method: str = "GET", query: str = "", **more: str) -> Answered:
        headers = {name.replace("_", "-"): value for name, value in more.items()}
        return await ask(self.lane, path, headers=headers, method=method, query=query)

    def get(self, path: str, method: str = "GET", query: str = "", **more: str) -> Answered:
        return asyncio.run(self.ask(path, method, query, **more))


def made(status: int = 200, body: bytes = b"page", *more: tuple[bytes, bytes]) -> Any:
    """A page that is nothing but this."""

    async def page(_scope: Any, _receive: Any, send: Any) -> None:
        kind = (b"Content-Type", b"text/html; charset=utf-8")
        await send({"type": "http.response.start", "status": status, "headers": [kind, *more]})
        await send({"type": "http.response.body", "body": body})

    return page


@pytest.fixture
def own(settings: Settings, tmp_path: Path) -> Path:
    """A data folder that this test writes into."""
    settings.STILLHERE = replace(settings.STILLHERE, data=tmp_path)
    return tmp_path


# --- what is served -------------------------------------------------------------------------------


@pytest.mark.parametrize("lang", ["en", "es"])
@pytest.mark.parametrize("path", WITHOUT_A_DATABASE)
def test_a_kept_page_is_what_django_makes_to_the_letter(path: str, lang: str) -> None:
    front, spoken = Front(), {"Accept-Language": lang}
    for _ in range(3):
        answer = front.get(path, **spoken)
        before = browser(lang=lang).get(path)
        assert answer.status == 200
        assert answer.body == before.content
        named = {name.lower(): value for name, value in before.headers.items()}
        assert {k: v for k, v in answer.headers.items() if k not in ("etag", "vary")} == {
            k: v for k, v in named.items() if k not in ("vary", "cross-origin-opener-policy")
        }
        assert "set-cookie" not in answer.headers
    assert front.made == [path]


def test_it_is_sent_compressed_to_whoever_can_read_that() -> None:
    front = Front()
    plain, zipped = front.get("/help-now"), front.get("/help-now", **ZIPPED)
    assert "content-encoding" not in plain.headers
    assert zipped.headers["content-encoding"] == "gzip"
    assert gzip.decompress(zipped.body) == plain.body
    assert len(zipped.body) < len(plain.body) / 4
    for answer in (plain, zipped):
        assert answer.headers["content-length"] == str(len(answer.body))
        assert answer.headers["vary"] == "Accept-Language, Cookie, Accept-Encoding"
    for refused in ("gzip;q=0", "gzip; q=0.0", "identity", "br", "x-gzipped"):
        assert "content-encoding" not in front.get("/help-now", accept_encoding=refused).headers
    assert front.made == ["/help-now"]


@pytest.mark.parametrize("tags", ["{}", "*", '"other", {}', ' "a" ,{} '])
def test_whoever_has_it_already_is_told_that_it_is_the_same(tags: str) -> None:
    front = Front()
    first = front.get("/steps")
    again = front.get("/steps", if_none_match=tags.format(first.headers["etag"]), **ZIPPED)
    assert (again.status, again.body) == (304, b"")
    assert again.headers["etag"] == first.headers["etag"]
    assert again.headers["vary"] == first.headers["vary"]
    assert again.headers["cache-control"] == "no-store"
    assert "content-length" not in again.headers
    assert front.get("/steps", if_none_match='W/"older"').status == 200


def test_another_language_is_another_page_with_another_tag() -> None:
    front = Front()
    english, spanish = front.get("/help-now"), front.get("/help-now", accept_language="es-MX,es")
    assert "Shout their name." in english.text
    assert "Grita su nombre." in spanish.text
    assert spanish.headers["content-language"] == "es"
    chosen = front.get("/help-now", accept_language="en", cookie="django_language=es; light=day")
    assert chosen.body == spanish.body
    tag = english.headers["etag"]
    assert front.get("/help-now", if_none_match=tag, accept_language="es").status == 200
    assert front.made == ["/help-now"] * 2


def test_head_hears_how_long_it_is_and_nothing_else() -> None:
    front = Front()
    page, head = front.get("/sources"), front.get("/sources", "HEAD")
    assert (head.status, head.body) == (200, b"")
    assert head.headers == page.headers
    assert front.made == ["/sources"]


def test_what_is_added_to_an_address_changes_only_pages_that_read_it(database: None) -> None:
    front = Front()
    assert front.get("/help-now", query="said=told").body == front.get("/help-now").body
    assert front.made == ["/help-now"]
    plain = front.get("/learn").body
    assert front.get("/learn", query="said=drill-me").body != plain
    assert front.get("/learn").body == plain
    assert front.made == ["/help-now", "/learn", "/learn"]


@pytest.mark.parametrize("path", sorted(PAGES))
def test_a_post_or_a_body_is_for_django(path: str) -> None:
    front = Front(made(405))
    assert front.get(path, "POST").status == 405
    assert front.get(path, "TRACE").status == 405
    assert front.get(path, content_length="5").status == 405
    assert front.get(path, transfer_encoding="chunked").status == 405
    assert front.lane.kept == 0


def test_every_other_address_is_for_django() -> None:
    front = Front(made())
    for path in ("/", "/help-now/", "/steps/x", "//help-now", "/watch", "/c/key/learn", "/before"):
        front.get(path)
    assert front.lane.kept == 0


# --- never somebody's -----------------------------------------------------------------------------


def test_whom_we_know_sees_what_is_theirs_and_nobody_else_does(
    night: SamsNight, clock: Clock
) -> None:
    front = Front()
    known = f"session={session_of(night.key)}"
    for cookie in (known, "borrowed=1", "lamp=abc", f"__Host-{known}", "__Host-borrowed=1"):
        front.get("/learn", cookie=cookie)
        front.get("/after", cookie=cookie)
    assert front.lane.kept == 0
    assert len(front.made) == 10
    front.get("/learn")
    assert front.lane.kept == 1
    assert "data-borrowed" in front.get("/learn", cookie="borrowed=1").text
    assert "data-borrowed" not in front.get("/learn", cookie="theme=1").text
    assert front.lane.kept == 1


def test_each_light_is_a_page_of_its_own(database: None) -> None:
    front = Front()
    pages = [front.get("/learn", cookie=f"light={each}").text for each in ("night", "day", "", "x")]
    assert 'class="night"' in pages[0]
    assert 'class="day"' in pages[1]
    assert pages[2] == pages[3]
    assert len(front.made) == 3


@pytest.mark.parametrize(
    "answer",
    [
        made(200, b"page", (b"Set-Cookie", b"a=b")),
        made(200, b'<input name="csrfmiddlewaretoken">'),
        made(404),
        made(503),
        made(200, b"x" * (kept_pages.LARGEST + 1)),
        made(200, b"page", (b"Content-Encoding", b"br")),
    ],
)
def test_what_sets_a_cookie_holds_a_token_or_went_wrong_is_not_kept(answer: Any) -> None:
    front = Front(answer)
    first, second = front.get("/help-now"), front.get("/help-now")
    assert first.status == second.status
    assert front.lane.kept == 0
    assert len(front.made) == 2


def test_no_page_here_sets_a_cookie_or_holds_a_token(database: None) -> None:
    front = Front()
    for path in PAGES:
        answer = front.get(path)
        assert "set-cookie" not in answer.headers, path
        assert "csrf" not in answer.text, path
    assert front.lane.kept == len(PAGES)


# --- attacks --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "poison",
    [
        {"x_forwarded_host": "mallory.example.org"},
        {"x_forwarded_proto": "https"},
        {"forwarded": "host=mallory.example.org"},
        {"x_original_url": "/watch", "x_rewrite_url": "/watch"},
        {"referer": "https://mallory.example.org/"},
        {"user_agent": "<script>x</script>", "range": "bytes=0-9"},
        {"cookie": "csrftoken=" + "m" * 32 + "; django_language=<b>; mallory=1"},
        {"accept_language": "<script>, ../../es;q=7, *"},
    ],
)
def test_nothing_of_the_first_request_gets_into_the_page(poison: Mapping[str, str]) -> None:
    front, clean = Front(), Front()
    poisoned = front.get("/help-now", **poison)
    assert poisoned.body == clean.get("/help-now").body
    assert poisoned.headers == clean.get("/help-now").headers
    (scope,) = front.scopes
    assert {name for name, _ in scope["headers"]} == {b"host", b"cookie"}
    assert dict(scope["headers"])[b"cookie"] == b"django_language=en"
    assert scope["client"] is None


@pytest.mark.parametrize(
    "host",
    ["mallory.example.org", "localhost@mallory.example.org", "", "localhost:x", "local host"],
)
def test_a_host_that_is_not_ours_is_refused_as_ever(host: str) -> None:
    front = Front()
    assert front.get("/help-now").status == 200
    assert front.get("/help-now", host=host).status == 400
    twice: Sequence[tuple[bytes, bytes]] = [(b"host", b"localhost"), (b"host", b"mallory.test")]
    assert asyncio.run(ask(front.lane, "/help-now", headers=twice, method="GET")).status == 400


def test_two_cookie_headers_do_not_hide_one_of_them(database: None) -> None:
    front = Front()
    split = [(b"cookie", b"borrowed=1"), (b"cookie", b"light=day")]
    answer = asyncio.run(ask(front.lane, "/learn", headers=split, method="GET"))
    assert "data-borrowed" in answer.text
    assert front.lane.kept == 0


def test_nobody_fills_the_memory(database: None) -> None:
    front = Front()
    for number in range(3 * MOST):
        front.get("/learn", cookie=f"light={number}; django_language=x{number}", q=f"{number}")
        front.get("/help-now", query=f"{number}", accept_language=f"x{number}")
    assert front.lane.kept == 2
    for number in range(3 * MOST):
        key = kept_pages.CopyKey("/help-now", f"x{number}", "")
        asyncio.run(front.lane._made(key))
    assert front.lane.kept == MOST


def test_many_who_come_at_once_have_it_made_once_also_if_the_first_goes_away() -> None:
    async def story() -> None:
        ready = asyncio.Event()

        async def slow(scope: Any, receive: Any, send: Any) -> None:
            await receive()
            await ready.wait()
            await made()(scope, receive, send)

        front = Front(slow)
        coming = [asyncio.create_task(front.ask("/help-now")) for _ in range(50)]
        for _ in range(10):
            await asyncio.sleep(0)
        coming[0].cancel()
        ready.set()
        answers = await asyncio.gather(*coming[1:])
        assert {answer.body for answer in answers} == {b"page"}
        assert front.made == ["/help-now"]

    asyncio.run(story())


# --- never stale ----------------------------------------------------------------------------------


def test_the_signature_and_the_host_s_own_files_count_at_once(own: Path) -> None:
    front = Front()
    for _ in range(2):
        assert "no clinician has signed it yet" in front.get("/steps").text
        assert "Practice text: not signed yet." in front.get("/help-now").text
        steps.sign("Ruth", "2026-01-20")
        assert "Signed by Ruth, 2026-01-20." in front.get("/steps").text
        assert "not signed yet" not in front.get("/help-now").text
        (own / steps.SIGNED).unlink()
    (own / steps.FILE).write_text('[[screen]]\nid = "look"\nsays.en = "Leo changed this."\n')
    assert "Leo changed this." in front.get("/help-now").text
    (own / steps.FILE).unlink()
    assert "Leo changed this." not in front.get("/help-now").text


def test_the_host_s_country_and_program_count_at_once(settings: Settings) -> None:
    front = Front()
    assert front.get("/help-now").text.partition('href="tel:')[2].startswith("911")
    settings.STILLHERE = replace(settings.STILLHERE, country="AU")
    assert front.get("/help-now").text.partition('href="tel:')[2].startswith("000")


def test_practice_begins_and_ends_on_the_next_page(
    night: SamsNight, clock: Clock, settings: Settings, own: Path
) -> None:
    """Also where nobody opens any page but these: the lane looks by itself, once a second."""
    settings.STILLHERE = replace(
        settings.STILLHERE, demo_url="", base_url="https://lamp.example.org", heartbeat_url="x"
    )
    settings.BUILD_CHANNELS = lambda _here: {"call": _Rings()}
    steps.sign("Ruth", "2026-01-20")
    front = Front(look=readiness.look, patience_s=60)
    Installation.objects.update_or_create(id=1, defaults={"beat_at": clock.now})
    for _ in range(2):
        assert "Practice:" in front.get("/help-now").text
        proof.keep(proof.EVERYTHING, settings.STILLHERE.base_url, clock.now)
        clock.advance(1)
        assert "Practice:" not in front.get("/help-now").text
        assert "Practice:" not in front.get("/learn").text
        proof.keep((), settings.STILLHERE.base_url, clock.now)
        clock.advance(1)


class _Rings:
    name = "call"
    capabilities = frozenset({Capability.RINGS})


def test_what_changes_while_a_page_is_made_is_not_lost(own: Path) -> None:
    async def story() -> None:
        ready = asyncio.Event()
        signed = iter((b"before", b"after"))

        async def slow(scope: Any, receive: Any, send: Any) -> None:
            body = next(signed)
            await ready.wait()
            await made(200, body)(scope, receive, send)

        front = Front(slow)
        first = asyncio.create_task(front.ask("/steps"))
        await asyncio.sleep(0)
        await asyncio.sleep(0.01)
        steps.sign("Ruth", "2026-01-20")
        second = asyncio.create_task(front.ask("/steps"))
        await asyncio.sleep(0.01)
        ready.set()
        assert (await first).body == b"before"
        assert (await second).body == b"after"
        assert (await front.ask("/steps")).body == b"after"
        assert len(front.made) == 2

    asyncio.run(story())


def test_a_database_that_is_away_holds_up_no_steps(clock: Clock) -> None:
    """It is asked once, and nobody waits for the answer but for a moment."""

    async def story() -> None:
        away, looks = asyncio.Event(), []
        loop = asyncio.get_running_loop()

        def look() -> None:
            looks.append(1)
            asyncio.run_coroutine_threadsafe(away.wait(), loop).result()

        front = Front(look=look)
        assert (await front.ask("/help-now")).status == 200
        for _ in range(20):
            assert (await front.ask("/help-now")).status == 200
        assert len(looks) == 1
        looking = front.lane._looking
        assert looking is not None
        away.set()
        await looking
        clock.advance(2)
        await front.ask("/help-now")
        assert len(looks) == 2

    asyncio.run(story())
