"""What somebody writes holds up nobody else: it is bounded, and read before the transaction."""

from __future__ import annotations

import pytest
from django.conf import settings
from django.db import connection

from stillhere.core import replies
from stillhere.core.messages import Inbound
from stillhere.core.replies import Intent, Role
from stillhere.core.vocabulary import Vocabulary
from stillhere.store.inbound import inbox
from stillhere.store.models import Arrival
from stillhere.store.watches.apply import CallForHelp
from tests.circle import sams_night
from tests.conftest import Clock
from tests.hook import LEO, MALLORY, MAYA, SAM

EXPANDS = "\ufdfa"  # one sign of eighteen letters
NONSENSE = (EXPANDS * 20_000, "x " * 10_000, f"ok {EXPANDS}" * 5_000)


@pytest.fixture
def read_inside(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """For every time that something is folded: whether a transaction waited for it."""
    found: list[bool] = []
    fold = replies._fold

    def watched(text: str, words: Vocabulary, most: int = replies.TEXT_MOST) -> str:
        found.append(connection.in_atomic_block)
        return fold(text, words, most)

    monkeypatch.setattr(replies, "_fold", watched)
    return found


@pytest.mark.usefixtures("database")
@pytest.mark.parametrize("together", [True, False])
def test_no_transaction_waits_for_a_text_to_be_read(
    clock: Clock, read_inside: list[bool], together: bool
) -> None:
    night = sams_night(("Leo",), ("Maya",))
    night.start()
    night.does(CallForHelp())
    texts = [
        *((MALLORY, text) for text in NONSENSE),
        (SAM, "GO"), (SAM, EXPANDS), (LEO, "omw 10 min"), (MAYA, "no puedo"), (MAYA, EXPANDS),
        ("+12025550177", "go"),
    ]  # fmt: skip
    came = [
        Inbound("text", f"t{no}", "text", sender=number, text=text)
        for no, (number, text) in enumerate(texts)
    ]
    if together:
        inbox.take_all(came)
    else:
        for inbound in came:
            inbox.take(inbound)
    assert Arrival.objects.count() == len(texts)
    assert read_inside
    assert not any(read_inside)


@pytest.mark.usefixtures("database")
@pytest.mark.parametrize("letters", [40, 1_600])
@pytest.mark.parametrize("own", [True, False])
def test_a_hundred_texts_at_once_are_read_before_their_transactions(
    clock: Clock, read_inside: list[bool], own: bool, letters: int
) -> None:
    sams_night(("Leo",)).start()
    words = ("door code my place is we are going to the hospital now " * 40)[:letters]
    came = [
        Inbound(
            "text",
            f"t{no}",
            "text",
            sender=SAM if own else f"+120255501{no:02}",
            text=f"address {no} {words}",
        )
        for no in range(100)
    ]
    inbox.take_all(came)
    assert Arrival.objects.count() == len(came)
    assert read_inside
    assert not any(read_inside)


def test_one_transaction_holds_few_long_texts_and_many_short_ones() -> None:
    long = [Inbound("text", f"l{no}", "text", sender=SAM, text="x" * 1_600) for no in range(25)]
    short = [Inbound("text", f"s{no}", "text", sender=SAM, text="ok") for no in range(500)]
    groups = list(inbox._by_letters([*long, *short]))
    assert [inbound for group in groups for inbound in group] == [*long, *short]
    assert [len(group) for group in groups] == [10, 10, 505]
    assert list(inbox._by_letters([long[0]])) == [[long[0]]]


@pytest.mark.usefixtures("database")
def test_nothing_of_a_text_is_kept_in_memory_after_it(clock: Clock) -> None:
    inbox.take(Inbound("text", "t1", "text", sender=SAM, text="my name is Sam"))
    assert replies._listen.cache_info().currsize == 0
    assert replies.words_of.cache_info().currsize == 0


@pytest.mark.parametrize("sign", [EXPANDS, "\u3300", "\u1e9e", "각", "a"])
def test_what_is_looked_at_is_bounded_after_it_is_folded(sign: str) -> None:
    words = settings.UNDERSTOOD
    assert len(replies._fold(sign * replies.TEXT_MOST, words)) <= replies.TEXT_MOST


def test_a_cry_for_help_among_expanding_signs_is_heard() -> None:
    text = f"help {EXPANDS * 20_000}"
    words = settings.UNDERSTOOD
    assert replies.read_text(text, Role.PERSON, words, watching=True) is Intent.HELP
