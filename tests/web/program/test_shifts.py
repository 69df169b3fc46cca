"""Shifts: a stranger who rings is not alone, and nobody hears without need where they are."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from django.conf import settings
from django.test import Client
from django.utils import translation
from pytest_django.fixtures import Settings

from stillhere.content import reading
from stillhere.core import events as ev
from stillhere.core.events import Outcome
from stillhere.store.db import clock, encryption
from stillhere.store.installation import desk_key
from stillhere.store.models import (
    Contact,
    Message,
    Person,
    Recording,
    Responder,
    WatchRow,
    sealed_columns,
)
from stillhere.store.people import contacts, persons, records
from stillhere.store.problems import Problem, Reached
from stillhere.store.program import shifts
from stillhere.store.recordings import strangers
from stillhere.store.watches import apply
from stillhere.store.watches.apply import CallForHelp, Change
from tests.channels.accounts import carrier_of
from tests.circle import SamsNight, sams_night, tick_all
from tests.conftest import Clock
from tests.hook import MALLORY, SAM, Hook
from tests.languages import LANGUAGES
from tests.recorded import SAID, Recorder
from tests.store.watches.test_statements import said_by
from tests.web.conftest import browser, post
from tests.web.hooks.test_calls import Line, call_to
from tests.web.pages import contact_path, read, text_of, turned

pytestmark = pytest.mark.usefixtures("database")

ANA = "+12025550177"


@pytest.fixture(autouse=True)
def carriers(settings: Settings) -> Iterator[None]:
    before = settings.STILLHERE
    settings.STILLHERE = replace(
        before, carriers=(carrier_of("twilio", "https://api.example.org"),)
    )
    yield
    settings.STILLHERE = before


@pytest.fixture
def ana() -> Responder:
    """Ana, on shift for four hours."""
    ana = shifts.add("Ana", ANA, "en")
    with pytest.raises(Problem, match="number-taken"):
        shifts.add("Ana again", ANA, "en")
    shifts.begin(ana, 4)
    return ana


def stranger() -> Person:
    return Person.objects.get(caller=True)


def rings(client: Client, *keys: str) -> Line:
    """A stranger rings us, presses these keys, and says where they are when asked."""
    line = Line(client, MALLORY)
    for key in keys:
        line.press(key)
    return line


def says_where(line: Line, ref: str = "RE1") -> None:
    assert "Say where you are" in line.says
    assert "<Record" in line.twiml
    line.press("#", RecordingSid=ref, RecordingUrl="https://example.org/RE1")


def read_on_watch(sam: Client, night: SamsNight) -> str:
    night.start()
    return read(sam, "/watch")


def silence(clock: Clock) -> WatchRow:
    """Nobody answers any more."""
    for _ in range(40):
        clock.now += 60_000
        tick_all()
        row = WatchRow.objects.get(person=stranger())
        if row.state == "alarm":
            return row
    raise AssertionError("no alarm")


def arrives(sound: bytes | None = SAID) -> list[str]:
    """The engine fetches what lies at the carrier; what it asked there."""
    return Recorder({"RE1": sound}).round(3)


# --- a stranger -----------------------------------------------------------------------------------


def test_nobody_on_shift_is_said_first_and_nothing_is_recorded(client: Client) -> None:
    line = rings(client)
    assert line.says.startswith("This is Lamp. Nobody can come to you now.")
    assert "<Record" not in line.twiml
    assert "nobody else would be told" in line.press("1")
    assert not Contact.objects.exists()
    assert not Recording.objects.exists()


def test_the_staffed_line_is_one_key_away(client: Client) -> None:
    line = rings(client)
    assert "Press 3 to talk to a person" in line.says
    assert line.press("3") == "We connect you now."
    assert "<Dial>8009720590</Dial>" in line.twiml.replace("+1", "").replace("-", "")
    assert not Person.objects.exists()


def test_a_stranger_says_where_they_are_and_only_who_is_on_shift_hears_it(
    client: Client, clock: Clock, ana: Responder
) -> None:
    line = rings(client)
    assert line.says.startswith("This is Lamp. People on shift come if you stop answering.")
    line.press("1")
    watch = WatchRow.objects.get(person=stranger())
    assert watch.state == "open"  # before a word was said
    says_where(line)
    assert "It's on." in line.says
    assert arrives() == ["get RE1", "delete RE1"]
    kept = Recording.objects.get()
    assert SAID not in bytes(kept.sound)
    assert strangers.sound(encryption.key_for("recording", kept.nonce)) is None  # no alarm

    silence(clock)
    to_ana = call_to(client, ANA)
    assert "Someone who counts on you may need help NOW" in to_ana.says.replace("&#x27;", "'")
    [url] = to_ana.twiml.split("<Play>")[1:]
    path = url.partition("</Play>")[0].removeprefix(settings.STILLHERE.base_url)
    heard = client.get(path)
    assert heard.content == SAID
    assert heard.headers["Content-Type"] == "audio/mpeg"
    assert heard.headers["Cache-Control"] == "no-store"
    assert client.get(path[:-2]).status_code == 404

    contact = Contact.objects.get(responder=ana)
    page = f"/c/{sealed_columns.contact_key(contact)}"
    assert "in their own words" not in client.get(page).content.decode()
    client.get(f"/r/{shifts.key_of(ana)}")  # from her own page it is known whose phone this is
    assert "in their own words" in client.get(page).content.decode()
    assert client.get(f"{page}/said").content == SAID

    apply.apply(Change(ev.StillHere(clock.now), watch=watch.id))
    apply.apply(Change(ev.StillHere(clock.now + 1), watch=watch.id))
    assert client.get(path).status_code == 404  # the alarm is over
    assert client.get(f"{page}/said").status_code == 404


def test_it_is_destroyed_when_the_watch_ends_well(
    client: Client, clock: Clock, ana: Responder
) -> None:
    line = rings(client, "1")
    says_where(line)
    arrives()
    watch = WatchRow.objects.get(person=stranger())
    assert strangers.destroy_well_ended() == 0
    apply.apply(Change(ev.Ended(), watch=watch.id))
    assert strangers.destroy_well_ended() == 1
    assert not Recording.objects.exists()


def test_it_is_kept_while_it_did_not_end_well(client: Client, clock: Clock, ana: Responder) -> None:
    line = rings(client, "1")
    says_where(line)
    arrives()
    row = silence(clock)
    apply.apply(Change(ev.Resolved(None, Outcome.HOSPITAL), watch=row.id))
    assert strangers.destroy_well_ended() == 0
    assert Recording.objects.exists()


def test_what_was_never_to_be_had_is_still_deleted_there(
    client: Client, clock: Clock, ana: Responder
) -> None:
    line = rings(client, "1")
    says_where(line)
    assert "delete RE1" not in arrives(None)
    watch = WatchRow.objects.get(person=stranger())
    apply.apply(Change(ev.Ended(), watch=watch.id))
    strangers.destroy_well_ended()
    clock.advance(1)
    assert "delete RE1" in arrives(None)
    assert not Recording.objects.exists()


def test_staying_on_the_line_begins_with_where(client: Client, ana: Responder) -> None:
    line = rings(client, "2")
    says_where(line)
    assert "We stay with you" in line.says
    assert "tone.wav" in line.twiml
    assert line.goes_on


def test_somebody_with_a_list_is_asked_for_nothing(
    client: Client, night: SamsNight, ana: Responder
) -> None:
    line = Line(client, SAM)
    line.press("1")
    assert "<Record" not in line.twiml
    assert not Contact.objects.filter(responder=ana).exists()


# --- shifts ---------------------------------------------------------------------------------------


def test_whoever_goes_on_shift_stands_by_for_watches_that_are_open(client: Client) -> None:
    ana = shifts.add("Ana", ANA, "es")
    rings(client, "1")
    services_person = stranger()
    shifts.want(services_person, True)
    assert not records.circle_list(services_person)
    shifts.begin(ana, 2)
    [listed] = records.circle_list(services_person)
    assert (listed.name, listed.reachable) == ("Ana", True)
    shifts.end(ana)
    assert not records.circle_list(services_person)
    shifts.begin(ana, 2)
    assert Contact.objects.count() == 1  # the same place again


def test_a_shift_ends_by_itself_but_nobody_leaves_an_open_alarm(
    client: Client, clock: Clock, ana: Responder
) -> None:
    rings(client, "1")
    row = silence(clock)
    clock.now += 5 * shifts.HOUR_MS
    shifts.end_due(clock.now)
    assert not shifts.anybody(clock.now)
    assert records.circle_list(stranger())  # still on this one
    apply.apply(Change(ev.Resolved(None, Outcome.FINE), watch=row.id))
    shifts.end_due(clock.now)
    assert not records.circle_list(stranger())


def test_a_no_by_text_is_a_no_for_good(client: Client, clock: Clock, ana: Responder) -> None:
    rings(client, "1")
    Hook(client, clock).text(ANA, "STOP")
    assert shifts.stopped(ana)
    shifts.end(ana)
    shifts.begin(ana, 4)
    assert not records.circle_list(stranger())


def test_own_people_come_first_and_volunteers_only_who_wants_them(
    sam: Client, night: SamsNight, ana: Responder
) -> None:
    night.start()
    assert [each.name for each in records.circle_list(night.person)] == ["Leo", "Maya"]
    post(sam, "/people", do="volunteers", want="1")
    assert [each.name for each in records.circle_list(night.person)] == ["Leo", "Maya", "Ana"]
    page = sam.get("/people").content.decode()
    assert ANA not in page
    assert sealed_columns.contact_key(Contact.objects.get(responder=ana)) not in page
    assert ANA[-7:] not in sam.get("/mine/lamp.json").content.decode()
    night.does(CallForHelp())
    reached = Message.objects.filter(word="help").values_list("contact__responder", flat=True)
    assert ana.id not in set(reached)  # the first round is Leo's
    night.does(ev.Resolved(None, Outcome.FINE))
    post(sam, "/people", do="volunteers")
    assert [each.name for each in records.circle_list(night.person)] == ["Leo", "Maya"]


# --- their page, and the desk ---------------------------------------------------------------------


def test_the_volunteers_page_switches_on_and_off(clock: Clock) -> None:
    ana = shifts.add("Ana", ANA, "en")
    path = f"/r/{shifts.key_of(ana)}"
    anyone = browser()
    assert "You are not on shift" in anyone.get(path).content.decode()
    assert anyone.post(f"{path}/shift", {"hours": "8"}).status_code == 303
    page = anyone.get(path).content.decode()
    assert "You are on shift" in page
    assert "8 hours" in page
    for nonsense in ("0", "13", "", "x", "-1", "9999"):
        answered = anyone.post(f"{path}/shift", {"hours": nonsense})
        assert answered["Location"].endswith("said=shift")
    anyone.post(f"{path}/shift", {"do": "off"})
    assert not shifts.anybody(clock.now)
    assert anyone.get("/r/" + "x" * 27).status_code == 404
    assert anyone.post("/r/" + "x" * 27 + "/shift", {"hours": "4"}).status_code == 404


@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_rules_for_a_stranger_s_door_stand_there_once(lang: str, ana: Responder) -> None:
    with translation.override(lang):
        [rules] = reading.parts("door")
    told = read(browser(lang=lang), f"/r/{shifts.key_of(ana)}")
    assert told.count(rules.says) == 1
    for once in ("stranger", "desconocid", "no conoces", "in pairs", "otra persona"):
        assert told.count(once) < 2, once


def test_their_page_leads_to_the_alarm(client: Client, clock: Clock, ana: Responder) -> None:
    says_where(rings(client, "1"))
    silence(clock)
    page = browser().get(f"/r/{shifts.key_of(ana)}").content.decode()
    assert "1 alarm is open" in page
    assert "Nobody wrote down where." in page
    arrives()
    told = read(browser(), f"/r/{shifts.key_of(ana)}")
    assert "They said where they are. Open it to hear that." in told
    assert sealed_columns.contact_key(Contact.objects.get(responder=ana)) in page


def test_whom_nothing_here_can_reach_is_counted_nowhere(
    sam: Client, night: SamsNight, settings: Settings, ana: Responder
) -> None:
    post(sam, "/people", do="volunteers", want="1")
    path = f"/r/{shifts.key_of(ana)}"
    assert "Alarms come by text and call." in read(browser(), path)
    assert "we reach Leo, Maya and Ana." in read_on_watch(sam, night)
    settings.STILLHERE = replace(settings.STILLHERE, carriers=(), demo_url="")
    told = read(browser(), path)
    assert "No alarm can reach you yet: nothing here sends texts or makes calls." in told
    assert "Your coordinator must connect a phone service first." in told
    assert "Alarms come by" not in told
    assert "No alarm can reach them yet" in read(browser(), f"/desk/{desk_key.key()}")
    assert "No alarm can reach you from here yet." in read(browser(), contact_path(night, "Leo"))
    assert "Volunteers cannot be reached from here yet." in read(sam, "/people")
    told = read(sam, "/watch")
    assert "Nobody will come." in told
    assert "Nothing from here can reach Ana yet." in told
    night.does(CallForHelp())
    told = read(sam, "/watch")
    assert "Nobody on your list can be reached." in told
    assert "We are reaching" not in told


def test_who_is_reached_in_an_alarm_is_only_who_can_be(
    sam: Client, night: SamsNight, settings: Settings, clock: Clock, ana: Responder
) -> None:
    here = Reached("page", "here", rings=False)
    contacts.reach_at(night.contacts["Leo"], [here])
    contacts.keep(night.contacts["Maya"], rung=0)
    settings.STILLHERE = replace(settings.STILLHERE, carriers=(), demo_url="")
    night.start()
    night.does(CallForHelp())
    told = read(sam, "/watch")
    assert "We are reaching Leo." in told
    assert "Leo and Maya" not in told


def test_a_phone_service_that_only_carries_texts_promises_no_ring(
    sam: Client, night: SamsNight, settings: Settings, ana: Responder
) -> None:
    android = replace(carrier_of("android", "https://api.example.org"), carries=("text",))
    settings.STILLHERE = replace(settings.STILLHERE, carriers=(android,), demo_url="")
    assert "Alarms come by text. Nothing rings" in read(browser(), f"/r/{shifts.key_of(ana)}")
    assert "Nothing rings at Leo, so it may wake nobody." in read(sam, "/people")


def test_the_list_says_the_town_and_leaves_the_address_to_whoever_goes(
    night: SamsNight, ana: Responder
) -> None:
    shifts.want(night.person, True)
    path = f"/r/{shifts.key_of(ana)}"
    persons.set_plan(night.person, town="Denver, Colorado")
    night.start()
    assert "Denver" not in read(browser(), path)  # no alarm yet
    night.does(CallForHelp())
    told = read(browser(), path)
    assert told.index("In Denver, Colorado.") < told.index("Sam: open")
    persons.set_plan(night.person, town="")
    told = read(browser(), path)
    assert "The address comes when you say “I'm going”." in told
    Contact.objects.filter(responder=ana).update(door=False)
    assert "Nobody wrote down where." in read(browser(), path)
    for secret in ("Elm Street", "4711"):
        assert secret not in told


def test_the_coordinator_adds_and_takes_off_volunteers(client: Client, clock: Clock) -> None:
    path = f"/desk/{desk_key.key()}"
    anyone = browser()
    add = {"do": "volunteer", "name": "Ana", "phone": "202 555 0177", "lang": "es"}
    assert anyone.post(f"{path}/act", add)["Location"].endswith("said=added-volunteer")
    [ana] = shifts.everyone()
    assert (shifts.name_of(ana), shifts.phone_of(ana), ana.lang) == ("Ana", ANA, "es")
    assert shifts.key_of(ana) in anyone.get(path).content.decode()
    assert b"Ana" not in bytes(ana.name)
    for wrong, said in (
        ({"phone": "7"}, "number"),
        ({"name": " "}, "Say what they are called"),
        ({"name": "Ben"}, "already"),
    ):
        answer = anyone.post(f"{path}/act", add | wrong)
        assert answer.status_code == 422
        assert said in text_of(answer), wrong
    shifts.begin(ana, 4)
    rings(client, "1")
    row = silence(clock)
    dismiss = {"do": "dismiss", "responder": str(ana.id)}
    assert anyone.post(f"{path}/act", dismiss)["Location"].endswith("said=on-alarm")
    apply.apply(Change(ev.Resolved(None, Outcome.FINE), watch=row.id))
    anyone.post(f"{path}/act", dismiss)
    assert not Responder.objects.exists()
    assert not Contact.objects.exists()


def test_a_shift_has_an_end() -> None:
    ana = shifts.add("Ana", ANA, "en")
    for hours in (0, 13, -1):
        with pytest.raises(Problem, match="shift"):
            shifts.begin(ana, hours)
    assert not shifts.anybody(clock.now_ms())


def test_a_volunteer_on_many_alarms_has_them_in_pages_with_as_many_statements(
    clock: Clock, ana: Responder
) -> None:
    path = f"/r/{shifts.key_of(ana)}"

    def alarms(count: int) -> None:
        for _ in range(count):
            night = sams_night()
            shifts.stand_by(night.person)
            night.start()
            night.does(CallForHelp())

    alarms(1)
    ruth = browser()
    few = said_by(lambda: ruth.get(path))
    alarms(20)
    many = said_by(lambda: ruth.get(path))
    assert len(many) == len(few), "\n".join(many)
    found = turned(browser(), path)
    assert [html.count(": open") for html in found] == [20, 1]
    assert all("21 alarms are open" in html for html in found)
    answer = browser().get(path)
    assert sum(name[1:].isdigit() for name in answer.cookies) == 20, "one for each shown"
