"""Being asked, saying yes or no, and quiet days: what a contact can do, and what nobody can."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest
from django.test import Client
from pytest_django.fixtures import Settings

from stillhere.config.carriers import read_carriers
from stillhere.store.models import Contact, Message, WatchRow, sealed_columns
from stillhere.store.people import contacts, invitations, persons
from stillhere.store.watches.apply import CallForHelp
from tests.channels.browsers import BrowserKeys
from tests.circle import SamsNight, sams_night
from tests.conftest import Clock
from tests.web.conftest import browser, post
from tests.web.pages import contact_key, contact_path, everything, read, text_of

EX = BrowserKeys("https://push.example.org/ex")


@pytest.fixture
def alone() -> SamsNight:
    return sams_night(phones=False)


def says(path: str, do: str, **typed: str) -> Any:
    return browser().post(f"{path}/answer", {"do": do, **typed})


def sent_by_sam(night: SamsNight, name: str = "Leo") -> str:
    """Sam sends an invitation from Sam's own phone; the address in it."""
    response = post(browser(night.key), "/people", do="add", name=name, myself="1")
    assert "Now send the invitation from your own phone." in read(
        browser(night.key), response["Location"]
    )
    return f"/c/{contact_key(Contact.objects.latest('id'))}"


def test_an_invitation_goes_out_from_sams_own_phone(alone: SamsNight) -> None:
    path = sent_by_sam(alone)
    assert not Message.objects.exists(), "nothing was sent by us"
    html = browser(alone.key).get("/people").content.decode()
    assert path in html
    assert "sms:?&amp;body=" in html
    told = text_of(browser(alone.key).get("/watch"))
    assert "Nobody will come." in told, "an invitation is no promise"
    told = read(browser(), path)
    assert "This is for Leo." in told
    assert "How do we reach you?" in told
    response = says(path, "join", phone="(202) 555-0103", lang="es")
    assert response.status_code == 303
    leo = Contact.objects.get()
    assert (leo.status, leo.lang) == ("confirmed", "es")
    assert {sealed_columns.address_value(a) for a in leo.addresses.all()} == {"+12025550103"}
    assert "…0103" in read(browser(alone.key), "/people")
    assert "Said yes:" in read(browser(alone.key), "/people")


def test_what_cannot_be_a_number_is_said_and_nothing_is_lost(alone: SamsNight) -> None:
    path = sent_by_sam(alone)
    response = says(path, "join", phone="12", email="leo@example.org")
    assert response.status_code == 422
    assert "This number is too short." in text_of(response)
    assert 'value="leo@example.org"' in response.content.decode()
    assert Contact.objects.get().status == "invited"


def test_a_yes_without_any_address_is_reached_on_the_open_page(
    alone: SamsNight, clock: Clock
) -> None:
    """A plain installation, without mail or phones, still reaches one human."""
    path = sent_by_sam(alone)
    assert "only while this page is open" in read(browser(), path)
    assert says(path, "join").status_code == 303
    leo = Contact.objects.get()
    assert [(a.channel, a.rings) for a in leo.addresses.all()] == [("page", False)]
    told = read(browser(), path)
    assert "We reach you only while this page is open." in told
    assert "A phone number or an e-mail address below is surer." in told
    assert "Let it ring for a test" not in told
    html = browser().get(path).content.decode()
    assert 'http-equiv="refresh"' in html, "where scripts do not run it looks by itself"
    listed = read(browser(alone.key), "/watch")
    assert "Leo is reached only while their page is open." in listed
    alone.start()
    alone.does(CallForHelp())
    assert {m.channel for m in alone.queued() if m.contact_id == leo.id} == {"page"}
    assert "data-alarm=" in browser().get(path).content.decode()
    assert says(path, "number", phone="202-555-0103").status_code == 303
    assert {a.channel for a in leo.addresses.all()} == {"text", "call"}


