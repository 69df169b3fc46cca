"""The people of a story by phone, and how Sam's list comes about: by texts alone."""

from __future__ import annotations

import re
from collections.abc import Callable

from tests.journeys.by_phone.story import FlipPhone, Story
from tests.journeys.town import NUMBERS

Say = Callable[[str, str], str]
# What no text and no lock screen says, in any language.
UNSAID = (
    "drug", "overdos", "naloxon", "narcan", "opioid", "heroin", "fentan",
    "droga", "sobredosis", "opioide",
)  # fmt: skip
STEP = re.compile(r"[1-9]/[0-9]: ")
DAY_S = 86_400


def phone(story: Story, name: str) -> FlipPhone:
    return story.phone(NUMBERS[name], name=name)


def gather(story: Story, say: Say, *names: str) -> list[FlipPhone]:
    """Sam, who has said who and where they are, and these people, who have said yes: their phones.
    Each is a rung of their own, in this order. It was some days ago, and all is read."""
    sam = phone(story, "Sam")
    sam.texts(say("GO", "EMPEZAR"))
    sam.texts(say("NAME Sam", "NOMBRE Sam"))
    sam.texts(say("ADDRESS 12 Elm St, apt 3", "DIRECCION 12 Elm St, apt 3"))
    sam.texts(say("DOOR key at Ana's", "PUERTA la llave la tiene Ana"))
    for name in names:
        sam.texts(say(f"ADD {name} {NUMBERS[name]}", f"AGREGAR {name} {NUMBERS[name]}"))
        theirs = phone(story, name)
        theirs.texts(say("yes", "si"))
        theirs.picks_up()
        theirs.presses("5")
    sam.texts(say("DONE", "TERMINAR"))
    story.pass_time(2 * DAY_S)
    phones = [sam, *(phone(story, name) for name in names)]
    for each in phones:
        each.unread.clear()
    return phones


def begins(sam: FlipPhone, say: Say) -> None:
    """Sam is about to, and then has."""
    sam.texts(say("GO", "EMPEZAR"))
    sam.reads(say("It's on.", "OK cada vez"))
    sam.texts(say("MARK", "MARCA"))
    sam.reads(say("Noted.", "Anotado."))


def falls_silent(story: Story, sam: FlipPhone, say: Say) -> None:
    """From the mark to the alarm: 60 s to the ask, 60 s to answer it."""
    begins(sam, say)
    story.pass_time(120)
    assert story.state() == "alarm", story.told()
    sam.unread.clear()


def says_nothing_of_it(story: Story) -> None:
    """Whoever looks over a shoulder learns nothing, but from the steps, which are asked for."""
    said = (
        line.casefold()
        for line in story.log
        if line[9:].startswith("    to ") and not STEP.search(line)
    )
    found = [line for line in said if any(word in line for word in UNSAID)]
    assert not found, found
