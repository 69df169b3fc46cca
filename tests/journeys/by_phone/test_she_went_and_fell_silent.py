"""Journey 8: a claim without an arrival reopens the ladder; a locked door keeps the alarm open;
nobody with Sam five minutes into an alarm: everyone on it is told to call an ambulance."""

from __future__ import annotations

from tests.journeys.by_phone.cast import Say, falls_silent, gather
from tests.journeys.by_phone.story import Story


def test_she_does_not_come_and_the_door_is_locked(story: Story, say: Say) -> None:
    need = say("may need help NOW", "puede necesitar ayuda AHORA")
    sam, leo, maya = gather(story, say, "Leo", "Maya")
    falls_silent(story, sam, say)
    alarmed_at = story.clock.now
    leo.reads("Sam", need)
    leo.texts(say("on my way, 2 minutes", "voy en 2 minutos"))
    leo.reads("Sam", "4", "6")
    story.pass_time(119)
    leo.reads("12 Elm St")
    maya.reads_nothing()
    story.pass_time(1)
    leo.reads("Sam", "4", "1", "2", "6")
    maya.reads("Sam", need)
    assert maya.rings
    leo.texts(say("door is locked", "la puerta esta cerrada"))
    leo.reads(say("the door is shut", "la puerta no se abre"))
    assert story.state() == "alarm"
    maya.reads("Leo", "Sam", say("key", "llave"), "1", "2")
    story.pass_until(lambda: story.clock.now >= alarmed_at + 300_000)
    ambulance = say("Call an ambulance now.", "Llama a una ambulancia ahora.")
    for each in (leo, maya):
        assert any(ambulance in text for text in each.unread), each.unread
        each.unread.clear()
    maya.texts(say("i have the key omw 2", "tengo la llave voy en 2"))
    assert story.state() == "claimed"
    maya.reads("Sam", "4", "6")
    leo.reads("Maya", "Sam", "2", say("It is not over.", "no ha terminado"))


def test_nobody_is_told_to_call_an_ambulance_before_five_minutes(story: Story, say: Say) -> None:
    sam, leo = gather(story, say, "Leo")
    falls_silent(story, sam, say)
    story.pass_time(299)
    ambulance = say("ambulance", "ambulancia")
    assert not [text for text in leo.unread if ambulance in text]
    story.pass_time(1)
    assert [text for text in leo.unread if ambulance in text]


def test_somebody_who_is_with_them_is_asked_again_when_they_say_no_more(
    story: Story, say: Say
) -> None:
    sam, leo, maya = gather(story, say, "Leo", "Maya")
    falls_silent(story, sam, say)
    leo.texts(say("found him", "lo encontre"))
    assert story.state() == "attended"
    leo.unread.clear()
    story.pass_time(600)
    leo.reads("Sam", "4")
    maya.reads_nothing()
    story.pass_time(300)
    maya.reads("Sam", say("may need help NOW", "puede necesitar ayuda AHORA"))
