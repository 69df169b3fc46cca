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
