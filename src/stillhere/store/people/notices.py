"""Messages that can wait: nobody is in danger. The engine sends them."""

from __future__ import annotations

import json
from collections.abc import Mapping

from django.conf import settings
from django.db.models import Max, QuerySet

from stillhere.core.events import Urgency
from stillhere.store.db import budgets
from stillhere.store.models import Address, Contact, Message
from stillhere.store.people.address_book import PUSH
from stillhere.store.people.numbers import strangers
from stillhere.store.watches.outbox import COORDINATOR

GAP = "page-gap"
GAPS_A_DAY = 20  # told to the coordinator: more at once is somebody at play
BROWSERS_MS = 3_600_000  # between two messages that tell of new browsers


def calm_message(
    way: Address,
    person: int | None,
    word: str,
    key: str,
    now: int,
    *,
    due_at: int | None = None,
    facts: Mapping[str, int] | None = None,
) -> Message:
    """A message to the owner of this ``way`` in which nobody is in danger, not stored yet. ``key``
    names it; of two with the same key only the first is stored. ``due_at``, ms UTC, is ``now``
    unless it is to be sent later."""
    return Message(
        key=key,
        person_id=person,
        contact_id=way.contact_id,
        address=way,
        channel=way.channel,
        word=word,
        facts=json.dumps(facts or {}),
        urgency=Urgency.CALM,
        due_at=now if due_at is None else due_at,
        created_at=now,
    )


def tell_of_gap(contact: Contact, now: int) -> None:
    """Tell the person now that somebody can no longer be reached, and not on the night itself; and
    the coordinator, who may know somebody else."""
    _tell_quietly(contact.person_id, "gap", f"g{contact.id}", {"who": contact.id}, now)
    enough = budgets.limit("enough gaps", GAPS_A_DAY, "gaps")
    if settings.STILLHERE.coordinator and not budgets.take([enough], now):
        page = Message(
            key=f"g{contact.id}.page",
            person_id=contact.person_id,
            channel=COORDINATOR,
            word=GAP,
            facts="{}",
            urgency=Urgency.CALM,
            due_at=now,
            created_at=now,
        )
        Message.objects.bulk_create([page], ignore_conflicts=True)


def tell_of_gap_if_any(contact: int, now: int) -> None:
    """The same, once no way to reach them is left."""
    if not Address.objects.filter(contact=contact, state=Address.State.OK).exists():
        found = Contact.objects.filter(id=contact).first()
        if found is not None:  # erased while the message was on its way
            tell_of_gap(found, now)


def tell_of_lost_way(address: int, now: int) -> None:
    """Tell the person, by a way that is left, that one of their own no longer works."""
    person = Address.objects.filter(id=address).values_list("person", flat=True).first()
    if person is not None:
        _tell_quietly(person, "way-gone", f"o{address}", {}, now)


def tell_of_browser(person: int, browser: int, now: int) -> None:
    """Tell the person's own number that one more browser opens their pages: at most once an hour,
    and then of all that came meanwhile."""
    last = Message.objects.filter(person=person, word="new-browser").aggregate(at=Max("due_at"))
    due_at = max(now, (last["at"] or 0) + BROWSERS_MS)
    if due_at <= now + BROWSERS_MS:  # else one is on its way already
        Message.objects.bulk_create(
            [
                calm_message(a, person, "new-browser", f"b{browser}.{a.id}", now, due_at=due_at)
                for a in _own_numbers(person=person)
            ],
            ignore_conflicts=True,
        )


def tell_of_chat(chat: Address, now: int) -> None:
    """Tell its owner's number that a ``chat`` hears what they hear and can answer for them."""
    _tell_number(chat, "new-chat" if chat.contact_id is None else "new-chat-contact", "t", now)


def tell_of_way(way: Address, now: int) -> None:
    """Tell the person's own number that another ``way``, typed on their page and proved just now,
    hears their asks. Whoever held an open phone may have typed it."""
    _tell_number(way, "new-way", "w", now)


def tell_of_chats_changes(chat: Address, now: int) -> None:
    """Tell the person's own number that a ``chat`` changes their list or plan: once an hour."""
    _tell_number(chat, "chat-changes", f"h{now // BROWSERS_MS}.", now)


def tell_of_chats_over(person: int, now: int) -> None:
    """Tell the person's own number that no chat is theirs any more, as the PIN or the link is
    another one."""
    mine = _own_numbers(person=person)
    Message.objects.bulk_create(
        [calm_message(a, person, "chats-over", f"u{a.id}.{now}", now) for a in mine],
        ignore_conflicts=True,
    )


def _tell_number(way: Address, word: str, key: str, now: int) -> None:
    """Tell the owner of this ``way`` by every other one that is known to be theirs."""
    mine = _own_numbers(person=way.person_id, contact=way.contact_id).exclude(lookup=way.lookup)
    person = way.person_id or (way.contact.person_id if way.contact is not None else None)
    Message.objects.bulk_create(
        [calm_message(a, person, word, f"{key}{way.id}.{a.id}", now) for a in mine],
        ignore_conflicts=True,
    )


def tell_of_put_out(person: int, now: int, *, later: bool) -> None:
    """Tell the person's own number that a younger browser asks to put out those before it
    (``later``), or that somebody is out or the link another one: each at most once an hour."""
    word, first = ("put-out", "x") if later else ("removed", "y")
    Message.objects.bulk_create(
        [
            calm_message(a, person, word, f"{first}{person}.{now // BROWSERS_MS}.{a.id}", now)
            for a in _own_numbers(person=person)
        ],
        ignore_conflicts=True,
    )


def tell_of_pin(person: int, off_at: int, now: int) -> None:
    """Tell the person's own number that their PIN goes at ``off_at``, ms UTC, because somebody says
    it is forgotten."""
    Message.objects.bulk_create(
        [
            calm_message(a, person, "pin-off", f"n{person}.{off_at}.{a.id}", now)
            for a in _own_numbers(person=person)
        ],
        ignore_conflicts=True,
    )


def _own_numbers(*, person: int | None, contact: int | None = None) -> QuerySet[Address]:
    """The ways on which somebody hears about their own pages: what is proved to be theirs, works
    and wakes nobody, and no browser, because a browser is what they hear of."""
    mine = Address.objects.filter(
        strangers.PROVED, person=person, contact=contact, state=Address.State.OK, rings=False
    )
    return mine.exclude(channel=PUSH).order_by("id")


def tell_of_stop(person: int, now: int) -> None:
    """Tell the person, by a way that is left, that their phone told us to stop. Said again within a
    minute, it is told once."""
    _tell_quietly(person, "way-stopped", f"s{person}.{now // 60_000}", {}, now)


def tell_of_idle(person: int, now: int) -> None:
    """Tell the person that all about them is erased in a month, unless they use it again."""
    _tell_quietly(person, "idle", f"e{person}.{now}", {}, now)


def _tell_quietly(
    person: int,
    word: str,
    key: str,
    facts: dict[str, int],
    now: int,
    due_at: int | None = None,
) -> None:
    """Something that can be read in the morning, sent by every way of the person's that wakes
    nobody. Sent once per key."""
    mine = Address.objects.filter(person=person, state=Address.State.OK, rings=False)
    Message.objects.bulk_create(
        [
            calm_message(a, person, word, f"{key}.{a.id}", now, due_at=due_at, facts=facts)
            for a in mine.order_by("id")
        ],
        ignore_conflicts=True,
    )
