"""A watch on which nobody was alarmed: no contact's page shows that it is there, or its end."""

from __future__ import annotations

import pytest
from django.test import Client

from stillhere.core import events as ev
from stillhere.core.schedule import Routine
from stillhere.store.models import Contact, Message
from stillhere.store.watches import apply
from stillhere.store.watches.apply import Change
from tests.circle import SamsNight
from tests.conftest import Clock
from tests.hook import LEO, Hook, said_to
from tests.web.conftest import browser
from tests.web.pages import contact_path, read

DAILY = Routine(frozenset(range(7)), 22 * 60, "America/New_York")


@pytest.mark.parametrize("status", ["confirmed", "invited"])
@pytest.mark.parametrize("words", ["1", "who are you?", "I'm with Sam"])
@pytest.mark.parametrize("profile", ["injected", "routine"])
def test_what_a_contact_texts_does_not_show_that_sam_is_on_a_watch(
    night: SamsNight, clock: Clock, status: str, words: str, profile: str
) -> None:
    Contact.objects.filter(id=night.contacts["Leo"].id).update(status=status)
    Message.objects.update(status="sent")
    leo, hook = contact_path(night, "Leo"), Hook(Client(), clock)

    def seen() -> list[str]:
        hook.text(LEO, words)
        said_to(LEO, clock)
        page = read(browser(stranger=True), f"{leo}/part")
        return [str(browser(stranger=True).get(f"{leo}/state").json()["v"]), page]

    seen()  # a yes is one
    quiet = seen()
    routine = DAILY if profile == "routine" else None
    watch = apply.start(night.person.id, profile, routine=routine)
    assert seen() == quiet
    if profile != "routine":
        apply.apply(Change(ev.Marked(), watch=watch))
        assert seen() == quiet
    apply.apply(Change(ev.Ended(), watch=watch))
    assert seen() == quiet
    assert not Message.objects.filter(contact=night.contacts["Leo"], watch=watch).exists()
