"""A new link, and a browser that is put out, end the addresses of watches that are still open."""

from __future__ import annotations

import pytest
from django.test import Client

from stillhere.core.events import Marked, Outcome, Resolved
from stillhere.core.schedule import Routine
from stillhere.engine import render
from stillhere.store.db import encryption
from stillhere.store.messages import delivery
from stillhere.store.models import Browser, Message, WatchRow
from stillhere.store.people import browsers
from stillhere.store.watches import apply
from stillhere.store.watches.apply import CallForHelp
from tests.circle import SamsNight, tick_all
from tests.conftest import Clock
from tests.hook import SAM, Hook, deliver
from tests.web.conftest import browser, post
from tests.web.lane import tap
from tests.web.pages import watch_path

DAILY = Routine(frozenset(range(7)), 22 * 60, "America/New_York")


def key_of(watch: int) -> str:
    return encryption.key_for("watch", WatchRow.objects.get(id=watch).nonce)


def asked(night: SamsNight, clock: Clock) -> None:
    """Sam is asked, and a text about it has left."""
    Message.objects.update(status="sent")
    night.start()
    night.does(Marked())
    for wait_s in (60, 6):
        clock.advance(wait_s)
        tick_all()
    assert night.row().state == "asking"
    deliver(clock)


def links_to(number: str, clock: Clock) -> list[str]:
    """Where the texts lead that leave for this number now."""
    leased = delivery.lease("text", clock.now, 50, 20)
    return [render.render(m, m.to).link for m in leased if m.to == number]


def test_the_key_of_a_daily_check_in_ends_with_a_new_link(night: SamsNight, sam: Client) -> None:
    watch = apply.start(night.person.id, "routine", routine=DAILY)
    old = key_of(watch)
    post(sam, "/mine", do="new-link")
    mallory = browser(stranger=True)
    assert tap(f"/k/{old}").status == 404
    for press in ("/end", "/help", "/more", "/shown", "/key"):
        assert mallory.post(f"/k/{old}{press}", {"sure": "1"}).status_code == 404, press
    assert mallory.get(f"/k/{old}").status_code == 404
    row = WatchRow.objects.get(id=watch)
    assert (row.state, row.seen_at) == ("open", row.started_at)


def test_the_check_in_at_an_old_address_is_not_counted(
    night: SamsNight, sam: Client, clock: Clock
) -> None:
    night.start()
    old = watch_path(night)
    post(sam, "/mine", do="new-link")
    clock.advance(10)
    assert tap(old).status == 404
    assert night.row().seen_at == night.row().started_at
    assert tap(watch_path(night)).status == 200
    assert night.row().seen_at == clock.now


