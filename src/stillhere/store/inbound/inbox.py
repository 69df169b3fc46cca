"""The way in for what comes from phones: stored once, then carried out, in one transaction.

Owns the arrival row, which stops repeats, and who has a number. Who of them speaks is decided in
``speaker.py``, what the words mean in ``handle.py``. An unknown number is never guessed at: what it
says is stored and no more, unless it asks for a watch or for help.
"""

from __future__ import annotations

import hashlib
import logging
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from django.conf import settings
from django.db import connection, transaction

from stillhere.core.messages import TELEGRAM, DeliveryResult, Inbound
from stillhere.core.replies import (
    HELP,
    Intent,
    Role,
    forget_texts,
    read_ahead,
    read_text,
)
from stillhere.store.db import clock, encryption
from stillhere.store.db.row_locks import hurry
from stillhere.store.inbound import (
    chat_codes,
    gateway_clocks,
    handle,
    list_commands,
    person_says,
    speaker,
)
from stillhere.store.inbound.program.coordinator_says import coordinator_says
from stillhere.store.inbound.reply import ParsedInbound, Reply, apply_all, open_watches, tell
from stillhere.store.inbound.strangers import unknown_numbers
from stillhere.store.messages import pages, receipts
from stillhere.store.models import Address, Contact, WatchRow
from stillhere.store.people import suppression

log = logging.getLogger("stillhere.inbox")

LONGEST_ID = 120
MOST_LETTERS = 16_000  # of the texts of one transaction
_A_NUMBER = re.compile(r"\+[1-9][0-9]{6,14}")  # not a short code, and nobody's own name
WANTED = (Contact.Status.INVITED, Contact.Status.CONFIRMED)


def take(inbound: Inbound) -> Reply | None:
    """Store and apply one thing that came in; when it returns, both are durable.

    The answer is what to say to whoever is on the phone. None for a text, which is answered by a
    text that is queued, for a repeat, a receipt, and what needs no word. Raises what the database
    raises when nothing could be stored: the provider should tell us again.
    """
    return _read_and_take([inbound])[0]


def take_all(inbounds: Sequence[Inbound]) -> list[None]:
    """The same for all texts and receipts that came at one moment, in one transaction; nobody waits
    for a word. Waits only a moment for a row that somebody else holds: whoever stumbles over it is
    tried again apart.

    Receipts and plain signs of life are most of it and are taken together, in few statements;
    everything else is heard one after the other. Long texts go in several transactions, so that
    check-ins come between; what was stored before one that fails is a repeat when it comes again.
    """
    for few in _by_letters(inbounds):
        _read_and_take(few, hurried=True)
    return [None] * len(inbounds)


def _by_letters(inbounds: Sequence[Inbound]) -> Iterator[Sequence[Inbound]]:
    """The same in their order, in groups whose texts together are not long."""
    first = letters = 0
    for no, inbound in enumerate(inbounds):
        letters += len(inbound.text)
        if letters > MOST_LETTERS and no > first:
            yield inbounds[first:no]
            first, letters = no, len(inbound.text)
    yield inbounds[first:]


def _read_and_take(inbounds: Sequence[Inbound], *, hurried: bool = False) -> list[Reply | None]:
    """Everything is read before the transaction: whoever writes long nonsense holds up nobody."""
    texts = [inbound.text for inbound in inbounds if inbound.kind == "text"]
    read_ahead(texts, settings.UNDERSTOOD)
    try:
        with transaction.atomic():
            if hurried:
                hurry()
            return _take(inbounds)
    finally:
        forget_texts()


def _take(inbounds: Sequence[Inbound]) -> list[Reply | None]:
    here = clock.read()
    now = clock.now_of(here)
    arrived = _arrive(inbounds, now)
    fresh = [(no, inbound) for no, inbound in enumerate(inbounds) if no in arrived]
    told = [
        DeliveryResult(
            inbound.channel, inbound.receipt, message=speaker.message_id(inbound.reply_ref)
        )
        for _, inbound in fresh
        if inbound.receipt is not None
    ]
    if told:
        receipts.receipts(told, now)
    said = [(no, inbound) for no, inbound in fresh if inbound.kind != "receipt"]
    known = _known([inbound for _, inbound in said])
    said = _aged(said, known, here.rate)
    plain = _plain(said, known)
    owed = _alive(plain, now)
    replies: list[Reply | None] = [None] * len(inbounds)
    for no, inbound in said:
        if no not in plain:
            who = known[_sender(inbound)]
            replies[no] = _hear(inbound, who, arrived[no], now)
    for no, word in owed.items():
        _say(inbounds[no], known[_sender(inbounds[no])], word, arrived[no], now)
    return replies


