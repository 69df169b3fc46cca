"""What Sam said in a call of where Sam is: who hears it, in a call, on the page and by text."""

from __future__ import annotations

from dataclasses import replace

import pytest
from django.conf import settings
from django.test import Client

from stillhere.channels.wording import compose
from stillhere.core import events as ev
from stillhere.core.messages import Facts
from stillhere.engine import render
from stillhere.store.db import encryption
from stillhere.store.messages import delivery
from stillhere.store.models import Contact, Message, Person, SpokenNote
from stillhere.store.people import force, persons
from stillhere.store.privacy import export
from stillhere.store.recordings import notes
from tests.channels.accounts import OURS, carrier_of
from tests.circle import SamsNight, tick_all
from tests.conftest import Clock
from tests.hook import LEO, MALLORY, MAYA, SAM, Hook, alarmed_night, asked_night, deliver
from tests.recorded import Recorder
from tests.web.conftest import browser, post
from tests.web.hooks.test_calls import Line, call_to, carriers
from tests.web.hooks.test_notes_by_call import played
from tests.web.pages import contact_path

__all__ = ["carriers"]
pytestmark = pytest.mark.usefixtures("database")

SOUNDS = {
    "place": b"\xff\xfbthe blue house",
    "entry": b"\xff\xfbkey at Ana's",
    "name": b"\xff\xfbSam",
}


def speaks(person: Person, *kinds: str) -> None:
    """Sam said these in a call."""
    for kind in kinds or ("place", "entry", "name"):
        notes.said(person, kind, "one", f"RE{kind}")
    Recorder({f"RE{kind}": sound for kind, sound in SOUNDS.items()}).round(6)


@pytest.fixture
def alarm(clock: Clock) -> SamsNight:
    """Sam wrote nothing down and said it in a call; nobody answers, and Leo was told."""
    night = asked_night(clock)
    persons.set_plan(night.person, place="", entry="", name="")
    speaks(night.person)
    clock.advance(40)
    tick_all()
    deliver(clock)
    assert night.row().state == "alarm"
    return night


# --- in the call ----------------------------------------------------------------------------------


def test_whoever_says_they_are_going_hears_all_of_it_before_they_hang_up(
    client: Client, alarm: SamsNight
) -> None:
    line = call_to(client, LEO)
    assert "<Play>" not in line.twiml, "not before they say that they come"
    said = line.press("1")
    assert "In how many minutes" in said
    assert "In their own voice. Where they are:" in said
    assert played(client, line.twiml) == [SOUNDS["name"], SOUNDS["place"], SOUNDS["entry"]]
    line.press("7")
    assert len(played(client, line.twiml)) == 3, "asked again, it is heard again"
    line.press("3")
    assert len(played(client, line.twiml)) == 3, "and once more at the end"


def test_what_is_written_is_said_first(client: Client, alarm: SamsNight) -> None:
    persons.set_plan(alarm.person, place="12 Elm Street", name="Sam")
    line = call_to(client, LEO)
    said = line.press("1")
    assert said.index("12 Elm Street") < said.index("In their own voice")


def test_who_does_not_come_or_may_not_see_the_door_hears_nothing(
    client: Client, alarm: SamsNight
) -> None:
    line = call_to(client, LEO)
    line.press("2")
    assert "<Play>" not in line.twiml
    Contact.objects.update(door=False)
    line = call_to(client, LEO)
    line.press("1")
    assert "<Play>" not in line.twiml
    assert "own voice" not in line.says


def test_who_never_said_yes_hears_nothing(client: Client, alarm: SamsNight) -> None:
    Contact.objects.update(status=Contact.Status.INVITED)
    line = call_to(client, LEO)
    line.press("1")
    assert "<Play>" not in line.twiml


def test_whoever_claimed_by_text_rings_and_hears_it(
    client: Client, alarm: SamsNight, clock: Clock
) -> None:
    hook = Hook(client, clock)
    hook.text(LEO, "1")
    hook.text(LEO, "where?")
    clock.advance(5)
    [told] = [t for t in texts(clock, LEO) if "said where" in t]
    assert f"said where in a call. Ring {OURS} and press 1 to hear it." in told
    line = Line(client, LEO)
    assert "told us no place" not in line.says
    said = line.press("1") + line.press("3")
    assert "Then hang up: we ring you with where" in said
    assert "<Play>" not in line.twiml, "whoever rings may have forged the number"
    deliver(clock)
    ours = call_to(client, LEO)
    assert "own voice" not in ours.says, "a mailbox picks up too"
    assert "own voice" in ours.press("1")
    assert SOUNDS["place"] in played(client, ours.twiml)


def test_whoever_forges_a_claim_by_call_rings_leo_once_a_minute_five_times(
    client: Client, alarm: SamsNight, clock: Clock
) -> None:
    calls = Message.objects.filter(word="reply-place", channel="call")
    for seconds in (0, 1, 2):
        clock.advance(seconds)
        line = Line(client, LEO)
        line.press("1")
        line.press("3")
    assert calls.count() == 1
    for _ in range(8):
        clock.advance(61)
        Line(client, LEO).press("1")
    assert calls.count() == 5


def test_whoever_goes_to_a_phone_without_a_page_reads_it_unasked(
    client: Client, alarm: SamsNight, clock: Clock
) -> None:
    Person.objects.update(caller=True)
    Hook(client, clock).text(LEO, "1")
    clock.advance(5)
    assert [t for t in texts(clock, LEO) if "said where" in t]


