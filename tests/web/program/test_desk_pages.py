"""The desk in a bad night: as many statements for hundreds of alarms as for a few, in pages."""

from __future__ import annotations

import json
import re
from functools import partial

import pytest
from django.test import Client

from stillhere.core import events as ev
from stillhere.sim import crowd
from stillhere.store.installation import desk_key, peers
from stillhere.store.kits import kits, supply_warnings
from stillhere.store.kits.kits import Inside
from stillhere.store.kits.supply_warnings import ReportedWarning
from stillhere.store.models import (
    Kit,
    Message,
    Page,
    Peer,
    Person,
    Responder,
    SupplyWarning,
    WatchRow,
)
from stillhere.store.program import shifts
from stillhere.store.watches import rows
from stillhere.store.watches.apply import CallForHelp
from tests.circle import SamsNight, sams_night, tick_all
from tests.conftest import Clock
from tests.store.watches.test_statements import said_by
from tests.web.conftest import browser
from tests.web.pages import make, text_of, turned

MOST_STATEMENTS = 20
SIZE = 20
LISTS = ("page", "look", "volunteers", "peers", "waiting", "paged")
FORM = re.compile(r'name="do" value="resolve">\s*<input type="hidden" name="watch" value="(\d+)"')


@pytest.fixture
def path() -> str:
    return f"/desk/{desk_key.key()}"


@pytest.fixture
def ruth(path: str) -> Client:
    """A browser at the desk."""
    anyone = browser()
    anyone.get(path)
    return anyone


def open_alarms(clock: Clock, count: int) -> list[int]:
    """So many open alarms, with two on each list."""
    made = crowd.silent_people(count, clock.now, lambda n: clock.now, contacts=2)
    crowd.asked(made, clock.now)
    tick_all()
    return [each.watch for each in made]


def beside(clock: Clock, count: int) -> None:
    """Of everything else on the desk so many."""
    for no in range(count):
        kits.add(
            Inside("nasal", 2, f"20{30 + no // 12}-{1 + no % 12:02d}"),
            responder=shifts.add(f"Ana {no}", f"+120255501{no:02d}", "en"),
        )
        peers.add(f"River County {no}")
        supply_warnings.post(ReportedWarning("", f"Denver {no}", "Percocet", "Ruth", ""))
        about = {"channel": f"way {no}", "word": "x", "urgency": 1, "created_at": clock.now}
        Message.objects.create(key=f"wait{no}", due_at=clock.now, **about)
        Page.objects.create(
            nonce=bytes([no] * 16), key_hash=bytes([no] * 32), opened_at=clock.now, count=no
        )
    shifts.begin(shifts.everyone()[-1], 4)


def on(html: str) -> list[int]:
    """The open alarms on it, by the watch."""
    return [int(id) for id in FORM.findall(html)]


@pytest.mark.slow
def test_the_desk_is_as_many_statements_for_hundreds_of_alarms_as_for_a_few(
    ruth: Client, clock: Clock
) -> None:
    few = open_alarms(clock, 60)
    beside(clock, 3)
    WatchRow.objects.filter(id__in=few[5:]).update(state="open", alarm="")
    WatchRow.objects.filter(id__in=few[3:6]).update(quarantined_at=1)
    a_few = said_by(lambda: ruth.get("/desk"))
    assert len(a_few) <= MOST_STATEMENTS, "\n".join(a_few)
    stock = said_by(lambda: ruth.get("/desk/stock"))
    kept = WatchRow.objects.get(id=few[0])
    WatchRow.objects.filter(id__in=few).update(state="alarm", alarm=kept.alarm)
    WatchRow.objects.filter(id__in=few[30:]).update(quarantined_at=1)
    for kind in (Peer, SupplyWarning, Page, Kit, Responder):
        kind.objects.all().delete()
    Message.objects.filter(key__startswith="wait").delete()
    beside(clock, 45)
    for query in ("", "?page=2&look=2&volunteers=2&peers=2&waiting=2&paged=2"):
        many = said_by(partial(ruth.get, f"/desk{query}"))
        assert len(many) == len(a_few), query
    assert len(said_by(lambda: ruth.get("/desk/stock"))) == len(stock)


