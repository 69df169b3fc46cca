"""The way in for what comes from phones: stored once, then carried out, in one transaction.

Owns the arrival row, which stops repeats, and the question who is speaking: whoever got the message
that is answered, else whoever has the number; who keeps a watch with it goes before both with
everything that is no answer. What the words mean is
decided in ``handle.py``. An unknown number is never guessed at: what it says is stored and no more,
unless it asks for a watch or for help.
"""

from __future__ import annotations

import hashlib
import logging
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Q

from stillhere.core.messages import TELEGRAM, DeliveryResult, Inbound
from stillhere.core.replies import (
    HELP,
    Intent,
    Role,
    forget_texts,
    help_is_called,
    read_ahead,
    read_text,
)
from stillhere.store.db import clock, encryption
from stillhere.store.db.row_locks import hurry
from stillhere.store.inbound import (
    chat_codes,
    contact_says,
    gateway_clocks,
    handle,
    intents,
    list_commands,
    person_says,
    unknown_numbers,
)
from stillhere.store.inbound.program.coordinator_says import coordinator_says
from stillhere.store.inbound.reply import ParsedInbound, Reply, open_watches, person_of
from stillhere.store.messages import pages, receipts
from stillhere.store.models import Address, Contact, Message, WatchRow
from stillhere.store.people import force, suppression
from stillhere.store.watches import apply
from stillhere.store.watches.queries import ALARMED

log = logging.getLogger("stillhere.inbox")

LONGEST_ID = 120
_A_NUMBER = re.compile(r"\+[1-9][0-9]{6,14}")  # not a short code, and nobody's own name
RECENT = 20  # messages among which the one a text answers is looked for
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
    everything else is heard one after the other.
    """
    _read_and_take(inbounds, hurried=True)
    return [None] * len(inbounds)


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
    with transaction.atomic():
        now, rate = clock.now_ms(), clock.read().rate
        arrived = _arrive(inbounds, now)
        fresh = [(no, inbound) for no, inbound in enumerate(inbounds) if no in arrived]
        receipts.receipts(
            [
                DeliveryResult(inbound.channel, inbound.receipt, message=_id(inbound.reply_ref))
                for _, inbound in fresh
                if inbound.receipt is not None
            ],
            now,
        )
        said = [(no, inbound) for no, inbound in fresh if inbound.kind != "receipt"]
        known = _known([inbound for _, inbound in said])
        said = _aged(said, known, rate)
        plain = _plain(said, known)
        _alive(plain, now)
        replies: list[Reply | None] = [None] * len(inbounds)
        for no, inbound in said:
            if no not in plain:
                who = known[_sender(inbound)]
                replies[no] = _hear(inbound, who, arrived[no], now)
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
    known = known or _whose_cry(inbound)
    new = _has_no_watch_here(inbound, known) and _starts_a_watch(inbound)
    on_call = pages.by_number(inbound.sender) if inbound.kind == "text" and not new else None
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
    address, message = speaker_of(inbound, known)
    if new:
        address, message = next(a for a in known.values() if a.person_id == person.id), None
    everyone = tuple(known.values())
    parsed = ParsedInbound(inbound, arrival, address, message, everyone)
    return handle.hear(parsed, now, new=new)


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


def _has_no_watch_here(inbound: Inbound, known: Mapping[int, Address]) -> bool:
    """Whether this is nobody's own number. Anybody can type it as theirs, or put it on a list:
    while no alarm of such a list was told to it, whoever has it is heard as from a number we never
    heard of."""
    if any(address.person_id and address.proved_at for address in known.values()):
        return False
    told = Message.objects.filter(address__in=list(known), attempts__gt=0)
    about = Q(watch__state__in=ALARMED)
    if inbound.text.strip() in contact_says.OUTCOMES:
        about |= Q(word="reply-how")  # an answer that comes when all is over
    return not (known and told.filter(about).exists())


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


def _alive(plain: dict[int, tuple[Inbound, int]], now: int) -> None:
    """Count them all at once. Whoever has no watch that was open then is left to be heard singly,
    because they are owed a word; so is whoever wrote twice."""
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
    if changes:
        apply.apply_batch(changes)


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


def _id(reply_ref: str) -> int | None:
    """A message's id as a provider carries it back."""
    plain = reply_ref.isascii() and reply_ref.isdigit() and len(reply_ref) <= 18
    return int(reply_ref) if plain else None


# --- who is speaking ----------------------------------------------------------------------------


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
    found = Address.objects.filter(lookup__in=list(whose)).order_by("id")
    for address in found.select_related("person", "contact__person"):
        if address.contact is None or address.contact.status in WANTED:
            known[whose[bytes(address.lookup)]][address.id] = address
    return known


def known_by(inbound: Inbound) -> dict[int, Address]:
    """Everyone who has the number this came from."""
    return _known([inbound])[_sender(inbound)]


def speaker_of(inbound: Inbound, known: Mapping[int, Address]) -> tuple[Address, Message | None]:
    """The address of whoever speaks, and the message of ours that they answer.

    Anybody can put a number on a list of theirs: a message to it as somebody's contact claims what
    answers it, and nothing that its owner says to us for themselves."""
    own = [address for address in known.values() if address.person is not None]
    if len({(address.person_id, address.contact_id) for address in known.values()}) > 1:
        forced = _under_force(inbound, own)
        if forced is not None:
            return forced, None
    message = _answered(inbound, known)
    if message is not None and _is_anothers(inbound, known, message):
        message = None
    if own and len(own) < len(known) and (message is None or message.contact_id is not None):
        person = _for_themselves(inbound, own, message)
        if person is not None:
            return person, None
    if message is not None and message.address_id is not None:
        return known[message.address_id], message
    return _likeliest(inbound, known.values()), None


