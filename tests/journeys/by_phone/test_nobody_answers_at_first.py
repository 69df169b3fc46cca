"""Journey 4: a dead number moves the ladder at once; the next phone is not picked up; within three
minutes everyone has been rung; one presses 1, and the others hear who is going and that it is not
over."""

from __future__ import annotations

from stillhere.store.models import Person
from stillhere.store.program import shifts
from tests.journeys.by_phone.cast import Say, falls_silent, gather, phone
from tests.journeys.by_phone.story import Story

EVERYONE_S = 180


def test_a_dead_number_a_phone_that_nobody_picks_up_and_then_somebody_goes(
    story: Story, say: Say
) -> None:
    need = say("may need help NOW", "puede necesitar ayuda AHORA")
    sam, leo, ana, maya = gather(story, say, "Leo", "Ana", "Maya")
    leo.dead = True
    falls_silent(story, sam, say)
    leo.reads_nothing()
    ana.reads("Sam", need, "+12025550101")
    assert ana.rings, "at once: the receipt says that Leo's number is dead"
    maya.reads_nothing()
    story.pass_time(24)
    maya.reads_nothing()
    story.pass_time(21)  # 45 seconds in all, and the carrier said at 25 that nobody picked up
    maya.reads("Sam", need)
    assert maya.rings
    maya.picks_up()
    maya.hears("Sam", need, "1", "2", "3", "8")
    maya.presses("1")
    maya.hears(say("In how many minutes", "En cuántos minutos"), "12 Elm St")
    maya.presses("3")
    maya.hears("Sam", say("The others hear", "Avisamos a los otros"), "4", "6")
    assert story.state() == "claimed"
    maya.reads("12 Elm St", say("key at Ana's", "la llave"))
    ana.reads("Maya", "Sam", "5")  # as long as nobody says how soon
    ana.reads("Maya", "Sam", "3", say("It is not over.", "no ha terminado"))
    ana_rang = ana.rung
    story.pass_time(170)
    ana.reads_nothing()
    assert ana.rung <= ana_rang + 2, "the ladder is held"


def test_everyone_has_been_rung_within_three_minutes(story: Story, say: Say) -> None:
    """Those of the list, then who is on shift; nobody picks up, and the coordinator hears it."""
    sam, *theirs = gather(story, say, "Leo", "Ana", "Maya")
    vera = story.phone("+12025550150", name="Vera")
    shifts.begin(shifts.add("Vera", vera.number, say("en", "es")), 8)
    shifts.want(Person.objects.get(), True)
    falls_silent(story, sam, say)
    story.pass_time(EVERYONE_S - 1)
    assert [each.rung for each in theirs if each.rung < 2] == [], "one of them is the test"
    vera.reads("Sam", say("may need help NOW", "puede necesitar ayuda AHORA"))
    assert vera.rung > 0
    phone(story, "Ruth").reads("Sam")


def test_the_first_one_who_cannot_is_thanked_and_the_next_is_rung_at_once(
    story: Story, say: Say
) -> None:
    sam, ana, maya = gather(story, say, "Ana", "Maya")
    falls_silent(story, sam, say)
    ana.reads("Sam")
    maya.reads_nothing()
    ana.texts(say("cant im at work", "no puedo estoy trabajando"))
    ana.reads(say("We ask the others.", "otros"))
    maya.reads("Sam", "1", "2")
    maya.texts(say("omw 4", "voy en 4"))
    maya.reads(say("The others hear", "Avisamos a los otros"), "4", "6")
    assert story.state() == "claimed"
    ana.reads("Maya", "Sam", "4", say("It is not over.", "no ha terminado"))
