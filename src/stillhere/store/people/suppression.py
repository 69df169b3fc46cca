"""The numbers and addresses that asked us not to reach them.

Owns the list: keyed look-ups, when and why, and nothing that names or points to anybody, so it
outlives every row and every erasure. A phone is one look-up, for texts and for calls. What else a
no does stands in ``opt_out.py``.

Two strengths. A no that came *from the number itself* silences it everywhere. A no on the page of a
contact comes from whoever holds the link, and the person who sent it holds it too: it keeps them,
and by a number that was shown to be theirs anybody, from adding it anew, but takes it off nobody
else's list, ends nobody's own number and sends no volunteer home. Otherwise one person could
silence another one's mother.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from contextlib import suppress

from django.db import connection
from django.db.models import Q, QuerySet

from stillhere.core.messages import TELEGRAM
from stillhere.core.reading import same_address
from stillhere.core.refusals import Refusal
from stillhere.store.db import encryption
from stillhere.store.models import Address, Suppression, sealed_columns
from stillhere.store.problems import Problem, Reached

PHONE = ("text", "call")  # one number is both
# What more than one list may hold; a browser is nobody else's. A WhatsApp number is an address of
# its own: its account may be somebody else's than the SIM is.
TYPED = (*PHONE, "whatsapp", "email", "chat", TELEGRAM)
ANYBODY = 0
LISTED = "on the list"  # why an address is opted out, once the list knows it
MOST_CARRIED = 500

_SILENCED = "SELECT lookup FROM suppression WHERE lookup IN ({marks}) AND person = %s AND proved"

Way = tuple[str, str]  # channel and address in clear


def same(channel: str) -> tuple[str, ...]:
    """The channels whose addresses are the same one: a number is a text's and a call's."""
    return PHONE if channel in PHONE else (channel,)


def lookup_of(channel: str, value: str) -> bytes:
    """The one look-up of an address, whatever channel of a phone it came by, and however it is
    spelled."""
    value = same_address.plain(channel, value)
    return encryption.lookup("phone" if channel in PHONE else channel, value)


def _known_as(channel: str, value: str) -> set[bytes]:
    """That look-up, and the one of the address as it was typed: who said no before spellings were
    one is on the list by that."""
    as_typed = encryption.lookup("phone" if channel in PHONE else channel, value)
    return {lookup_of(channel, value), as_typed}


def number_of(channel: str, value: str) -> bytes:
    """The look-up of the number behind an address: who said no to texts is not invited by WhatsApp,
    and a budget of a number is one budget."""
    return lookup_of("text" if channel == "whatsapp" else channel, value)


def add(
    ways: Iterable[Way], why: Suppression.Why, now: int, *, proved: bool, person: int = ANYBODY
) -> None:
    """From now on none of these is added by anybody, or by this ``person`` alone. ``proved``: the
    no came from the number itself."""
    rows = [
        Suppression(lookup=lookup, person=person, proved=proved, why=why, at=now)
        for lookup in sorted({lookup_of(*way) for way in ways if way[0] in TYPED})
    ]
    if proved:
        Suppression.objects.bulk_create(
            rows,
            update_conflicts=True,
            unique_fields=["lookup", "person"],
            update_fields=["proved", "why", "at"],
        )
    else:
        Suppression.objects.bulk_create(rows, ignore_conflicts=True)


def lift(channel: str, value: str) -> None:
    """They said so themselves: everybody may ask them again."""
    Suppression.objects.filter(lookup__in=_known_as(channel, value)).delete()


def refuses(ways: Iterable[Way], person: int = ANYBODY) -> bool:
    """Whether one of these asked, from the number itself, not to be reached by anybody, or not by
    this ``person``. What was opted out before there was a list counts as such."""
    return bool(refused(ways, person))


def refused(ways: Iterable[Way], person: int = ANYBODY) -> set[Way]:
    """Those of these of which ``refuses`` is true, in one read."""
    ways = list(ways)
    said = _found(ways, person).filter(Q(proved=True) | Q(why=Suppression.Why.BEFORE))
    lookups = {bytes(each) for each in said.values_list("lookup", flat=True)}
    return {way for way in ways if not lookups.isdisjoint(_lookups_of(*way))}


def check(
    ways: Iterable[Reached], person: int = ANYBODY, *, known: Collection[Way] = frozenset()
) -> None:
    """Raises Problem if one of these may not be added: after a no of either strength, unless it is
    ``known`` as theirs already."""
    new = [(way.channel, way.value) for way in ways if (way.channel, way.value) not in known]
    if _found(new, person).exists():
        raise Problem(Refusal.SUPPRESSED)


def _found(ways: Iterable[Way], person: int) -> QuerySet[Suppression]:
    lookups = {lookup for way in ways for lookup in _lookups_of(*way)}
    return Suppression.objects.filter(lookup__in=lookups, person__in={ANYBODY, person})


def _lookups_of(channel: str, value: str) -> set[bytes]:
    """Under what a no of this address may stand."""
    return _lookups([(channel, value)]) | {number_of(channel, value)}


def silenced(ways: Collection[Way]) -> set[Way]:
    """Those of these whose owners said no from the number itself: one look for a whole lease."""
    lookups: dict[bytes, list[Way]] = {}
    for way in ways:
        if way[0] in TYPED:
            for lookup in _known_as(*way):
                lookups.setdefault(lookup, []).append(way)
    if not lookups:
        return set()
    marks = ", ".join(["%s"] * len(lookups))
    with connection.cursor() as cursor:  # every lease asks: putting a query together takes longer
        cursor.execute(_SILENCED.format(marks=marks), [*lookups, ANYBODY])
        return {way for (lookup,) in cursor.fetchall() for way in lookups[bytes(lookup)]}


def carry_over(now: int) -> None:
    """Put on the list who opted out before there was one."""
    old = Address.objects.filter(state=Address.State.OPTED_OUT).exclude(why=LISTED)
    for address in old.order_by("id")[:MOST_CARRIED]:
        with suppress(encryption.SealBroken):  # what cannot be read cannot be reached either
            way = (address.channel, sealed_columns.address_value(address))
            add([way], Suppression.Why.BEFORE, now, proved=False)
        Address.objects.filter(id=address.id).update(why=LISTED)


def _lookups(ways: Iterable[Way]) -> set[bytes]:
    return {each for way in ways if way[0] in TYPED for each in _known_as(*way)}
