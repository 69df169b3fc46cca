"""An open ask, or an alarm, stands on every page of whoever it concerns, with its one button."""

from __future__ import annotations

import pytest
from django.test import Client

from stillhere.store.watches.apply import CallForHelp
from tests.circle import SamsNight, tick_all
from tests.conftest import Clock
from tests.web.conftest import browser
from tests.web.pages import read, watch_path

OWN = ["/people", "/kits", "/routine", "/mine", "/before", "/learn"]


@pytest.fixture
def asked(night: SamsNight, clock: Clock) -> SamsNight:
    night.start()
    ask_at = night.row().next_ask_at
    assert ask_at is not None
    clock.advance((ask_at - clock.now) / 1000)
    tick_all()
    assert night.row().state == "asking"
    return night


@pytest.mark.parametrize("path", OWN)
def test_an_ask_stands_on_every_page_of_theirs(asked: SamsNight, sam: Client, path: str) -> None:
    shown = read(sam, path)
    assert "Sam, are you there?" in shown
    assert "Still here" in shown
    assert f'action="{watch_path(asked)}"' in sam.get(path).content.decode()


@pytest.mark.parametrize("path", OWN)
def test_so_does_an_alarm(night: SamsNight, sam: Client, path: str) -> None:
    night.start()
    assert 'class="note due"' not in sam.get(path).content.decode(), "all is calm"
    night.does(CallForHelp())
    assert 'class="note due"' in sam.get(path).content.decode()


def test_nothing_of_it_is_on_anybody_elses_page(asked: SamsNight) -> None:
    for path in ("/", "/learn", "/help-now", "/out"):
        assert "are you there" not in read(browser(stranger=True), path)
