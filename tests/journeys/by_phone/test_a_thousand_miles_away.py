"""Journey 5: her own 911 would reach the wrong city. She reads which dispatch to ask for, in words
to say aloud, and where Sam is; and who only phones holds nobody up."""

from __future__ import annotations

from stillhere.store.models import Person
from stillhere.store.people import persons
from tests.journeys.by_phone.cast import Say, falls_silent, gather
from tests.journeys.by_phone.story import Story


def test_she_reads_whom_to_call_from_afar_and_what_to_say(story: Story, say: Say) -> None:
    sam, maya, leo = gather(story, say, "Maya", "Leo")
    persons.set_plan(Person.objects.get(), town="Denver, Colorado", dispatch="303-555-0100, always")
    falls_silent(story, sam, say)
    maya.reads("Sam", "+12025550101")
    maya.texts(say("im far away ill call him", "estoy muy lejos, le llamo"))
    maya.reads(
        say("I need dispatch in Denver, Colorado.", "central de emergencias de Denver, Colorado."),
        "303-555-0100",
        "Sam",
    )
    assert story.state() == "alarm", "who phones is not going"
    story.pass_time(1)
    maya.reads("12 Elm St, apt 3")
    story.pass_time(44)
    leo.reads(say("may need help NOW", "puede necesitar ayuda AHORA"))


def test_without_a_plan_she_is_told_to_name_the_city(story: Story, say: Say) -> None:
    sam, maya, _leo = gather(story, say, "Maya", "Leo")
    falls_silent(story, sam, say)
    maya.reads("Sam")
    maya.texts(say("out of town", "fuera de la ciudad"))
    maya.reads("Sam", say("which city", "qué ciudad"))


def test_who_never_said_yes_reads_no_town(story: Story, say: Say) -> None:
    sam, maya = gather(story, say, "Maya")
    person = Person.objects.get()
    persons.set_plan(person, town="Denver, Colorado", dispatch="303-555-0100")
    person.contacts.update(status="invited")
    falls_silent(story, sam, say)
    maya.reads("Sam")
    maya.texts(say("far away", "muy lejos"))
    assert "Denver" not in maya.reads("")
    story.pass_time(2)
    maya.reads_nothing()
