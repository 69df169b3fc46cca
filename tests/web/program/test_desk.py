"""The coordinator's desk: what needs a person, and whether the light is green."""

from __future__ import annotations

import re
import time
from datetime import UTC, datetime

import pytest
from click.testing import CliRunner
from django.conf import settings
from django.test import Client

from stillhere.cli.commands.desk import command
from stillhere.core import events as ev
from stillhere.core.events import State
from stillhere.core.messages import Fate
from stillhere.store.installation import desk_key, peers
from stillhere.store.models import Installation, Message, Tally, WatchRow
from stillhere.store.watches.apply import CallForHelp
from stillhere.store.watches.group_commit import WRITER
from tests.circle import SamsNight, sams_night
from tests.conftest import Clock
from tests.engine.test_reached import try_all
from tests.store.watches.test_statements import said_by
from tests.web.conftest import browser
from tests.web.pages import everything, make, read, text_of


@pytest.fixture
def path() -> str:
    return f"/desk/{desk_key.key()}"


def press(path: str, **fields: object) -> str:
    anyone = browser()
    response = anyone.post(f"{path}/act", fields)
    assert response.status_code == 303
    return read(anyone, response["Location"])


def test_the_command_prints_the_link_and_the_same_one_again(path: str) -> None:
    told = CliRunner().invoke(command)
    assert told.exit_code == 0
    assert told.output == f"{settings.STILLHERE.base_url}{path}\n"
    assert CliRunner().invoke(command).output == told.output


def test_a_leaked_link_is_replaced_and_opens_nothing(path: str) -> None:
    browser().get(path)
    told = CliRunner().invoke(command, ["--new"])
    assert told.exit_code == 0
    fresh = told.output.strip().removeprefix(settings.STILLHERE.base_url)
    assert fresh != path
    assert browser().get(path).status_code == 404
    assert browser().get(fresh).status_code == 200
    assert CliRunner().invoke(command).output == told.output, "and it stays"


def test_before_the_first_link_no_key_opens() -> None:
    assert not desk_key.opens("")
    Installation.objects.all().delete()
    assert not desk_key.opens("")
    assert browser().get("/desk/" + "x" * 27).status_code == 404


def test_only_its_key_opens_it(path: str, night: SamsNight) -> None:
    make("alarm", night)
    for wrong in (path[:-1], path + "x", f"/desk/{night.key}", "/desk/é"):
        assert browser().get(wrong).status_code == 404
        assert browser().post(f"{wrong}/act", {"do": "looked", "watch": 1}).status_code == 404


def test_messages_lead_to_the_door_and_a_known_browser_through_it(path: str) -> None:
    anyone = browser()
    assert "stillhere desk" in read(anyone, "/desk")
    anyone.get(path)
    assert "No alarm is open" in read(anyone, "/desk")


def test_the_key_leaves_the_address_after_the_first_visit(path: str) -> None:
    ruth = Client()
    assert ruth.get(path)["Location"] == "/desk"
    cookie, key = ruth.cookies["desk"], path.removeprefix("/desk/")
    assert (cookie["path"], cookie["httponly"], cookie["samesite"]) == ("/", True, "Lax")
    assert cookie["max-age"] == 12 * 3600
    for page in ("/desk", "/desk/stock", "/desk/kits.csv"):
        answer = ruth.get(page)
        assert answer.status_code == 200
        assert key not in answer.content.decode()
    assert key not in cookie.value
    assert ruth.get(f"{path}/stock")["Location"] == "/desk/stock", "kept from before"


def test_a_new_link_ends_every_desk_that_the_old_one_opened(path: str) -> None:
    ruth = Client()
    ruth.get(path)
    desk_key.key(new=True)
    for page in ("/desk", "/desk/stock", "/desk/kits.csv"):
        assert "stillhere desk" in read(ruth, page)
    answer = ruth.post("/desk/act", {"do": "looked", "watch": 1})
    assert answer.status_code == 403
    assert "Nothing was changed" in text_of(answer)


