"""Everything that is stored about one person, as one value they can take away. Changes nothing.

Times are ms since 1970 UTC, as they are stored. Keys are left out: a copy of one's data should not
open anything. So are addresses that nobody reads: who knows a chat's can write to it or read in it.
"""

from __future__ import annotations

import base64
import json
from typing import Any

from stillhere.store.kits import kits
from stillhere.store.models import (
    Address,
    Contact,
    JournalLine,
    Kit,
    Message,
    Person,
    Recording,
    SpokenNote,
    WatchRow,
    sealed_columns,
)
from stillhere.store.people import address_book
from stillhere.store.people.persons import NOTES
from stillhere.store.recordings import notes, strangers
from stillhere.store.watches import care_log, queries

WATCH_FIELDS = (
    "id",
    "profile",
    "own",
    "state",
    "started_at",
    "seen_at",
    "ends_at",
    "next_ask_at",
    "routine",
    "deadline_at",
    "marked_at",
    "seq",
    "asks",
    "grace_at",
    "alarms",
    "alarm",
    "outcome",
    "closed_at",
    "held",
)
CONTACT_FIELDS = (
    "id",
    "lang",
    "rung",
    "status",
    "door",
    "door_at",
    "why",
    "minutes",
    "away_until_at",
    "created_at",
    "answered_at",
    "rang_at",
    "drilled_at",
    "drill_answered_at",
    "drill_said",
    "trained_at",
)
KIT_FIELDS = ("form", "doses", "expires", "lot", "created_at", "seen_at", "used_at", "warned_at")
MESSAGE_FIELDS = (
    "channel",
    "word",
    "facts",
    "status",
    "attempts",
    "why",
    "due_at",
    "created_at",
    "done_at",
    "contact",
)


def everything(person: Person) -> dict[str, Any]:
    """All of it, unsealed: the plan, the people, every watch with what happened and what was
    sent."""
    listed = person.contacts.filter(status__in=["invited", "confirmed"])
    return {
        "plan": {note: sealed_columns.person_note(person, note) for note in NOTES}
        | {"lang": person.lang, "tz": person.tz, "wish": person.wish, "speak": person.speak}
        | {"created_at": person.created_at, "kits_first": person.kits_first, "news": person.news},
        "kits": [_kit(kit) for kit in kits.of(person)],
        "how_to_reach_me": [address_of(a) for a in person.addresses.order_by("id")],
        "browsers": [
            {"kind": b.kind, "since": b.since.isoformat()} | {"borrowed": b.borrowed}
            for b in person.browsers.order_by("id")
        ],
        "people": [_contact(c) for c in listed.order_by("rung", "id")],
        "watches": [_watch(w) for w in person.watches.order_by("id")],
        "said_in_calls": _said_in_calls(person),
        "invitations": _messages(Message.objects.filter(person=person, watch__isnull=True)),
    }


def _kit(kit: Kit) -> dict[str, Any]:
    return {name: getattr(kit, name) for name in KIT_FIELDS} | {"place": kits.place_of(kit)}


def address_of(address: Address) -> dict[str, Any]:
    """One way to reach somebody; in clear where people read it."""
    kept = {name: getattr(address, name) for name in ("channel", "rings", "state", "since_at")}
    if address.channel in address_book.SECRET:
        return kept
    return kept | {"address": sealed_columns.address_value(address)}


def _contact(contact: Contact) -> dict[str, Any]:
    """Somebody on the list. A volunteer's number belongs to the volunteer, not to the person."""
    ways = contact.addresses.order_by("id") if contact.responder_id is None else ()
    return {name: getattr(contact, name) for name in CONTACT_FIELDS} | {
        "name": sealed_columns.contact_name(contact),
        "volunteer": contact.responder_id is not None,
        "addresses": [address_of(a) for a in ways],
    }


def _watch(watch: WatchRow) -> dict[str, Any]:
    lines = JournalLine.objects.filter(watch=watch).order_by("id")
    return {name: getattr(watch, name) for name in WATCH_FIELDS} | {
        "partner": queries.partner(watch),
        "what_happened": [
            {"at": x.at, "event": x.event, "state": x.state, "contact": x.contact}
            | {"facts": json.loads(x.facts)}
            for x in lines
        ],
        "what_was_done": [
            {"at": d.at, "what": d.what, "form": d.form, "contact": d.contact}
            for d in (*care_log.of(watch), *care_log.review(watch))
        ],
        "messages": _messages(Message.objects.filter(watch=watch)),
    }


def _said_in_calls(person: Person) -> list[dict[str, Any]]:
    """What they said in their own voice, as an MP3 in Base64."""
    told = Recording.objects.filter(person=person).exclude(sound=b"")
    spoken = SpokenNote.objects.filter(person=person).exclude(sound=b"").order_by("id")
    sounds = [("where", each.made_at, strangers.opened(each)) for each in told]
    sounds += [(each.kind, each.made_at, notes.opened(each)) for each in spoken]
    return [
        {"kind": kind, "made_at": at, "mp3": base64.b64encode(sound).decode()}
        for kind, at, sound in sounds
    ]


def _messages(found: Any) -> list[dict[str, Any]]:
    return list(found.order_by("id").values(*MESSAGE_FIELDS))
