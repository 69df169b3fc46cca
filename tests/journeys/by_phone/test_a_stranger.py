"""A stranger with a flip phone, in words of their own: welcomed, and help is on its way, in the
language that they write; and whoever comes is asked for what comes next."""

from __future__ import annotations

from stillhere.store.program import shifts
from tests.journeys.by_phone.cast import Say
from tests.journeys.by_phone.story import FlipPhone, Story


def on_shift(story: Story, say: Say) -> FlipPhone:
    vera = story.phone("+12025550150", name="Vera")
    shifts.begin(shifts.add("Vera", vera.number, say("en", "es")), 8)
    return vera


def test_who_only_says_hello_is_welcomed_once_and_then_begins(story: Story, say: Say) -> None:
    dre = story.phone("+12025550188", name="Dre")
    dre.texts(say("hi is this the lamp thing", "hola esto es lo de lamp que me dijo mi prima"))
    dre.reads("Lamp", "SOS", say("need help", "ayuda"), "911")
    dre.texts(say("how does it work", "y como funciona"))
    dre.reads_nothing()
    dre.texts(say("ok start", "ok empezamos"))
    dre.reads(say("It's on.", "Listo."), say("text prices", "textos de tu plan"))
    assert story.state() == "open"


def test_a_cry_in_words_of_their_own_brings_who_is_on_shift(story: Story, say: Say) -> None:
    vera, dre = on_shift(story, say), story.phone("+12025550188", name="Dre")
    dre.texts(say("my boyfriend wont wake up pls", "mi novio no despierta xfa"))
    dre.reads(say("People on shift are being called.", "gente de guardia"))
    dre.texts(say("210 oak street apt 4", "calle roble 210 depto 4"))
    dre.reads(say("Kept.", "Guardado."))
    vera.reads(say("asks for help NOW", "pide ayuda AHORA"), dre.number)
    assert vera.rings
    vera.texts(say("omw 5 mins", "voy en 5 min"))
    vera.reads("4", "6")
    story.pass_time(1)
    vera.reads("210")
    story.pass_time(60)
    vera.texts(say("im here", "ya estoy aqui"))
    text = vera.reads("4", "6")
    assert "1" not in text.partition("\n")[0], "she is going already"
    vera.texts("4")
    vera.reads("1/8")
    vera.texts(say("taking him to hospital", "lo llevo al hospital"))
    vera.reads("7", "8", "9")
    vera.texts("9")
    assert story.state() == "closed"