def _aged(
    said: Sequence[tuple[int, Inbound]], known: Mapping[str, Mapping[int, Address]], rate: float
) -> list[tuple[int, Inbound]]:
    """The same with their ages in installation time, by a right clock."""
    whose = {no: min(known[_sender(inbound)], default=0) for no, inbound in said}
    learned = gateway_clocks.learn(((it, whose[no]) for no, it in said), settings.WALL_MS())
    aged = ((no, gateway_clocks.aged(it, whose[no], learned)) for no, it in said)
    return [
        (no, replace(x, age_ms=int(x.age_ms * rate), oldest_ms=int(x.oldest_ms * rate)))
        if x.age_ms or x.oldest_ms
        else (no, x)
        for no, x in aged
    ]


def _hear(inbound: Inbound, known: Mapping[int, Address], arrival: int, now: int) -> Reply | None:
    if inbound.connects:
        chat_codes.connect(inbound, arrival, now)
        return None
    if not any(way.person_id and way.proved_at for way in known.values()):
        known = {**known, **_whose_cry(inbound)}
    new = speaker.has_no_watch_here(inbound, known) and _starts_a_watch(inbound)
    texts = inbound.kind == inbound.channel == "text"  # in a chat it may be somebody else
    on_call = pages.by_number(inbound.sender) if texts and not new else None
    if on_call and coordinator_says(on_call, inbound, arrival, now, known=bool(known)):
        return None
    if new:
        person = list_commands.newcomer(inbound)
        known = known_by(inbound)
    if not known:
        log.info("from a number that nobody has here channel=%s", inbound.channel)
        if _is_somewhere(inbound):
            handle.stranger_says(inbound, now)
        return None
    address, message = speaker.speaker_of(inbound, known)
    if new:
        address, message = next(a for a in known.values() if a.person_id == person.id), None
    everyone = tuple(known.values())
    parsed = ParsedInbound(inbound, arrival, address, message, everyone, new)
    return handle.hear(parsed, now)


def _whose_cry(inbound: Inbound) -> Mapping[int, Address]:
    """Of a cry for help by WhatsApp from an account that nobody proved: whoever proved that number
    by text. Somebody else may have the account; their cry calls people who know the number, and
    tells the account nothing."""
    if inbound.channel != "whatsapp" or inbound.kind != "text":
        return {}
    if read_text(inbound.text, Role.PERSON, settings.UNDERSTOOD, watching=True) not in HELP:
        return {}
    theirs = known_by(replace(inbound, channel="text"))
    return {id: way for id, way in theirs.items() if way.person_id and way.proved_at}


def _starts_a_watch(inbound: Inbound) -> bool:
    """From a number that is nobody's own, only a word that starts a watch, or a cry for help, makes
    it somebody's. Anything else is stored and no more; so is what comes from a number that we would
    not text or ring."""
    starts = {Intent.GO, Intent.GO_LONG, Intent.MARK, *HELP}
    return (
        inbound.kind == "text"
        and read_text(inbound.text, Role.PERSON, settings.UNDERSTOOD, watching=False) in starts
        and _is_somewhere(inbound)
        and unknown_numbers.may_reach(inbound)
    )


def _is_somewhere(inbound: Inbound) -> bool:
    """Whether it comes from where an answer can go: a number, or a chat with our bot."""
    return inbound.channel == TELEGRAM or _A_NUMBER.fullmatch(inbound.sender) is not None


def _plain(
    said: Sequence[tuple[int, Inbound]], known: Mapping[str, Mapping[int, Address]]
) -> dict[int, tuple[Inbound, int]]:
    """Texts that are nothing but a sign of life, from numbers that are one person's alone: by
    place, with whose they are."""
    plain = {}
    for no, inbound in said:
        theirs = known[_sender(inbound)].values()
        persons = {address.person_id for address in theirs}
        if any(address.person and address.person.force_word for address in theirs):
            continue  # a word under force may read as a sign of life
        if inbound.kind != "text" or len(persons) != 1 or None in persons or inbound.opted_out:
            continue
        if inbound.channel == TELEGRAM or inbound.connects:
            continue  # each is answered
        if not all(address.proved_at for address in theirs):
            continue  # this very text may prove it
        if read_text(inbound.text, Role.PERSON, settings.UNDERSTOOD, watching=True) is Intent.HERE:
            plain[no] = (inbound, next(iter(theirs)).person_id or 0)
    return plain


