"""Sam's own evening in the browser: start, mark, answer, call, end, and start again."""

from __future__ import annotations

import json
import re

import pytest
from django.test import Client

from stillhere.core import events as ev
from stillhere.core.events import State
from stillhere.engine import render
from stillhere.store.db import encryption
from stillhere.store.messages import delivery
from stillhere.store.models import Contact, Person, WatchRow, sealed_columns
from stillhere.store.people import address_book, contacts, invitations, persons
from stillhere.store.people.numbers import address_proof
from stillhere.store.watches.apply import CallForHelp
from tests.circle import SamsNight, sams_night, tick_all, ways
from tests.conftest import Clock
from tests.web.conftest import browser, post
from tests.web.pages import everything, read, watch_path


def test_one_press_makes_a_person_and_the_next_does_not() -> None:
    client = browser(lang="es")
    response = post(client, "/", tz="America/Denver")
    assert (response.status_code, response["Location"]) == (302, "/watch")
    person = Person.objects.get()
    assert (person.lang, person.tz) == ("es", "America/Denver")
    token = encryption.key_hash(client.cookies["session"].value)
    assert bytes(person.browsers.get().token_hash) == token != bytes(person.key_hash)
    post(client, "/")
    assert Person.objects.count() == 1


@pytest.mark.parametrize("tz", ["", "Mars/Olympus", "x" * 500, "../etc/passwd"])
def test_a_time_zone_that_is_none_is_utc(tz: str) -> None:
    post(browser(), "/", tz=tz)
    assert Person.objects.get().tz == "UTC"


def test_a_stranger_is_led_to_the_first_page() -> None:
    for path in ("/watch", "/people", "/routine", "/mine", "/mine/lamp.json", "/watch/part"):
        response = browser("k" * 27).get(path)
        assert (response.status_code, response["Location"]) == (302, "/")
    assert browser("k" * 27).get("/watch/state").status_code == 404
    assert browser("k" * 5000).get("/watch").status_code == 302


def test_the_form_of_a_watch_sent_twice_starts_one(night: SamsNight, sam: Client) -> None:
    for _ in range(2):
        response = post(sam, "/watch", profile="snorted", short="1")
        assert response["Location"] == "/watch"
    row = WatchRow.objects.get()
    assert (row.profile, json.loads(row.own)) == ("snorted", {"grace_s": 30})


@pytest.mark.parametrize("profile", ["", "routine", "own", "x" * 200])
def test_a_way_we_do_not_know_is_the_strictest(night: SamsNight, sam: Client, profile: str) -> None:
    post(sam, "/watch", profile=profile)
    assert WatchRow.objects.get().profile == "injected"


def test_the_page_says_when_it_asks_and_whom_it_reaches(
    night: SamsNight, sam: Client, clock: Clock
) -> None:
    night.start()
    night.does(ev.Marked())
    clock.advance(20)
    told = read(sam, "/watch")
    assert "Asking again in 40 seconds" in told
    assert "If you go quiet, we reach Leo and Maya." in told
    clock.advance(40)
    tick_all()
    told = read(sam, "/watch")
    assert "Sam, are you there?" in told
    assert "60 seconds left" in told


def test_the_mark_counts_from_the_press(night: SamsNight, sam: Client, clock: Clock) -> None:
    night.start()
    clock.advance(100)
    response = sam.post(f"{watch_path(night)}/mark", {"back": "watch"})
    assert (response.status_code, response["Location"]) == (303, "/watch")
    assert night.row().marked_at == clock.now
    assert "I've used again" in read(sam, "/watch")


def test_more_time_is_ten_minutes(night: SamsNight, sam: Client) -> None:
    night.start()
    before = night.row().ends_at or 0
    response = sam.post(f"{watch_path(night)}/more", {"back": "watch"})
    assert night.row().ends_at == before + 600_000
    assert "Ten minutes more." in read(sam, response["Location"])


