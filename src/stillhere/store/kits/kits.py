"""Naloxone: who carries it, what is in it, and until when it is good.

Owns all writes of kits. A kit belongs to the person, to somebody on their list, to a volunteer, or
to the program's stock. Whoever has its key (the code on the sticker) may say what is in it. Months
are text like "2027-05": a kit is good until the end of its month.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from django.db import transaction
from django.db.models import Count, Q, QuerySet, Sum

from stillhere.core.refusals import Refusal
from stillhere.store.db import clock, encryption
from stillhere.store.db.prepared import Prepared
from stillhere.store.kits import dates, naloxone
from stillhere.store.models import Address, Contact, Kit, Message, Person, Responder
from stillhere.store.people.clean_text import LONGEST_NAME, readable
from stillhere.store.people.notices import calm_message
from stillhere.store.problems import Problem
from stillhere.store.watches.circle import month

MOST_DOSES = 20
MOST_STICKERS = 30  # one sheet of paper
MOST_KITS = 20  # of one keeper
MOST_STOCK = 5_000
WARN_DAYS = 45
DAY_MS = 86_400_000
MOST_YEARS = 12  # no box is good for longer
AGAIN_MS = 60_000  # the same within this was sent twice
_OF_PERSON = Prepared(Kit, "WHERE person_id = %s ORDER BY id")
_OF_CONTACTS = Prepared(Kit, "WHERE contact_id IN ({marks}) ORDER BY id")


@dataclass(frozen=True, slots=True)
class Inside:
    """What somebody says is in a kit."""

    form: str
    doses: int
    expires: str = ""
    lot: str = ""
    place: str | None = None  # None: not said


def inside(typed: Mapping[str, str]) -> Inside:
    """What was typed about a kit, normalized. Raises Problem if no kit can be like that."""
    form, doses = naloxone.form(typed.get("form", "")), typed.get("doses", "").strip()
    if not form:
        raise Problem(Refusal.KIT_FORM)
    if not (
        doses.isascii() and doses.isdigit() and len(doses) < 4 and 1 <= int(doses) <= MOST_DOSES
    ):
        raise Problem(Refusal.KIT_DOSES)
    return Inside(
        form,
        int(doses),
        _month(typed.get("expires", "").strip()),
        readable(typed.get("lot", "")).removeprefix("'")[:40],
        readable(typed["place"])[:LONGEST_NAME] if "place" in typed else None,
    )


def _month(typed: str) -> str:
    """A month as printed on boxes; empty means unknown."""
    if not typed:
        return ""
    told = dates.month(typed)
    if told < "2000":
        raise Problem(Refusal.KIT_MONTH)
    if int(told[:4]) > int(month(clock.now_ms())[:4]) + MOST_YEARS:
        raise Problem(Refusal.KIT_FAR)
    return told


# --- writing --------------------------------------------------------------------------------------


def add(
    what: Inside,
    *,
    person: Person | None = None,
    contact: Contact | None = None,
    responder: Responder | None = None,
) -> Kit:
    """A kit that somebody carries; if nobody does, it goes into stock."""
    mine = Kit.objects.filter(person=person, contact=contact, responder=responder)
    stock = person is None and contact is None and responder is None
    if mine.count() >= (MOST_STOCK if stock else MOST_KITS):
        raise Problem(Refusal.KIT_MANY)
    now, nonce = clock.now_ms(), encryption.new_nonce()
    return Kit.objects.create(
        nonce=nonce,
        key_hash=encryption.key_hash(encryption.key_for("kit", nonce)),
        person=person,
        contact=contact,
        responder=responder,
        created_at=now,
        seen_at=now,
        **_columns(what, nonce),
    )


def add_once(
    what: Inside,
    *,
    person: Person | None = None,
    contact: Contact | None = None,
    responder: Responder | None = None,
) -> bool:
    """The same, from a form; False if the form was already sent a moment ago."""
    mine = Kit.objects.filter(person=person, contact=contact, responder=responder)
    with transaction.atomic():
        there = added_within(mine, AGAIN_MS)[replace(what, place=None)]
        if any(place_of(kit) == (what.place or "") and not kit.used_at for kit in there):
            return False
        add(what, person=person, contact=contact, responder=responder)
    return True


def added_within(among: QuerySet[Kit], ms: int) -> dict[Inside, list[Kit]]:
    """Kits that were added within ``ms``, by what is in them."""
    found: dict[Inside, list[Kit]] = defaultdict(list)
    for kit in among.filter(created_at__gt=clock.now_ms() - ms).exclude(form=""):
        found[Inside(kit.form, kit.doses, kit.expires, kit.lot)].append(kit)
    return found


def take(kit: Kit, keeper: Person | Contact) -> None:
    """Somebody carries a kit from the stock from now on. Raises Problem if it is somebody
    else's."""
    if len(of(keeper)) >= MOST_KITS:
        raise Problem(Refusal.KIT_MANY)
    theirs = {"person" if isinstance(keeper, Person) else "contact": keeper}
    free = Kit.objects.filter(id=kit.id, person=None, contact=None, responder=None)
    if not free.update(**theirs, seen_at=clock.now_ms(), warned_at=0):
        raise Problem(Refusal.KIT_TAKEN)


