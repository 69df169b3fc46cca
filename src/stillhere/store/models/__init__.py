"""The tables. Columns and constraints, little behaviour; every ``_at`` is whole ms since 1970
UTC."""

from stillhere.store.models.installation import (
    GatewayClock,
    Installation,
    Outage,
    Page,
    Peer,
    Tally,
)
from stillhere.store.models.kits import Kit, SupplyWarning
from stillhere.store.models.messages import AlarmList, Arrival, Budget, Message
from stillhere.store.models.people import (
    Address,
    Browser,
    ChatCode,
    Contact,
    Person,
    PinTries,
    Suppression,
)
from stillhere.store.models.recordings import CarrierSound, Recording, SpokenNote
from stillhere.store.models.shifts import Responder
from stillhere.store.models.watches import Deed, JournalLine, PageChange, SetAside, WatchRow

__all__ = [
    "Address",
    "AlarmList",
    "Arrival",
    "Browser",
    "Budget",
    "CarrierSound",
    "ChatCode",
    "Contact",
    "Deed",
    "GatewayClock",
    "Installation",
    "JournalLine",
    "Kit",
    "Message",
    "Outage",
    "Page",
    "PageChange",
    "Peer",
    "Person",
    "PinTries",
    "Recording",
    "Responder",
    "SetAside",
    "SpokenNote",
    "SupplyWarning",
    "Suppression",
    "Tally",
    "WatchRow",
]
