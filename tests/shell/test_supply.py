"""Warnings about the supply: posted, read from files and feeds, told once, and gone in time."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from aiohttp import web
from django.core.files.uploadedfile import SimpleUploadedFile
from pytest_django.fixtures import Settings

from stillhere.engine import feeds, letters
from stillhere.engine.audit import sweep_once
from stillhere.store import delivery, desk, services, supply
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
    assert supply.post(XYLAZINE)
    assert not supply.post(XYLAZINE), "the same one again"
    supply.post(Found("lab/2", "Example County", "More of it.", "Example Lab", "2026-01-31"))
    assert told(clock) == ["There is news that may matter to you. See our page."]
    assert not Message.objects.filter(person=other.person).exists()


def test_the_page_shows_what_holds_and_only_that(clock: Clock) -> None:
    assert "We know of no warning now." in read(browser(), "/before")
    supply.post(XYLAZINE)
    page = read(browser(), "/before")
    assert "Example County, 2026-01-30 Xylazine in pressed pills. Example Lab" in page
    clock.advance(31 * 86_400)
    assert "Xylazine" not in read(browser(), "/before")
    sweep_once(clock.now)
    assert SupplyWarning.objects.exists(), "a feed may still carry it"
    clock.advance(32 * 86_400)
    sweep_once(clock.now)
    assert not SupplyWarning.objects.exists()


def test_sam_asks_for_them_and_stops_them_again(clock: Clock) -> None:
    night = sams_night(("Leo",))
    sam = browser(night.key)
    post(sam, "/people", do="news", want="1")
    night.person.refresh_from_db()
    assert night.person.news
    supply.post(XYLAZINE)
    assert "1 warning we know of, and what makes it safer" in read(sam, "/watch"), (
        "no town is known"
    )
    services.set_plan(night.person, town="Example, Colorado")
    assert "1 warning for your town" in read(sam, "/watch")
    supply.post(Found("", "Elsewhere", "Another.", "Example Lab", "2026-01-31"))
    assert "1 warning for your town" in read(sam, "/watch")
    told = read(sam, "/before")
    assert told.index("Xylazine in pressed") < told.index("Another."), "near their town first"
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
        (Found("", "x", "x", "", "2099-01-01"), "a day to come"),
        (Found("", "x", "x", "", "1900-01-01"), "too long ago"),
        (Found("", "x", "x", "", "2026-02-30"), "the day it was found"),
    ],
)
def test_what_says_nothing_is_refused(found: Found, says: str) -> None:
    with pytest.raises(Problem, match=says):
        supply.post(found)


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
    nobody = browser().post(stock(), {**fields, "source": " ", "days": "7"})
    assert "Say who says so, so that others can ask." in text_of(nobody)
    assert browser().post(stock(), {**fields, "days": "7"}).status_code == 303
    found = SupplyWarning.objects.get()
    assert (found.ends_at - clock.now) // 86_400_000 == 7
    browser().post(stock(), {"do": "back", "warning": str(found.id)})
    assert not supply.current(clock.now)
    again = browser().post(stock(), {"do": "back", "warning": str(found.id)}, follow=True)
    assert "Taken back" not in text_of(again), "it was over"
    fields["days"] = "7"
    browser().post(stock(), fields)
    assert "stands there already" in text_of(browser().post(stock(), fields, follow=True))
    assert len(supply.current(clock.now)) == 1, "posted anew it holds, once"


def test_a_lab_s_file_gives_what_is_new_and_surprises(clock: Clock) -> None:
    told = text_of(upload("analysis_dataset.csv", LAB.encode()))
    assert "Taken in: 1." in told
    assert "Left out, nothing in it that surprises: 1." in told
    assert "Left out, older than 60 days: 1." in told
    assert "Known already: 1." in text_of(upload("analysis_dataset.csv", LAB.encode()))
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


def test_of_several_lists_the_one_with_results_is_read(clock: Clock) -> None:
    told = {"meta": [1], "results": [{"date": "2026-01-25", "city": "Denver", "text": "Stronger."}]}
    upload("r.json", json.dumps(told).encode())
    assert [each.area for each in supply.current(clock.now)] == ["Denver"]


def test_no_field_can_carry_what_no_database_can(clock: Clock) -> None:
    row = {"date": "2026-01-25", "city": "Den\ud800ver", "text": "Xyl\ud800azine", "id": "\ud800"}
    assert "Taken in: 1." in text_of(upload("r.json", json.dumps([row]).encode()))
    assert supply.current(clock.now)[0].area == "Denver"
    assert browser().get("/warnings.atom").status_code == 200


@pytest.mark.parametrize(
    ("sold", "holds", "worth"),
    [
        ("cocaine", "no fentanyl detected", False),
        ("fentanyl", "Fentanyl", False),
        ("fentanyl", "fentanyl; xylazine", True),
        ("heroin", "without xylazine; fentanyl", True),
        ("", ["fentanyl", {"a": "xylazine"}], True),
    ],
)
def test_what_is_not_there_or_was_expected_is_no_warning(
    clock: Clock, sold: str, holds: object, worth: bool
) -> None:
    row = {"date": "2026-01-25", "city": "Denver", "sold_as": sold, "results": holds}
    upload("r.json", json.dumps([row]).encode())
    found = supply.current(clock.now)
    assert bool(found) == worth
    assert not any("{" in each.text for each in found)


@pytest.mark.parametrize(
    "body",
    [
        b"date,city,text\r2026-01-20,Denver,Stronger.\r",
        "date\tcity\ttext\r\n2026-01-20\tDenver\tStronger.\r\n".encode("utf-16"),
    ],
)
def test_files_of_older_spreadsheets_are_read(clock: Clock, body: bytes) -> None:
    upload("r.csv", body)
    assert [each.area for each in supply.current(clock.now)] == ["Denver"]


@pytest.mark.parametrize("between", [",", ";", "\t"])
def test_spreadsheets_put_one_of_three_signs_between(clock: Clock, between: str) -> None:
    lines = [("date", "city", "text"), ("20-Jan-2026", "Denver", "Stronger."), ("", "", "")]
    upload("r.csv", "\r\n".join(map(between.join, lines)).encode("utf-8-sig"))
    assert [each.found_on for each in supply.current(clock.now)] == ["2026-01-20"]


def test_a_file_with_nothing_but_names_of_columns_is_told_so(clock: Clock) -> None:
    assert "only the names of its columns" in text_of(upload("r.csv", b"date,city,text\n"))


def test_one_row_that_cannot_be_is_named_and_the_others_stand(clock: Clock) -> None:
    rows = (
        "date,city,text\n1/20/26 10:00,Denver,One.\n\n,,\n2026-06-01,Denver,Two.\nsoon,Denver,3\n"
    )
    told = text_of(upload("r.csv", rows.encode()))
    assert "Taken in: 1." in told
    assert "Left out, with a day to come: 1 (rows 5)." in told
    assert "Left out, no day, place or finding that we can read: 1 (rows 6)." in told


def lab_rows(many: int, day: str, ref: str = "s") -> bytes:
    rows = [f"{ref}{no},{day},Town {no},NC,heroin,fentanyl {ref}," for no in range(many)]
    return "\n".join([LAB.splitlines()[0], *rows]).encode()


def test_a_large_file_ends_no_warning_of_ours_and_says_what_it_left(clock: Clock) -> None:
    supply.post(XYLAZINE)
    told = text_of(upload("r.csv", lab_rows(supply.MOST_KEPT + 100, "2026-01-20")))
    assert f"Taken in: {supply.MOST_KEPT}." in told
    assert "Left out, there is no room and newer ones stay: 100." in told
    assert SupplyWarning.objects.filter(text=XYLAZINE.text, ends_at__gt=clock.now).exists()
    told = text_of(upload("r.csv", lab_rows(30, "2026-01-25", "t")))
    assert "Taken in: 30. Older ones that ended to make room: 30." in told
    assert len(supply.current(clock.now)) == supply.MOST_KEPT + 1


def test_a_person_reads_a_few_of_each_place_the_newest_first(clock: Clock) -> None:
    for no in range(10, 20):
        supply.post(Found("", "Denver", f"Batch {no}.", "", f"2026-01-{no}"))
    supply.post(Found("", "Boulder", "Other.", "", "2026-01-12"))
    told = read(browser(), "/before")
    assert told.index("Batch 19.") < told.index("Batch 15.") < told.index("Other.")
    assert "Batch 14." not in told
    assert "5 more, older or elsewhere, are not shown here." in told


@pytest.mark.parametrize(
    ("area", "town", "is_near"),
    [
        ("Denver", "Denver, Colorado", True), ("Denver County", "denver", True),
        ("Denver, CO", "Denver, Colorado", True), ("CO", "Denver, CO", True),
        ("Springfield, IL", "Springfield, MA", False), ("Durham", "Denver", False),
        ("Denver", "", False), ("", "Denver", False), ("Denver", "-", False),
    ],
)  # fmt: skip
def test_a_place_is_somebody_s_town(area: str, town: str, is_near: bool) -> None:
    assert supply.near(area, town) is is_near


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
    return supply.take_in(feeds.entries(body, url)).new


def test_what_goes_out_as_a_feed_comes_in_as_one(clock: Clock, at: Callable[[str], None]) -> None:
    odd = "\x0b\ufffe\u202e"
    at("a")
    supply.post(XYLAZINE)
    supply.post(Found("", f"Denver{odd}", 'Half < strength & "more"', "Lab", "2026-01-29"))
    sent = {(w.area, w.text, w.source, w.found_on) for w in supply.current(clock.now)}
    feed = browser().get("/warnings.atom")
    assert feed["Content-Type"].startswith("application/atom+xml")
    assert feeds.entries(feed.content, "https://x.example.org/warnings.atom") == [], "our own"
    at("b")
    assert reads(feed.content) == 2
    assert reads(feed.content) == 0
    assert {(w.area, w.text, w.source, w.found_on) for w in supply.current(clock.now)} == sent


def test_two_that_read_each_other_do_not_multiply_and_tell_once(
    clock: Clock, at: Callable[[str], None]
) -> None:
    night = sams_night()
    supply.want(night.person, True)
    at("a")
    supply.post(XYLAZINE)
    supply.take_in([Found("lab/7", "Denver", "Stronger.", "Lab", "2026-01-28")])
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
    assert len(supply.current(clock.now)) == 2
    assert Message.objects.filter(word="news").count() <= 2 * 2, "b's and c's own, never a's again"


def test_one_that_gives_copies_new_names_does_not_make_them_grow(
    clock: Clock, at: Callable[[str], None]
) -> None:
    at("a")
    supply.post(XYLAZINE)
    sent = browser().get("/warnings.atom").content.decode()
    renamed = re.sub(r"<id>[^<]*#w[^<]*</id>", "<id>https://b.example.org/before#w9</id>", sent)
    assert reads(renamed.encode()) == 0


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


def rss(*items: str, title: str = "<title>Alerts</title>") -> bytes:
    rows = "".join(f"<item>{item}</item>" for item in items)
    return (
        f'<?xml version="1.0"?><rss version="2.0"><channel>{title}{rows}</channel></rss>'.encode()
    )


NOW = "<pubDate>Fri, 30 Jan 2026 10:00:00 GMT</pubDate>"


def test_an_old_entry_of_a_feed_is_no_warning(clock: Clock) -> None:
    old = "<title>Old</title><pubDate>Fri, 04 Jan 2019 10:00:00 GMT</pubDate>"
    assert reads(rss(old, "<title>Of no day</title>", f"<title>New</title>{NOW}")) == 1
    assert [each.text for each in supply.current(clock.now)] == ["New"]


def test_what_was_taken_back_or_is_over_does_not_come_again(clock: Clock) -> None:
    body = rss(f"<title>Wrong</title><guid>a1</guid>{NOW}")
    assert reads(body) == 1
    supply.take_back(supply.current(clock.now)[0].id)
    assert reads(body) == 0
    for _week in range(12):
        clock.advance(7 * 86_400)
        supply.end_due(clock.now)
        assert reads(body) == 0
    assert not supply.current(clock.now)


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
    [each] = supply.current(clock.now)
    assert each.source == each.area == "lab.example.org"
    for path in ("/before", "/warnings.atom"):
        body = browser().get(path).content.decode()
        assert "geheim" not in body
        assert "pass@" not in body


def test_many_that_are_over_are_forgotten(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supply, "MOST_REMEMBERED", 3)
    for no in range(6):
        supply.post(Found("", "Denver", f"Batch {no}.", "", "2026-01-30"))
    for each in supply.current(clock.now):
        supply.take_back(each.id)
    supply.end_due(clock.now)
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
    supply.want(night.person, True)
    Address.objects.update(state="opted-out")
    supply.post(XYLAZINE)
    assert told(clock) == []