def test_what_one_must_know_first_stands_before_the_buttons(alone: SamsNight) -> None:
    told = read(browser(), sent_by_sam(alone))
    assert "if your job makes you report what you learn" in told
    assert told.index("18 or older") < told.index("I'll be there") < told.index("No, I can't")


def test_an_invitation_passed_on_changes_nothing_once_somebody_said_yes(
    alone: SamsNight, clock: Clock
) -> None:
    path = sent_by_sam(alone)
    clock.advance(5)
    says(path, "join", phone="202-555-0103")
    says(path, "join", phone="202-555-0199")
    leo = Contact.objects.get()
    assert {sealed_columns.address_value(a) for a in leo.addresses.all()} == {"+12025550103"}
    post(browser(alone.key), "/people", do="renew", contact=leo.id)
    assert browser().get(path).status_code == 404, "the link that went astray"
    leo.refresh_from_db()
    assert leo.status == "invited", "nobody we know of said yes"
    assert not leo.addresses.exists(), "the number came by that link"
    assert sealed_columns.contact_name(leo) == "Leo"
    assert browser().get(f"/c/{contact_key(leo)}").status_code == 200


def test_a_stranger_can_say_so_and_nothing_happens(night: SamsNight) -> None:
    Contact.objects.update(status="invited")
    before = everything()
    assert "Then nothing happens" in text_of(says(contact_path(night, "Leo"), "not-me"))
    assert everything() == before


def test_somebody_whose_number_sam_typed_joins_with_one_tap(night: SamsNight) -> None:
    Contact.objects.update(status="invited")
    path = contact_path(night, "Leo")
    assert "How do we reach you?" not in read(browser(), path)
    assert says(path, "join").status_code == 303
    assert "All is quiet" in read(browser(), path)


def test_the_reason_is_named_only_to_whom_sam_allows_it(night: SamsNight) -> None:
    Contact.objects.update(status="invited")
    path = contact_path(night, "Leo")
    for word in ("drug", "naloxone", "overdose"):
        assert word not in read(browser(), path).lower()
    contacts.keep(night.contacts["Leo"], why=True)
    assert "Sam sometimes uses drugs alone, and trusts you." in read(browser(), path)


def test_duties_and_age_are_told_before_the_yes(night: SamsNight, sam: Client) -> None:
    Contact.objects.update(status="invited")
    told = read(browser(), contact_path(night, "Leo"))
    assert "only if you are 18 or older" in told
    assert "if your job makes you report" in told
    assert "You can keep a watch. Choose grown-ups you trust." in read(sam, "/people")


def test_not_tonight_until_noon_and_back(night: SamsNight, sam: Client, clock: Clock) -> None:
    path = contact_path(night, "Leo")
    says(path, "tonight")
    assert "you only if nobody else answers" in read(browser(), path)
    assert "Leo said: not tonight." in read(sam, "/people")
    says(path, "back")
    assert "Leo said: not tonight." not in read(sam, "/people")
    says(path, "tonight")
    clock.advance(24 * 3600)
    assert "Leo said: not tonight." not in read(sam, "/watch")


def test_a_test_rings_every_way_once_and_is_noted(night: SamsNight, sam: Client) -> None:
    path = contact_path(night, "Leo")
    Message.objects.all().delete()
    for _ in range(2):
        assert says(path, "test")["Location"].endswith("?said=test")
    assert sorted(m.channel for m in Message.objects.filter(word="test")) == ["call", "text"]
    says(path, "rang")
    assert "It rang: 17:00." in read(browser(), path)
    assert "A test rang: 17:00." in read(sam, "/people")


def test_a_number_that_changed_is_changed_by_whom_it_belongs_to(night: SamsNight) -> None:
    path = contact_path(night, "Leo")
    assert says(path, "number", phone="no").status_code == 422
    assert says(path, "number", phone="202 555 0188").status_code == 303
    found = {sealed_columns.address_value(a) for a in night.contacts["Leo"].addresses.all()}
    assert found == {"+12025550188"}