def test_a_desk_is_open_for_twelve_hours(path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    ruth, began = Client(), time.time()
    ruth.get(path)
    ruth.cookies["desk"]["max-age"] = ""  # a browser that keeps it for longer
    monkeypatch.setattr("django.core.signing.time.time", lambda: began + 12 * 3600 - 60)
    assert "No alarm is open" in read(ruth, "/desk")
    monkeypatch.setattr("django.core.signing.time.time", lambda: began + 12 * 3600 + 60)
    assert "stillhere desk" in read(ruth, "/desk")


def test_another_page_cannot_press_at_the_desk(path: str, night: SamsNight) -> None:
    make("alarm", night)
    ruth = Client(enforce_csrf_checks=True)
    ruth.get(path)
    before = everything()
    for fields in ({"do": "resolve", "watch": night.watch, "outcome": "fine"}, {"do": "volunteer"}):
        assert ruth.post("/desk/act", fields).status_code == 403
    assert ruth.post("/desk/stock", {"do": "kit"}).status_code == 403
    assert everything() == before


def test_open_alarms_stand_first_with_who_is_going(path: str, night: SamsNight) -> None:
    assert "No alarm is open" in read(browser(), path)
    make("claimed", night)
    told = read(browser(), path)
    assert "1 alarm is open" in told
    assert "Sam asks for help." in told
    assert "Leo is going, 3 minutes" in told
    assert "Maya cannot come" in told
    assert "Elm" not in told
    lonely = sams_night()
    lonely.start()
    lonely.does(CallForHelp())
    told = read(browser(), path)
    assert "2 alarms are open" in told
    assert "You are the only one who knows." in told


def test_the_coordinator_can_say_how_it_ended(path: str, night: SamsNight) -> None:
    make("alarm", night)
    assert "We told the others who were called." in press(
        path, do="resolve", watch=night.watch, outcome="fine"
    )
    assert night.row().state == State.CLOSED
    assert "This watch is over." in press(path, do="resolve", watch=night.watch, outcome="fine")


@pytest.mark.parametrize(
    "fields",
    [
        {"do": "resolve", "outcome": "ended"},
        {"do": "resolve", "outcome": "not-found"},
        {"do": "resolve", "outcome": "x"},
        {"do": "resolve", "outcome": "fine", "watch": "9" * 30},
        {"do": "resolve", "outcome": "fine", "watch": "x"},
        {"do": "looked"},
        {"do": "explode"},
        {},
    ],
)
def test_what_makes_no_sense_changes_nothing(
    path: str, night: SamsNight, fields: dict[str, str]
) -> None:
    make("alarm", night)
    before = everything()
    press(path, **{"watch": str(night.watch), **fields})
    assert everything() == before


@pytest.mark.parametrize(
    ("outcome", "said"),
    [
        ("hospital", "We told the others who were called."),
        ("died", "It is closed, and we told nobody"),
    ],
)
def test_the_desk_says_what_was_sent_and_no_more(
    path: str, night: SamsNight, outcome: str, said: str
) -> None:
    make("alarm", night)
    assert said in press(path, do="resolve", watch=night.watch, outcome=outcome)


def test_the_desk_says_that_nobody_had_been_called(path: str) -> None:
    alone = sams_night()
    alone.start()
    alone.does(CallForHelp())
    told = press(path, do="resolve", watch=alone.watch, outcome="fine")
    assert "Noted. Nobody else was called." in told


def test_grave_news_waits_until_somebody_has_looked(path: str, night: SamsNight) -> None:
    make("grave", night)
    told = read(browser(), path)
    assert "A person must look" in told
    assert "Sam" in told
    assert "Noted that you have looked." in press(path, do="looked", watch=night.watch)
    assert night.row().looked_at is not None
    assert "A person must look" not in read(browser(), path)
    press(path, do="looked", watch=night.watch)


def test_a_watch_that_was_set_aside_stands_on_the_desk(path: str, night: SamsNight) -> None:
    night.start()
    WatchRow.objects.update(quarantined_at=1)
    assert "our own code failed on this watch" in read(browser(), path)
    press(path, do="looked", watch=night.watch)
    assert night.row().state == State.CLOSED


def test_the_backlog_and_what_failed_are_counted(path: str, night: SamsNight, clock: Clock) -> None:
    Message.objects.update(status="sent")
    assert "Waiting to be sent Nothing." in read(browser(), path)
    make("alarm", night)
    clock.advance(40)
    told = read(browser(), path)
    assert "call : 1 message has waited for 40 s." in told
    assert "text : 1 message has waited for 40 s." in told
    Message.objects.update(status="failed", done_at=clock.now)
    failed = Message.objects.count()
    assert f"{failed} messages could not be delivered" in read(browser(), path)


def test_what_is_refused_waits_with_the_reason_and_nobody_was_told(
    path: str, night: SamsNight, clock: Clock
) -> None:
    Message.objects.update(status="sent")
    make("alarm", night)
    try_all(clock, Fate.BUSY, "text", "call", why="refuses us 401")
    for _ in range(6):
        clock.advance(70)
        try_all(clock, Fate.BUSY, "text", "call", why="refuses us 401")
    told = read(browser(), path)
    assert "Leo not told yet: we are trying, nothing has left" in told
    assert "was told" not in told
    assert "call : 1 message has waited for 420 s. one: refuses us 401" in told, (
        "though it is due only in a minute"
    )
    Message.objects.filter(word="help", channel="text").update(status="delivered", vain_at=None)
    told = read(browser(), path)
    assert "Leo was told, no answer yet" in told
    assert "text 1" not in told


def test_who_was_told_is_read_at_once_for_all_alarms(path: str, night: SamsNight) -> None:
    def read_at_once() -> int:
        said = said_by(lambda: browser().get(path))
        return sum("DISTINCT m.watch_id, m.contact_id" in each for each in said)

    make("alarm", night)
    assert read_at_once() == 1
    for _ in range(3):
        make("alarm", sams_night(("Leo",), ("Maya",)))
    assert read_at_once() == 1


def test_counts_hold_no_name(path: str, night: SamsNight) -> None:
    make("revived", night)
    told = read(browser(), path)
    assert "watches started 1" in told
    assert "calls for help 1" in told
    assert "brought back 1" in told


def test_the_light_is_green_only_when_it_means_something(path: str, clock: Clock) -> None:
    told = read(browser(), path)
    assert "nothing could be written lately" in told
    WRITER.wrote_ms = clock.boot
    assert "The watch runs" in read(browser(), path)
    clock.advance(11)
    told = read(browser(), path)
    assert "the engine is not running" in told
    assert "The watch runs" not in told


def test_a_quiet_ending_is_no_ending_of_an_alarm(night: SamsNight) -> None:
    make("alarm", night)
    assert night.does(ev.Resolved(None, ev.Outcome.ENDED)).refused is not None


@pytest.mark.parametrize(
    ("counts", "says"),
    [
        (
            {},
            "0 watches in the last 30 days, 0 woke somebody for nothing: too few to say how often.",
        ),
        ({"acute.started": 29, "acute.stood-down": 2}, "29 watches in the last 30 days, 2 woke"),
        (
            {"acute.started": 200, "acute.stood-down": 3, "acute.false-alarm": 1, "acute.fine": 1},
            "2.5 of 100 watches in the last 30 days. The goal is 3 at most.",
        ),
        ({"acute.started": 100, "routine.stood-down": 50, "acute.revived": 1}, "0.0 of 100"),
    ],
)
def test_how_often_it_was_for_nothing_is_this_installation_s_own_figure(
    night: SamsNight, clock: Clock, counts: dict[str, int], says: str
) -> None:
    day = datetime.fromtimestamp(clock.now / 1000, UTC).date().isoformat()
    for what, count in counts.items():
        Tally.objects.create(day=day, what=what, count=count)
    assert says in read(browser(), f"/desk/{desk_key.key()}")


def test_installations_we_look_after_stand_on_the_desk(path: str, clock: Clock) -> None:
    assert "Installations we look after" not in read(browser(), path)
    key = peers.add("River County")
    assert "River County never heard" in read(browser(), path)
    peers.beat(key, clock.now)
    assert "River County heard at 22:00 UTC" in read(browser(), path)
    clock.advance(180)
    assert "River County not heard since 22:00 UTC: tell its coordinator" in read(browser(), path)
    told = read(browser(lang="es"), path)
    assert "Instalaciones que cuidamos" in told
    assert "River County sin noticias desde 22:00 UTC: avisa" in told


def test_the_desk_has_numbers_to_phone_and_no_place(night: SamsNight) -> None:
    path = f"/desk/{desk_key.key()}"
    assert "tel:" not in browser().get(path).content.decode()
    night.start()
    night.does(CallForHelp())
    html = browser().get(path).content.decode()
    assert re.findall(r'href="tel:\+12025550(\d+)"', html) == ["100", "101", "102"]
    assert "12 Elm Street" not in html
