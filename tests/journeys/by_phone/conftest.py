"""The fixtures of stories by phone: one story with its provider, in English and in Spanish."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import cast

import pytest
from asgiref.typing import ASGI3Application
from django.core.asgi import get_asgi_application
from django.utils import translation
from pytest_django.fixtures import Settings

from stillhere.config import wiring
from stillhere.core.messages import Inbound
from stillhere.core.paging.on_call import OnCall
from stillhere.store.inbound.inbox import take_all
from stillhere.store.models import Installation
from stillhere.store.watches.group_commit import GroupCommit
from stillhere.web.asgi.webhooks import WebhookLane
from tests.conftest import Clock
from tests.journeys.by_phone.provider import Provider
from tests.journeys.by_phone.story import Story, with_pager
from tests.journeys.town import NUMBERS

Say = Callable[[str, str], str]


@pytest.fixture(params=["en", "es"])
def lang(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def say(lang: str) -> Say:
    """Of an English and a Spanish form of words, the one of this story."""
    return lambda english, spanish: english if lang == "en" else spanish


@pytest.fixture
def story(database: object, clock: Clock, settings: Settings, lang: str) -> Iterator[Story]:
    Installation.objects.create(id=1, beat_at=clock.now, proof_at=clock.now)
    settings.WALL_MS = lambda: clock.now
    provider, inbox = Provider(), GroupCommit[Inbound, None](take_all, proves=False)
    with asyncio.Runner() as runner:
        stop = runner.run(provider.start())
        ruth = OnCall("Ruth", (NUMBERS["Ruth"],), lang)
        settings.STILLHERE = replace(
            settings.STILLHERE,
            carriers=(provider.company, provider.app),
            coordinator=NUMBERS["Ruth"],
            coordinators=(ruth,),
            country="US",
        )
        channels = with_pager(wiring.build_channels(settings.STILLHERE), NUMBERS["Ruth"])
        app = cast(ASGI3Application, get_asgi_application())
        lane = WebhookLane(app, settings.STILLHERE.carriers, inbox)
        story = Story(clock, provider, lane, channels, runner)
        for name, number in NUMBERS.items():
            story.phone(number, name=name)
        yield story
        for channel in channels.values():
            if channel.name != "chat":
                story.runs(channel.close())
        story.runs(stop())
    inbox.stop()
    translation.activate("en")


@pytest.fixture
def sam(story: Story) -> object:
    return story.phone(NUMBERS["Sam"])
