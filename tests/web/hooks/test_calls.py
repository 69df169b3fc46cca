"""Calls turn by turn, as a carrier asks us what to say."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from dataclasses import replace
from urllib.parse import urlencode, urlsplit

import pytest
from django.conf import settings
from django.test import Client
from twilio.request_validator import RequestValidator

from stillhere.channels.wording import WORDS, compose
from stillhere.channels.wording.spoken import SENTENCES
from stillhere.core import events as ev
from stillhere.core.messages import Facts
from stillhere.store.models import Message, Person, WatchRow
from tests.channels.accounts import OURS, SECRET, carrier_of
from tests.circle import tick_all
from tests.conftest import Clock
from tests.hook import LEO, MALLORY, MAYA, SAM, alarmed_night, asked_night, last
from tests.languages import LANGUAGES

pytestmark = pytest.mark.usefixtures("database")


CALLS = itertools.count()


class Line:
    """One call with us, from a carrier's side. ``says`` is what the voice said last."""

    def __init__(self, client: Client, number: str, *, message: int | None = None) -> None:
        self.client, self.number = client, number
        self.outbound = message is not None
        self.ref = f"CA{number[-4:]}{message or 0}{next(CALLS)}"
        self.twiml = ""
        self.post(f"/in/one/call{f'?m={message}' if message else ''}")

    def post(self, path: str, **more: str) -> int:
        fields = {
            "CallSid": self.ref,
            "From": OURS if self.outbound else self.number,
            "To": self.number if self.outbound else OURS,
            "Direction": "outbound-api" if self.outbound else "inbound",
        } | more
        url = f"{settings.STILLHERE.base_url}{path}"
        signature = RequestValidator(SECRET).compute_signature(url, fields)
        answer = self.client.post(
            path,
            urlencode(fields),
            "application/x-www-form-urlencoded",
            headers={"X-Twilio-Signature": signature},
        )
        self.twiml = answer.content.decode()
        return int(answer.status_code)

    @property
    def says(self) -> str:
        return " ".join(re.findall(r"<Say[^>]*>([^<]*)</Say>", self.twiml)).replace("&#x27;", "'")

    @property
    def goes_on(self) -> bool:
        return "<Gather" in self.twiml

    def press(self, key: str, **more: str) -> str:
        """Press a key, or say nothing with an empty one; return what is said then."""
        [action] = re.findall(r'action="([^"]*)"', self.twiml)
        parts = urlsplit(action.replace("&amp;", "&"))
        self.post(f"{parts.path}?{parts.query}", **({"Digits": key} if key else {}), **more)
        return self.says

    def hang_up(self) -> None:
        self.post("/in/one/ended", CallStatus="completed")


@pytest.fixture(autouse=True)
def carriers(settings: object) -> Iterator[None]:
    before = settings.STILLHERE  # type: ignore[attr-defined]
    ours = (carrier_of("twilio", "https://api.example.org"),)
    settings.STILLHERE = replace(before, carriers=ours)  # type: ignore[attr-defined]
    yield
    settings.STILLHERE = before  # type: ignore[attr-defined]


def call_to(client: Client, number: str) -> Line:
    m = last(number, "call")
    return Line(client, number, message=m.id)


# --- asks -----------------------------------------------------------------------------------------


def test_any_key_is_still_here(client: Client, clock: Clock) -> None:
    night = asked_night(clock)
    line = call_to(client, SAM)
    assert line.says.count("still here?") == 2
    assert "Got it" in line.press("7")
    assert night.row().state == "open"


def test_nine_is_help(client: Client, clock: Clock) -> None:
    night = asked_night(clock)
    assert "reaching the people" in call_to(client, SAM).press("9")
    assert night.row().state == "alarm"


def test_no_key_is_no_answer(client: Client, clock: Clock) -> None:
    night = asked_night(clock)
    line = call_to(client, SAM)
    assert "No key was pressed" in line.press("")
    assert not line.goes_on
    assert night.row().state == "asking"


def test_an_ask_that_is_over_says_so(client: Client, clock: Clock) -> None:
    night = asked_night(clock)
    m = last(SAM, "call")
    night.does(ev.Extended(600))
    line = Line(client, SAM, message=m.id)
    assert line.says == "Got it."
    assert not line.goes_on


# --- alarms ---------------------------------------------------------------------------------------