def test_a_stranger_who_rings_hears_nothing(client: Client, alarm: SamsNight) -> None:
    for number in (MALLORY, MAYA, SAM):
        line = Line(client, number)
        assert "<Play>" not in line.twiml
        line.press("1")
        assert "<Play>" not in line.twiml


def test_the_sound_opens_only_while_people_are_called(
    client: Client, alarm: SamsNight, clock: Clock
) -> None:
    line = call_to(client, LEO)
    line.press("1")
    [_, url, _] = [each.partition("<")[0] for each in line.twiml.split("<Play>")[1:]]
    path = url.removeprefix(settings.STILLHERE.base_url)
    answer = client.get(path)
    assert answer.headers["Cache-Control"] == "no-store"
    assert client.get(path[:-2]).status_code == 404
    clock.advance(600)
    assert client.get(path).content == SOUNDS["place"]
    alarm.does(ev.StillHere(clock.now))
    alarm.does(ev.StillHere(clock.now + 1))
    assert client.get(path).status_code == 404


def test_a_line_that_plays_nothing_says_where_it_is_played(
    client: Client, alarm: SamsNight, settings: object
) -> None:
    before = settings.STILLHERE  # type: ignore[attr-defined]
    sip = carrier_of("sip", "http://127.0.0.1:1")
    settings.STILLHERE = replace(before, carriers=(sip,))  # type: ignore[attr-defined]
    line = call_to(client, LEO)
    said = line.press("1")
    assert "<Play>" not in line.twiml
    assert "The link in our text plays it." in said


# --- when it comes in the alarm -------------------------------------------------------------------


def test_said_in_the_alarm_it_reaches_who_is_going(client: Client, clock: Clock) -> None:
    night = alarmed_night(clock)
    persons.set_plan(night.person, place="", entry="")
    Hook(client, clock).text(LEO, "1")
    clock.advance(5)
    texts(clock, LEO)
    line = Line(client, SAM)
    line.press("4")
    line.press("1")
    line.press("#", RecordingSid="RE1")
    assert not [t for t in texts(clock, LEO) if "said where" in t], "it is not here yet"
    Recorder().round(2)
    told = texts(clock, LEO)
    assert [t for t in told if "said where" in t]
    assert not [t for t in texts(clock, MAYA) if "said where" in t]


# --- on the page ----------------------------------------------------------------------------------


def test_the_page_plays_it_after_im_going_and_never_the_name(
    client: Client, alarm: SamsNight
) -> None:
    leo, path = browser(), contact_path(alarm, "Leo")
    page = leo.get(path).content.decode()
    assert "in their own voice" not in page
    assert leo.get(f"{path}/said/place").status_code == 404
    assert leo.post(f"{path}/answer", {"do": "claim", "soon": "3"}).status_code == 303
    page = leo.get(path).content.decode()
    assert "Where they are, in their own voice:" in page
    assert "wrote down no place" not in page
    answer = leo.get(f"{path}/said/place")
    assert answer.content == SOUNDS["place"]
    assert answer.headers["Cache-Control"] == "no-store"
    assert leo.get(f"{path}/said/entry").content == SOUNDS["entry"]
    assert leo.get(f"{path}/said/name").status_code == 404
    stranger = browser(stranger=True)
    assert stranger.get(f"{path}/said/place").status_code == 404
    maya = contact_path(alarm, "Maya")
    assert leo.get(f"{maya}/said/place").status_code == 404


# --- what goes along ------------------------------------------------------------------------------


def test_what_sam_writes_on_the_page_takes_its_place(clock: Clock) -> None:
    night = asked_night(clock)
    speaks(night.person)
    night.does(ev.Ended())
    plan = {"do": "plan", "name": "Sam", "wish": "phone-first", "entry": "code 4711"}
    sam = browser(night.key)
    post(sam, "/people", place="99 Oak Avenue", **plan)
    assert set(notes.kept_of(night.person.id, notes.KINDS)) == {"name", "entry"}


def test_everything_that_was_said_can_be_taken_away(alarm: SamsNight) -> None:
    taken = export.everything(alarm.person)["said_in_calls"]
    assert {each["kind"] for each in taken} == {"name", "place", "entry"}


def test_a_call_for_help_in_secret_takes_it_along(clock: Clock) -> None:
    night = asked_night(clock)
    speaks(night.person)
    leo = night.contacts["Leo"].id
    force.keep(night.person, "purple elephant", [leo])
    force.call_for_help(night.person)
    double = Person.objects.get(secret=True)
    copied = SpokenNote.objects.filter(person=double)
    assert {note.kind: notes.opened(note) for note in copied} == SOUNDS


def test_a_sound_that_was_moved_to_another_row_does_not_open(alarm: SamsNight) -> None:
    place = SpokenNote.objects.get(kind="place")
    SpokenNote.objects.filter(kind="entry").update(sound=place.sound)
    key = notes.key_of(SpokenNote.objects.get(kind="entry"))
    assert notes.sound(key) is None
    with pytest.raises(encryption.SealBroken):
        notes.opened(SpokenNote.objects.get(kind="entry"))


@pytest.mark.parametrize("lang", ["en", "es"])
def test_the_text_says_how_to_hear_it_in_one_segment(lang: str) -> None:
    facts = Facts(person="Sam", spoken=True, says="+12025550100")
    said = compose("reply-place", facts, lang).text
    assert "+12025550100" in said
    assert "1" in said
    assert len(said) <= 160


def texts(clock: Clock, to: str) -> list[str]:
    leased = delivery.lease("text", clock.now, 50, 20)
    return [render.render(m, m.to).text for m in leased if m.to == to]
