"""One contact ends an alarm for good with two presses: then a person looks."""

from __future__ import annotations

from dataclasses import replace

import pytest
from pytest_django.fixtures import Settings

from stillhere.core.paging.on_call import OnCall
from stillhere.engine import render
from stillhere.store.messages import delivery, pages
from stillhere.store.models import Message, WatchRow
from stillhere.store.watches.apply import CallForHelp
from tests.circle import SamsNight
from tests.conftest import Clock
from tests.web.conftest import browser
from tests.web.pages import contact_path, press

RUTH = OnCall("Ruth", ("+12025550188",))


@pytest.fixture(autouse=True)
def on_call(settings: Settings) -> None:
    settings.STILLHERE = replace(settings.STILLHERE, coordinator="Ruth", coordinators=(RUTH,))


def says(night: SamsNight, outcome: str) -> None:
    night.start()
    night.does(CallForHelp())
    ex, path = browser(), contact_path(night, "Leo")
    press(ex, path, "arrived")
    press(ex, path, "resolve", outcome=outcome)


def paged(clock: Clock) -> list[str]:
    """What Ruth reads now."""
    pages.gather(clock.now)
    found = [render.render(m, m.to).text for m in delivery.lease("coordinator", clock.now, 50, 20)]
    Message.objects.filter(channel="coordinator").update(status="sent")
    return found


@pytest.mark.parametrize("outcome", ["died", "hospital"])
def test_a_false_death_by_one_contact_pages_ruth_at_once(
    night: SamsNight, clock: Clock, outcome: str
) -> None:
    says(night, outcome)
    assert night.row().state == "closed"
    [text] = paged(clock)
    assert text.startswith("One person alone says how it ended for Sam, and it is grave.")
    assert "died" not in text
    assert not Message.objects.filter(
        contact=night.contacts["Maya"], facts__contains='"died"'
    ).exists()


def test_she_is_paged_again_until_somebody_has_looked(night: SamsNight, clock: Clock) -> None:
    says(night, "died")
    assert paged(clock)
    clock.advance(200)
    assert paged(clock)
    WatchRow.objects.filter(id=night.watch).update(looked_at=clock.now)
    clock.advance(200)
    assert not paged(clock)


def test_good_news_pages_nobody(night: SamsNight, clock: Clock) -> None:
    says(night, "fine")
    assert not paged(clock)
