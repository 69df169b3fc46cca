"""Journey 21: a family's old Android phone carries the texts. Its carrier stamps them an hour
early, drops the plus from numbers and sends long texts as pictures. It works all the same, and
`stillhere check` says what it noticed."""

from __future__ import annotations

from stillhere.cli.check import weaknesses
from tests.journeys.by_phone.cast import Say, begins, phone
from tests.journeys.by_phone.story import ONE_TEXT, FlipPhone, Story
from tests.journeys.town import NUMBERS


def gathered(sill: Story, say: Say) -> tuple[FlipPhone, FlipPhone]:
    """Sam, and Maya who said yes."""
    sam, maya = phone(sill, "Sam"), phone(sill, "Maya")
    for text in (say("GO", "EMPEZAR"), say("NAME Sam", "NOMBRE Sam")):
        sam.texts(text)
    sam.texts(say(f"ADD Maya {NUMBERS['Maya']}", f"AGREGAR Maya {NUMBERS['Maya']}"))
    maya.reads("Sam", "1", "2")
    maya.texts(say("yes of course", "si claro"))
    maya.reads("Sam")
    sam.texts(say("DONE", "TERMINAR"))
    sam.unread.clear()
    maya.unread.clear()
    sill.pass_time(3_600)
    return sam, maya


def test_every_ok_counts_and_nobody_is_alarmed(sill: Story, say: Say) -> None:
    sam, maya = gathered(sill, say)
    begins(sam, say)
    for _ in range(4):
        sill.pass_until(lambda: bool(sam.unread))
        sam.reads("Sam", "OK")
        sam.texts("ok")
        assert sill.state() == "open"
    maya.reads_nothing()
    assert [sentence for _, sentence in weaknesses.gateways()] == [
        "sill stamps texts 58 minutes early: they are counted from when they arrive."
    ]


def test_a_long_cry_that_comes_as_a_picture_reaches_her(sill: Story, say: Say) -> None:
    sam, maya = gathered(sill, say)
    begins(sam, say)
    long = say(
        "hey its me im so sorry i really tried but he fell out on the floor in the bathroom and i "
        "dont know what to do hes turning blue and i cant wake him up somebody please come quick",
        "oye soy yo perdon de verdad lo intente pero se cayo en el piso del baño y no se que hacer "
        "se puso azul y no despierta por favor que alguien venga rapido no me contesta nadie aqui",
    )
    assert len(long) > ONE_TEXT
    sam.texts(long)
    assert sill.state() == "alarm"
    maya.reads("Sam", say("asks for help NOW", "pide ayuda AHORA"))
    maya.texts(say("omw 3", "voy en 3"))
    maya.reads("Sam", "4", "6")
    assert sill.state() == "claimed"


def test_silence_reaches_her_though_nothing_here_can_ring(sill: Story, say: Say) -> None:
    sam, maya = gathered(sill, say)
    begins(sam, say)
    sill.pass_time(120)
    assert sill.state() == "alarm"
    maya.reads("Sam", say("may need help NOW", "puede necesitar ayuda AHORA"))
    sam.unread.clear()
    sam.texts(say("im ok", "estoy bien"))
    assert sill.state() == "open"
    sam.reads(say("Glad you're here", "bueno que contestas"))
    maya.reads("Sam", say("was answered at", "Contestaron"))
