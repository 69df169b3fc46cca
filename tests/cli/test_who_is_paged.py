"""`stillhere check` says who would be paged now."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from stillhere.cli.check import weaknesses
from stillhere.core.paging.on_call import OnCall
from stillhere.store.models import Suppression
from stillhere.store.people import suppression
from tests.cli.test_weaknesses import here, looks, said
from tests.conftest import Clock

__all__ = ["here"]

pytestmark = pytest.mark.slow


def test_who_would_be_paged_now_is_said_and_what_rings_nowhere(here: Any, clock: Clock) -> None:
    ruth = OnCall("Ruth", ("ruth@example.org", "+12025550150"))
    ana = OnCall("Ana", ("+12025550151",), hours=(1320, 1321), tz="America/Denver")
    ways = "ruth@example.org, +12025550150, +12025550151"
    on_call = replace(here, coordinator=ways, coordinators=(ruth, ana))
    assert said(weaknesses.coordinator(on_call)) == (
        "Paged now: Ruth. Three minutes later, if nobody says that they look: Ruth, Ana."
    )
    suppression.add([("text", "+12025550151")], Suppression.Why.STOP, clock.now, proved=True)
    mail = OnCall("Maya", ("maya@example.org",))
    weak = looks(weaknesses.coordinator(replace(on_call, coordinators=(mail, ana))))
    assert weak == [
        "Nothing rings at Maya: a page wakes nobody. Add a phone number.",
        "Ana texted STOP: no page rings there. START lets us again.",
    ]