def _alive(plain: dict[int, tuple[Inbound, int]], now: int) -> dict[int, str]:
    """Count them all at once; by place, what is said to those for whom it did more. Whoever has
    no watch that was open then is left to be heard singly, because they are owed a word; so is
    whoever wrote twice."""
    persons = [person for _, person in plain.values()]
    watches: dict[int, list[WatchRow]] = {}
    for watch in open_watches(persons):
        watches.setdefault(watch.person_id, []).append(watch)
    changes = []
    for no, (inbound, person) in list(plain.items()):
        meant = [w for w in watches.get(person, ()) if person_says.meant(w, inbound.age_ms, now)]
        broken = any(w.quarantined_at is not None for w in meant)
        if not meant or broken or persons.count(person) > 1:
            del plain[no]
            continue
        changes += [person_says.check_in(watch, inbound, now) for watch in meant]
    answers = apply_all(changes)
    closes = {c.watch: a for c, a in zip(changes, answers, strict=True)}
    words = {
        no: person_says.worth_saying([closes[w.id] for w in watches[person] if w.id in closes])
        for no, (_, person) in plain.items()
    }
    return {no: word for no, word in words.items() if word}


def _say(inbound: Inbound, known: Mapping[int, Address], word: str, arrival: int, now: int) -> None:
    """Answer a sign of life: on a phone without a page nothing else shows what it did."""
    back = next((a for a in known.values() if a.channel == inbound.channel), None)
    if back is not None and back.state == Address.State.OK:
        tell(back, word, f"r{arrival}", now, watch=None)


def _arrive(inbounds: Sequence[Inbound], now: int) -> dict[int, int]:
    """Store the raw rows; the id of each that was not there already, by its place."""
    places: dict[tuple[str, str], int] = {}
    for no, inbound in enumerate(inbounds):
        places.setdefault((inbound.channel, _stored_id(inbound.provider_id)), no)
    rows = [(channel, id, inbounds[no].kind, now) for (channel, id), no in places.items()]
    marks = ", ".join(["(%s, %s, %s, %s)"] * len(rows))
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO arrival (channel, provider_id, kind, at) VALUES {marks} "
            "ON CONFLICT (channel, provider_id) DO NOTHING RETURNING channel, provider_id, id",
            [value for row in rows for value in row],
        )
        return {places[channel, ref]: int(id) for channel, ref, id in cursor.fetchall()}


def _stored_id(provider_id: str) -> str:
    """The id as the column can hold it: a long or strange one is hashed."""
    if len(provider_id) <= LONGEST_ID and provider_id.isascii() and provider_id.isprintable():
        return provider_id
    return hashlib.sha256(provider_id.encode("utf-8", "replace")).hexdigest()


# --- who has the number ---------------------------------------------------------------------------


def _sender(inbound: Inbound) -> str:
    """Whose it is, as it was stored: one number is both a text's and a call's."""
    return (
        f"{'phone' if inbound.channel in suppression.PHONE else inbound.channel} {inbound.sender}"
    )


def _known(inbounds: Sequence[Inbound]) -> dict[str, dict[int, Address]]:
    """Everyone who has these numbers, by number, then by address id. Who left or was removed is
    nobody."""
    known: dict[str, dict[int, Address]] = {_sender(inbound): {} for inbound in inbounds}
    whose: dict[bytes, str] = {}
    for inbound in inbounds:
        if inbound.sender and inbound.sender.isascii():
            for channel in suppression.same(inbound.channel):
                whose[encryption.lookup(channel, inbound.sender)] = _sender(inbound)
    found = Address.objects.filter(lookup__in=list(whose)).select_related("person")
    addresses = sorted(found, key=lambda address: address.id)
    listed = [address.contact_id for address in addresses if address.contact_id is not None]
    contacts = Contact.objects.select_related("person").in_bulk(listed) if listed else {}
    for address in addresses:
        if address.contact_id is not None:
            contact = contacts.get(address.contact_id)
            if contact is None or contact.status not in WANTED:
                continue
            address.contact = contact
        known[whose[bytes(address.lookup)]][address.id] = address
    return known


def known_by(inbound: Inbound) -> dict[int, Address]:
    """Everyone who has the number this came from."""
    return _known([inbound])[_sender(inbound)]
