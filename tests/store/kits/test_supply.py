"""Warnings about the supply: read from feeds, told once, shown by area, and gone in time."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from dataclasses import replace

import pytest
from aiohttp import web
from pytest_django.fixtures import Settings

from stillhere.core.refusals import Refusal
from stillhere.engine import feeds, render
from stillhere.engine.erasure import erase_once
from stillhere.store.kits import supply_warnings
from stillhere.store.kits.supply_warnings import ReportedWarning
from stillhere.store.messages import delivery
from stillhere.store.models import Address, Message, SupplyWarning
from stillhere.store.people import persons
from stillhere.store.problems import Problem
from tests.circle import sams_night
from tests.conftest import Clock
from tests.web.conftest import browser, post
from tests.web.pages import read

pytestmark = pytest.mark.usefixtures("database")

XYLAZINE = ReportedWarning(
    "lab/1", "Example County", "Xylazine in pressed pills.", "Example Lab", "2026-01-30"
)


def told(clock: Clock) -> list[str]:
    found = delivery.lease("text", clock.now, 50, 20)
    return [render.render(m, m.to).text for m in found if m.word == "news"]


def test_those_who_asked_for_it_are_told_once_and_nothing_is_said_on_a_lock_screen(
    clock: Clock,
) -> None:
    night, other = sams_night(("Leo",)), sams_night()
    Message.objects.all().delete()
    supply_warnings.want(night.person, True)
    assert supply_warnings.post(XYLAZINE)
    assert not supply_warnings.post(XYLAZINE), "the same one again"
    supply_warnings.post(
        ReportedWarning("lab/2", "Example County", "More of it.", "Example Lab", "2026-01-31")
    )
    assert told(clock) == ["There is news that may matter to you. See our page."]
    assert not Message.objects.filter(person=other.person).exists()


def test_the_page_shows_what_holds_and_only_that(clock: Clock) -> None:
    assert "We know of no warning now." in read(browser(), "/before")
    supply_warnings.post(XYLAZINE)
    page = read(browser(), "/before")
    assert "Example County, 2026-01-30 Xylazine in pressed pills. Example Lab" in page
    clock.advance(31 * 86_400)
    assert "Xylazine" not in read(browser(), "/before")
    erase_once(clock.now)
    assert SupplyWarning.objects.exists(), "a feed may still carry it"
    clock.advance(32 * 86_400)
    erase_once(clock.now)
    assert not SupplyWarning.objects.exists()


def test_sam_asks_for_them_and_stops_them_again(clock: Clock) -> None:
    night = sams_night(("Leo",))
    sam = browser(night.key)
    post(sam, "/people", do="news", want="1")
    night.person.refresh_from_db()
    assert night.person.news
    supply_warnings.post(XYLAZINE)
    assert "1 warning we know of, and what makes it safer" in read(sam, "/watch"), (
        "no town is known"
    )
    persons.set_plan(night.person, town="Example, Colorado")
    assert "1 warning for your town" in read(sam, "/watch")
    supply_warnings.post(ReportedWarning("", "Elsewhere", "Another.", "Example Lab", "2026-01-31"))
    assert "1 warning for your town" in read(sam, "/watch")
    told = read(sam, "/before")
    assert told.index("Xylazine in pressed") < told.index("Another."), "near their town first"
    post(sam, "/people", do="news")
    night.person.refresh_from_db()
    assert not night.person.news


@pytest.mark.parametrize(
    ("found", "why"),
    [
        (ReportedWarning("", "", "x", "", ""), Refusal.NEWS_WHAT),
        (ReportedWarning("", "x", " \n", "", ""), Refusal.NEWS_WHAT),
        (ReportedWarning("", "x", "x", "", "", 0), Refusal.NEWS_DAYS),
        (ReportedWarning("", "x", "x", "", "", 91), Refusal.NEWS_DAYS),
        (ReportedWarning("", "x", "x", "", "2099-01-01"), Refusal.NEWS_AHEAD),
        (ReportedWarning("", "x", "x", "", "1900-01-01"), Refusal.NEWS_OLD),
        (ReportedWarning("", "x", "x", "", "2026-02-30"), Refusal.NEWS_DAY),
    ],
)
def test_what_says_nothing_is_refused(found: ReportedWarning, why: Refusal) -> None:
    with pytest.raises(Problem) as problem:
        supply_warnings.post(found)
    assert problem.value.why is why


# --- feeds ----------------------------------------------------------------------------------------


@pytest.fixture
def at(settings: Settings) -> Callable[[str], None]:
    """Be another programme, with another address and another database's warnings."""
    shelves: dict[str, list[SupplyWarning]] = {}

    def go(name: str) -> None:
        shelves[settings.STILLHERE.base_url] = list(SupplyWarning.objects.all())
        SupplyWarning.objects.all().delete()
        settings.STILLHERE = replace(settings.STILLHERE, base_url=f"https://{name}.example.org")
        SupplyWarning.objects.bulk_create(shelves.get(settings.STILLHERE.base_url, []))

    return go


