"""Whoever cannot write says where they are, and who comes hears it: by call and by text alone."""

from __future__ import annotations

import pytest

from stillhere.channels.carriers.voice import VoiceCarrier
from stillhere.channels.http import HttpClient
from stillhere.store.models import Person
from stillhere.store.people import persons
from tests import recorded
from tests.channels.accounts import HOOKS, OURS
from tests.journeys.by_phone.cast import Say, falls_silent, gather, says_nothing_of_it
from tests.journeys.by_phone.story import FlipPhone, Story

PLACE, ENTRY, NAME = b"the blue house", b"ring twice", b"Sam"


def engine_looks(story: Story) -> None:
    """The engine's round at the company, through the real adapter."""

    class Adapter(VoiceCarrier):
        async def sound(self, ref: str) -> bytes | None:
            return story.runs(adapter.sound(ref))

        async def forget_sound(self, ref: str) -> bool:
            return story.runs(adapter.forget_sound(ref))

    adapter = VoiceCarrier(story.provider.company, HOOKS, HttpClient())
    recorded.look(Adapter(story.provider.company, HOOKS, HttpClient()), 2)
    story.runs(adapter.close())
    story.settle()


def says(story: Story, sam: FlipPhone, key: str, sound: bytes) -> None:
    """One of them, spoken, heard and kept."""
    sam.presses(key)
    sam.speaks(sound)
    engine_looks(story)
    sam.presses("")
    assert sam.played == [sound]
    sam.presses("1")


@pytest.fixture
def phones(story: Story, say: Say) -> list[FlipPhone]:
    """Sam wrote nothing and said it all in one call; Maya and Leo said yes."""
    sam, maya, leo = gather(story, say, "Maya", "Leo")
    persons.set_plan(Person.objects.get(), name="", place="", entry="")
    sam.rings_us()
    sam.hears(say("Press 4 to say where you are.", "Marca 4 para decir dónde estás."))
    sam.presses("4")
    for key, sound in (("1", PLACE), ("2", ENTRY), ("3", NAME)):
        says(story, sam, key, sound)
    sam.hears(say("It is kept.", "Quedó guardado."))
    sam.hangs_up()
    assert story.provider.sounds == {}, "nothing is left with the company"
    sam.reads(say("rang from your number", "ha llamado con tu celular"))
    sam.reads_nothing()
    return [sam, maya, leo]


def test_whoever_says_in_the_call_that_they_are_going_hears_it(
    story: Story, say: Say, phones: list[FlipPhone]
) -> None:
    sam, maya, leo = phones
    falls_silent(story, sam, say)
    maya.picks_up()
    assert maya.played == []
    maya.presses("1")
    maya.hears(say("In their own voice. Where they are:", "En su propia voz. Dónde está:"))
    assert maya.played == [NAME, PLACE, ENTRY]
    maya.presses("3")
    maya.hears(say("The others hear that you are going", "que vas"))
    leo.rings_us()
    assert leo.played == [], "who does not come hears nothing"
    says_nothing_of_it(story)


def test_whoever_says_it_by_text_rings_us_and_hears_it_in_a_call_of_ours(
    story: Story, say: Say, phones: list[FlipPhone]
) -> None:
    sam, maya, _leo = phones
    falls_silent(story, sam, say)
    maya.texts("1")
    story.pass_time(5)
    told = [text for text in maya.unread if OURS in text]
    assert len(told) == 1
    assert len(told[0].splitlines()[0]) <= 160
    maya.rings_us()
    assert maya.played == []
    maya.presses("1")
    maya.hears(say("we ring you with where", "te llamamos"))
    assert maya.played == [], "whoever rings may have forged the number"
    story.pass_until(lambda: maya.rings)
    maya.picks_up()
    assert maya.played == [], "a mailbox picks up too"
    maya.presses("1")
    assert PLACE in maya.played


def test_whoever_presses_nine_and_never_said_where_is_asked(story: Story, say: Say) -> None:
    sam, maya = gather(story, say, "Maya")
    persons.set_plan(Person.objects.get(), place="", entry="")
    sam.rings_us()
    sam.presses("1")
    story.pass_until(lambda: sam.rings)
    sam.picks_up()
    sam.presses("9")
    sam.hears(say("Press 4 to say where you are.", "Marca 4 para decir dónde estás."))
    maya.texts("1")
    maya.unread.clear()
    sam.presses("4")
    sam.speaks(PLACE)
    engine_looks(story)
    sam.presses("")
    sam.presses("1")
    assert story.state() == "claimed"
    assert [text for text in maya.unread if OURS in text], "who comes reads it at once"
