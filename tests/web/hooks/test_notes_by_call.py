"""A name, a place and a way in that are spoken: kept, heard once, and told to whoever comes."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from django.conf import settings as conf
from django.test import Client
from pytest_django.fixtures import Settings

from stillhere.core import events as ev
from stillhere.store.models import CarrierSound, Message, Person, SpokenNote
from stillhere.store.people import persons
from stillhere.store.recordings import notes
from tests.channels.accounts import carrier_of
from tests.circle import SamsNight
from tests.conftest import Clock
from tests.hook import MALLORY, SAM, Hook, alarmed_night, asked_night, erases, said_to
from tests.recorded import Recorder
from tests.web.hooks.test_calls import Line, call_to, carriers

__all__ = ["carriers"]
pytestmark = pytest.mark.usefixtures("database")

HERE, THERE = b"\xff\xfbthe blue house", b"\xff\xfbbehind the library"
PLACE, ENTRY, NAME = "1", "2", "3"


@pytest.fixture
def sam(clock: Clock) -> SamsNight:
    """Sam without a watch, Leo and Maya on the list, nothing written down."""
    night = asked_night(clock)
    night.does(ev.Ended())
    persons.set_plan(night.person, place="", entry="", name="")
    return night


@pytest.fixture
def hook(client: Client, clock: Clock) -> Hook:
    return Hook(client, clock)


def spoken(client: Client, number: str = SAM) -> Line:
    """A call to us, at the choice what to say."""
    line = Line(client, number)
    line.press("4")
    return line


def says(
    line: Line, kind: str, sound: bytes = HERE, ref: str = "RE1", *, anew: bool = False
) -> str:
    """Say it after the tone; what is said once it came back from the carrier."""
    line.press(kind)
    if anew:
        line.press("2")
    assert "<Record" in line.twiml, line.says
    line.press("#", RecordingSid=ref)
    assert line.says == "One moment."
    Recorder({ref: sound}).round(2)
    return line.press("")


def played(client: Client, twiml: str) -> list[bytes]:
    """What the carrier fetches of a turn."""
    urls = re.findall(r"<Play>([^<]*)</Play>", twiml)
    paths = [url.removeprefix(conf.STILLHERE.base_url) for url in urls]
    return [client.get(path).content for path in paths]


def kept() -> dict[str, bytes]:
    rows = SpokenNote.objects.filter(kept=True).exclude(sound=b"")
    return {row.kind: notes.opened(row) for row in rows}


# --- saying it ------------------------------------------------------------------------------------


def test_four_keeps_where_they_are_and_plays_it_back_once(client: Client, sam: SamsNight) -> None:
    line = Line(client, SAM)
    assert line.says.endswith("Press 4 to say where you are.")
    assert line.says.count("Press 4") == 1, "a menu is short"
    assert "Press 1 to say where you are, 2 to say how to get in." in line.press("4")
    said = says(line, PLACE)
    assert said == "We have: Press 1 to keep it, 2 to say it again, 3 to take it away."
    assert played(client, line.twiml) == [HERE]
    assert line.press("1").startswith("It is kept.")
    assert kept() == {"place": HERE}
    assert HERE not in bytes(SpokenNote.objects.get().sound), "sealed"
    assert not CarrierSound.objects.exists(), "nothing is left at the carrier"


def test_each_kind_is_asked_for_in_its_own_words_and_kept_beside_the_others(
    client: Client, sam: SamsNight
) -> None:
    line = spoken(client)
    for kind, word in ((PLACE, "where you are"), (ENTRY, "how to get in"), (NAME, "first name")):
        line.press(kind)
        assert f"After the tone say {word}" in line.says.replace("your first", "first")
        assert 'maxLength="20"' in line.twiml
        line.press("#", RecordingSid=f"RE{kind}")
        Recorder({f"RE{kind}": word.encode()}).round(2)
        line.press("")
        line.press("1")
    assert kept() == {
        "place": b"where you are", "entry": b"how to get in", "name": b"first name"
    }  # fmt: skip


def test_two_says_it_again_and_three_takes_it_away(client: Client, sam: SamsNight) -> None:
    line = spoken(client)
    says(line, PLACE)
    assert "After the tone" in line.press("2")
    line.press("#", RecordingSid="RE2")
    Recorder({"RE2": THERE}).round(2)
    line.press("")
    assert played(client, line.twiml) == [THERE]
    assert line.press("3").startswith("It is gone.")
    assert kept() == {}


def test_whoever_hangs_up_before_the_key_is_heard_all_the_same(
    client: Client, sam: SamsNight
) -> None:
    line = spoken(client)
    line.press(PLACE)
    line.press("hangup", RecordingSid="RE1")
    line.hang_up()
    Recorder({"RE1": HERE}).round(2)
    assert kept() == {"place": HERE}, "they may not have come to that key"


def test_another_takes_the_place_of_the_first_only_once_it_is_kept(
    client: Client, sam: SamsNight, clock: Clock
) -> None:
    says(spoken(client), PLACE)
    line = spoken(client)
    assert "You told us that before." in line.press(PLACE)
    assert played(client, line.twiml) == [], "whoever rings may have forged the number"
    line.press("2")
    line.press("#", RecordingSid="RE2")
    Recorder({"RE2": THERE}).round(2)
    line.press("")
    line.hang_up()
    assert kept() == {"place": HERE}
    clock.advance(601)
    Recorder().round()
    assert SpokenNote.objects.count() == 1, "nothing waits for ever"
    line = spoken(client)
    says(line, PLACE, THERE, "RE3", anew=True)
    line.press("1")
    assert kept() == {"place": THERE}


def test_three_takes_away_what_was_kept_before(client: Client, sam: SamsNight) -> None:
    says(spoken(client), PLACE)
    line = spoken(client)
    line.press(PLACE)
    assert line.press("3").startswith("It is gone.")
    assert kept() == {}


def test_what_never_comes_from_the_carrier_is_said_so(client: Client, sam: SamsNight) -> None:
    line = spoken(client)
    line.press(PLACE)
    line.press("#", RecordingSid="RE1")
    turns = 0
    while "We did not get that" not in line.says:
        line.press("")
        turns += 1
        assert turns < 30
    assert "Press 1 to say where you are" in line.says


def test_a_webhook_that_comes_twice_loses_nothing(client: Client, sam: SamsNight) -> None:
    line = spoken(client)
    line.press(PLACE)
    asked = line.twiml
    line.press("#", RecordingSid="RE1")
    Recorder({"RE1": HERE}).round(2)
    line.twiml = asked
    line.press("#", RecordingSid="RE1")
    assert played(client, line.twiml) == [HERE]
    assert kept() == {"place": HERE}
    assert Recorder().round() == []


def test_silence_and_strange_keys_end_or_ask_again(client: Client, sam: SamsNight) -> None:
    line = spoken(client)
    assert "Press 1 to say where you are" in line.press("8")
    assert "We hang up now." in line.press("")
    assert not line.goes_on
    assert not SpokenNote.objects.exists()


def test_on_watch_four_counts_as_here_and_goes_on(client: Client, clock: Clock) -> None:
    night = asked_night(clock)
    line = Line(client, SAM)  # the missed call
    line = Line(client, SAM)
    assert line.says.endswith("Press 4 to say where you are.")
    assert "Press 1 to say where you are" in line.press("4")
    assert night.row().state == "open"


def test_with_a_pin_it_is_done_on_the_page(client: Client, sam: SamsNight) -> None:
    persons.set_pin(sam.person, "hashed")
    line = Line(client, SAM)
    assert "Press 4" not in line.says
    assert "You set a PIN" in line.press("4")
    assert not line.goes_on


def test_a_pin_that_is_set_meanwhile_keeps_nothing_and_leaves_nothing_there(
    client: Client, sam: SamsNight
) -> None:
    line = spoken(client)
    line.press(PLACE)
    persons.set_pin(sam.person, "hashed")
    line.press("#", RecordingSid="RE1")
    assert not SpokenNote.objects.exists()
    assert Recorder().round() == ["delete RE1"]


def test_a_number_that_nobody_showed_to_be_theirs_says_nothing(client: Client) -> None:
    line = Line(client, MALLORY)
    assert "Press 4" not in line.says
    line.post("/in/one/call?at=notes&n=1", Digits="1")
    assert "<Record" not in line.twiml
    line.post("/in/one/call?at=spoke.place&n=2", RecordingSid="RE1")
    assert not SpokenNote.objects.exists()
    assert Recorder().round() == ["delete RE1"]


def test_the_phone_itself_reads_that_something_was_changed(
    client: Client, hook: Hook, clock: Clock
) -> None:
    hook.text(SAM, "GO")
    line = Line(client, SAM)
    line = Line(client, SAM)
    line.press("4")
    says(line, PLACE)
    told = "Somebody rang from your number and changed what you told us about yourself."
    assert [text for text in said_to(SAM, clock) if text.startswith(told)]
    for no in range(20):
        line.press("2")
        line.press("#", RecordingSid=f"RE{no + 2}")
        Recorder().round(2)
        line.press("")
    assert Message.objects.filter(word="reply-spoken").count() <= 6


def test_what_is_written_takes_the_place_of_what_was_said(
    client: Client, hook: Hook, clock: Clock
) -> None:
    hook.text(SAM, "GO")
    line = Line(client, SAM)
    line = Line(client, SAM)
    line.press("4")
    says(line, PLACE)
    line.press("1")
    hook.text(SAM, "I'm at 12 Elm St")
    assert kept() == {"place": HERE}, "which is no note that they asked to be kept"
    hook.text(SAM, "ADDRESS 14 Oak Ave")
    assert kept() == {}


def test_erased_with_everything_else(client: Client, hook: Hook, clock: Clock) -> None:
    hook.text(SAM, "GO")
    line = Line(client, SAM)
    line = Line(client, SAM)
    line.press("4")
    line.press(PLACE)
    line.press("#", RecordingSid="RE1")
    erases(hook, SAM, clock)
    assert not Person.objects.exists()
    assert not SpokenNote.objects.exists()
    assert Recorder().round() == ["delete RE1"]


def test_a_line_that_records_nothing_names_the_way_by_text(
    client: Client, sam: SamsNight, settings: Settings
) -> None:
    ours = carrier_of("sip", "http://127.0.0.1:1")  # signed as Twilio's are
    settings.STILLHERE = replace(settings.STILLHERE, carriers=(ours,))
    line = Line(client, SAM)
    assert "Press 4" not in line.says
    told = "To tell us where you are, text ADDRESS and the place."
    assert line.says.endswith(told)
    assert line.press("4") == told
    assert "<Record" not in line.twiml
    line.post("/in/one/call?at=change.place&n=3", Digits="2")
    assert "<Record" not in line.twiml
    settings.STILLHERE = replace(settings.STILLHERE, carriers=(replace(ours, carries=("call",)),))
    assert "ADDRESS" not in Line(client, SAM).says, "where nobody can text us"


def test_one_call_is_one_text_to_the_own_phone(client: Client, hook: Hook, clock: Clock) -> None:
    hook.text(SAM, "GO")
    for refs in (("RE1", "RE2"), ("RE3", "RE4")):
        line = Line(client, SAM)
        line = Line(client, SAM)
        line.press("4")
        for kind, ref in zip((PLACE, ENTRY), refs, strict=True):
            says(line, kind, ref=ref, anew=ref in ("RE3", "RE4"))
            line.press("1")
        clock.advance(300)
        hook.text(SAM, "OK")
    assert Message.objects.filter(word="reply-spoken").count() == 2


# --- after a cry for help -------------------------------------------------------------------------


def test_after_nine_who_never_said_where_is_asked_and_ends_nothing(
    client: Client, clock: Clock
) -> None:
    night = asked_night(clock)
    persons.set_plan(night.person, place="", entry="", name="")
    line = call_to(client, SAM)
    said = line.press("9")
    assert said.endswith("Press 4 to say where you are.")
    assert night.row().state == "alarm"
    assert "After the tone say where you are" in line.press("4")
    line.press("#", RecordingSid="RE1")
    Recorder({"RE1": HERE}).round(2)
    line.press("")
    assert kept() == {"place": HERE}
    assert night.row().state == "alarm"


@pytest.mark.parametrize("key", ["", "1", "7", "9"])
def test_after_nine_no_other_key_takes_the_alarm_back(
    client: Client, clock: Clock, key: str
) -> None:
    night = asked_night(clock)
    persons.set_plan(night.person, place="")
    line = call_to(client, SAM)
    line.press("9")
    line.press(key)
    assert night.row().state == "alarm"
    assert line.goes_on == bool(key), "asked once more"


def test_after_nine_whoever_wrote_where_they_are_is_asked_nothing(
    client: Client, clock: Clock
) -> None:
    asked_night(clock)
    line = call_to(client, SAM)
    assert "Press 4" not in line.press("9")
    assert not line.goes_on


# --- in an alarm ----------------------------------------------------------------------------------


def test_in_an_alarm_four_ends_nothing_and_fills_what_is_empty(
    client: Client, clock: Clock
) -> None:
    night = alarmed_night(clock)
    persons.set_plan(night.person, place="", entry="", name="")
    line = Line(client, SAM)
    line.press("4")
    assert night.row().state == "alarm"
    says(line, PLACE)
    assert kept() == {"place": HERE}


def test_in_an_alarm_nothing_that_was_kept_is_replaced_or_taken_away(
    client: Client, clock: Clock
) -> None:
    night = alarmed_night(clock)
    says(spoken(client), PLACE)
    line = spoken(client)  # whoever says this may have forged the number
    assert "what you told us before stays" in line.press(PLACE)
    assert "<Record" not in line.twiml
    line.post("/in/one/call?at=change.place&n=3", Digits="3")
    assert "what you told us before stays" in line.says
    line.post("/in/one/call?at=spoke.place&n=4", RecordingSid="RE9")
    Recorder({"RE9": THERE}).round(2)
    line.press("")
    line.press("1")
    assert "what you told us before stays" in line.says
    assert kept() == {"place": HERE}
    assert night.row().state == "alarm"
