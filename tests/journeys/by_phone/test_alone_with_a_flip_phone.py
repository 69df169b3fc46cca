"""Journey 2: Sam texts GO, or calls the number and presses 1. Same watch, no app, no account, no
data, and no word in the thread that says what it was."""

from __future__ import annotations

from stillhere.engine.erasure import erase_once
from stillhere.store.models import Message, Tally, WatchRow
from tests.journeys.by_phone.cast import DAY_S, Say, begins, gather, phone
from tests.journeys.by_phone.story import Story


def test_a_watch_by_text_from_the_first_word_to_the_last(story: Story, say: Say) -> None:
    sam = phone(story, "Sam")
    sam.texts(say("GO", "EMPEZAR"))
    sam.reads(say("It's on.", "Listo."), "OK", say("ADD", "AGREGAR"), say("prices", "plan"))
    sam.texts(say("MARK", "MARCA"))
    sam.reads(say("Noted.", "Anotado."))
    story.pass_time(59)
    assert story.state() == "open"
    story.pass_time(6)
    for _ in range(10):
        assert story.state() == "asking"
        sam.reads("OK", "?")
        sam.texts("ok")
        if story.state() == "open":
            story.pass_until(lambda: bool(sam.unread))
    sam.reads(say("Nobody is watching now", "pendiente"), say("GO", "EMPEZAR"))
    assert story.state() == "closed"
    story.pass_time(3_600)
    sam.reads_nothing()
    assert sam.rung == 0, "whoever answers is never rung"
    assert phone(story, "Ruth").unread == []
    story.pass_time(DAY_S)
    erase_once(story.clock.now)
    assert not WatchRow.objects.exists()
    assert not Message.objects.exists()
    assert Tally.objects.exists(), "nothing remains but a count"


def test_nobody_on_the_list_is_bothered_by_a_quiet_watch(story: Story, say: Say) -> None:
    sam, maya, leo = gather(story, say, "Maya", "Leo")
    begins(sam, say)
    story.pass_time(65)
    sam.reads("Sam", "OK")
    sam.texts(say("still here", "aqui sigo"))
    sam.texts(say("more", "mas"))
    sam.reads(say("More time.", "tiempo"))
    sam.texts(say("done", "terminar"))
    sam.reads(say("Nobody is watching now", "pendiente"))
    story.pass_time(3_600)
    for each in (maya, leo):
        each.reads_nothing()
        assert each.rung == 1, "only for the test, when they said yes"


def test_an_ask_that_is_not_answered_rings_and_then_the_people_are_reached(
    story: Story, say: Say
) -> None:
    """The seconds of the brief: asked at 60, rung at 80, the alarm at 120."""
    sam, maya = gather(story, say, "Maya")
    begins(sam, say)
    marked_at = story.clock.now
    story.pass_time(65)
    sam.reads("Sam", "OK")
    story.pass_time(14)
    assert not sam.rings
    story.pass_time(1)
    assert (sam.rings, story.clock.now - marked_at) == (True, 80_000)
    story.pass_time(39)
    assert (story.state(), maya.unread) == ("asking", [])
    story.pass_time(1)
    assert (story.state(), story.clock.now - marked_at) == ("alarm", 120_000)
    at = say("17:00", "17:00")
    maya.reads("Sam", say("may need help NOW", "puede necesitar ayuda AHORA"), at, "555")
    assert maya.rings


def test_a_watch_by_call_alone(story: Story, say: Say) -> None:
    """Ring, press 1; when it rings any key is here, and 9 is help."""
    sam, maya = gather(story, say, "Maya")
    sam.rings_us()
    sam.hears(say("Press 1", "1"), "2", "3")
    sam.presses("1")
    sam.hears(say("It's on. We ring in 3 minutes.", "ya empezamos. Llamamos en 3 minutos."), "9")
    began_at = story.clock.now
    story.pass_until(lambda: sam.rings)
    assert story.clock.now - began_at <= 205_000
    sam.picks_up()
    sam.hears("Sam", say("any key", "una tecla"), "9")
    sam.presses("7")
    sam.hears(say("Got it.", "Recibido."))
    assert story.state() == "open"
    story.pass_until(lambda: sam.rings)
    sam.picks_up()
    sam.presses("9")
    sam.hears(say("reaching the people on your list", "a la gente de tu lista"))
    assert story.state() == "alarm"
    maya.reads("Sam", say("asks for help NOW", "pide ayuda AHORA"))


def test_to_ring_once_and_let_it_be_costs_nothing_and_counts(story: Story, say: Say) -> None:
    sam, maya = gather(story, say, "Maya")
    begins(sam, say)
    story.pass_time(65)
    assert story.state() == "asking"
    sam.rings_us()
    assert sam.heard == "", "we do not pick up"
    assert story.state() == "open"
    maya.reads_nothing()


def test_a_missed_call_that_ends_the_asking_is_answered_by_a_text(story: Story, say: Say) -> None:
    sam, _maya = gather(story, say, "Maya")
    begins(sam, say)
    while story.state() != "closed":
        story.pass_until(lambda: bool(sam.unread))
        sam.reads("Sam", "OK")
        sam.rings_us()
    sam.reads(say("Nobody is watching now", "pendiente"))
    story.pass_time(3_600)
    sam.reads_nothing()
