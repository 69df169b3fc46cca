"""Journey 22: "hes blue", "fell out", "no despierta", "nor can", half a word: help is on its way at
once; and nothing that is not clearly "I'm here" ever counts as one."""

from __future__ import annotations

from tests.journeys.by_phone.cast import Say, begins, gather
from tests.journeys.by_phone.story import Story

CRIES = {
    "en": (
        "hes blue",
        "fell out",
        "nor can",
        "hel",
        "HLEP",
        "cant breath",
        "i think i took 2 much",
    ),
    "es": ("no despierta", "se puso azul", "ayud", "nor can", "alluda", "no puedo respirar"),
}
UNCLEAR = {
    "en": ("lol", "who is this", "im not here", "good night", "wait", "he's fine", "?"),
    "es": ("espera", "quien es", "buenas noches", "tengo sueño", "mas o menos", "no se", "?"),
}


def test_help_is_on_its_way_at_once(story: Story, say: Say, lang: str) -> None:
    sam, maya = gather(story, say, "Maya")
    for cry in CRIES[lang]:
        begins(sam, say)
        sam.texts(cry)
        assert story.state() == "alarm", cry
        sam.reads(say("reaching the people", "Estamos avisando"))
        maya.reads("Sam", say("asks for help NOW", "pide ayuda AHORA"))
        assert maya.rings, cry
        for words, heard in (
            (say("im ok", "estoy bien"), say("OK again", "OK")),
            ("ok", say("Glad you're here", "bueno que contestas")),
        ):  # half a minute apart
            sam.unread.clear()
            sam.texts(words)
            sam.reads(heard)
            maya.reads("Sam", say("was answered at", "Contestaron"))
            story.pass_time(30)
        assert story.state() == "open", cry
        sam.texts(say("done", "terminar"))
        story.pass_time(600)
        sam.unread.clear()
        maya.unread.clear()


def test_who_cries_again_hears_that_somebody_is_on_the_way(story: Story, say: Say) -> None:
    sam, maya = gather(story, say, "Maya")
    begins(sam, say)
    sam.texts(say("help", "ayuda"))
    sam.reads(say("reaching the people", "Estamos avisando"))
    maya.reads("Sam", say("asks for help NOW", "pide ayuda AHORA"))
    maya.texts("1")
    story.pass_time(20)
    sam.unread.clear()
    sam.texts(say("help me", "ayudame"))
    sam.reads(say("on the way to you", "en camino"))
    assert story.state() == "claimed"


def test_what_is_unclear_counts_as_nothing_and_buys_no_time(
    story: Story, say: Say, lang: str
) -> None:
    sam, maya = gather(story, say, "Maya")
    begins(sam, say)
    story.pass_time(65)
    sam.reads("Sam", "OK")
    for words in UNCLEAR[lang]:
        sam.texts(words)
        assert story.state() == "asking", words
    assert sam.rings, "it rings at once"
    story.pass_time(54)
    maya.reads_nothing()
    story.pass_time(1)
    assert story.state() == "alarm"
    maya.reads("Sam", say("may need help NOW", "puede necesitar ayuda AHORA"))


def test_a_text_about_dying_is_read_by_her_as_it_is(story: Story, say: Say) -> None:
    sam, maya = gather(story, say, "Maya")
    sam.texts(say("i dont want to be alive anymore", "ya no quiero vivir"))
    sam.reads(say("reaching the people", "Estamos avisando"))
    maya.reads("Sam", say("want to die", "morir"))
    maya.texts("5")
    maya.reads("988")
    maya.texts("5")
    maya.reads("1/8")