def _under_force(inbound: Inbound, own: Sequence[Address]) -> Address | None:
    """Whose word under force this is, of all who have shown that the number is theirs."""
    if inbound.kind != "text":
        return None
    return next((way for way in own if force.is_said_from(way, inbound.text)), None)


def _is_anothers(inbound: Inbound, known: Mapping[int, Address], message: Message) -> bool:
    """Whether a message to one of several people with this number has nothing to do with what is
    said: it claims a sign of life, and a key pressed in that very call, once that one has shown
    that the number is theirs too."""
    address = known.get(message.address_id or 0)
    proved = {a.person_id for a in known.values() if a.person_id and a.proved_at}
    if address is None or address.person_id is None or proved <= {address.person_id}:
        return False
    if not address.proved_at:
        return True
    if inbound.kind == "key" and message.id == _id(inbound.reply_ref):
        return False
    return intents.persons_intent(inbound, watching=True) is not Intent.HERE


def _for_themselves(
    inbound: Inbound, own: Sequence[Address], message: Message | None
) -> Address | None:
    """Which of their ``own`` addresses speaks, where this is no answer to a ``message`` that went
    to the number as somebody's contact."""
    if inbound.kind == "key" and message is not None and message.id == _id(inbound.reply_ref):
        return None  # pressed in that very call
    if contact_says.tells_how(inbound, message):
        return None
    address = _likeliest(inbound, own)
    states = {watch.state for watch in open_watches([person_of(address).id])}
    intent = intents.persons_intent(inbound, watching=bool(states))
    if intent in HELP:
        return None if not states and _tells_of_theirs(inbound, message) else address
    asking = bool(address.proved_at) and "asking" in states
    unanswered = message is not None and not _said_yes(message)
    if inbound.kind == "missed-call":
        mine = bool(address.proved_at) and (asking or unanswered or message is None)
    elif asking and unanswered:
        mine = True
    else:
        answers = intents.contacts_intent(inbound, watching=True) in intents.ANSWERS
        means = intent in intents.PERSONS or (unanswered and bool(states))
        mine = not answers and means and bool(address.proved_at or states)
    return address if mine else None


def _tells_of_theirs(inbound: Inbound, message: Message | None) -> bool:
    """Whether a contact in an open alarm says that they call an ambulance: that is about the person
    they were told of, and no cry of their own."""
    if message is None or message.watch is None or not _said_yes(message):
        return False
    called = inbound.kind == "text" and help_is_called(inbound.text, settings.UNDERSTOOD)
    return called and message.watch.state in ALARMED


def _said_yes(message: Message) -> bool:
    """Whether the contact it went to is one by their own will."""
    return message.contact is not None and message.contact.status == Contact.Status.CONFIRMED


def _answered(inbound: Inbound, known: Mapping[int, Address]) -> Message | None:
    """The message that is answered: the one the provider names, if it went to this number; else
    the last one that went there and still waits for an answer. A number may be several people's: an
    alarm of somebody whose list they joined goes before all that others ask of them."""
    theirs = Message.objects.filter(address__in=list(known)).select_related("watch", "contact")
    named = theirs.filter(id=_id(inbound.reply_ref) or 0).first()
    if named is not None:
        return named
    recent = theirs.filter(attempts__gt=0).order_by("-id")[:RECENT]
    waiting = [message for message in recent if _waits(message)]
    if any(_said_yes(message) for message in waiting):
        waiting = [m for m in waiting if m.contact_id is None or _said_yes(m)]
    return next(iter(waiting), None)


def _waits(message: Message) -> bool:
    """Whether an answer to this message can still mean something."""
    if message.word == "invite":
        return message.contact is not None and message.contact.status == Contact.Status.INVITED
    if message.watch is None:
        return False
    if message.contact_id is not None:
        return message.watch.state in ALARMED
    return message.watch.closed_at is None


def _likeliest(inbound: Inbound, known: Collection[Address]) -> Address:
    """Of several people with one number: who keeps a watch, who can help in an alarm, then a
    person, then a contact; last a person who has not shown yet that it is theirs. Of those who
    have, the first: nobody takes a number over by a code that was read on its phone later."""
    first = min(
        (a for a in known if a.person_id and a.proved_at),
        key=lambda a: (a.proved_at, a.id),
        default=None,
    )
    if first is not None:
        known = [a for a in known if a.person_id in (None, first.person_id)]
    persons = {a.person_id or (a.contact.person_id if a.contact else None) for a in known}
    watches = WatchRow.objects.filter(person__in=persons, closed_at__isnull=True)
    watching = set(watches.values_list("person_id", flat=True))
    alarmed = set(watches.filter(state__in=ALARMED).values_list("person_id", flat=True))

    def rank(address: Address) -> tuple[int, bool, int]:
        if address.person_id is not None:
            place = 0 if address.person_id in watching else 2
            place = place if address.proved_at else 4
        else:
            assert address.contact is not None
            place = 1 if address.contact.person_id in alarmed else 3
        return place, address.channel != inbound.channel, address.id

    return min(known, key=rank)