def reads(body: bytes, url: str = "https://other.example.org/warnings.atom") -> int:
    return supply_warnings.take_in(feeds.entries(body, url)).new


def test_what_goes_out_as_a_feed_comes_in_as_one(clock: Clock, at: Callable[[str], None]) -> None:
    odd = "\x0b\ufffe\u202e"
    at("a")
    supply_warnings.post(XYLAZINE)
    supply_warnings.post(
        ReportedWarning("", f"Denver{odd}", 'Half < strength & "more"', "Lab", "2026-01-29")
    )
    sent = {(w.area, w.text, w.source, w.found_on) for w in supply_warnings.current(clock.now)}
    feed = browser().get("/warnings.atom")
    assert feed["Content-Type"].startswith("application/atom+xml")
    assert feeds.entries(feed.content, "https://x.example.org/warnings.atom") == [], "our own"
    at("b")
    assert reads(feed.content) == 2
    assert reads(feed.content) == 0
    assert {
        (w.area, w.text, w.source, w.found_on) for w in supply_warnings.current(clock.now)
    } == sent


def test_two_that_read_each_other_do_not_multiply_and_tell_once(
    clock: Clock, at: Callable[[str], None]
) -> None:
    night = sams_night()
    supply_warnings.want(night.person, True)
    at("a")
    supply_warnings.post(XYLAZINE)
    supply_warnings.take_in([ReportedWarning("lab/7", "Denver", "Stronger.", "Lab", "2026-01-28")])
    Message.objects.all().delete()
    for _round in range(3):
        clock.advance(3600)
        sent = browser().get("/warnings.atom").content
        at("b")
        reads(sent)
        back = browser().get("/warnings.atom").content
        at("a")
        assert reads(back) == 0
        at("c")
        reads(back)
        assert reads(sent) == 0, "by another way"
        at("a")
    assert len(supply_warnings.current(clock.now)) == 2
    assert Message.objects.filter(word="news").count() <= 2 * 2, "b's and c's own, never a's again"


def test_one_that_gives_copies_new_names_does_not_make_them_grow(
    clock: Clock, at: Callable[[str], None]
) -> None:
    at("a")
    supply_warnings.post(XYLAZINE)
    sent = browser().get("/warnings.atom").content.decode()
    renamed = re.sub(r"<id>[^<]*#w[^<]*</id>", "<id>https://b.example.org/before#w9</id>", sent)
    assert reads(renamed.encode()) == 0


def serve(body: bytes, status: int = 200, moved_to: str = "") -> int:
    """Read one feed from a server on this machine; how many warnings were new. With ``moved_to``
    it says that it stands there now."""

    async def run() -> int:
        async def answer(_: web.Request) -> web.Response:
            return web.Response(body=body, status=status)

        async def moved(_: web.Request) -> web.Response:
            return web.Response(status=302, headers={"Location": moved_to})

        app = web.Application()
        app.router.add_get("/feed", moved if moved_to else answer)
        app.router.add_get("/new", answer)
        runner = web.AppRunner(app)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        port = runner.addresses[0][1]
        try:
            return len(feeds.entries(await feeds._get(f"http://127.0.0.1:{port}/feed"), "x"))
        finally:
            await runner.cleanup()

    return asyncio.run(run())


RSS = b"""<?xml version="1.0"?><rss version="2.0"><channel><title>Alerts</title>
<item><title>Strong batch</title><description>&lt;b&gt;Go slow&lt;/b&gt;</description>
<guid>a1</guid><pubDate>Fri, 30 Jan 2026 10:00:00 GMT</pubDate></item>
<item></item></channel></rss>"""


def test_a_feed_is_fetched_and_bounded() -> None:
    assert serve(RSS) == 1
    with pytest.raises(ValueError, match="not a feed"):
        serve(b"<html>parked</html>")
    with pytest.raises(ValueError, match="too large"):
        serve(RSS + b" " * feeds.LARGEST)
    [found] = feeds.entries(RSS, "x")
    assert (found.text, found.area, found.found_on) == (
        "Strong batch: Go slow",
        "Alerts",
        "2026-01-30",
    )


def test_a_feed_may_move_within_its_host() -> None:
    assert serve(RSS, moved_to="/new") == 1


