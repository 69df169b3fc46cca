"""Mallory types somebody else's number as their own and sets a word under force that its owner says
anyway. The word counts from a number once it is shown to be theirs, and shows nothing itself."""

from __future__ import annotations

import pytest
from django.test import Client

from stillhere.store.models import Contact, Person
from stillhere.store.people import force
from tests.circle import SamsNight
from tests.hook import LEO, SAM
from tests.web.conftest import browser, post
from tests.web.pages import text_of
from tests.web.strangers import VICTIM, Town, page_of, town, visitor, watched_night

pytestmark = pytest.mark.usefixtures("database")
__all__ = ["town"]


def mallory_with_word(town: Town, number: str, word: str) -> tuple[Client, Person]:
    """Over HTTP alone: a list of one, who is Mallory's own second browser, and the word; then the
    number. A word that is refused is set straight in the database."""
    client, me = visitor()
    post(client, "/people", do="add", name="Z")
    z = Contact.objects.get(person=me)
    browser(stranger=True).post(page_of(z) + "/answer", {"do": "join"})
    post(client, "/mine/word", do="keep", word=word, contacts=str(z.id))
    me.refresh_from_db()
    if not me.force_word:
        me.force_word = force._hashed(me, force._folded(word))
        me.save(update_fields=["force_word"])
        Contact.objects.filter(id=z.id).update(hears_force=True)
    post(client, "/people", do="own", phone=number)
    town.live(5)
    me.refresh_from_db()
    return client, me


@pytest.mark.parametrize("word", ["hello", "hi there", "on my way", "blue kettle"])
def test_what_the_owner_of_a_number_says_is_no_word_of_whoever_typed_it(
    town: Town, word: str
) -> None:
    _client, me = mallory_with_word(town, VICTIM, word)
    town.hook.text(VICTIM, word)
    town.live(5)
    assert not Person.objects.filter(secret=True).exists()
    assert not me.addresses.filter(proved_at__gt=0).exists()


@pytest.mark.parametrize("said", ["on my way", "I'm going", "where", "steps", "i'm there"])
def test_what_leo_answers_an_alarm_with_is_leos(town: Town, said: str) -> None:
    mallory_with_word(town, LEO, said)
    watched_night(town, seconds=140)
    town.hook.text(LEO, said)
    town.live(6)
    assert not Person.objects.filter(secret=True).exists()
    assert "this number is yours" not in town.last(LEO)


def test_fine_in_an_alarm_is_sams(town: Town) -> None:
    mallory_with_word(town, SAM, "i am fine")
    night = watched_night(town, seconds=140)
    assert night.row().state == "alarm"
    town.hook.text(SAM, "i am fine")
    assert night.row().state != "alarm"


def test_no_word_is_kept_before_the_number_is_shown_to_be_theirs(
    town: Town, night: SamsNight, sam: Client
) -> None:
    night.person.addresses.update(proved_at=0)
    maya = str(night.contacts["Maya"].id)
    answer = post(sam, "/mine/word", do="keep", word="blue kettle", contacts=maya)
    assert answer.status_code == 422
    assert "Show us first that your number is yours" in text_of(answer)
    assert not Person.objects.get(id=night.person.id).force_word


def test_whoever_has_no_number_at_all_may_have_a_word_for_the_pin(
    night: SamsNight, sam: Client
) -> None:
    night.person.addresses.all().delete()
    maya = str(night.contacts["Maya"].id)
    answer = post(sam, "/mine/word", do="keep", word="4711", contacts=maya)
    assert answer.status_code == 200


@pytest.mark.parametrize(
    "word",
    [
        "hello", "hola", "hi there", "thanks mom", "on my way", "I'm going", "voy en camino",
        "where", "steps", "i'm there", "wrong address", "sure thing", "unstop", "no puedo ir",
        "add maya", "delete me", "my name is sam", "hes not breathing", "need time",
    ],
)  # fmt: skip
def test_a_word_that_a_contact_or_a_stranger_would_say_is_refused(
    night: SamsNight, sam: Client, word: str
) -> None:
    maya = str(night.contacts["Maya"].id)
    answer = post(sam, "/mine/word", do="keep", word=word, contacts=maya)
    assert answer.status_code == 422
    assert "People say that anyway" in text_of(answer)
