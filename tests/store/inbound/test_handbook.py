"""The handbook's page "by text" is true word for word: every line of its table is sent, in both
languages, and everything it puts between quotes."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from stillhere.core import events as ev
from stillhere.core.schedule import Routine
from stillhere.store.models import Address, Contact, Message, Person, WatchRow, sealed_columns
from stillhere.store.watches import apply
from tests.circle import sams_night, tick_all
from tests.conftest import Clock
from tests.hook import LEO, SAM, Hook, alarmed_night, asked_night, deliver, erases, said_to

pytestmark = pytest.mark.usefixtures("database")

PAGE = (Path(__file__).parents[3] / "docs/handbook/by-text.md").read_text()
LINES = [re.split(r"\s*\|\s*", line.strip("| ")) for line in PAGE.splitlines() if line[:2] == "| "]
ROWS = {english: spanish for english, _what, spanish in LINES[1:]}
NEW = "+12025550177"


def texts(cell: str) -> list[str]:
    """What a cell tells one to send."""
    quoted = re.findall(r'"([^"]+)"', cell)
    bare = re.sub(r"\(.*?\)", "", cell).replace("...", "202-555-0102").split(",")
    left = [part.strip() for part in bare if part.strip()]
    return [
        part for part in left if part != "twice" and part.split()[0] not in ("or", "o")
    ] + quoted


def state() -> str:
    return str(WatchRow.objects.latest("id").state)


def words() -> list[str]:
    """What we answered."""
    return list(
        Message.objects.filter(word__startswith="reply-")
        .order_by("id")
        .values_list("word", flat=True)
    )


def begins(hook: Hook, clock: Clock, text: str) -> None:
    hook.text(NEW, text)
    assert state() == "open"
    lasts = WatchRow.objects.get().profile
    assert lasts == ("swallowed" if len(text.split()) > 1 else "injected")


def counts(hook: Hook, clock: Clock, text: str) -> None:
    night = sams_night()
    night.start()
    hook.text(SAM, text)
    assert night.row().marked_at == clock.now


def answers(hook: Hook, clock: Clock, text: str) -> None:
    night = asked_night(clock)
    hook.text(SAM, text)
    assert night.row().state == "open"


def is_later(hook: Hook, clock: Clock, text: str) -> None:
    night = sams_night()
    night.start()
    ends_at = night.row().ends_at
    hook.text(SAM, text)
    assert (night.row().ends_at or 0) - (ends_at or 0) == 600_000


def is_help(hook: Hook, clock: Clock, text: str) -> None:
    night = sams_night(("Leo",))
    night.start()
    hook.text(SAM, text)
    assert night.row().state == "alarm"
    assert Message.objects.filter(word="help", contact__isnull=False).exists()


def ends(hook: Hook, clock: Clock, text: str) -> None:
    night = sams_night()
    night.start()
    hook.text(SAM, text)
    assert night.row().state == "closed"


def lists(hook: Hook, clock: Clock, text: str) -> None:
    sams_night(("Leo",))
    Contact.objects.update(status="invited")
    hook.text(SAM, text)
    [said] = said_to(SAM, clock)
    assert "Leo?" in said


def adds(hook: Hook, clock: Clock, text: str) -> None:
    sams_night(("Leo",))
    hook.text(SAM, text)
    maya = Contact.objects.latest("id")
    assert sealed_columns.contact_name(maya) == "Maya"
    assert Message.objects.filter(contact=maya, word="invite").exists()


def is_kept(hook: Hook, clock: Clock, text: str) -> None:
    hook.text(NEW, "GO")
    what = " ".join(text.split()[1:]) or "Sam"
    hook.text(NEW, text if len(text.split()) > 1 else f"{text} {what}")
    person = Person.objects.get()
    assert what in [sealed_columns.person_note(person, n) for n in ("name", "place", "entry")]
    said = said_to(NEW, clock)[-1]
    assert "NAME" in text or "NOMBRE" in text or "delete" in said or "borra" in said


def rests(hook: Hook, clock: Clock, text: str) -> None:
    night = sams_night()
    daily = Routine(frozenset(range(7)), 22 * 60, "America/New_York")
    watch = apply.start(night.person.id, "routine", routine=daily)
    hook.text(SAM, text)
    assert (WatchRow.objects.get(id=watch).deadline_at or 0) - clock.now > (
        86_400_000 * (3 if "3" in text else 1)
    )


def is_erased(hook: Hook, clock: Clock, text: str) -> None:
    sams_night()
    erases(hook, SAM, clock, text)
    assert not Person.objects.exists()


# Every line of the table, by what stands in its first column.
CHECKS: dict[str, Callable[[Hook, Clock, str], None]] = {
    "GO": begins,
    "GO LONG": begins,
    "MARK": counts,
    "OK, here, still here, 👍": answers,
    "MORE": is_later,
    'SOS, 9, HELP, or in your own words ("cant breathe", "hes turning blue")': is_help,
    "DONE": ends,
    "LIST": lists,
    "ADD Maya 202-555-0102": adds,
    "NAME Sam, ADDRESS 12 Elm St, DOOR key at Ana's": is_kept,
    "PAUSE 3 days": rests,
    "DELETE": is_erased,
}
SENT = [
    (cell, text)
    for cell, spanish in ROWS.items()
    for text in [*texts(cell), *texts(spanish)]
]  # fmt: skip


def test_every_line_of_the_table_is_sent() -> None:
    assert list(ROWS) == list(CHECKS)


@pytest.mark.parametrize(("cell", "text"), SENT, ids=[text for _cell, text in SENT])
def test_it_does_what_the_page_says(hook: Hook, clock: Clock, cell: str, text: str) -> None:
    CHECKS[cell](hook, clock, text)


# --- below the table ------------------------------------------------------------------------------


def by_contact(state_after: str, word: str) -> Callable[[Hook, Clock, str], None]:
    def check(hook: Hook, clock: Clock, text: str) -> None:
        night = alarmed_night(clock)
        hook.text(LEO, text)
        assert (night.row().state, words()[-1]) == (state_after, word)

    return check


def wants_to_die(hook: Hook, clock: Clock, text: str) -> None:
    is_help(hook, clock, text)
    assert any("want to die" in each for each in said_to(LEO, clock))


def fills_an_empty_note(hook: Hook, clock: Clock, text: str) -> None:
    hook.text(NEW, "GO")
    hook.text(NEW, text)
    assert sealed_columns.person_note(Person.objects.get(), "place") == "12 Elm St"


def rings_and_changes_nothing(hook: Hook, clock: Clock, text: str) -> None:
    hook.text(NEW, "GO")
    hook.text(NEW, text)
    notes = [
        sealed_columns.person_note(Person.objects.get(), n) for n in ("name", "place", "entry")
    ]
    assert (notes, state()) == (["", "", ""], "asking")
    assert Message.objects.filter(word="ask-ring").exists()


QUOTED: dict[str, Callable[[Hook, Clock, str], None]] = {
    "i want to die": wants_to_die,
    "I'm at 12 Elm St": fills_an_empty_note,
    "door wont open": rings_and_changes_nothing,
    "im at 2 pills": rings_and_changes_nothing,
    "I'm...": rings_and_changes_nothing,
    "im far": by_contact("alarm", "reply-far"),
    "out of town": by_contact("alarm", "reply-far"),
    "omw 10": by_contact("alarm", "reply-going"),
    "at the door": by_contact("claimed", "reply-at-door"),
    "wrong apartment": by_contact("alarm", "reply-not-found"),
    "where?": by_contact("alarm", "reply-where"),
    "he is fine": by_contact("alarm", "reply-how"),
    "taking him to hospital": by_contact("alarm", "reply-how"),
}
OURS = {  # what we say, and what stands on a key of a call
    "Lamp", "still here?", "here", "wrong number, or never again",
}  # fmt: skip


def test_everything_between_quotes_below_the_table_is_sent() -> None:
    below = PAGE[PAGE.rindex("\n| ") :].partition("\n\n")[2]
    assert set(re.findall(r'"([^"]+)"', below)) - OURS == set(QUOTED)


@pytest.mark.parametrize("text", QUOTED)
def test_what_stands_between_quotes_is_understood(hook: Hook, clock: Clock, text: str) -> None:
    QUOTED[text](hook, clock, text)


@pytest.mark.parametrize(
    ("digits", "after", "word"),
    [
        ("1", "claimed", "reply-going"),
        ("2", "alarm", "reply-cannot"),
        ("4", "attended", "reply-there"),
        ("5", "alarm", "reply-steps"),
        ("6", "alarm", "reply-locked"),
        ("4|he is fine|7", "open", "reply-thanks"),
        ("4|he is fine|8", "open", "reply-thanks"),
        ("4|taking him to hospital|9", "closed", "reply-taken-over"),
        ("he is fine|7", "open", "reply-thanks"),
    ],
)
def test_the_digits_of_somebody_on_the_list(
    hook: Hook, clock: Clock, digits: str, after: str, word: str
) -> None:
    night = alarmed_night(clock)
    for said in digits.split("|"):
        hook.text(LEO, said)
        deliver(clock)  # we ask back
        clock.advance(5)
    assert (night.row().state, words()[-1]) == (after, word)


def test_yes_is_here_and_no_calls_your_people(hook: Hook, clock: Clock) -> None:
    night = asked_night(clock)
    hook.text(SAM, "yes")
    assert night.row().state == "open"
    clock.advance(300)
    for _ in range(3):
        tick_all()
        clock.advance(5)
    assert night.row().state == "asking"
    hook.text(SAM, "no")
    assert night.row().state == "alarm"


def test_what_cannot_be_read_rings_and_buys_no_time(hook: Hook, clock: Clock) -> None:
    night = sams_night()
    night.start()
    night.does(ev.Marked())
    clock.advance(20)
    hook.text(SAM, "qwrt zzz")
    assert night.row().state == "asking"
    assert Message.objects.filter(word="ask-ring").exists()


def test_stop_ends_it_for_the_number_and_start_begins_it_again(hook: Hook, clock: Clock) -> None:
    sams_night(("Leo",))
    for start in ("START", "UNSTOP"):
        hook.text(SAM, "STOP")
        assert Address.objects.filter(person__isnull=False, state="opted-out").exists()
        hook.text(SAM, start)
        assert not Address.objects.filter(state="opted-out").exists()


def test_a_watch_takes_as_many_texts_as_the_page_says(hook: Hook, clock: Clock) -> None:
    """Twenty minutes from MARK, every ask answered; calls come only where a text is not."""
    theirs = answered = 0
    for text in ("GO", "MARK"):
        hook.text(NEW, text)
        theirs += 1
    while state() != "closed":
        clock.advance(5)
        tick_all()
        deliver(clock)
        asked = Message.objects.filter(channel="text", word__startswith="ask", status="sent")
        if state() == "asking" and asked.count() > answered:
            answered = asked.count()
            hook.text(NEW, "OK")
            theirs += 1
    deliver(clock)
    ours = Message.objects.filter(channel="text", status="sent").count()
    said = re.search(r"about (\d+) texts, (\d+) of them yours", PAGE)
    assert said is not None
    assert (abs(int(said[1]) - ours - theirs) <= 2, abs(int(said[2]) - theirs) <= 1) == (
        True,
        True,
    ), (
        ours,
        theirs,
    )
