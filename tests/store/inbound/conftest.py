"""What tests of what comes in from phones share."""

from __future__ import annotations

from dataclasses import replace

import pytest
from django.test import Client
from pytest_django.fixtures import Settings

from tests.conftest import Clock
from tests.hook import Hook


@pytest.fixture
def hook(clock: Clock, settings: Settings) -> Hook:
    settings.STILLHERE = replace(settings.STILLHERE, demo_url="http://127.0.0.1:1")
    return Hook(Client(), clock)
