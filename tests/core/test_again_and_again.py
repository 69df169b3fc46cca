"""Who takes back what they said, again and again, is soon passed on to nobody: each time costs
everybody a text, and may be meant to."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from stillhere.core.alarm import Alarm
from stillhere.core.events import Outcome, Word
from stillhere.core.ladder import MOST_CHANGES
from tests.core.world import ANA, LEO, MAYA, Night, alarmed, plan

TIMES = 20
NEWS = (Word.CANNOT_GET_IN, Word.NOT_FOUND, Word.ARRIVED, Word.REOPENED, Word.GOING)
Doing = Callable[[Night], object]
DOING: tuple[tuple[str, tuple[Doing, ...]], ...] = (
    ("locked, not found", (lambda n: n.locked_out(LEO), lambda n: n.says(LEO, Outcome.NOT_FOUND))),
    ("there, locked", (lambda n: n.arrives(LEO), lambda n: n.locked_out(LEO))),
    ("there, cannot", (lambda n: n.arrives(LEO), lambda n: n.declines(LEO))),
    ("going, locked", (lambda n: n.claims(LEO, 120), lambda n: n.locked_out(LEO))),
    ("going, cannot", (lambda n: n.claims(LEO, 120), lambda n: n.declines(LEO))),
)


def again(does: tuple[Doing, ...], night: Night) -> Night:
    for _ in range(TIMES):
        for each in does:
            night.wait(40)
            each(night)
    return night


@pytest.mark.parametrize("does", [does for _, does in DOING], ids=[name for name, _ in DOING])
def test_the_others_hear_of_it_so_many_times(does: tuple[Doing, ...]) -> None:
    night = again(does, alarmed(plan((LEO, ANA))))
    heard = [t for t in night.tells(ANA) if t.word in NEWS and t.who == LEO]
    assert MOST_CHANGES < len(heard) <= 2 * (MOST_CHANGES + 2)


def test_nor_does_it_hurry_the_ladder() -> None:
    night = alarmed(plan((LEO,), (ANA,)))
    for _ in range(MOST_CHANGES + 1):
        night.wait(1)
        night.locked_out(LEO)
        night.says(LEO, Outcome.NOT_FOUND)
    night.wait(1)
    before = of(night).next_rung_at
    assert before > night.now
    night.says(LEO, Outcome.NOT_FOUND)
    night.locked_out(LEO)
    assert of(night).next_rung_at == before


def test_what_another_says_is_heard_all_the_same() -> None:
    night = again(DOING[0][1], alarmed(plan((LEO, ANA), (MAYA,))))
    night.locked_out(ANA)
    assert [t.who for t in night.tells(LEO) if t.word is Word.CANNOT_GET_IN][-1] == ANA


def test_whoever_waited_for_them_goes_on_at_once() -> None:
    """Not passed on, a hold ends all the same."""
    night = again(DOING[1][1], alarmed(plan((LEO,), (ANA,))))
    night.arrives(LEO)
    night.locked_out(LEO)
    assert of(night).next_rung_at <= night.now


def of(night: Night) -> Alarm:
    assert night.watch.alarm is not None
    return night.watch.alarm