def test_every_open_alarm_stands_on_one_page_and_is_counted(ruth: Client, clock: Clock) -> None:
    those = open_alarms(clock, 2 * SIZE + 1)
    found = turned(ruth, "/desk")
    assert [len(on(html)) for html in found] == [SIZE, SIZE, 1]
    assert sorted(id for html in found for id in on(html)) == sorted(those)
    for html in found:
        assert f"{len(those)} alarms are open" in html
    assert "Alarms 21 to 40." in found[1]
    assert "Page 2 of 3" in found[1]
    es = turned(browser(lang="es"), f"/desk/{desk_key.key()}")
    assert "Alarmas 41 a 41." in es[2]
    assert "Página 3 de 3" in es[2]


def test_as_many_alarms_as_a_page_holds_are_not_turned(ruth: Client, clock: Clock) -> None:
    open_alarms(clock, SIZE)
    html = ruth.get("/desk").content.decode()
    assert len(on(html)) == SIZE
    assert "Page 1" not in html
    assert "Alarms 1 to" not in html


def test_where_nobody_else_is_left_comes_first_and_where_somebody_is_last(
    ruth: Client, clock: Clock
) -> None:
    there, going, told, tried, alone = [
        sams_night(*rungs) for rungs in [(("Leo",), ("Maya",))] * 4 + [()]
    ]
    for night in (there, going, told, tried, alone):
        night.start()
    for night in (tried, there, going, told, alone):
        night.does(CallForHelp())
        if night is tried:
            for _ in range(5):
                clock.advance(60)
                tick_all()
            assert night.row().state == "alarm"
    there.does(ev.Arrived(there.contacts["Leo"].id))
    going.does(ev.Claimed(going.contacts["Leo"].id, 180))
    assert [night.row().state for night in (there, going)] == ["attended", "claimed"]
    last = [tried, alone, told, going, there]
    assert on(ruth.get("/desk").content.decode()) == [night.watch for night in last]
    WatchRow.objects.filter(id=there.watch).update(quarantined_at=1)
    html = ruth.get("/desk").content.decode()
    assert on(html)[0] == there.watch, "our own code failed, and nobody watches it"


@pytest.mark.parametrize(
    ("asked", "opens"),
    [
        ("", 0), ("0", 0), ("1", 0), ("-1", 0), ("x", 0), ("1.5", 0), ("\uff12", 0), ("%00", 0),
        ("2", 1), ("0002", 1), ("3", 2), ("4", 2), ("9999", 2), ("999999", 2), ("9999999", 0),
        ("9" * 4000, 0),
    ],
)  # fmt: skip
def test_whatever_number_is_asked_for_a_page_opens(
    ruth: Client, clock: Clock, asked: str, opens: int
) -> None:
    those = open_alarms(clock, 2 * SIZE + 1)
    answer = ruth.get(f"/desk?page={asked}")
    assert answer.status_code == 200
    assert on(answer.content.decode()) == those[opens * SIZE :][:SIZE]


def test_a_last_page_that_was_emptied_meanwhile_is_the_one_before_it(
    ruth: Client, clock: Clock
) -> None:
    those = open_alarms(clock, SIZE + 1)
    html = ruth.get("/desk?page=2").content.decode()
    assert on(html) == those[SIZE:]
    [action] = set(re.findall(r'action="(/desk/act[^"#]*)"', html))
    fields = {"do": "resolve", "watch": those[SIZE], "outcome": "fine"}
    token = {"X-CSRFToken": ruth.cookies["csrftoken"].value}
    pressed = ruth.post(action, fields, headers=token)
    assert pressed["Location"] == "/desk?page=2&said=told", "back to where it was pressed"
    after = ruth.get(pressed["Location"]).content.decode()
    assert on(after) == those[:SIZE]
    assert "Page 1" not in after