def test_help_is_one_press_and_twice_is_once(night: SamsNight, sam: Client) -> None:
    night.start()
    for _ in range(2):
        assert sam.post(f"{watch_path(night)}/help").status_code == 303
    assert len(night.queued("help")) == 2  # Leo's text and call
    assert "We are reaching Leo." in read(sam, "/watch")


def test_ending_early_takes_two_presses(night: SamsNight, sam: Client, clock: Clock) -> None:
    night.start()
    night.does(ev.Marked())
    clock.advance(30)
    response = sam.post(f"{watch_path(night)}/end", {"back": "watch"})
    assert night.row().state == State.OPEN
    told = read(sam, response["Location"])
    assert "It is early." in told
    assert "End now" in told
    sam.post(f"{watch_path(night)}/end", {"back": "watch", "sure": "1"})
    assert night.row().state == State.CLOSED
    assert "Asks have stopped. Nobody is watching now." in read(sam, "/watch")


def test_ending_after_ten_minutes_takes_one(night: SamsNight, sam: Client, clock: Clock) -> None:
    night.start()
    night.does(ev.Marked())
    for _ in range(10):
        clock.advance(60)
        night.does(ev.StillHere(clock.now))
    sam.post(f"{watch_path(night)}/end")
    assert night.row().state == State.CLOSED


def test_ending_in_an_alarm_is_only_an_answer(night: SamsNight, sam: Client) -> None:
    night.start()
    night.does(CallForHelp())
    sam.post(f"{watch_path(night)}/end")
    assert night.row().state == State.ALARM
    assert "We heard you once." in read(sam, "/watch")


def test_a_script_hears_how_it_went(night: SamsNight, sam: Client) -> None:
    night.start()
    script = {"Accept": "application/json"}
    early = sam.post(f"{watch_path(night)}/end", headers=script)
    assert (early.status_code, early.json()["ok"]) == (409, False)
    assert sam.post(f"{watch_path(night)}/mark", headers=script).json()["ok"] is True
    night.does(ev.Ended())
    over = sam.post(f"{watch_path(night)}/help", headers=script)
    assert over.status_code == 410
    assert "over" in over.json()["says"]


def test_a_phone_that_shows_the_ask_is_believed_to_show_it(
    night: SamsNight, sam: Client, clock: Clock
) -> None:
    night.start()
    night.does(ev.Marked())
    clock.advance(60)
    tick_all()
    for nonsense in ("", "x", "-1", "9" * 50):
        sam.post(f"{watch_path(night)}/shown", {"ask": nonsense})
        assert not night.row().shown
    sam.post(f"{watch_path(night)}/shown", {"ask": sam.get("/watch/state").json()["ask"]})
    row = night.row()
    assert (row.shown, row.state) == (True, "asking")  # proves a phone, not a life
    clock.advance(5)
    tick_all()
    assert not night.queued("ask")


def test_the_state_is_small_and_changes_with_the_watch(
    night: SamsNight, sam: Client, clock: Clock
) -> None:
    assert sam.get("/watch/state").status_code == 404
    night.start()
    first = sam.get("/watch/state").json()
    assert (first["state"], first["next_ask_at"]) == ("open", clock.now + 180_000)
    assert sam.get("/watch/state").json() == first
    night.does(ev.Marked())
    assert sam.get("/watch/state").json()["v"] != first["v"]
    assert len(sam.get("/watch/state").content) < 300


def test_the_button_s_own_page_says_when_it_was_over(night: SamsNight, clock: Clock) -> None:
    night.start()
    path, anyone = watch_path(night), browser()
    assert "Asking again in 3 minutes" in read(anyone, path)
    night.does(ev.Ended())
    clock.advance(600)
    assert "This watch ended at 17:00. Nobody is watching now." in read(anyone, path, 410)
    for do in ("mark", "more", "help", "end"):
        response = anyone.post(f"{path}/{do}", {"sure": "1"})
        assert response["Location"] == f"{path}?said=over"
        assert "This watch is over." in read(anyone, response["Location"], 410)


