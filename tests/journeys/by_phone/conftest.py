"""The fixtures of stories by phone: one story with its provider, in English and in Spanish."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import cast

import pytest
from asgiref.typing import ASGI3Application
from django.core.asgi import get_asgi_application
from django.utils import translation
from pytest_django.fixtures import Settings

from stillhere.channels.pager import Pager
from stillhere.config import wiring
from stillhere.core.messages import Inbound
from stillhere.core.paging.on_call import OnCall
from stillhere.store.inbound.inbox import take_all
from stillhere.store.models import Installation
from stillhere.store.watches.group_commit import GroupCommit
from stillhere.web.asgi.webhooks import WebhookLane
from tests.conftest import Clock
from tests.journeys.by_phone.cast import Say, says_nothing_of_it
from tests.journeys.by_phone.provider import Provider
from tests.journeys.by_phone.story import Story
from tests.journeys.town import NUMBERS


@pytest.fixture(params=["en", "es"])
def lang(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def say(lang: str) -> Say:
    """Of an English and a Spanish form of words, the one of this story."""
    return lambda english, spanish: english if lang == "en" else spanish


@contextmanager
def _told(clock: Clock, settings: Settings, lang: str, *, sill: bool) -> Iterator[Story]:
    Installation.objects.create(id=1, beat_at=clock.now, proof_at=clock.now)
    settings.WALL_MS = lambda: clock.now
    provider, inbox = Provider(), GroupCommit[Inbound, None](take_all, proves=False)
    with asyncio.Runner() as runner:
        stop = runner.run(provider.start())
        ruth = OnCall("Ruth", (NUMBERS["Ruth"],), lang)
        settings.STILLHERE = replace(
            settings.STILLHERE,
            carriers=(provider.app,) if sill else (provider.company,),
            coordinator=NUMBERS["Ruth"],
            coordinators=(ruth,),
            country="US",
        )
        channels = wiring.build_channels(settings.STILLHERE)
        channels[Pager.name] = Pager(NUMBERS["Ruth"], channels)
        app = cast(ASGI3Application, get_asgi_application())
        lane = WebhookLane(app, settings.STILLHERE.carriers, inbox)
        story = Story(clock, provider, lane, channels, runner)
        for name, number in NUMBERS.items():
            story.phone(number, name=name)
        yield story
        for channel in channels.values():
            if channel.name != "chat":  # its library is loaded when it is first used
                story.runs(channel.close())
        story.runs(stop())
    inbox.stop()
    translation.activate("en")
    says_nothing_of_it(story)


@pytest.fixture
def story(database: object, clock: Clock, settings: Settings, lang: str) -> Iterator[Story]:
    """A company carries texts and calls."""
    with _told(clock, settings, lang, sill=False) as story:
        yield story


@pytest.fixture
def sill(database: object, clock: Clock, settings: Settings, lang: str) -> Iterator[Story]:
    """A family's old Android phone carries the texts, and nothing rings."""
    with _told(clock, settings, lang, sill=True) as story:
        story.early_s = 3_480
        yield story