def test_each_list_turns_on_its_own_and_the_others_stay(ruth: Client, clock: Clock) -> None:
    open_alarms(clock, SIZE + 1)
    beside(clock, SIZE + 1)
    html = ruth.get("/desk?page=2&volunteers=2&said=told&more=x").content.decode()
    links = re.findall(r'rel="(\w+)" href="([^"]*)"', html.replace("&amp;", "&"))
    links = [link for link in links if "/desk" in link[1]]
    assert links == [
        ("prev", "/desk?page=1&volunteers=2"),
        ("next", "/desk?page=2&volunteers=2&paged=2#paged"),
        ("prev", "/desk?page=2&volunteers=1#volunteers"),
        ("next", "/desk?page=2&volunteers=2&waiting=2#waiting"),
        ("next", "/desk?page=2&volunteers=2&peers=2#peers"),
    ]
    for _, link in links:
        name = link.partition("#")[2]
        assert not name or f'id="{name}"' in html


def test_no_list_of_the_desk_grows_without_end(ruth: Client, clock: Clock) -> None:
    beside(clock, 45)
    ids = open_alarms(clock, 45)
    WatchRow.objects.filter(id__in=ids).update(quarantined_at=1)
    Message.objects.exclude(key__startswith="wait").update(status="sent")
    row = {"page": 'value="resolve"', "look": 'value="looked"', "volunteers": 'value="dismiss"'}
    row |= {"peers": "River County", "waiting": "<strong>way ", "paged": "22:00 UTC</strong> "}
    for name in LISTS:
        found = [html.count(row[name]) for html in turned(ruth, "/desk", name)]
        assert found == [20, 20, 5], name
    stock = {"kinds": "1 kit,", "warnings": 'value="back"'}
    for name, each in stock.items():
        found = [html.count(each) for html in turned(ruth, "/desk/stock", name)]
        assert found == [20, 20, 5], name


def test_who_is_on_shift_and_who_is_silent_stand_first(ruth: Client, clock: Clock) -> None:
    beside(clock, SIZE + 1)
    key = peers.add("Young County")
    peers.beat(key, clock.now)
    clock.advance(200)
    told = text_of(ruth.get("/desk"))
    assert told.index("Ana 20 on shift") < told.index("Ana 0 not on shift")
    assert told.index("Young County not heard") < told.index("River County 0")


def test_of_names_only_those_on_the_page_are_opened(ruth: Client, clock: Clock) -> None:
    those = open_alarms(clock, SIZE + 1)
    last = WatchRow.objects.get(id=those[-1])
    Person.objects.filter(id=last.person_id).update(name=b"\0\1 cannot be opened")
    assert len(on(ruth.get("/desk").content.decode())) == SIZE


def test_a_volunteer_is_added_and_wrong_ones_are_named_on_any_page(
    ruth: Client, clock: Clock
) -> None:
    open_alarms(clock, SIZE + 1)
    token = {"X-CSRFToken": ruth.cookies["csrftoken"].value}
    fields = {"do": "volunteer", "name": "Ana", "phone": "none", "lang": "en"}
    wrong = ruth.post("/desk/act?page=2", fields, headers=token)
    assert wrong.status_code == 422
    html = wrong.content.decode()
    assert 'rel="prev" href="/desk?page=1"' in html, "the desk, not where forms are sent"
    right = ruth.post("/desk/act?page=2", fields | {"phone": "+12025550177"}, headers=token)
    assert right["Location"] == "/desk?page=2&said=added-volunteer"


def test_what_was_pressed_on_a_page_of_the_stock_leads_back_there(
    ruth: Client, clock: Clock
) -> None:
    beside(clock, SIZE + 1)
    token = {"X-CSRFToken": ruth.cookies["csrftoken"].value}
    [oldest] = supply_warnings.current(clock.now)[SIZE:]
    fields = {"do": "back", "warning": oldest.id}
    pressed = ruth.post("/desk/stock?warnings=2", fields, headers=token)
    assert pressed["Location"] == "/desk/stock?said=taken-back&warnings=2"
    assert ruth.get(pressed["Location"]).content.decode().count('value="back"') == SIZE


def test_the_order_rests_on_what_stands_in_the_row(night: SamsNight) -> None:
    """The query reads the text of an alarm, so its form must stay."""
    make("alarm", night)
    text = night.row().alarm
    assert rows.FIRST_ROUND in text
    assert rows.TOLD_NOBODY not in text
    assert json.loads(text)["round"] == 0
    alone = sams_night()
    make("alarm", alone)
    assert rows.TOLD_NOBODY in alone.row().alarm
