"""Where somebody is, for whoever comes to them: by text, in a call, and where it comes later."""

from __future__ import annotations

import pytest

from stillhere.core import events as ev
from stillhere.store.models import Contact, Message, Person
from stillhere.store.models.sealed_columns import person_note
from stillhere.store.program import shifts
from tests.circle import SamsNight, sams_night
from tests.hook import LEO, MAYA, SAM, last
from tests.web.conftest import browser, post
from tests.web.strangers import VICTIM, Town, town

pytestmark = pytest.mark.usefixtures("database")
__all__ = ["town"]
VERA = "+12025550160"


def cries(town: Town, said: str = "SOS") -> None:
    """Somebody whom nobody knows texts, and Vera is on shift."""
    shifts.begin(shifts.add("Vera", VERA, "en"), 8)
    town.hook.text(VICTIM, said)
    town.live(10)


def read_by(town: Town, number: str, part: str) -> list[str]:
    return [text for to, _c, _w, text in town.got if to == number and part in text]


def in_alarm(town: Town) -> SamsNight:
    """Sam is silent, Leo goes, and Maya does not."""
    night = sams_night(("Leo", "Maya"))
    Message.objects.update(status="sent")
    night.start()
    night.does(ev.Marked())
    town.live(140)
    town.hook.text(LEO, "1")
    town.live(5)
    return night


def test_an_address_that_comes_after_i_am_going_reaches_who_is_going(town: Town) -> None:
    cries(town)
    town.hook.text(VERA, "1")
    town.live(5)
    town.hook.text(VICTIM, "ADDRESS 12 Elm Street")
    town.live(5)
    assert len(read_by(town, VERA, "12 Elm Street")) == 1
    town.hook.text(VERA, "WHERE")
    town.live(5)
    assert len(read_by(town, VERA, "12 Elm Street")) == 2


def test_a_way_in_that_comes_later_reaches_who_is_there(town: Town) -> None:
    in_alarm(town)
    town.hook.text(LEO, "4")
    town.live(5)
    town.hook.text(SAM, "DOOR Ana next door has a key")
    town.live(5)
    assert len(read_by(town, LEO, "Ana next door")) == 1
    assert not read_by(town, MAYA, "Ana next door"), "who does not come hears no place"


def test_who_says_i_am_going_in_the_call_hears_where_and_reads_it(town: Town) -> None:
    cries(town)
    town.hook.text(VICTIM, "ADDRESS 12 Elm Street")
    town.live(5)
    spoken = town.hook.key(last(VERA, "call"), "1")
    assert "12 Elm Street" in spoken
    town.live(10)
    assert len(read_by(town, VERA, "12 Elm Street")) == 1


def test_who_cannot_come_hears_no_place_in_the_call(town: Town) -> None:
    cries(town)
    town.hook.text(VICTIM, "ADDRESS 12 Elm Street")
    town.live(5)
    assert "Elm" not in town.hook.key(last(VERA, "call"), "2")
    town.live(10)
    assert not read_by(town, VERA, "Elm")


@pytest.mark.parametrize("door", [True, False])
def test_leo_hears_where_sam_is_in_the_call_where_sam_lets_him_in(town: Town, door: bool) -> None:
    night = sams_night(("Leo",))
    Contact.objects.update(door=door)
    night.start()
    night.does(ev.Marked())
    town.live(140)
    spoken = town.hook.key(last(LEO, "call"), "1")
    town.live(10)
    assert ("12 Elm Street" in spoken) == door
    assert ("code 4711" in spoken) == door
    assert bool(read_by(town, LEO, "12 Elm Street")) == door


@pytest.mark.parametrize(
    "said",
    ["12 Elm Street, apt 3", "adress 12 Elm", "in the bathroom at the library",
     "behind the library", "blue house, ask for Bo", "detrás de la biblioteca"],
)  # fmt: skip
def test_where_you_are_without_the_word_address_is_kept_answered_and_passed_on(
    town: Town, said: str
) -> None:
    cries(town)
    town.hook.text(VERA, "1")
    town.live(5)
    before = len(town.got)
    town.hook.text(VICTIM, said)
    town.live(5)
    person = Person.objects.get(caller=True)
    kept = person_note(person, "place")
    assert kept
    assert kept in said
    assert [to for to, *_ in town.got[before:] if to == VICTIM], "never silence"
    assert len(read_by(town, VERA, kept)) == 1


def test_before_an_alarm_the_answer_to_where_counts_only_if_it_looks_like_a_place(
    town: Town,
) -> None:
    cries(town, "GO")
    town.hook.text(VICTIM, "everything looks purple")
    person = Person.objects.get(caller=True)
    assert not person_note(person, "place")
    town.hook.text(VICTIM, "behind the library")
    person.refresh_from_db()
    assert person_note(person, "place") == "behind the library"


@pytest.mark.parametrize("said", ["Auto-Reply: I am driving", "👍"])
def test_what_no_hand_wrote_is_no_place(town: Town, said: str) -> None:
    cries(town)
    town.hook.text(VICTIM, said)
    assert not person_note(Person.objects.get(caller=True), "place")


def test_a_cry_that_says_where_is_kept_and_passed_on(town: Town) -> None:
    cries(town, "help me im at 12 Elm Street apt 3 hes not breathing")
    town.hook.text(VERA, "1")
    town.live(5)
    assert read_by(town, VERA, "12 Elm Street apt 3")


def test_a_cry_without_a_place_is_none(town: Town) -> None:
    cries(town, "SOS i took 30 pills")
    assert not person_note(Person.objects.get(caller=True), "place")


def test_in_an_alarm_another_address_stands_beside_the_first(town: Town) -> None:
    in_alarm(town)
    town.hook.text(SAM, "ADDRESS 99 Nowhere Road")  # forged, or Sam is elsewhere
    town.live(5)
    [told] = read_by(town, LEO, "99 Nowhere Road")
    assert "12 Elm Street; and since 17:02, by text: 99 Nowhere Road" in told
    town.hook.text(SAM, "ADDRESS 99 nowhere road")
    town.hook.text(SAM, "I'm at 14 Oak Ave")
    town.live(5)
    assert "12 Elm Street; and since" in town.last(LEO)
    assert "14 Oak Ave" in town.last(LEO)
    assert len(read_by(town, LEO, "99 Nowhere Road")) == 2, "said again, it is nothing new"


def test_however_much_is_forged_the_first_address_stays(town: Town) -> None:
    in_alarm(town)
    for no in range(15):
        town.hook.text(SAM, f"ADDRESS {no} Nowhere Road {'x' * 500}")
    town.live(10)
    assert person_note(Person.objects.latest("id"), "place").startswith("12 Elm Street; and since")
    assert 0 < len(read_by(town, LEO, "12 Elm Street")) <= 10


def test_nobody_renames_somebody_in_an_alarm(town: Town) -> None:
    in_alarm(town)
    town.hook.text(SAM, "NAME False alarm")
    assert person_note(Person.objects.latest("id"), "name") == "Sam"


def test_what_sam_changes_on_the_page_reaches_who_is_going(town: Town) -> None:
    sam = browser(in_alarm(town).key)
    plan = {"do": "plan", "name": "Sam", "wish": "phone-first", "entry": "code 4711"}
    post(sam, "/people", place="99 Oak Avenue", **plan)
    town.live(5)
    assert len(read_by(town, LEO, "99 Oak Avenue")) == 1
    post(sam, "/people", place="99 Oak Avenue", **plan)
    town.live(5)
    assert len(read_by(town, LEO, "99 Oak Avenue")) == 1, "nothing changed"
