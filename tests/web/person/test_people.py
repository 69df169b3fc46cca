"""The list: added by hand, invited once, taken off without a word; and nothing typed is lost."""

from __future__ import annotations

from dataclasses import replace

import pytest
from django.test import Client
from pytest_django.fixtures import Settings

from stillhere.store.models import Address, Contact, Message, Person, sealed_columns
from stillhere.store.people import persons, records
from tests.circle import SamsNight, sams_night
from tests.conftest import Clock
from tests.web.conftest import browser, post
from tests.web.pages import everything, read, text_of


@pytest.fixture
def alone() -> SamsNight:
    return sams_night(phones=False)


def test_somebody_is_added_and_invited(alone: SamsNight) -> None:
    client = browser(alone.key)
    response = post(
        client, "/people", do="add", name="Maya", phone="202-555-0102", email="maya@Example.org",
        lang="es",
    )  # fmt: skip
    assert "Added. They get an invitation now." in read(client, response["Location"])
    maya = Contact.objects.get()
    assert (sealed_columns.contact_name(maya), maya.lang, maya.status) == ("Maya", "es", "invited")
    ways = {(a.channel, sealed_columns.address_value(a), a.rings) for a in maya.addresses.all()}
    assert ways == {
        ("email", "maya@example.org", False),
        ("text", "+12025550102", False),
        ("call", "+12025550102", True),
    }
    assert {m.channel for m in Message.objects.filter(word="invite")} == {"email", "text"}


def test_the_same_form_twice_adds_once(alone: SamsNight) -> None:
    client = browser(alone.key)
    post(client, "/people", do="add", name="Maya", phone="202-555-0102")
    response = post(client, "/people", do="add", name="Mum", phone="(202) 555 0102")
    assert "on your list already" in read(client, response["Location"])
    assert Contact.objects.count() == 1
    assert Message.objects.filter(word="invite").count() == 1


def test_the_order_is_a_choice(alone: SamsNight) -> None:
    client = browser(alone.key)
    for name, number, rung in (
        ("Leo", 103, "first"),
        ("Maya", 102, "after"),
        ("Ana", 104, "first"),
    ):
        post(client, "/people", do="add", name=name, phone=f"202-555-0{number}", rung=rung)
    listed = [(each.name, each.contact.rung) for each in records.circle_list(alone.person)]
    assert listed == [("Leo", 0), ("Ana", 0), ("Maya", 1)]


@pytest.mark.parametrize(
    ("kind", "typed", "says"),
    [
        ("phone", "12", "This number is too short."),
        ("phone", "911", "Type"),
        ("email", "maya at example", "Type an e-mail address with one @ in it"),
        ("email", "maya@example.org\r\nBcc: x@example.org", "Type an e-mail address"),
        ("chat", "file:///etc/passwd", "We cannot send to this kind of address."),
        ("chat", "http://169.254.169.254/", "We cannot send"),
    ],
)
def test_what_cannot_be_an_address_is_said_kindly_and_kept(
    alone: SamsNight, kind: str, typed: str, says: str
) -> None:
    client = browser(alone.key)
    before = everything()
    response = post(client, "/people", do="add", name="Maya", **{kind: typed})
    assert response.status_code == 422
    html = response.content.decode()
    assert says in text_of(response)
    assert 'value="Maya"' in html
    assert 'aria-invalid="true"' in html
    assert everything() == before


def test_wrong_words_are_said_in_spanish_too(alone: SamsNight) -> None:
    response = post(browser(alone.key, "es"), "/people", do="add", phone="12")
    assert "Este número es demasiado corto." in text_of(response)


def test_one_wrong_address_of_two_adds_nobody(alone: SamsNight) -> None:
    response = post(
        browser(alone.key), "/people", do="add", phone="202-555-0102", email="no", name="Maya"
    )
    assert response.status_code == 422
    assert 'value="202-555-0102"' in response.content.decode()
    assert not Contact.objects.exists()


def test_a_name_is_enough_to_add_somebody(alone: SamsNight) -> None:
    sam = browser(alone.key)
    response = post(sam, "/people", do="add", name="Maya")
    told = read(sam, response["Location"])
    assert "Now send the invitation from your own phone." in told
    assert "Maya has not opened your invitation yet." in told
    assert "To my watch" in told


def test_nothing_typed_is_no_way_to_reach_anybody(alone: SamsNight) -> None:
    response = post(browser(alone.key), "/people", do="add", name=" ")
    assert response.status_code == 422
    assert "Say how we reach them." in text_of(response)


@pytest.mark.slow
def test_a_list_is_not_endless(alone: SamsNight) -> None:
    client = browser(alone.key)
    for number in range(20):
        post(client, "/people", do="add", phone=f"202-555-01{number + 10}", name=str(number))
    response = post(client, "/people", do="add", phone="202-555-0190", name="one more")
    assert response.status_code == 422
    assert "at most 20 people" in text_of(response)
    assert 'value="one more"' in response.content.decode()


def test_a_name_and_a_number_of_any_kind_are_taken(alone: SamsNight) -> None:
    client = browser(alone.key)
    name = "李雷 <b>&amp;\u202e" + "x" * 300
    response = post(client, "/people", do="add", name=name, phone="+1 (202) 555\u20130102")
    assert response.status_code == 302
    html = client.get("/people").content.decode()
    assert "<b>" not in html
    assert "李雷 &lt;b&gt;" in html


