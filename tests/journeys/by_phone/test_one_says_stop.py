"""Journey 10: a contact texts STOP, another never answered the invitation. Sam and the coordinator
learn the first now, not on the night; the second is rung once, and told that it was never
confirmed."""

from __future__ import annotations

from tests.journeys.by_phone.cast import Say, begins, falls_silent, gather, phone
from tests.journeys.by_phone.story import Story
from tests.journeys.town import NUMBERS


def test_stop_is_told_at_once_and_is_a_broken_rung(story: Story, say: Say) -> None:
    sam, leo, maya = gather(story, say, "Leo", "Maya")
    rang = leo.rung
    leo.texts("STOP")
    leo.reads_nothing()
    sam.reads("Leo", say("cannot be reached", "ya no recibe avisos"), say("ADD", "AGREGAR"))
    ruth = phone(story, "Ruth")
    ruth.reads("Sam", say("can no longer be reached", "Ya no podemos avisarle a alguien"))
    assert ruth.rung == 0, "it wakes nobody"
    sam.texts(say("LIST", "LISTA"))
    assert "Leo" not in sam.reads("Maya")
    falls_silent(story, sam, say)
    maya.reads("Sam", say("may need help NOW", "puede necesitar ayuda AHORA"))
    assert maya.rings, "at once, and not after Leo's 45 seconds"
    story.pass_time(300)
    leo.reads_nothing()
    assert leo.rung == rang


def test_words_of_their_own_are_a_no_as_well(story: Story, say: Say) -> None:
    sam, leo = gather(story, say, "Leo")
    leo.texts(say("stop texting me", "ya no me manden mensajes"))
    sam.reads("Leo", say("cannot be reached", "ya no recibe avisos"))
    leo.reads_nothing()


def test_who_never_answered_is_rung_once_in_an_alarm_and_told_why(story: Story, say: Say) -> None:
    sam, maya = gather(story, say, "Maya")
    sam.texts(say(f"ADD Ana {NUMBERS['Ana']}", f"AGREGAR Ana {NUMBERS['Ana']}"))
    sam.reads("Ana")
    ana = phone(story, "Ana")
    ana.reads("Sam", "1", "2")
    begins(sam, say)
    story.pass_time(120 + 45)
    maya.reads("Sam")
    ana.reads(
        say("may need help NOW", "puede necesitar ayuda AHORA"),
        say("have not answered yet", "no has respondido"),
    )
    assert ana.rings
    story.pass_time(900)
    assert ana.rung == 1
    assert not [text for text in ana.unread if "may need help" in text or "AHORA" in text]


def test_only_a_no_removes_them(story: Story, say: Say) -> None:
    sam, _maya = gather(story, say, "Maya")
    sam.texts(say(f"ADD Ana {NUMBERS['Ana']}", f"AGREGAR Ana {NUMBERS['Ana']}"))
    sam.reads("Ana")
    ana = phone(story, "Ana")
    ana.reads("Sam")
    ana.texts("no")
    sam.texts(say("LIST", "LISTA"))
    assert "Ana" not in sam.reads("Maya")
    falls_silent(story, sam, say)
    story.pass_time(300)
    ana.reads_nothing()
    assert ana.rung == 0
