"""What a leased message speaks of: ids and instants of its row become names, numbers and codes.

Owns which sealed values are opened for which reader; a message keeps none of them. What cannot be
opened is left out, because the other messages must go on.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Collection, Container, Mapping, Sequence
from dataclasses import replace
from typing import Any

from django.conf import settings
from django.db import connection

from stillhere.core.events import Word
from stillhere.core.messages import Facts
from stillhere.store.db import encryption
from stillhere.store.installation import peers
from stillhere.store.messages import held_back, pages
from stillhere.store.messages.leased import LeasedMessage
from stillhere.store.models import Address, Contact, WatchRow, sealed_columns
from stillhere.store.people import contacts
from stillhere.store.people.numbers import address_proof, erase_code, page_code
from stillhere.store.people.numbers import names as plain_names
from stillhere.store.recordings import notes
from stillhere.store.watches import damage
from stillhere.store.watches import rows as watch_rows
from stillhere.store.watches.outbox import COORDINATOR

log = logging.getLogger("stillhere.delivery")

OnList = tuple[str, int]  # a name, and since when there is an alarm
NOBODY: OnList = ("", 0)
PLACE = "reply-place"  # tells where the person is, and how to get in
WHERE = ("place", "entry")  # the notes that say so
FAR = "reply-far"  # tells whoever phones from far away which dispatch to ask for


def speaking_of(rows: Sequence[dict[str, Any]]) -> list[LeasedMessage]:
    """Leased rows, each with its address in clear, as messages with all they speak of."""
    facts = [json.loads(row["facts"]) for row in rows]
    names = damage.around(lambda: _names(facts), dict[tuple[str, int], str])
    phones = damage.around(lambda: _phones(rows), dict[int, str])
    on_lists = damage.around(lambda: _persons(facts), dict[int, OnList])
    spoken = damage.around(lambda: _spoken_aloud(rows), set[int])
    return [_leased(row, names, phones, on_lists, spoken) for row in rows]


def opened(of: str, blob: bytes, field: str, nonce: bytes) -> str | None:
    """A sealed value; None if it cannot be opened, because the other messages must go on. ``of``:
    the row, as named in the log."""
    try:
        return encryption.unseal(blob, field, nonce)
    except encryption.SealBroken:
        log.error("%s: %s cannot be opened", of, field)
        return None


def _leased(
    row: dict[str, Any],
    names: dict[tuple[str, int], str],
    phones: Mapping[int, str],
    on_lists: Mapping[int, OnList],
    spoken: Container[int],
) -> LeasedMessage:
    def told(field: str, name: str) -> str:
        nonce = row[f"{field.split('.', maxsplit=1)[0]}_nonce"]
        if nonce is None:
            return ""
        return opened(f"message={row['id']}", row[name], field, nonce) or ""

    facts, unproved = json.loads(row["facts"]), held_back.is_strangers(row)
    code, carried = _proof(row, facts, unproved=unproved)
    said_yes = row["status"] == Contact.Status.CONFIRMED
    known = said_yes and not unproved
    tells_place, tells_town = (row["word"] == word and known for word in (PLACE, FAR))
    spoken_of = Facts.of(
        facts,
        person=told("person.name", "person_name"),
        partner=told("watch.partner", "partner"),
        contact=told("contact.name", "contact_name"),
        who=on_lists.get(facts.get("busy", 0), NOBODY)[0] or _spoken_of(facts, names),
        tz=_zone(row),
        confirmed=said_yes,
        wish=row["wish"] or "phone-first",
        program=settings.STILLHERE.program,
        code=code,
        phone=phones.get(row["id"], ""),
        place=told("person.place", "place") if tells_place else "",
        entry=told("person.entry", "entry") if tells_place else "",
        spoken=tells_place and row["person"] in spoken,
        town=told("person.town", "town") if tells_town else "",
        dispatch=told("person.dispatch", "dispatch") if tells_town else "",
    )
    if "list" in facts:
        listed = tuple((no, *on_lists.get(watch, NOBODY)) for no, watch in facts["list"])
        over = on_lists.get(facts.get("over", 0), NOBODY)[0]
        spoken_of = replace(spoken_of, listed=listed, over=over)
    stranger = unproved or (row["contact"] is not None and not said_yes)
    return LeasedMessage(
        **{name: row[name] for name in ("id", "key", "channel", "word", "attempts", "lapses_at")},
        **{name: row[name] for name in ("watch", "contact", "address", "carrier")},
        facts=plain_names.to_stranger(spoken_of) if stranger else spoken_of,
        to=row["to"],
        lang=_lang(row),
        watch_nonce=bytes(row["watch_nonce"] or b""),
        contact_nonce=bytes(row["contact_nonce"] or b""),
        carried=carried,
        also=row.get("also", ()),
    )


def _phones(rows: Sequence[Mapping[str, Any]]) -> dict[int, str]:
    """By message, the number of whoever has a phone and no page, for those of their people who said
    yes: the first thing anybody does is to phone."""
    told = {
        row["id"]: row["person"]
        for row in rows
        if row["caller"]
        and row["word"] in (Word.ALARM, Word.HELP)
        and row["channel"] != "call"  # where nobody can write it down
        and row["status"] == Contact.Status.CONFIRMED
    }
    if not told:
        return {}
    theirs = Address.objects.filter(
        person__in=set(told.values()), state="ok", channel__in=("text", "whatsapp")
    )  # the last one counts: one for texts, if there is one
    numbers = {address.person_id: address for address in theirs.order_by("-channel", "-id")}
    of = {person: _value(address) for person, address in numbers.items()}
    return {id: of[person] for id, person in told.items() if person in of}


def _spoken_aloud(rows: Sequence[Mapping[str, Any]]) -> set[int]:
    """Who of those whose place is told said it in a call too, by id."""
    told = {row["person"] for row in rows if row["word"] == PLACE}
    return {person for person in told if notes.kept_of(person, WHERE)}


def _value(address: Address) -> str:
    value, nonce = bytes(address.value), bytes(address.nonce)
    return opened(f"address={address.id}", value, "address.value", nonce) or ""


def _proof(row: Mapping[str, Any], facts: Mapping[str, Any], *, unproved: bool) -> tuple[str, str]:
    """The digits that show whose phone it is, as far as this message brings any, and what its link
    carries in their place. A voice says them one by one."""
    if row["channel"] == COORDINATOR:
        return "", pages.link_of(row["facts"])
    if row["word"] == page_code.WORD:
        of = row["contact_nonce"], facts["at"]
        code = page_code.code_of(*of)
        return " ".join(code) if row["channel"] == "call" else code, page_code.link_part(*of)
    if row["word"] in contacts.WITH_DOOR_CODE:
        return damage.around(lambda: _door_code(facts["who"]), str), ""
    nonce = row["address_nonce"]
    if row["word"] == erase_code.WORD:
        return erase_code.code_of(nonce), ""
    return (address_proof.code_of(nonce), address_proof.link_part(nonce)) if unproved else ("", "")


def _door_code(contact: int) -> str:
    nonces = Contact.objects.filter(id=contact, door=True, door_at__gt=0)
    nonce = nonces.values_list("nonce", flat=True).first()
    return contacts.door_code(nonce) if nonce is not None else ""


def _lang(row: Mapping[str, Any]) -> str:
    """The language of whoever reads it. Whose watch it is says nothing about the coordinator."""
    if row["channel"] == COORDINATOR:
        reader = pages.read_by(row["facts"])
        return (reader.lang if reader is not None else "") or settings.LANGUAGE_CODE
    return (
        row["contact_lang"] if row["contact"] is not None else row["person_lang"]
    ) or settings.LANGUAGE_CODE


def _zone(row: Mapping[str, Any]) -> str:
    """Where the times in it are said: the person's, but to the coordinator her own."""
    reader = pages.read_by(row["facts"]) if row["channel"] == COORDINATOR else None
    return (reader.tz if reader is not None else "") or row["tz"] or "UTC"


