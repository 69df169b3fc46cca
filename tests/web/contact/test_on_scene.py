"""The one who comes: what was done, where naloxone is, and whose phone the page is opened on."""

from __future__ import annotations

import pytest
from django.test import Client

from stillhere.core import events as ev
from stillhere.store.kits import kits
from stillhere.store.kits.kits import Inside
from stillhere.store.models import Contact, Deed
from stillhere.store.people import invitations
from stillhere.store.watches.apply import CallForHelp
from stillhere.store.watches.circle import circles_of
from tests.circle import SamsNight, answers_both_looks
from tests.conftest import Clock
from tests.web.conftest import browser
from tests.web.pages import contact_path, did, press, read, text_of

LEO, MAYA = "+12025550101", "+12025550102"


# --- what was done --------------------------------------------------------------------------------


def test_everyone_on_the_alarm_reads_who_did_what_and_when(
    leo: str, maya: str, clock: Clock
) -> None:
    clock.advance(300)
    assert did(leo, "called") == 200
    assert did(leo, "dose", form="nasal", age_ms="60000") == 200
    told = read(browser(), maya)
    assert "17:04 Leo gave a dose of naloxone (nose spray)." in told
    assert told.index("gave a dose") < told.index("17:05 Leo called for an ambulance.")
    assert "gave a dose" in browser().get(leo).content.decode().partition('id="crew"')[2]


def test_what_is_said_twice_is_kept_once(leo: str) -> None:
    for _ in range(3):
        assert did(leo, "dose", form="nasal") == 200
    assert Deed.objects.count() == 1
    did(leo, "dose", form="nasal", ref="another")
    assert Deed.objects.count() == 2


def test_a_dose_that_was_not_given_after_all_counts_for_no_timer(
    leo: str, maya: str, clock: Clock
) -> None:
    did(maya, "dose", form="nasal", ref="a")
    first = clock.now
    clock.advance(60)
    did(leo, "dose", form="nasal", ref="b")
    assert f'data-dose="{clock.now}"' in browser().get(f"{maya}/part").content.decode()
    did(leo, "no-dose", ref="c")
    part = browser().get(f"{maya}/part").content.decode()
    assert f'data-dose="{first}"' in part, "the one before it counts again"
    assert "Leo: the last dose was not given after all." in part


@pytest.mark.parametrize(
    ("fields", "kept"),
    [
        ({"what": "danced"}, False),
        ({"what": "dose", "form": "<b>"}, True),
        ({"what": "dose", "age_ms": "99999999999999999999"}, True),
        ({"what": "dose", "age_ms": "-5"}, True),
        ({"what": "dose", "ref": "x" * 500}, True),
    ],
)
def test_absurd_deeds_are_refused_or_count_as_now(
    leo: str, clock: Clock, fields: dict[str, str], kept: bool
) -> None:
    status = (
        browser().post(f"{leo}/did", fields, headers={"Accept": "application/json"}).status_code
    )
    assert status == (200 if kept else 409)
    assert [deed.at for deed in Deed.objects.all()] == ([clock.now] if kept else [])


def test_what_a_phone_kept_while_it_had_no_line_counts_from_when_it_was(
    leo: str, alarm: SamsNight, clock: Clock
) -> None:
    clock.advance(600)
    did(leo, "dose", age_ms="300000")
    assert Deed.objects.get().at == clock.now - 300_000
    did(leo, "crew", age_ms=str(25 * 3_600_000))
    assert Deed.objects.get(what="crew").at == clock.now, "older than an alarm is"


def test_a_deed_of_somebody_else_s_night_is_none(alarm: SamsNight, leo: str) -> None:
    assert browser().post("/c/" + "a" * 27 + "/did", {"what": "dose"}).status_code == 404
    invitations.leave(alarm.contacts["Leo"])
    assert did(leo, "dose") == 404


def test_without_scripts_a_button_says_it_too(leo: str, maya: str) -> None:
    browser().post(f"{leo}/answer", {"do": "arrived"})
    response = browser().post(f"{leo}/did", {"what": "breathing"}, follow=True)
    assert "Noted. Everyone on the alarm sees it." in text_of(response)
    assert "Leo: Sam breathes." in read(browser(), maya)


def test_the_page_changes_when_something_was_done(leo: str, maya: str) -> None:
    before = browser().get(f"{maya}/state").json()["v"]
    did(leo, "dose")
    assert browser().get(f"{maya}/state").json()["v"] != before
    assert 'data-dose="' in browser().get(f"{maya}/part").content.decode()