def change(kit: Kit, what: Inside) -> None:
    """Somebody looked into it. A kit that was used is full again."""
    columns = _columns(what, kit.nonce) | {"used_at": 0, "warned_at": 0, "seen_at": clock.now_ms()}
    for name, value in columns.items():
        setattr(kit, name, value)
    kit.save(update_fields=[*columns])


def used(kit: Kit) -> None:
    """It was used: nobody is sent for it until somebody says what is in it now."""
    kit.used_at, kit.warned_at = clock.now_ms(), 0
    kit.save(update_fields=["used_at", "warned_at"])


def dose_given(kit: Kit) -> None:
    """One dose less; the last one leaves it empty."""
    if kit.doses <= 1:
        used(kit)
    else:
        kit.doses -= 1
        kit.save(update_fields=["doses"])


def dose_back(kit: Kit) -> None:
    """That dose was not given after all."""
    if kit.used_at:
        kit.used_at = 0
    else:
        kit.doses = min(kit.doses + 1, MOST_DOSES)
    kit.save(update_fields=["doses", "used_at"])


def drop(kit: Kit) -> None:
    """It is gone."""
    kit.delete()


def stickers(many: int) -> list[Kit]:
    """New kits that nobody has looked into yet, for a sheet of stickers."""
    if not 1 <= many <= MOST_STICKERS:
        raise Problem(Refusal.KIT_SHEET)
    with transaction.atomic():
        return [add(Inside("", 0)) for _ in range(many)]


def _columns(what: Inside, nonce: bytes | memoryview) -> dict[str, object]:
    columns: dict[str, object] = {
        "form": what.form,
        "doses": what.doses,
        "expires": what.expires,
        "lot": what.lot,
    }
    if what.place is not None:
        columns["place"] = encryption.seal(what.place, "kit.place", nonce)
    return columns


# --- reading --------------------------------------------------------------------------------------


def by_key(key: str) -> Kit | None:
    """The kit with this sticker."""
    found = Kit.objects.select_related("person", "contact", "responder")
    return found.filter(key_hash=encryption.key_hash(key)).first()


def key_of(kit: Kit) -> str:
    return encryption.key_for("kit", kit.nonce)


def place_of(kit: Kit) -> str:
    return encryption.unseal(kit.place, "kit.place", kit.nonce)


def of(keeper: Person | Contact | Responder) -> list[Kit]:
    """What somebody carries. A volunteer's kits also count as theirs when they are a contact."""
    if isinstance(keeper, Person):
        return _OF_PERSON.all(keeper.id)
    if isinstance(keeper, Responder):
        return list(Kit.objects.filter(responder=keeper).order_by("id"))
    mine = Q(contact=keeper)
    if keeper.responder_id is not None:
        mine |= Q(responder=keeper.responder_id)
    return list(Kit.objects.filter(mine).order_by("id"))


def of_each(responders: Sequence[Responder]) -> dict[int, list[Kit]]:
    """What each of these carries, by their id."""
    found: dict[int, list[Kit]] = {each.id: [] for each in responders}
    theirs = Kit.objects.filter(responder__in=found).order_by("id")
    for kit in theirs if found else ():
        if kit.responder_id is not None:
            found[kit.responder_id].append(kit)
    return found


def good(kit: Kit, now: int) -> bool:
    """Whether it is there, full and not expired."""
    return usable(kit) and (not kit.expires or kit.expires >= month(now))


