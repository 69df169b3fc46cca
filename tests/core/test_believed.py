"""Who is believed: what ends an alarm for good takes one who is there; a link that was passed on is
heard and no more."""

from __future__ import annotations

import pytest

from stillhere.core.events import Outcome, State, Word
from stillhere.core.refusals import Refusal
from tests.core.world import ANA, LEO, MAYA, alarmed, plan


@pytest.mark.parametrize("outcome", [Outcome.HOSPITAL, Outcome.DIED, Outcome.REVIVED])
@pytest.mark.parametrize("there", [False, True])
def test_what_closes_for_good_is_believed_from_no_one_who_is_not_there(
    outcome: Outcome, there: bool
) -> None:
    night = alarmed()
    night.claims(MAYA, None)
    if there:
        night.arrives(LEO)
    before = night.watch
    assert night.says(MAYA, outcome).refused is Refusal.BE_THERE
    assert night.watch == before


@pytest.mark.parametrize("outcome", list(Outcome))
def test_a_link_that_was_passed_on_ends_nothing(outcome: Outcome) -> None:
    night = alarmed(plan((LEO, ANA), (MAYA,), unconfirmed=(ANA,)))
    night.arrives(ANA)
    night.says(ANA, outcome)
    assert night.state() is State.ALARM
    assert not night.tells(None, Word.STAND_DOWN, Word.ARRIVED)


def test_who_never_said_yes_is_heard_and_holds_nobody_back() -> None:
    night = alarmed(plan((LEO, ANA), (MAYA,), unconfirmed=(ANA,)))
    night.claims(ANA, 300)
    night.arrives(ANA)
    assert night.who_heard(Word.GOING) == {LEO}
    assert night.state() is State.ALARM
    night.wait(46)
    assert night.who_heard(Word.ALARM) >= {MAYA}, "the ladder goes on"