def _persons(facts: Sequence[Mapping[str, Any]]) -> dict[int, OnList]:
    """The people whose alarms stand on lists, by watch."""
    ids = {watch for each in facts for _, watch in each.get("list", ())}
    ids |= {each[of] for each in facts for of in ("busy", "over") if each.get(of)}
    return on_a_list(ids)


def on_a_list(watches: Collection[int]) -> dict[int, OnList]:
    """By watch, whose alarm it is and since when."""
    found = WatchRow.objects.filter(id__in=watches).select_related("person") if watches else ()

    def since_at(watch: WatchRow) -> int:
        alarm = watch_rows.alarm_or_none(watch.alarm) if watch.alarm else None
        return alarm.since_at if alarm is not None else 0

    return {
        watch.id: (sealed_columns.person_note(watch.person, "name"), since_at(watch))
        for watch in found
    }


def _names(facts: Sequence[dict[str, Any]]) -> dict[tuple[str, int], str]:
    """The names that messages mention: ("who", a contact's id) or ("peer", a peer's)."""
    known = [each["who"] for each in facts if each.get("who") is not None]
    known += [contact for each in facts for contact in each.get("on", ())]
    spoken_of: list[tuple[int, bytes, bytes]] = []
    if known:
        marks = ", ".join(["%s"] * len(known))
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT id, name, nonce FROM contact WHERE id IN ({marks})", known)
            spoken_of = cursor.fetchall()
    others = peers.names([each["peer"] for each in facts if "peer" in each])
    return {
        ("who", id): opened(f"contact={id}", name, "contact.name", nonce) or ""
        for id, name, nonce in spoken_of
    } | {("peer", id): name for id, name in others.items()}


def _spoken_of(facts: Mapping[str, Any], names: Mapping[tuple[str, int], str]) -> str:
    """The name that a message mentions; or all names of a list, with a question mark after those
    who have not said yes."""
    if "on" in facts:
        listed = ((names.get(("who", id), ""), id in facts["asked"]) for id in facts["on"])
        return ", ".join(f"{name}?" if asked else name for name, asked in listed if name)
    spoken = ((name, facts[name]) for name in ("who", "peer") if name in facts)
    return next((names[of] for of in spoken if of in names), "")