def usable(kit: Kit) -> bool:
    """Whether there is something in it, expired or not: an old one is better than none."""
    return kit.doses > 0 and not kit.used_at


def carriers(people: Sequence[Contact], now: int) -> dict[int, Kit]:
    """Which of these contacts carry naloxone: the best kit of each, by the contact's id."""
    volunteers = {c.responder_id for c in people} - {None}
    theirs = Q(contact__in=people) | Q(responder__in=volunteers)
    of_contact, of_volunteer = (defaultdict[int | None, list[Kit]](list) for _ in range(2))
    for kit in Kit.objects.filter(theirs).order_by("id"):
        of_contact[kit.contact_id].append(kit)
        of_volunteer[kit.responder_id].append(kit)
    found: dict[int, Kit] = {}
    for c in people:
        also = of_volunteer[c.responder_id] if c.responder_id is not None else []
        carried = best([*of_contact[c.id], *also], now)
        if carried is not None:
            found[c.id] = carried
    return found


def best(kits: Sequence[Kit], now: int) -> Kit | None:
    """The one to use: unexpired before expired, then the most doses; an expired one is better than
    none."""
    there = [kit for kit in kits if usable(kit)]
    return max(there, key=lambda kit: (good(kit, now), kit.doses), default=None)


def stock() -> QuerySet[Kit]:
    """Every kit of the program and its volunteers, the one that expires first at the top. What
    people carry is theirs, and is only counted."""
    return Kit.objects.filter(person=None, contact=None).order_by("expires", "id")


def remind(now: int) -> int:
    """Tell those whose kit was used a day ago, or expires soon, once and quietly; returns how many
    kits that was. A volunteer without an open watch to stand by sees it on their own page."""
    told = 0
    for kit in to_warn(now):
        with transaction.atomic():
            if Kit.objects.filter(id=kit.id, warned_at=0).update(warned_at=now):  # no other engine
                _tell(kit, "kit-used" if kit.used_at else "kit-soon", now)
                told += 1
    return told


def _tell(kit: Kit, word: str, now: int) -> None:
    contact = kit.contact
    if contact is None and kit.responder_id is not None:
        theirs = Contact.objects.filter(responder=kit.responder_id, status="confirmed")
        contact = theirs.order_by("id").first()
    ways = Address.objects.filter(state=Address.State.OK, rings=False)
    ways = ways.filter(contact=contact) if contact is not None else ways.filter(person=kit.person)
    if contact is None and kit.person is None:
        return
    Message.objects.bulk_create(
        calm_message(
            way,
            contact.person_id if contact is not None else way.person_id,
            word,
            f"k{kit.id}.{now}.{way.id}",
            now,
        )
        for way in ways.order_by("id")
    )


@dataclass(frozen=True, slots=True)
class KitCount:
    """Kits by form and month, without anybody's name."""

    form: str
    expires: str
    kits: int
    doses: int


def counts() -> list[KitCount]:
    """Everything there is, as counts."""
    rows = Kit.objects.filter(doses__gt=0, used_at=0).values_list("form", "expires")
    counted = rows.annotate(Count("id"), Sum("doses")).order_by("expires", "form")
    return [KitCount(*row) for row in counted]


def to_warn(now: int, most: int = 200) -> list[Kit]:
    """Kits whose keeper should be told something, and has not been: used, or about to expire."""
    soon = month(now + WARN_DAYS * DAY_MS)
    due = Q(used_at__gt=0, used_at__lt=now - DAY_MS) | (
        Q(expires__lte=soon, used_at=0) & ~Q(expires="")
    )
    held = Q(person__isnull=False) | Q(contact__isnull=False) | Q(responder__isnull=False)
    found = Kit.objects.filter(due & held, warned_at=0).order_by("id")
    return list(found.select_related("person", "contact", "responder")[:most])


def last_day(expires: str) -> datetime:
    """The last day of a month like "2027-05"."""
    year, number = (int(part) for part in expires.split("-"))
    first = datetime(year + number // 12, number % 12 + 1, 1, tzinfo=UTC)
    return first - timedelta(days=1)


def prefer(person: Person, first: bool) -> None:
    """Whether those who carry a kit are reached first in an alarm."""
    person.kits_first = first
    person.save(update_fields=["kits_first"])
