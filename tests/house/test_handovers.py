"""Through how many hands "I'm going" passes, by text and by a press on the contact's page: bounds,
so that what was made short stays short.

How it counts. A call is one of a function of the project by another, whatever library stands
between them; a room is a folder. Of the types those count that one room hands to another, as an
argument or as what comes back: they are what a reader has to know to follow the message. Left out
are what ``apply`` does within, which is the same for every event of every watch; the database
backends, into which Django calls at every statement, and what tries a group again; the tables,
which say whom it is about; and ``MACHINERY``, which carries it or is given to read it by.
"""

from __future__ import annotations

import pytest
from django.db.models import Model
from django.test import Client

from stillhere.channels.carriers.carrier import Carrier
from stillhere.content.languages import Language, Languages
from stillhere.core.reading.signs import Signs
from stillhere.core.vocabulary import Patterns, Vocabulary
from stillhere.engine import render
from stillhere.store.db.clock import ClockRow
from stillhere.store.db.key_ring import KeyRing
from stillhere.store.messages import delivery
from stillhere.store.models import Contact
from stillhere.store.watches.group_commit import WRITER, GroupCommit
from stillhere.web.access import contact_device
from stillhere.web.asgi.webhooks import WebhookLane
from tests.conftest import Clock
from tests.hook import LEO, alarmed_night
from tests.tracing import Call, Trace, traced
from tests.web.asgi.carrier_posts import Phone, inbox, phone
from tests.web.pages import contact_key

pytestmark = pytest.mark.usefixtures("database")
__all__ = ["inbox", "phone"]  # fixtures

APPLY = "store/watches/apply.py:apply_batch"
_PARTS = ("disk", "sqlite/", "postgresql/", "halving", "prepared")  # for Django's own queries
BACKENDS = tuple(f"store/db/{part}" for part in _PARTS)
MACHINERY = (
    WebhookLane, GroupCommit, Carrier, ClockRow, KeyRing, Vocabulary, Patterns, Signs, Language,
    Languages,
)  # fmt: skip
# As they stand. Before messages had one vocabulary a text passed 9 types from room to room, 17 in
# all, and 9 rooms, and a press climbed 11 times.
MOST_TYPES, MOST_IN_ALL, MOST_ROOMS, MOST_CLIMBS = 7, 11, 8, 8


def counted(trace: Trace) -> list[Call]:
    return [
        call
        for call in trace.calls
        if not call.within(APPLY) and not call.file.startswith(BACKENDS)
    ]


def is_message(kind: type) -> bool:
    return not issubclass(kind, (Model, *MACHINERY)) and not kind.__name__.startswith("_")


def test_im_going_by_text_passes_few_types_and_rooms(phone: Phone, clock: Clock) -> None:
    """From the carrier's webhook to ``apply``, and back to the words of the answer."""
    alarmed_night(clock)
    with traced() as trace:
        assert phone.text("1", sender=LEO).status == 200
        [text] = run_the_engine(clock)
    assert text.startswith("Thank you. The others hear that you are going to Sam.")
    calls = counted(trace)
    handed = {kind for call in calls if call.changes_room for kind in call.types}
    types = sorted(kind.__name__ for kind in handed if is_message(kind))
    in_all = {kind.__name__ for call in calls for kind in call.types if is_message(kind)}
    rooms = sorted({call.room for call in calls if any(map(is_message, call.types))})
    assert "Inbound" in types
    assert "store/inbound" in rooms
    assert len(types) <= MOST_TYPES, "\n".join(types)
    assert len(in_all) <= MOST_IN_ALL, "\n".join(sorted(in_all))
    assert len(rooms) <= MOST_ROOMS, "\n".join(rooms)


def run_the_engine(clock: Clock) -> list[str]:
    """The texts that leave for Leo, as the engine makes them."""
    leased = delivery.lease("text", clock.now, 50, 20)
    return [render.render(m, m.to).text for m in leased if m.to == LEO]


def test_a_press_on_the_contacts_page_climbs_rarely_between_files(clock: Clock) -> None:
    """Calls from one file into another in the thread that answers, from the view to the words."""
    night = alarmed_night(clock)
    leo = Contact.objects.get(id=night.contacts["Leo"].id)
    name, value = contact_device.cookie(leo)
    client = Client()
    client.cookies[name] = value
    client.get(f"/c/{contact_key(leo)}/state")  # whatever is loaded once is loaded
    WRITER.start()  # what its own thread does is what ``apply`` does
    with traced() as trace:
        response = client.post(f"/c/{contact_key(leo)}/answer", {"do": "claim", "soon": "3"})
    WRITER.stop()
    assert response["Location"].endswith("?said=you-go")
    climbs = [f"{c.file}:{c.function}" for c in counted(trace) if c.changes_file]
    assert "store/watches/group_commit.py:GroupCommit.commit" in climbs
    assert len(climbs) <= MOST_CLIMBS, "\n".join(climbs)