def test_an_alarm_says_the_name_first_and_everything_twice_in_under_twelve_seconds(
    client: Client, clock: Clock
) -> None:
    alarmed_night(clock)
    line = call_to(client, LEO)
    assert line.says.startswith("Sam may need help NOW.")
    once = line.says[: len(line.says) // 2]
    assert line.says.count("Press 1 if you are going") == 2
    assert len(once.split()) <= 30


def test_going_and_how_soon_by_a_second_key(client: Client, clock: Clock) -> None:
    night = alarmed_night(clock)
    line = call_to(client, LEO)
    assert "how many minutes" in line.press("1")
    assert night.row().state == "claimed", "the first key holds already"
    assert "The others hear" in line.press("3")
    assert night.row().wake_at == clock.now + 180_000


def test_going_without_a_second_key_holds_five_minutes(client: Client, clock: Clock) -> None:
    night = alarmed_night(clock)
    line = call_to(client, LEO)
    line.press("1")
    line.press("")
    assert night.row().state == "claimed"


def test_more_than_five_minutes_holds_nothing(client: Client, clock: Clock) -> None:
    night = alarmed_night(clock)
    line = call_to(client, LEO)
    line.press("1")
    clock.advance(5)
    line.press("9")
    assert night.row().state == "alarm"


def test_a_child_or_a_machine_is_no_answer(client: Client, clock: Clock) -> None:
    night = alarmed_night(clock)
    line = call_to(client, LEO)
    line.press("")
    assert night.row().state == "alarm"
    line = call_to(client, LEO)
    assert "could not read" in line.press("7")
    assert line.goes_on
    assert night.row().state == "alarm"


def test_three_says_it_again_and_two_moves_the_ladder(client: Client, clock: Clock) -> None:
    night = alarmed_night(clock)
    line = call_to(client, LEO)
    assert line.press("3").startswith("Sam may need help NOW.")
    assert "ask the others" in line.press("2")
    tick_all()
    assert night.queued("alarm")


def test_five_speaks_the_steps_one_at_a_time(client: Client, clock: Clock) -> None:
    alarmed_night(clock)
    line = call_to(client, LEO)
    first = line.press("5")
    assert first.startswith("Shout their name.")
    second = line.press("1")
    assert second != first
    assert line.press("3") == second
    for _ in range(20):
        line.press("1")
    assert line.goes_on, "the last step is never left alone"


def test_an_alarm_that_is_over_is_told_as_over(client: Client, clock: Clock) -> None:
    night = alarmed_night(clock)
    m = last(LEO, "call")
    night.does(ev.Extended(600))
    line = Line(client, LEO, message=m.id)
    assert "no open alarm" in line.says
    assert not line.goes_on


def test_a_contact_who_rings_back_hears_the_alarm(client: Client, clock: Clock) -> None:
    night = alarmed_night(clock)
    line = Line(client, LEO)
    assert line.says.startswith("Sam may need help NOW.")
    line.press("1")
    assert night.row().state == "claimed"
    maya = Line(client, MAYA)
    assert "no open alarm" in maya.says
    assert "Sam" not in maya.says, "the number may be forged"
    assert "Press 1 and we ring you" in maya.says
    assert maya.goes_on


# --- calls to us ----------------------------------------------------------------------------------


def test_a_missed_call_is_a_check_in_and_costs_nothing(client: Client, clock: Clock) -> None:
    night = asked_night(clock)
    line = Line(client, SAM)
    assert "<Reject" in line.twiml
    assert night.row().state == "open"


def test_whoever_rings_twice_wants_to_talk(client: Client, clock: Clock) -> None:
    night = asked_night(clock)
    Line(client, SAM)
    clock.advance(20)
    line = Line(client, SAM)
    assert "Press any key if you are here" in line.says
    assert "reaching the people" in line.press("9")
    assert night.row().state == "alarm"


def test_a_call_told_again_much_later_is_no_sign_of_life(client: Client, clock: Clock) -> None:
    """A carrier repeats a webhook, or somebody replays it: how the call was met once stays."""
    night = asked_night(clock)
    Line(client, SAM)
    clock.advance(20)
    spoken = Line(client, SAM)
    spoken.ref = "CA-again"
    spoken.post("/in/one/call")
    assert "Press any key" in spoken.says
    clock.advance(55)
    tick_all()
    before = night.row().seen_at
    spoken.post("/in/one/call")
    assert "Press any key" in spoken.says
    assert night.row().seen_at == before


@pytest.mark.parametrize("number", ["anonymous", "Restricted", "+266696687", ""])
def test_nobody_is_taken_for_somebody_else_whose_number_is_hidden(
    client: Client, clock: Clock, number: str
) -> None:
    people = Person.objects.count()
    line = Line(client, number)
    assert "Your number is hidden, so we cannot ring you." in line.says
    assert "Press 3 to talk to a person" in line.says
    menu = line.says
    assert line.press("1") == menu, "a key that was not offered is asked back"
    line.press("")
    assert line.says == ""
    assert (Person.objects.count(), WatchRow.objects.count()) == (people, 0)
    assert "We connect you now." in Line(client, number).press("3")


def test_a_person_without_a_watch_starts_one_with_one_key(client: Client, clock: Clock) -> None:
    night = asked_night(clock)
    night.does(ev.Ended())
    line = Line(client, SAM)
    assert "Press 1" in line.says
    assert "We ring in 3 minutes" in line.press("1")
    assert WatchRow.objects.filter(person=night.person, closed_at__isnull=True).count() == 1


def test_a_stranger_hears_first_that_nobody_would_come(client: Client, clock: Clock) -> None:
    people = Person.objects.count()
    line = Line(client, MALLORY)
    assert line.says.startswith("This is Lamp. Nobody can come to you now.")
    assert "Press 3 to talk to a person" in line.says
    assert "<Record" not in line.twiml
    assert Person.objects.count() == people, "nothing is kept until they press a key"
    assert "nobody else would be told" in line.press("1")
    assert Person.objects.count() == people + 1
    assert not Message.objects.filter(word__in=["alarm", "help"]).exists()


def test_staying_on_the_line_counts_keys_and_words(client: Client, clock: Clock) -> None:
    night = asked_night(clock)
    night.does(ev.Ended())
    line = Line(client, SAM)
    assert "We stay with you" in line.press("2")
    assert "tone.wav" in line.twiml
    watch = WatchRow.objects.get(person=night.person, closed_at__isnull=True)
    for turn in range(3):
        clock.advance(100)
        line.press("5" if turn % 2 else "", **({} if turn % 2 else {"SpeechResult": "here"}))
        watch.refresh_from_db()
        assert (watch.state, watch.seen_at) == ("open", clock.now)


def test_silence_on_the_line_is_asked_twice_and_then_rings(client: Client, clock: Clock) -> None:
    night = asked_night(clock)
    night.does(ev.Ended())
    line = Line(client, SAM)
    line.press("2")
    assert "Are you still here?" in line.press("")
    assert "We ring this phone now" in line.press("")
    watch = WatchRow.objects.get(person=night.person, closed_at__isnull=True)
    assert watch.state == "asking"
    assert Message.objects.filter(watch=watch, word="ask-ring", channel="call").exists()


def test_a_line_that_breaks_off_is_an_ask_at_once(client: Client, clock: Clock) -> None:
    night = asked_night(clock)
    night.does(ev.Ended())
    line = Line(client, SAM)
    line.press("2")
    line.hang_up()
    watch = WatchRow.objects.get(person=night.person, closed_at__isnull=True)
    assert watch.state == "asking"
    line.hang_up()
    assert Message.objects.filter(watch=watch, word="ask-ring", channel="call").count() == 1


# --- who is believed, and what is said ------------------------------------------------------------


def test_a_call_that_is_not_signed_is_not_answered(client: Client, clock: Clock) -> None:
    night = alarmed_night(clock)
    m = last(LEO, "call")
    body = urlencode({"CallSid": "CA1", "From": OURS, "To": LEO, "Digits": "1"})
    path = f"/in/one/call?at=answer&n=1&m={m.id}"
    kind = "application/x-www-form-urlencoded"
    assert client.post(path, body, kind).status_code == 403
    assert client.post("/in/nobody/call", body, kind).status_code == 404
    assert night.row().state == "alarm"


def test_a_key_of_another_number_does_nothing_for_this_message(
    client: Client, clock: Clock
) -> None:
    night = alarmed_night(clock)
    line = Line(client, MALLORY, message=last(LEO, "call").id)
    line.press("1")
    assert night.row().state == "alarm"


def test_a_turn_that_is_told_twice_counts_once(client: Client, clock: Clock) -> None:
    night = alarmed_night(clock)
    line = call_to(client, LEO)
    before = line.twiml
    line.press("2")
    line.twiml = before
    line.press("1")
    assert night.row().state == "alarm", "the same turn of the same call"


@pytest.mark.parametrize("lang", LANGUAGES)
def test_what_a_call_says_is_one_breath(lang: str) -> None:
    for word in SENTENCES:
        assert word in WORDS
        text = compose(word, Facts(eta_s=180, who="A line, 1 800 555 0100"), lang, "call").text
        assert len(text.split()) <= 36, text


def test_a_page_to_the_coordinator_is_said_and_never_called_over(
    client: Client, clock: Clock
) -> None:
    m = Message.objects.create(
        key="stuck.1", channel="coordinator", word="page-stuck", facts="{}", urgency=1,
        due_at=clock.now, created_at=clock.now, attempts=1,
    )  # fmt: skip
    line = Line(client, "+12025550150", message=m.id)
    assert "Some of what we send does not arrive. Somebody may be waiting for help." in line.says
    night = alarmed_night(clock)
    page = Message.objects.create(
        key="page.1", channel="coordinator", word="page-exhausted", facts='{"round": 0}',
        watch_id=night.watch, person=night.person, alarm=1, urgency=1,
        due_at=clock.now, created_at=clock.now, attempts=1,
    )  # fmt: skip
    assert "list was tried" in Line(client, "+12025550150", message=page.id).says
