"""Warnings about the supply: posted, read from files and feeds, told once, and gone in time."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from aiohttp import web
from django.core.files.uploadedfile import SimpleUploadedFile

from stillhere.engine import feeds, letters
from stillhere.engine.audit import sweep_once
from stillhere.store import delivery, desk, supply
from stillhere.store.models import Address, Message, SupplyWarning
from stillhere.store.services import Problem
from stillhere.store.supply import Found
from tests.conftest import Clock
from tests.shell.circle import sams_night
from tests.shell.web.conftest import browser, post
from tests.shell.web.pages import read, text_of

pytestmark = pytest.mark.usefixtures("database")

XYLAZINE = Found(
    "lab/1", "Example County", "Xylazine in pressed pills.", "Example Lab", "2026-01-30"
)
# The columns of the Street Drug Analysis Lab's published dataset, and a made-up row or three.
LAB = """sampleid,date_collect,location,state,expectedsubstance,primary,trace
s1,2026-01-20,Example County,NC,heroin,fentanyl; medetomidine,xylazine
s2,2026-01-21,Example County,NC,cocaine,cocaine,
s3,2024-01-21,Example County,NC,heroin,fentanyl,
"""


def told(clock: Clock) -> list[str]:
    found = delivery.lease("text", clock.now, 50, 20)
    return [letters.render(m, m.to).text for m in found if m.word == "news"]


def test_those_who_asked_for_it_are_told_once_and_nothing_is_said_on_a_lock_screen(
    clock: Clock,
) -> None:
    night, other = sams_night(("Leo",)), sams_night()
    Message.objects.all().delete()
    supply.want(night.person, True)
    assert supply.post([XYLAZINE]) == 1
    assert supply.post([XYLAZINE]) == 0, "the same one again"
    supply.post([Found("lab/2", "Example County", "More of it.", "Example Lab", "2026-01-31")])
    assert told(clock) == ["There is news for your area that may matter to you. See our page."]
    assert not Message.objects.filter(person=other.person).exists()


def test_the_page_shows_what_holds_and_only_that(clock: Clock) -> None:
    assert "No warning for this area is known" in read(browser(), "/before")
    supply.post([XYLAZINE])
    page = read(browser(), "/before")
    assert "Example County, 2026-01-30 Xylazine in pressed pills. Example Lab" in page
    clock.advance(31 * 86_400)
    assert "Xylazine" not in read(browser(), "/before")
    sweep_once(clock.now)
    assert not SupplyWarning.objects.exists()


def test_sam_asks_for_them_and_stops_them_again(clock: Clock) -> None:
    night = sams_night(("Leo",))
    sam = browser(night.key)
    post(sam, "/people", do="news", want="1")
    night.person.refresh_from_db()
    assert night.person.news
    supply.post([XYLAZINE])
    assert "1 warning for your area" in read(sam, "/watch")
    post(sam, "/people", do="news")
    night.person.refresh_from_db()
    assert not night.person.news


@pytest.mark.parametrize(
    ("found", "says"),
    [
        (Found("", "", "x", "", ""), "what was found"),
        (Found("", "x", " \n", "", ""), "what was found"),
        (Found("", "x", "x", "", "", 0), "1 to 90 days"),
        (Found("", "x", "x", "", "", 91), "1 to 90 days"),
        (Found("", "x", "x", "", "2099-01-01"), "the day it was found"),
        (Found("", "x", "x", "", "2026-02-30"), "the day it was found"),
    ],
)
def test_what_says_nothing_is_refused(found: Found, says: str) -> None:
    with pytest.raises(Problem, match=says):
        supply.post([found])


# --- the desk -------------------------------------------------------------------------------------


def stock() -> str:
    return f"/desk/{desk.key()}/stock"


def upload(name: str, body: bytes) -> Any:
    file = SimpleUploadedFile(name, body)
    fields = {"do": "warn-file", "file": file, "source": "Example Lab"}
    return browser().post(stock(), fields, follow=True)


def test_a_coordinator_posts_one_and_takes_it_back(clock: Clock) -> None:
    fields = {"do": "warn", "area": "Example County", "text": "Stronger now.", "source": "Ruth"}
    assert browser().post(stock(), {**fields, "days": "x"}).status_code == 422
    response = browser().post(stock(), {**fields, "text": "", "days": "7"})
    assert response.status_code == 422
    assert 'value="Example County"' in response.content.decode(), "nothing typed is lost"
    assert browser().post(stock(), {**fields, "days": "7"}).status_code == 303
    found = SupplyWarning.objects.get()
    assert (found.ends_at - clock.now) // 86_400_000 == 7
    browser().post(stock(), {"do": "back", "warning": str(found.id)})
    assert not SupplyWarning.objects.exists()


def test_a_lab_s_file_gives_what_is_new_and_surprises(clock: Clock) -> None:
    assert "Kept." in text_of(upload("analysis_dataset.csv", LAB.encode()))
    found = SupplyWarning.objects.get()
    assert found.text == "heroin: fentanyl; medetomidine; xylazine"
    assert (found.area, found.found_on, found.ref) == (
        "Example County",
        "2026-01-20",
        "Example Lab/s1",
    )


def test_json_is_read_too(clock: Clock) -> None:
    rows = [
        {"date": "01/25/2026", "city": "Denver", "text": "Nitazenes."},
        {"date": "", "city": ""},
    ]
    for told in (rows, {"results": rows}):
        assert upload("r.json", json.dumps(told).encode()).status_code == 200
    assert SupplyWarning.objects.get().area == "Denver"


@pytest.mark.parametrize(
    "body",
    [b"", b"\xff\xfe", b"{", b"[" * 5000, b"a,b\n1,2\n", b'[1, "x", null]', b'{"a": 1}', b"\x00"],
)
def test_a_file_that_is_none_is_said_kindly(body: bytes) -> None:
    response = upload("x.csv", body)
    assert response.status_code == 422
    assert "file" in text_of(response).lower()
    assert not SupplyWarning.objects.exists()


# --- feeds ----------------------------------------------------------------------------------------


def test_what_goes_out_as_a_feed_comes_in_as_one(clock: Clock) -> None:
    odd = "\x0b\ufffe\u202e"
    supply.post(
        [XYLAZINE, Found("", f"Denver{odd}", 'Half < strength & "more"', "Lab", "2026-01-29")]
    )
    feed = browser().get("/warnings.atom")
    assert feed["Content-Type"].startswith("application/atom+xml")
    found = feeds.entries(feed.content, "https://lamp.example.org/warnings.atom")
    assert {each.area for each in found} == {"Example County", "Denver"}
    assert any('Half < strength & "more"' in each.text for each in found)
    SupplyWarning.objects.all().delete()
    assert supply.post(found) == 2
    assert supply.post(found) == 0


def serve(body: bytes, status: int = 200) -> int:
    """Read one feed from a server on this machine; how many warnings were new."""

    async def run() -> int:
        async def answer(_: web.Request) -> web.Response:
            return web.Response(body=body, status=status)

        app = web.Application()
        app.router.add_get("/feed", answer)
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


def test_a_feed_that_fails_is_in_nobody_s_way() -> None:
    assert feeds.read_once(["http://127.0.0.1:1/feed", "nonsense"]) == 0


def test_a_bomb_in_a_feed_does_not_go_off() -> None:
    bomb = b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaaaaaaaa">' + b"".join(
        f'<!ENTITY {b} "{f"&{a};" * 10}">'.encode()
        for a, b in zip("abcdefgh", "bcdefghi", strict=True)
    )
    bomb += b"]><rss version='2.0'><channel><title>&i;</title></channel></rss>"
    assert feeds.entries(bomb, "x") == []


def test_a_broken_way_is_not_told(clock: Clock) -> None:
    night = sams_night()
    Message.objects.all().delete()
    supply.want(night.person, True)
    Address.objects.update(state="opted-out")
    supply.post([XYLAZINE])
    assert told(clock) == []