# --- where naloxone is ----------------------------------------------------------------------------


def test_the_nearest_good_kit_is_named_and_its_place(alarm: SamsNight, leo: str, maya: str) -> None:
    assert "naloxone (" not in read(browser(), f"{leo}/part")
    kits.add(Inside("nasal", 2, "2026-08"), contact=alarm.contacts["Maya"])
    told = read(browser(), f"{leo}/part")
    assert "Maya carries naloxone (nose spray, 2 doses)." in told
    page = browser().get(leo).content.decode()
    assert 'href="#form" data-give>Yes' in page, "Leo may have another kind in his hand"
    assert "You carry naloxone (nose spray, 2 doses). Take it with you." in read(browser(), maya)
    kits.add(Inside("prenoxad", 5, "", "", "blue backpack"), person=alarm.person)
    assert "Sam has naloxone (filled syringe (Prenoxad), 5 doses)." in read(
        browser(), f"{leo}/part"
    )
    browser().post(f"{leo}/answer", {"do": "claim", "soon": "3"})  # the place is for who comes
    told = read(browser(), f"{leo}/part")
    assert "Sam has naloxone (filled syringe (Prenoxad), 5 doses): blue backpack." in told
    assert 'id="kit"' in browser().get(leo).content.decode()
    page = browser().get(leo).content.decode()
    assert 'href="#prenoxad" data-give>Yes' in page, "it is not asked about"


@pytest.mark.parametrize("do", ["claim", "arrived"])
def test_without_the_door_no_page_says_where_the_kit_lies(
    alarm: SamsNight, leo: str, do: str
) -> None:
    kits.add(Inside("nasal", 2, "2030-01", "", "blue backpack"), person=alarm.person)
    Contact.objects.filter(id=alarm.contacts["Leo"].id).update(door=False)
    browser().post(f"{leo}/answer", {"do": do, "soon": "3"})
    pages = [read(browser(), f"{leo}{page}") for page in ("", "/part", "/steps")]
    assert not [told for told in pages if "blue backpack" in told]
    assert "Sam has naloxone" in pages[0]


def test_an_old_kit_is_better_than_none_and_an_empty_one_is_none(
    alarm: SamsNight, leo: str
) -> None:
    kit = kits.add(Inside("nasal", 1, "2025-12"), person=alarm.person)
    assert "It is past its date: use it if it is all there is." in read(browser(), f"{leo}/part")
    kits.add(Inside("nasal", 1, "2026-12"), contact=alarm.contacts["Leo"])
    assert "You carry naloxone" in read(browser(), f"{leo}/part"), "one in its date goes first"
    kits.used(kits.of(alarm.contacts["Leo"])[0])
    kits.used(kit)
    assert "naloxone (" not in read(browser(), f"{leo}/part")


def test_a_dose_is_taken_from_the_kit_it_was_of_and_given_back(alarm: SamsNight, leo: str) -> None:
    kits.add(Inside("nasal-4", 2), contact=alarm.contacts["Leo"])

    def left() -> int:
        kit = kits.of(alarm.contacts["Leo"])[0]
        return kit.doses if kits.usable(kit) else 0

    for what, form, doses in (
        ("dose", "injection", 2), ("dose", "nasal", 1), ("dose", "nasal", 0), ("no-dose", "", 1),
        ("no-dose", "nasal", 2), ("dose", "", 1),
    ):  # fmt: skip
        did(leo, what, form=form, ref=f"{what}.{form}.{doses}")
        assert left() == doses


def test_what_was_done_in_the_alarm_before_is_not_said_of_this_one(
    alarm: SamsNight, leo: str
) -> None:
    of = f"{alarm.watch}.1"
    assert did(leo, "called", of=of) == 200
    press(browser(), leo, "arrived")
    press(browser(), leo, "resolve", outcome="fine")
    alarm.start()
    alarm.does(CallForHelp())
    assert did(leo, "dose", form="nasal", of=of, ref="kept on a phone") == 409
    assert not Deed.objects.filter(what="dose").exists()