def test_the_page_of_a_watch_that_is_over_leads_no_stranger_to_an_open_one(
    night: SamsNight, sam: Client, clock: Clock
) -> None:
    night.start()
    night.does(CallForHelp())
    night.does(Resolved(None, Outcome.FINE))
    over = watch_path(night)
    watch = apply.start(night.person.id, "routine", routine=DAILY)
    due_at = WatchRow.objects.get(id=watch).next_ask_at
    assert due_at is not None
    clock.advance((due_at - clock.now) // 1000 + 1)
    tick_all()
    assert key_of(watch) in browser(stranger=True).get(over).content.decode()
    post(sam, "/mine", do="new-link")
    assert browser(stranger=True).get(over).status_code == 404


def test_whoever_is_put_out_no_longer_answers_at_the_address_they_saw(
    night: SamsNight, sam: Client
) -> None:
    guest = browser(stranger=True)
    post(guest, f"/p/{night.key}")
    night.start()
    seen = watch_path(night)
    assert seen in guest.get("/watch").content.decode()
    post(sam, "/mine", do="remove", browser=Browser.objects.latest("id").id)
    assert guest.post(f"{seen}/end", {"sure": "1"}).status_code == 404
    assert night.row().state == "open"


def test_sam_s_own_page_changes_to_the_new_key_and_goes_on(night: SamsNight, sam: Client) -> None:
    night.start()
    before = sam.get("/watch/state").json()["v"]
    post(sam, "/mine", do="new-link")
    assert sam.get("/watch/state").json()["v"] != before
    assert watch_path(night) in sam.get("/watch/part").content.decode()
    assert post(sam, f"{watch_path(night)}/mark", back="watch").status_code == 303
    assert night.row().marked_at is not None


def test_an_open_question_is_asked_again_with_the_new_key(
    night: SamsNight, sam: Client, clock: Clock
) -> None:
    asked(night, clock)
    old = watch_path(night)
    post(sam, "/mine", do="new-link")
    [link] = links_to(SAM, clock)
    assert link.endswith(watch_path(night))
    assert old not in link
    assert tap(watch_path(night)).status == 200
    assert night.row().state == "open"


def test_and_the_text_that_brought_the_old_one_is_answered_as_ever(
    night: SamsNight, sam: Client, clock: Clock
) -> None:
    asked(night, clock)
    post(sam, "/mine", do="new-link")
    Hook(Client(), clock).text(SAM, "OK")
    assert night.row().state == "open"


@pytest.mark.parametrize("times", [2, 5])
def test_however_often_it_is_pressed_sam_is_asked_once_more_a_minute(
    night: SamsNight, sam: Client, clock: Clock, times: int
) -> None:
    asked(night, clock)
    for _ in range(times):
        post(sam, "/mine", do="new-link")
    assert len(links_to(SAM, clock)) == 1


def test_the_other_one_of_two_keeps_the_name(night: SamsNight, sam: Client) -> None:
    night.watch = apply.start(night.person.id, "injected", partner="Kim")
    post(sam, "/mine", do="new-link")
    assert sam.get("/mine/lamp.json").json()["watches"][0]["partner"] == "Kim"


def test_watches_of_others_keep_their_keys(night: SamsNight, sam: Client) -> None:
    other = browser(stranger=True)
    post(other, "/")
    post(other, "/watch", profile="injected")
    theirs = WatchRow.objects.latest("id").key_hash
    night.start()
    post(sam, "/mine", do="new-link")
    assert WatchRow.objects.latest("id").key_hash != theirs  # Sam's
    assert WatchRow.objects.filter(key_hash=theirs).exists()


def guest_of(night: SamsNight) -> Client:
    guest = browser(stranger=True)
    post(guest, f"/p/{night.key}")
    return guest


@pytest.mark.parametrize("asks", [{"do": "remove", "browser": "0"}, {"do": "new-link"}])
def test_a_guest_who_presses_in_a_loop_makes_no_press_of_sam_s_a_dead_end(
    night: SamsNight, sam: Client, clock: Clock, asks: dict[str, str]
) -> None:
    guest = guest_of(night)
    night.start()
    for _ in range(10):
        on_screen = watch_path(night)
        post(guest, "/mine", **asks)
        clock.advance(2)
        assert tap(on_screen).status == 200
    assert night.row().seen_at == clock.now


def test_a_guest_with_many_browsers_to_put_out_has_a_few_new_keys_an_hour(
    night: SamsNight, sam: Client
) -> None:
    guest = guest_of(night)
    night.start()
    keys = {watch_path(night)}
    for _ in range(12):
        guest_of(night)
        post(guest, "/mine", do="remove", browser=Browser.objects.latest("id").id)
        keys.add(watch_path(night))
    assert len(keys) == 1 + browsers.RENEWED
    before = watch_path(night)
    post(sam, "/mine", do="remove", browser=Browser.objects.latest("id").id)
    assert watch_path(night) != before, "what guests used up is not Sam's"


def test_help_pressed_at_a_key_that_was_just_renewed_is_heard_from_sam_s_own_phone(
    night: SamsNight, sam: Client
) -> None:
    night.start()
    on_screen = watch_path(night)
    post(sam, "/mine", do="new-link")
    answer = sam.post(f"{on_screen}/help", {"back": ""})
    assert answer["Location"] == watch_path(night)
    assert night.row().state == "alarm"


def test_and_for_a_daily_check_in(night: SamsNight, sam: Client) -> None:
    watch = apply.start(night.person.id, "routine", routine=DAILY)
    old = key_of(watch)
    post(sam, "/mine", do="new-link")
    assert sam.post(f"/k/{old}/help", {"back": "watch"}).status_code == 303
    assert WatchRow.objects.get(id=watch).state == "alarm"


def test_nothing_but_help_is_taken_at_an_old_key(night: SamsNight, sam: Client) -> None:
    night.start()
    old = watch_path(night)
    post(sam, "/mine", do="new-link")
    for press in ("mark", "more", "end"):
        assert sam.post(f"{old}/{press}", {"sure": "1"}).status_code == 404, press
    assert night.row().state == "open"