@pytest.mark.parametrize("do", ["tonight", "back", "test", "rang", "number"])
def test_somebody_who_has_not_said_yes_changes_nothing_else(night: SamsNight, do: str) -> None:
    Contact.objects.update(status="invited")
    before = everything()
    says(contact_path(night, "Leo"), do, phone="202-555-0188")
    assert everything() == before


def test_our_address_can_be_saved_under_a_plain_name(night: SamsNight) -> None:
    response = browser().get(f"{contact_path(night, 'Leo')}/lamp.vcf")
    assert response["Content-Type"] == "text/vcard; charset=utf-8"
    card = response.content.decode()
    assert "FN:Lamp\r\n" in card
    assert "EMAIL:lamp@example.org\r\n" in card
    assert contact_key(night.contacts["Leo"]) not in card
    assert "TEL" not in card, "there is no carrier here"
    assert browser().get("/c/nobody/lamp.vcf").status_code == 404


def test_every_number_that_may_ring_is_on_the_card_and_on_the_page(
    night: SamsNight, settings: Settings
) -> None:
    """Phones that screen unknown callers let the numbers of the address book through."""
    carriers = read_carriers(
        "twilio://AC:s@api.example.org?from=%2B12025550100 "
        "telnyx://k:s@api.example.net?from=%2B12025550109&public_key=" + "A" * 43 + "%3D "
        "signalwire://k:s@api.example.com?from=%2B12025550100&only=text",
        "US",
    )
    settings.STILLHERE = replace(settings.STILLHERE, carriers=carriers)
    path = contact_path(night, "Leo")
    card = browser().get(f"{path}/lamp.vcf").content.decode()
    assert re.findall(r"TEL[^:]*:(.*)\r\n", card) == ["+12025550100", "+12025550109"]
    page = read(browser(), path)
    assert "+1 202-555-0100 · +1 202-555-0109 · lamp@example.org" in page


def test_no_contact_can_start_or_demand_a_watch(night: SamsNight) -> None:
    path = contact_path(night, "Leo")
    for do in ("start", "begin", "watch", "help", "ask", "mark", "here", "claim", "arrived"):
        says(path, do, soon="3")
    assert not WatchRow.objects.exists()
    assert browser().post("/watch", {"profile": "injected"}).status_code in (302, 403)
    assert not WatchRow.objects.exists()


# --- Sam's side -----------------------------------------------------------------------------------


def test_sam_decides_how_far_in_what_order_and_what_they_may_know(
    night: SamsNight, sam: Client
) -> None:
    leo = night.contacts["Leo"]
    post(sam, "/people", do="keep", contact=leo.id, minutes="3", step="2", why="1", lang="es")
    leo.refresh_from_db()
    assert (leo.minutes, leo.rung, leo.why, leo.door, leo.lang) == (3, 1, True, False, "es")
    post(sam, "/people", do="keep", contact=leo.id, minutes="", step="1", door="1")
    leo.refresh_from_db()
    assert (leo.minutes, leo.rung, leo.why, leo.door) == (None, 0, False, True)


@pytest.mark.parametrize("minutes", ["-1", "3.5", "soon", "99999", "٣", "1441"])
def test_minutes_that_are_none_are_said_kindly(night: SamsNight, sam: Client, minutes: str) -> None:
    response = post(sam, "/people", do="keep", contact=night.contacts["Leo"].id, minutes=minutes)
    assert response.status_code == 422
    assert "Say in minutes how far away they are" in text_of(response)


def test_the_card_to_print_says_what_to_do_and_no_more_than_allowed(
    night: SamsNight, sam: Client
) -> None:
    leo = night.contacts["Leo"]
    told = read(sam, f"/people/card/{leo.id}")
    assert "For Leo" in told
    assert contact_key(leo) in told
    assert "Naloxone" not in told
    contacts.keep(leo, why=True)
    assert "Naloxone: give it." in read(sam, f"/people/card/{leo.id}")
    other = sams_night(("Ana",))
    for wanted in (other.contacts["Ana"].id, "x", 0):
        assert sam.get(f"/people/card/{wanted}").status_code == 404