@pytest.mark.parametrize(
    "elsewhere",
    [
        "http://localhost:1/new",
        "http://169.254.169.254/latest/meta-data",
        "//[::1]/new",
        "file:///etc/passwd",
    ],
)
def test_a_feed_cannot_send_us_into_our_own_network(elsewhere: str) -> None:
    with pytest.raises(ValueError, match="moved to another host"):
        serve(RSS, moved_to=elsewhere)


def test_a_feed_that_always_moves_is_left() -> None:
    with pytest.raises(ValueError, match="moved too often"):
        serve(RSS, moved_to="/feed")


def test_a_feed_that_fails_is_in_nobody_s_way() -> None:
    assert feeds.read_once(["http://127.0.0.1:1/feed", "nonsense"]) == 0


def rss(*items: str, title: str = "<title>Alerts</title>") -> bytes:
    rows = "".join(f"<item>{item}</item>" for item in items)
    return (
        f'<?xml version="1.0"?><rss version="2.0"><channel>{title}{rows}</channel></rss>'.encode()
    )


NOW = "<pubDate>Fri, 30 Jan 2026 10:00:00 GMT</pubDate>"


def test_an_old_entry_of_a_feed_is_no_warning(clock: Clock) -> None:
    old = "<title>Old</title><pubDate>Fri, 04 Jan 2019 10:00:00 GMT</pubDate>"
    assert reads(rss(old, "<title>Of no day</title>", f"<title>New</title>{NOW}")) == 1
    assert [each.text for each in supply_warnings.current(clock.now)] == ["New"]


def test_what_was_taken_back_or_is_over_does_not_come_again(clock: Clock) -> None:
    body = rss(f"<title>Wrong</title><guid>a1</guid>{NOW}")
    assert reads(body) == 1
    supply_warnings.take_back(supply_warnings.current(clock.now)[0].id)
    assert reads(body) == 0
    for _week in range(12):
        clock.advance(7 * 86_400)
        supply_warnings.end_due(clock.now)
        assert reads(body) == 0
    assert not supply_warnings.current(clock.now)


def test_an_entry_of_tomorrow_is_left_out_alone_and_the_log_says_which(
    clock: Clock, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    late = "<title>Late</title><pubDate>Fri, 04 Dec 2026 10:00:00 GMT</pubDate>"
    body = rss(f"<title>One</title>{NOW}", late, f"<title>Three</title>{NOW}")

    async def get(_url: str) -> bytes:
        return body

    monkeypatch.setattr(feeds, "_get", get)
    assert feeds.read_once(["https://lab.example.org/feed?token=geheim"]) == 2
    assert [record.getMessage() for record in caplog.records] == [
        "feed lab.example.org: entry 2 left out: ahead"
    ]


def test_a_feed_s_secret_is_never_told(clock: Clock) -> None:
    url = "https://me:pass@lab.example.org/feed?token=geheim"
    reads(rss(f"<title>New</title><guid>a1</guid>{NOW}", title=""), url)
    [each] = supply_warnings.current(clock.now)
    assert each.source == each.area == "lab.example.org"
    for path in ("/before", "/warnings.atom"):
        body = browser().get(path).content.decode()
        assert "geheim" not in body
        assert "pass@" not in body


def test_many_that_are_over_are_forgotten(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supply_warnings, "MOST_REMEMBERED", 3)
    for no in range(6):
        supply_warnings.post(ReportedWarning("", "Denver", f"Batch {no}.", "", "2026-01-30"))
    for each in supply_warnings.current(clock.now):
        supply_warnings.take_back(each.id)
    supply_warnings.end_due(clock.now)
    assert SupplyWarning.objects.count() == 3


def test_a_bomb_in_a_feed_does_not_go_off() -> None:
    bomb = b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaaaaaaaa">' + b"".join(
        f'<!ENTITY {b} "{f"&{a};" * 10}">'.encode()
        for a, b in zip("abcdefgh", "bcdefghi", strict=True)
    )
    bomb += b"]><rss version='2.0'><channel><title>&i;</title></channel></rss>"
    assert feeds.entries(bomb, "x") == []


def test_a_feed_of_nothing_but_tags_is_not_parsed() -> None:
    with pytest.raises(ValueError, match="too many tags"):
        feeds.entries(b"<rss version='2.0'><channel>" + b"<a>" * 100_000, "x")


def test_a_broken_way_is_not_told(clock: Clock) -> None:
    night = sams_night()
    Message.objects.all().delete()
    supply_warnings.want(night.person, True)
    Address.objects.update(state="opted-out")
    supply_warnings.post(XYLAZINE)
    assert told(clock) == []