def test_who_is_taken_off_hears_nothing(night: SamsNight, sam: Client) -> None:
    Message.objects.all().delete()
    leo = night.contacts["Leo"]
    response = post(sam, "/people", do="remove", contact=leo.id)
    assert "They were not told." in read(sam, response["Location"])
    assert not Contact.objects.filter(id=leo.id).exists()
    assert not Message.objects.exists()
    post(sam, "/people", do="remove", contact=leo.id)


@pytest.mark.parametrize("wanted", ["", "x", "-1", "9" * 40, "\uff11"])
def test_nobody_else_s_contact_is_touched(sam: Client, wanted: str) -> None:
    other = sams_night(("Ana",))
    before = everything()
    post(sam, "/people", do="remove", contact=other.contacts["Ana"].id)
    post(sam, "/people", do="remove", contact=wanted)
    assert everything() == before


def test_how_to_reach_sam_is_kept_and_not_churned(night: SamsNight, sam: Client) -> None:
    ids = set(Address.objects.filter(person=night.person).values_list("id", flat=True))
    post(sam, "/people", do="own", phone="202-555-0100")
    assert set(night.person.addresses.values_list("id", flat=True)) == ids
    post(sam, "/people", do="own", phone="202-555-0109", email="sam@example.org")
    found = {sealed_columns.address_value(a) for a in night.person.addresses.all()}
    assert found == {"+12025550109", "sam@example.org"}
    assert 'value="sam@example.org"' in sam.get("/people").content.decode()
    response = post(sam, "/people", do="own", phone="1")
    assert response.status_code == 422
    assert {sealed_columns.address_value(a) for a in night.person.addresses.all()} == found
    post(sam, "/people", do="own")
    assert not night.person.addresses.exists()


def test_a_broken_address_of_sam_s_can_be_typed_again(night: SamsNight, sam: Client) -> None:
    night.person.addresses.update(state="broken")
    assert "One of these does not work." in read(sam, "/people")
    post(sam, "/people", do="own", phone="202-555-0100")
    assert {a.state for a in night.person.addresses.all()} == {"ok"}


def test_the_plan_is_kept(night: SamsNight, sam: Client) -> None:
    notes = {"name": "Sammy", "place": "1 Oak\nflat 2", "entry": "", "dispatch": "555-0100"}
    post(sam, "/people", do="plan", wish="call-now", lang="es", **notes)
    person = Person.objects.get(id=night.person.id)
    assert {n: sealed_columns.person_note(person, n) for n in notes} == notes
    assert (person.wish, person.lang) == ("call-now", "es")


def test_a_wish_that_is_none_is_refused_and_the_rest_not_lost(
    night: SamsNight, sam: Client
) -> None:
    response = post(sam, "/people", do="plan", wish="maybe", place="somewhere new")
    assert response.status_code == 422
    assert "somewhere new" in text_of(response)
    person = Person.objects.get(id=night.person.id)
    assert sealed_columns.person_note(person, "place") == "12 Elm Street"


def test_the_name_they_use_is_asked_with_the_first_person() -> None:
    person, key = persons.new_person("en")
    client = browser(key)
    assert "What they call you" in read(client, "/people")
    post(client, "/people", do="add", name="Maya", phone="202-555-0102", my_name="Sam")
    assert sealed_columns.person_note(Person.objects.get(id=person.id), "name") == "Sam"


def test_where_nothing_is_set_up_a_name_is_enough(
    alone: SamsNight, settings: Settings, clock: Clock
) -> None:
    settings.BUILD_CHANNELS = lambda _: {}
    settings.STILLHERE = replace(settings.STILLHERE, demo_url="")
    assert "The name is enough." in read(browser(alone.key), "/people")


def test_channels_that_cannot_be_built_do_not_take_the_pages_along(
    alone: SamsNight, settings: Settings
) -> None:
    def broken(_: object) -> dict[str, object]:
        raise ValueError("smtp://password@")

    settings.BUILD_CHANNELS = broken
    settings.STILLHERE = replace(settings.STILLHERE, demo_url="")
    assert "Practice" in read(browser(alone.key), "/people")


def test_a_button_nobody_knows_changes_nothing(night: SamsNight, sam: Client) -> None:
    before = everything()
    assert post(sam, "/people", do="explode").status_code == 200
    assert post(sam, "/people").status_code == 200
    assert everything() == before


def test_a_wrong_code_is_said_beside_the_field(alone: SamsNight) -> None:
    """The page is long, and the field far below its head: one must not have to look for either."""
    sam = browser(alone.key)
    kept = post(sam, "/people", do="own", phone="(202) 555-0101")
    assert kept["Location"] == "/people?said=code-sent#prove"
    assert 'action="/people#prove"' in sam.get("/people").content.decode()
    wrong = post(sam, "/people", do="code", code="000000")
    assert wrong.status_code == 422
    beside = wrong.content.decode().partition('id="prove"')[2].partition("</section>")[0]
    assert "This is not the code we sent." in beside
