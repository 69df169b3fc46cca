"""Try it: the real thing with a friend's page, which disturbs nobody and leaves nothing."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from django.test import Client

from stillhere.channels.base import Outgoing
from stillhere.channels.page import PageChannel
from stillhere.core.events import Claimed, State
from stillhere.core.messages import Fate
from stillhere.engine.audit import audit_once
from stillhere.engine.erasure import erase_once
from stillhere.store.installation import desk_key
from stillhere.store.models import Contact, Message, Person, Tally, WatchRow
from stillhere.store.watches import apply, queries
from stillhere.store.watches.apply import Change
from stillhere.web.person import trial
from tests.circle import SamsNight, tick_all
from tests.conftest import Clock
from tests.web.conftest import browser, post
from tests.web.pages import contact_key, read, text_of


@pytest.fixture(autouse=True)
def no_tries() -> None:
    trial.MINE.forget()
    trial.ALL.forget()


def begin(client: Client) -> str:
    """Press "Try it" on the first page; where the try-out stands."""
    return str(press(client, "/", "/try")["Location"])


def press(client: Client, seen: str, path: str) -> Any:
    client.get(seen)
    return client.post(path, {"csrfmiddlewaretoken": client.cookies["csrftoken"].value})


def friend() -> str:
    return f"/c/{contact_key(Contact.objects.get())}"


def ready(path: str) -> None:
    """The friend has the page open and pressed Ready."""
    assert "Ready: let it ring" in read(browser(), friend())
    browser().post(f"{friend()}/answer", {"do": "join"})


def test_half_a_minute_from_start_to_the_friends_page(clock: Clock) -> None:
    client = browser()
    path = begin(client)
    assert "lamp" not in client.cookies, "nobody signed up"
    assert "Open this on a friend's phone" in read(client, path)
    ready(path)
    assert "Your friend's phone is ready" in read(client, path)
    assert press(client, path, path)["Location"] == path
    clock.advance(8)
    tick_all()
    assert "are you there?" in read(client, path)
    clock.advance(20)
    tick_all()
    told = browser().get(friend()).content.decode()
    assert "data-alarm=" in told
    assert "This is a try-out. Nobody is in danger." in told
    browser().post(f"{friend()}/answer", {"do": "claim", "soon": "2"})
    assert "On the way to you: Maya." in read(client, path)
    assert "data-alarm=" not in browser().get(friend()).content.decode()
    for do, outcome in (("arrived", ""), ("resolve", "fine")):
        browser().post(f"{friend()}/answer", {"do": do, "outcome": outcome})
    told = read(client, path)
    assert "That is how it goes" in told
    assert "Now with real people" in told


def test_its_times_are_those_of_the_phone_that_began_it(clock: Clock) -> None:
    client = browser()
    page = client.get("/").content.decode()
    form = page.partition('action="/try"')[2].partition("</form>")[0]
    assert 'name="tz" value="" data-tz' in form, "the script says where it is"
    client.post(
        "/try",
        {"csrfmiddlewaretoken": client.cookies["csrftoken"].value, "tz": "America/New_York"},
    )
    assert Person.objects.get(trial=True).tz == "America/New_York"


def test_an_answer_bothers_nobody(clock: Clock) -> None:
    client = browser()
    path = begin(client)
    ready(path)
    press(client, path, path)
    for _ in range(20):
        clock.advance(8)
        tick_all()
        if queries.watch_of(Person.objects.get()).watch.state is State.CLOSED:  # type: ignore[union-attr]
            break
        apply.apply(Change(apply.CheckIn(), watch=WatchRow.objects.get().id))
    assert "You answered, so nobody was bothered" in read(client, path)
    assert not Message.objects.filter(word="alarm").exists()


def test_a_try_out_disturbs_and_counts_nobody(clock: Clock) -> None:
    client = browser()
    path = begin(client)
    ready(path)
    press(client, path, path)
    for _ in range(60):
        clock.advance(10)
        tick_all()
    assert {m.channel for m in Message.objects.all()} == {"page"}
    assert not Message.objects.filter(word__startswith="page-").exists()
    assert {t.what for t in Tally.objects.all()} == {"try.started"}
    assert "No alarm is open" in read(browser(), f"/desk/{desk_key.key()}")
    Message.objects.update(status="sent")
    assert audit_once(clock.now) == []


def test_nothing_of_it_is_left_an_hour_later(night: SamsNight, clock: Clock) -> None:
    client = browser()
    path = begin(client)
    clock.advance(3590)
    erase_once(clock.now)
    assert Person.objects.count() == 2
    clock.advance(20)
    erase_once(clock.now)
    assert [p.id for p in Person.objects.all()] == [night.person.id]
    assert client.get(path).status_code == 404


def test_a_real_persons_key_opens_no_try_out(night: SamsNight) -> None:
    assert browser().get(f"/try/{night.key}").status_code == 404
    assert browser().get(f"/try/{night.key}/state").status_code == 404


def test_somebody_who_is_known_here_stays_who_they_are(night: SamsNight, sam: Client) -> None:
    before = sam.cookies["session"].value
    begin(sam)
    assert sam.cookies["session"].value == before


def test_too_many_are_told_to_wait(clock: Clock) -> None:
    client = browser()
    for _ in range(5):
        begin(client)
    response = press(client, "/", "/try")
    assert (response.status_code, "Too many try-outs" in text_of(response)) == (429, True)
    clock.advance(61)
    begin(client)


def test_another_site_cannot_begin_one() -> None:
    assert browser().post("/try").status_code == 403
    assert browser().get("/try")["Location"] == "/"


def test_the_state_of_a_try_out_says_what_a_page_needs(clock: Clock) -> None:
    client = browser()
    path = begin(client)
    before = client.get(f"{path}/state").json()
    assert before["open"] is False
    ready(path)
    assert client.get(f"{path}/state").json()["v"] != before["v"]
    press(client, path, path)
    assert client.get(f"{path}/state").json()["open"] is True
    assert "Leave this phone alone now." in text_of(client.get(f"{path}/part"))


def test_an_open_page_takes_what_it_is_given_and_promises_nothing() -> None:
    receipt = asyncio.run(PageChannel().send(Outgoing("k", "here", "words")))
    assert receipt.fate is Fate.ACCEPTED


def test_a_claim_in_a_try_out_is_a_claim(clock: Clock) -> None:
    client = browser()
    path = begin(client)
    ready(path)
    press(client, path, path)
    clock.advance(8)
    tick_all()
    clock.advance(20)
    tick_all()
    contact = Contact.objects.get()
    answer = apply.apply(Change(Claimed(contact.id, 120), watch=WatchRow.objects.get().id))
    assert answer.watch is not None
    assert answer.watch.state is State.CLAIMED
    assert post(client, "/", tz="UTC")["Location"] == "/watch"


def test_nobody_can_keep_a_real_watch_as_somebody_of_a_try_out() -> None:
    """What a try-out begins is erased within the hour."""
    client = browser()
    key = begin(client).removeprefix("/try/")
    assert client.get(f"/p/{key}").status_code == 404
    assert post(client, "/p", code=key).status_code == 404
    Person.objects.update(key_in_cookie=True)
    client.cookies["lamp"] = key
    assert client.get("/watch")["Location"] == "/"
    assert not WatchRow.objects.exists()


def test_a_try_out_can_be_given_no_number(clock: Clock) -> None:
    path = begin(browser())
    ready(path)
    for do in ("number", "test", "tonight", "rang"):
        browser().post(f"{friend()}/answer", {"do": do, "phone": "202-555-0142"})
    assert [a.channel for a in Contact.objects.get().addresses.all()] == ["page"]
    assert not Message.objects.exists()
    assert Contact.objects.get().away_until_at == 0


def test_nobody_dies_in_a_try_out(clock: Clock) -> None:
    client = browser()
    path = begin(client)
    ready(path)
    press(client, path, path)
    for seconds in (8, 20):
        clock.advance(seconds)
        tick_all()
    assert "They have died" not in read(browser(), friend())
    browser().post(f"{friend()}/answer", {"do": "arrived"})
    browser().post(f"{friend()}/answer", {"do": "resolve", "outcome": "died"})
    assert WatchRow.objects.get().state == State.ATTENDED
    assert "A person must look" not in read(browser(), f"/desk/{desk_key.key()}")


def test_a_friend_who_leaves_takes_nothing_along(clock: Clock) -> None:
    client = browser()
    path = begin(client)
    browser().post(f"{friend()}/answer", {"do": "leave"})
    assert "Open this on a friend's phone" in read(client, path)