def test_the_recovery_link_asks_before_it_opens(night: SamsNight) -> None:
    other = browser()
    assert "Open your pages on this phone" in read(other, f"/p/{night.key}")
    assert "session" not in other.cookies
    assert other.post(f"/p/{night.key}").status_code == 403, "another site's button is not ours"
    assert "session" not in other.cookies
    assert post(other, f"/p/{night.key}")["Location"] == "/watch"
    assert "If you go quiet, we reach" in read(other, "/watch")


def test_a_note_in_the_address_is_one_of_ours(night: SamsNight, sam: Client) -> None:
    assert "Mallory" not in read(sam, "/watch?said=Mallory was here")


def test_without_a_script_the_page_looks_again_by_itself(night: SamsNight, sam: Client) -> None:
    night.start()
    html = sam.get("/watch").content.decode()
    assert '<meta http-equiv="refresh" id="refresh" content="10">' in html
    night.does(CallForHelp())
    assert 'content="5"' in sam.get("/watch").content.decode()


def test_the_name_of_what_was_used_is_no_word_of_a_title(night: SamsNight, sam: Client) -> None:
    night.start()
    html = sam.get("/watch").content.decode()
    assert "<title>Lamp</title>" in html


def test_two_tabs_do_no_harm(night: SamsNight) -> None:
    one, two = browser(night.key), browser(night.key)
    two.get("/watch")  # its form was there before the other tab pressed
    post(one, "/watch", profile="injected")
    token = two.cookies["csrftoken"].value
    two.post("/watch", {"csrfmiddlewaretoken": token, "profile": "swallowed"})
    assert WatchRow.objects.count() == 1
    path = watch_path_of_only()
    one.post(f"{path}/end", {"sure": "1"})
    before = everything()
    assert two.post(f"{path}/more", {"back": "watch"})["Location"] == "/watch?said=over"
    assert everything() == before


def watch_path_of_only() -> str:
    return "/k/" + encryption.key_for("watch", WatchRow.objects.get().nonce)


def test_someone_taken_away_is_no_longer_named(night: SamsNight, sam: Client) -> None:
    invitations.leave(night.contacts["Leo"])
    night.start()
    assert "we reach Maya." in read(sam, "/watch")


def test_whoever_has_no_other_way_reads_to_keep_the_page_open() -> None:
    night = sams_night(("Leo",), phones=False)
    sam = browser(night.key)
    says = "We can ask you only on this page."
    assert says not in read(sam, "/watch")
    night.start()
    assert says in read(sam, "/watch")
    address_book.set_own_addresses(night.person, ways(100))
    assert says in read(sam, "/watch"), "a number that may be anybody's is not asked"
    address_proof.vouch(night.person)
    assert says not in read(sam, "/watch")


def test_those_who_come_read_that_only_the_screen_could_ask(clock: Clock) -> None:
    night = sams_night(("Leo",), phones=False)
    night.start()
    night.does(ev.Marked())
    clock.advance(60)
    tick_all()
    clock.advance(60)
    tick_all()
    leo = browser()
    told = read(leo, f"/c/{sealed_columns.contact_key(night.contacts['Leo'])}")
    assert "We could ask only on the screen of the phone. It may have been closed." in told


# --- the watch, honestly --------------------------------------------------------------------------


def test_two_of_us_are_both_asked(night: SamsNight, sam: Client, clock: Clock) -> None:
    post(sam, "/watch", profile="injected", partner=" Ana\u202e ")
    assert "We are both here" in read(sam, "/watch")
    clock.advance(180)
    tick_all()
    assert "Sam and Ana: are you both there?" in read(sam, "/watch")
    clock.advance(6)
    tick_all()
    leased = delivery.lease("text", clock.now, 10, 30)
    [asked] = [render.render(m, m.to).text for m in leased if m.word == "ask"]
    assert "both still here" in asked
    assert WatchRow.objects.get().partner != b"Ana"


