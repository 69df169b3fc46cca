"""Journey 6: where, how to get in, then one instruction at a time, by text or by call, in her
language; and a second look some minutes after the medicine."""

from __future__ import annotations

from tests.journeys.by_phone.cast import Say, falls_silent, gather
from tests.journeys.by_phone.story import Story

STEPS = 8


def test_by_text_from_the_first_word_to_the_end(story: Story, say: Say) -> None:
    sam, leo, maya = gather(story, say, "Leo", "Maya")
    falls_silent(story, sam, say)
    leo.reads("Sam", "1", "2")
    leo.texts(say("omw 2", "voy en 2"))
    leo.reads("Sam", "4", "6")
    story.pass_time(1)
    leo.reads("12 Elm St, apt 3", say("key at Ana's", "la llave la tiene Ana"))
    story.pass_time(100)
    leo.texts(say("im there", "ya llegue"))
    assert story.state() == "attended"
    leo.reads(f"1/{STEPS}", "5", "3")
    leo.texts("3")
    leo.reads(f"1/{STEPS}")
    for step in range(2, STEPS + 1):
        leo.texts("5")
        leo.reads(f"{step}/{STEPS}")
        story.pass_time(5)
    story.pass_time(130)
    leo.reads(f"6/{STEPS}")  # the second look, by itself
    leo.texts(say("hes breathing now", "ya respira"))
    leo.reads("7", "8", "9")
    leo.texts("8")
    assert story.state() == "open"
    leo.reads("Leo", "Sam", say("is alive", "vive"))
    leo.reads("Sam", say("Stay if you can", "Quédate"))
    maya.reads_nothing()  # she was never told, so she is not told that it is over
    sam.unread.clear()
    story.pass_time(65)
    sam.reads("Sam", "OK")  # asked again after one minute, and after three
    sam.texts("ok")
    story.pass_time(125)
    sam.reads("Sam", "OK")


def test_by_call_step_by_step(story: Story, say: Say) -> None:
    sam, leo = gather(story, say, "Leo")
    falls_silent(story, sam, say)
    leo.picks_up()
    leo.presses("5")
    first = leo.hears(say("Shout their name", "Grita su nombre"))
    leo.presses("3")
    assert leo.heard == first
    leo.presses("")
    assert leo.heard == first, "silence repeats"
    heard = [first]
    for _ in range(STEPS):
        leo.presses("5")
        heard.append(leo.heard)
    assert len(set(heard)) >= STEPS - 1, heard
    leo.hangs_up()
    leo.rings_us()  # and rings back
    leo.hears("Sam", say("may need help NOW", "puede necesitar ayuda AHORA"))
