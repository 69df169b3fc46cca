"""Who is speaking: whoever got the message that is answered, else whoever has the number.

Owns that choice among all who have a number. Who keeps a watch with it goes before both with
everything that is no answer; whoever only typed it, or put it on a list, takes nothing that its
owner says for themselves. Reads only; what the words mean is decided in ``handle.py``.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from django.conf import settings
from django.db.models import QuerySet

from stillhere.core.messages import Inbound
from stillhere.core.replies import HELP, Intent, help_is_called, speaks_of_another
from stillhere.store.inbound import contact_says, intents
from stillhere.store.inbound.alarm_choice import is_answered_by
from stillhere.store.inbound.reply import open_watches, person_of
from stillhere.store.models import Address, Contact, Message, WatchRow
from stillhere.store.people import force
from stillhere.store.people.numbers import erase_code
from stillhere.store.watches.queries import ALARMED

_SAID_YES = {"contact__status": Contact.Status.CONFIRMED}
RECENT = 20  # messages among which the one a text answers is looked for


def message_id(reply_ref: str) -> int | None:
    """A message's id as a provider carries it back."""
    plain = reply_ref.isascii() and reply_ref.isdigit() and len(reply_ref) <= 18
    return int(reply_ref) if plain else None


def has_no_watch_here(inbound: Inbound, known: Mapping[int, Address]) -> bool:
    """Whether this is nobody's own number. Anybody can type it as theirs, or put it on a list:
    while no alarm of such a list was told to it, whoever has it is heard as from a number we never
    heard of; and so is what somebody who never said yes cries for themselves in such an alarm."""
    if any(address.person_id and address.proved_at for address in known.values()):
        return False
    if not known:
        return True
    told = Message.objects.filter(address__in=list(known), attempts__gt=0)
    late = inbound.text.strip() in contact_says.OUTCOMES  # an answer that comes when all is over
    if late and told.filter(word="reply-how").exists():
        return False
    alarms = _alarms_told(known)
    if not alarms.exists():
        return True
    return not alarms.filter(**_SAID_YES).exists() and _is_about_themselves(inbound)


def _alarms_told(known: Mapping[int, Address]) -> QuerySet[Message]:
    """What went to this number, as somebody's contact, about alarms that are open."""
    about = Message.objects.filter(address__in=list(known), watch__state__in=ALARMED)
    return about.filter(attempts__gt=0, contact__isnull=False)


def _is_about_themselves(inbound: Inbound) -> bool:
    """Whether a text that comes in an alarm is no answer to it, and speaks of nobody else."""
    text, words = inbound.text, settings.UNDERSTOOD
    if intents.persons_intent(inbound, watching=False) is Intent.WANTS_TO_DIE:
        return True
    if intents.contacts_intent(inbound, watching=True) not in (Intent.UNCLEAR, Intent.HELP):
        return False
    return not (speaks_of_another(text, words) or help_is_called(text, words))


def speaker_of(inbound: Inbound, known: Mapping[int, Address]) -> tuple[Address, Message | None]:
    """The address of whoever speaks, and the message of ours that they answer.

    Anybody can put a number on a list of theirs: a message to it as somebody's contact claims what
    answers it, and nothing that its owner says to us for themselves."""
    own = [address for address in known.values() if address.person is not None]
    if len({(address.person_id, address.contact_id) for address in known.values()}) > 1:
        shown = _who_shows_it(inbound, own)
        if shown is not None:
            return shown, None
    known = _without_the_typed(known)
    own = [address for address in own if address.id in known]
    message = _answered(inbound, known)
    if message is not None and _is_anothers(inbound, known, message):
        message = None
    if own and len(own) < len(known) and (message is None or message.contact_id is not None):
        chosen = is_answered_by(inbound)
        person = _for_themselves(inbound, own, message) if not chosen else None
        if person is not None:
            return person, None
    if message is not None and message.address_id is not None:
        return known[message.address_id], message
    return _likeliest(inbound, known.values()), None


def _who_shows_it(inbound: Inbound, own: Sequence[Address]) -> Address | None:
    """Who alone can say this, of all who have shown that the number is theirs: a word under force,
    or the code that erases."""
    if inbound.kind != "text":
        return None
    text = inbound.text
    said = (way for way in own if force.is_said_from(way, text) or erase_code.is_of(way, text))
    return next(said, None)


def _without_the_typed(known: Mapping[int, Address]) -> Mapping[int, Address]:
    """All who have the number but those who only typed it, while it belongs to somebody who said
    yes and was told of an alarm that is open."""
    shown = {id: a for id, a in known.items() if not a.person_id or a.proved_at}
    if len(shown) == len(known) or not _alarms_told(known).filter(**_SAID_YES).exists():
        return known
    return shown


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
    if inbound.kind == "key" and message.id == message_id(inbound.reply_ref):
        return False
    return intents.persons_intent(inbound, watching=True) is not Intent.HERE


def _for_themselves(
    inbound: Inbound, own: Sequence[Address], message: Message | None
) -> Address | None:
    """Which of their ``own`` addresses speaks, where this is no answer to a ``message`` that went
    to the number as somebody's contact."""
    if (
        inbound.kind == "key"
        and message is not None
        and message.id == message_id(inbound.reply_ref)
    ):
        return None  # pressed in that very call
    if contact_says.tells_how(inbound, message):
        return None
    address = _likeliest(inbound, own)
    states = {watch.state for watch in open_watches([person_of(address).id])}
    intent = intents.persons_intent(inbound, watching=bool(states))
    if intent in HELP and not address.proved_at and _is_about_an_alarm(message):
        return None
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
    if message is None or not _said_yes(message):
        return False
    called = inbound.kind == "text" and help_is_called(inbound.text, settings.UNDERSTOOD)
    return called and _is_about_an_alarm(message)


def _is_about_an_alarm(message: Message | None) -> bool:
    """Whether it is of an alarm that is open."""
    return message is not None and message.watch is not None and message.watch.state in ALARMED


def _said_yes(message: Message) -> bool:
    """Whether the contact it went to is one by their own will."""
    return message.contact is not None and message.contact.status == Contact.Status.CONFIRMED


def _answered(inbound: Inbound, known: Mapping[int, Address]) -> Message | None:
    """The message that is answered: the one the provider names, if it went to this number; else
    the last one that went there and still waits for an answer. A number may be several people's: an
    alarm of somebody whose list they joined goes before all that others ask of them."""
    theirs = Message.objects.filter(address__in=list(known)).select_related("watch", "contact")
    named = theirs.filter(id=message_id(inbound.reply_ref) or 0).first()
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