@pytest.mark.parametrize(
    ("minutes", "says"),
    [
        ({"Leo": 3, "Maya": 25}, "Closest tonight: Leo, 3 min."),
        ({"Leo": 25, "Maya": 4}, "Closest tonight: Maya, 4 min."),
        (
            {"Leo": 5, "Maya": 25},
            "Nobody within 4 minutes: naloxone may come too late. Closest tonight: Leo, 5 min.",
        ),
        ({}, "We do not know how far anybody is from you. Naloxone may come too late."),
    ],
)
def test_it_says_who_is_closest_or_that_nobody_is_near(
    night: SamsNight, sam: Client, minutes: dict[str, int], says: str
) -> None:
    for name, far in minutes.items():
        contacts.keep(night.contacts[name], minutes=far)
    assert says in read(sam, "/watch")


def test_somebody_who_cannot_tonight_or_has_not_said_yes_is_no_promise(
    night: SamsNight, sam: Client
) -> None:
    contacts.keep(night.contacts["Leo"], minutes=3)
    contacts.not_tonight(night.contacts["Leo"])
    told = read(sam, "/watch")
    assert "Leo said: not tonight." in told
    assert "Closest tonight: Leo" not in told
    Contact.objects.update(status="invited")
    night.start()
    told = read(sam, "/watch")
    assert "If you go quiet, we try Leo and Maya once. Nobody has said yes yet." in told
    assert "Closest tonight" not in told


def test_sam_s_phone_calls_out_only_if_sam_chose_it_and_nobody_is_there(
    night: SamsNight, sam: Client
) -> None:
    night.start()
    night.does(CallForHelp())
    assert "Check my breathing" not in read(sam, "/watch")
    Person.objects.update(speak=True)
    assert "I need help. Check my breathing." in read(sam, "/watch")
    night.does(ev.Arrived(night.contacts["Leo"].id))
    assert "Check my breathing" not in read(sam, "/watch")


def test_the_card_before_stands_until_the_mark(night: SamsNight, sam: Client) -> None:
    night.start()
    card = "Naloxone in reach. Door unlocked. Go slow. Test first."
    assert card in read(sam, "/watch")
    night.does(ev.Marked())
    assert card not in read(sam, "/watch")


def test_it_is_early_is_said_only_while_something_can_be_ended(
    night: SamsNight, sam: Client
) -> None:
    night.start()
    night.does(ev.Marked())
    early = "It is early. Press “End now”"
    assert early in read(sam, "/watch?said=end-early")
    night.does(CallForHelp())
    assert early not in read(sam, "/watch?said=end-early")
    assert early not in read(sam, f"{watch_path(night)}?said=end-early")
    night.does(ev.Resolved(None, ev.Outcome.FINE))
    night.does(ev.Ended())
    assert early not in read(sam, "/watch?said=end-early")


def test_need_help_offers_the_ambulance_and_a_line_at_once(night: SamsNight, sam: Client) -> None:
    night.start()
    calm = sam.get("/watch").content.decode()
    assert "tel:911" not in re.sub("<template.*?</template>", "", calm, flags=re.DOTALL)
    night.does(CallForHelp())
    for path in ("/watch", watch_path(night)):
        html = sam.get(path).content.decode()
        assert 'href="tel:911"' in html
        assert 'href="tel:112"' not in html
    Person.objects.update(tz="UTC")
    html = sam.get("/watch").content.decode()
    assert all(f'href="tel:{number}"' in html for number in ("911", "112", "999", "000", "111"))
    for contact in night.contacts.values():
        contact.addresses.update(state="broken")
    assert "Or phone a person who stays with you" in read(sam, "/watch/part")


def test_while_the_phone_calls_out_the_button_names_who_may_press_it(
    night: SamsNight, sam: Client
) -> None:
    persons.set_speak(night.person, True)
    night.start()
    assert "<button>Still here</button>" in sam.get("/watch").content.decode()
    night.does(CallForHelp())
    html = sam.get("/watch").content.decode()
    assert "<button>I am Sam, and I am here</button>" in html
    assert html.index("data-aloud") < html.index('id="now"'), "first, and largest"