def test_the_ladder_reaches_carriers_first_where_sam_wants_it(
    night: SamsNight, clock: Clock
) -> None:
    leo, maya = (night.contacts[name].id for name in ("Leo", "Maya"))

    def order() -> list[list[int]]:
        found = circles_of({night.person.id}, clock.now)[night.person.id]
        return [[reach.contact for reach in rung] for rung in found.rungs]

    kit = kits.add(Inside("nasal", 2, "2026-02"), contact=night.contacts["Maya"])
    assert order() == [[leo], [maya]]
    kits.prefer(night.person, True)
    assert order() == [[maya], [leo]]
    kits.used(kit)
    assert order() == [[leo], [maya]], "an empty kit helps nobody"
    kits.change(kit, Inside("nasal", 2, "2026-01"))
    assert order() == [[maya], [leo]], "good until the month is over"
    clock.advance(40 * 86_400)
    assert order() == [[leo], [maya]]


def test_the_circle_shows_who_is_near_who_carries_and_who_has_learnt(
    alarm: SamsNight, leo: str, clock: Clock
) -> None:
    kits.add(Inside("nasal", 2, "2026-01"), contact=alarm.contacts["Maya"])
    Contact.objects.filter(id=alarm.contacts["Maya"].id).update(trained_at=1, minutes=3)
    told = read(browser(), f"{leo}/part")
    assert "3 minutes away, carries naloxone (nose spray, 2 doses) , trained" in told
    clock.advance(40 * 86_400)
    assert "carries naloxone (nose spray, 2 doses), expired" in read(browser(), f"{leo}/part")
    spanish = read(browser(lang="es"), f"{leo}/part")
    assert "lleva naloxona (espray nasal, 2 dosis), vencida" in spanish


# --- without scripts ------------------------------------------------------------------------------


def test_without_scripts_the_steps_have_a_page_that_stays_and_notes(leo: str, maya: str) -> None:
    told = browser().get(leo).content.decode()
    assert f'href="{leo}/steps#look" data-steps' in told
    page = browser().get(f"{leo}/steps").content.decode()
    assert 'http-equiv="refresh"' not in page, "it stays where it is"
    assert "walk.js" not in page
    response = browser().post(
        f"{leo}/did", {"what": "dose", "form": "nasal", "ref": "", "next": "chest"}
    )
    assert response.headers["Location"] == f"{leo}/steps#chest"
    assert "Leo gave a dose of naloxone (nose spray)." in read(browser(), maya)
    odd = browser().post(f"{leo}/did", {"what": "called", "next": "//example.org"})
    assert odd.headers["Location"] == f"{leo}?said=done"


def test_the_page_of_steps_is_for_an_open_alarm(night: SamsNight) -> None:
    leo = contact_path(night, "Leo")
    assert browser().get(f"{leo}/steps").headers["Location"] == leo
    assert browser().get("/c/nobody/steps").status_code == 404


# --- afterwards -----------------------------------------------------------------------------------


def test_whoever_came_says_whether_the_plan_was_right_and_sam_reads_it(
    alarm: SamsNight, leo: str, sam: Client, clock: Clock
) -> None:
    browser().post(f"{leo}/answer", {"do": "arrived"})
    alarm.does(ev.Resolved(alarm.contacts["Leo"].id, ev.Outcome.REVIVED))
    told = read(browser(), leo)
    assert "Was the plan right?" in told
    browser().post(f"{leo}/did", {"what": "door-wrong"})
    answers_both_looks(alarm, clock)
    told = read(sam, "/watch")
    assert "Leo says: the way in was not right." in told
    assert "You're alive." in told


def test_what_was_done_is_told_when_it_is_over_and_a_late_word_is_not_lost(
    alarm: SamsNight, leo: str, maya: str, clock: Clock
) -> None:
    did(maya, "dose", form="nasal-4")
    browser().post(f"{maya}/answer", {"do": "arrived"})
    clock.advance(60)
    alarm.does(ev.Resolved(alarm.contacts["Maya"].id, ev.Outcome.REVIVED))
    assert did(leo, "called", age_ms="30000") == 200, "it was kept on a phone without a line"
    told = read(browser(), maya)
    assert told.index("Maya gave a dose of naloxone (nose spray 4 mg (Narcan)).") < told.index(
        "Leo called for an ambulance."
    )
    assert "The breathing is strange: what to do" in told


def test_a_dose_of_a_kind_nobody_named_empties_the_kit_that_was_there(
    alarm: SamsNight, leo: str
) -> None:
    kits.add(Inside("nasal-8", 1), contact=alarm.contacts["Leo"])
    browser().post(f"{leo}/did", {"what": "dose"})
    assert not kits.usable(kits.of(alarm.contacts["Leo"])[0])