def test_the_whole_plan_is_kept(night: SamsNight, sam: Client) -> None:
    post(sam, "/people", do="plan", town="Denver, Colorado", speak="1", wish="never")
    night.person.refresh_from_db()
    assert sealed_columns.person_note(night.person, "town") == "Denver, Colorado"
    assert night.person.speak
    assert 'name="speak" value="1" checked' in sam.get("/people").content.decode()
    assert "Denver, Colorado" in sam.get("/mine/lamp.json").content.decode()


def test_who_could_see_this_is_told_in_five_lines(sam: Client) -> None:
    html = sam.get("/people").content.decode()
    block = html[html.index("Who could see this?") :]
    assert block[: block.index("</ul>")].count("<li>") == 5


def test_a_new_link_invites_again_by_the_ways_we_know(night: SamsNight, sam: Client) -> None:
    Message.objects.all().delete()
    post(sam, "/people", do="renew", contact=night.contacts["Leo"].id)
    assert Message.objects.filter(word="invite").count() == 1
    invitations.leave(night.contacts["Maya"])
    before = everything()
    post(sam, "/people", do="renew", contact=night.contacts["Maya"].id)
    assert everything() == before


def test_a_new_link_is_not_sent_where_the_old_one_was_told_to(
    night: SamsNight, sam: Client, clock: Clock
) -> None:
    """Notifications and a number that somebody typed with the old link: it is made for them."""
    leo = night.contacts["Leo"]
    ex, path = browser(), contact_path(night, "Leo")
    ex.post(f"{path}/push", {"subscription": EX.subscription})
    clock.advance(5)
    ex.post(f"{path}/answer", {"do": "number", "phone": "202-555-0166"})
    Message.objects.all().delete()
    post(sam, "/people", do="renew", contact=leo.id)
    assert not leo.addresses.exists()
    assert not Message.objects.filter(word="invite").exists()
    leo.refresh_from_db()
    new = f"/c/{contact_key(leo)}"
    assert new in sam.get("/people").content.decode(), "Sam hands it over"
    assert says(new, "join", phone="202-555-0102").status_code == 303
    assert {a.channel for a in leo.addresses.all()} == {"text", "call"}
    leo.refresh_from_db()
    assert leo.status == "confirmed"


def test_a_new_link_ends_notifications_and_leaves_what_sam_typed(
    night: SamsNight, sam: Client, clock: Clock
) -> None:
    leo, phone = night.contacts["Leo"], browser()
    before = set(leo.addresses.values_list("id", flat=True))
    phone.post(f"{contact_path(night, 'Leo')}/push", {"subscription": EX.subscription})
    assert leo.addresses.filter(channel="push").exists()
    clock.advance(5)
    assert post(sam, "/people", do="renew", contact=leo.id).status_code == 302
    assert set(leo.addresses.values_list("id", flat=True)) == before
    leo.refresh_from_db()
    assert leo.status == "confirmed"


@pytest.mark.parametrize(
    ("lang", "head", "inside"),
    [
        ("en", "Someone who counts on you asks you to be there", "the person who counts on you"),
        ("es", "Quien cuenta contigo te pide que estés ahí", "quien cuenta contigo"),
    ],
)
def test_somebody_who_gave_no_name_is_never_called_someone(
    alone: SamsNight, lang: str, head: str, inside: str
) -> None:
    """Six taps ask for no name, so most first invitations have none."""
    persons.set_plan(alone.person, name="")
    path = sent_by_sam(alone)
    told = read(browser(lang=lang), path)
    assert head in told
    assert inside in told
    for stand_in in (" Someone ", " Alguien "):
        assert stand_in not in told.replace("Someone who", ""), "as if it were a name"
