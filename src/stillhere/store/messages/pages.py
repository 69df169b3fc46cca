"""Pages: whom each goes to, one for a storm, and when the next person is tried.

Owns the rows of ``page``. Others queue a message to the coordinator and know nobody; before it
leaves, it is joined to the open page, or opens one and is written to whoever is on call, each in
their language. Until one of them looks, the next turn comes every three minutes, for as long as
anything it speaks of is still so; a text, which anybody can forge, puts it off once. Where nobody
is named in the setting, pages leave as they are; more than a few within two minutes become one.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.db import transaction

from stillhere.core.events import Paging, Urgency
from stillhere.core.paging.on_call import OnCall, turn
from stillhere.store.db import clock, encryption
from stillhere.store.models import Installation, Message, Page, Peer
from stillhere.store.people import notices, suppression
from stillhere.store.watches import damage
from stillhere.store.watches.outbox import COORDINATOR, PAGE_WORDS

log = logging.getLogger("stillhere.pages")

NEXT_MS = 180_000  # real time: then the next is tried
SAID_MS = 300_000  # real time: so long nobody else is tried because a text said that somebody looks
LINK_MS = 86_400_000  # so long the link of a page that is over opens
STORM, STORM_MS = 3, 120_000  # real time: more than so many within so long are one
AWAKE_MS = 3_600_000  # whoever looked within this is tried first
MOST_ABOUT = 200
MANY = "page-many"
CALM = ("page-free", "page-peer-back", notices.GAP)  # wakes nobody and waits for no answer
QUIET = "text:"  # before a number, for the pager: no call


def who_is(somebody: OnCall) -> str:
    """Who it is, as tables and messages keep it."""
    return encryption.lookup("on call", somebody.name).hex()[:16]


def find(who: str) -> OnCall | None:
    """Who that is, if the setting still names them."""
    return next((each for each in settings.STILLHERE.coordinators if who_is(each) == who), None)


def by_number(number: str) -> OnCall | None:
    """Whose phone it is."""
    people: Sequence[OnCall] = settings.STILLHERE.coordinators
    return next((each for each in people if number in each.ways), None)


# --- before they leave ----------------------------------------------------------------------------


def gather(now: int) -> None:
    """Decide whom the pages that are due go to, and whether somebody else is tried. Two engines may
    do so at once: then somebody is paged twice."""
    here = settings.STILLHERE
    if not here.coordinator:
        return
    queued = Message.objects.filter(channel=COORDINATOR, status="queued", due_at__lte=now)
    due = queued.filter(lease_until_at__lte=now).exclude(facts__contains='"to":')
    fresh = list(due.order_by("urgency", "due_at", "id"))
    if not here.coordinators:
        if fresh:
            _as_they_are(fresh, now)
        return
    if fresh:
        _join(fresh, now)
    for page in Page.objects.filter(next_at__lte=now).order_by("id"):
        _go_on(page, now)


@transaction.atomic
def _as_they_are(fresh: Sequence[Message], now: int) -> None:
    """Nobody is named: each leaves, unless too many have just left."""
    window_ms = int(STORM_MS * clock.read().rate)
    loud = [m for m in fresh if m.word not in CALM]
    for m in fresh:
        if m not in loud:
            _rewrite(m, json.loads(m.facts) | {"to": ""})
    lately = Page.objects.filter(opened_at__gt=now - window_ms, opened_at__lte=now)
    room = STORM - lately.count()
    if len(loud) <= room:
        for m in loud:
            _open([m], now)
            _rewrite(m, json.loads(m.facts) | {"to": ""})
    elif room > 0:
        first, *others = loud
        _open(loud, now)
        _rewrite(first, {"to": "", "n": len(loud), "at": min(m.created_at for m in loud)}, MANY)
        _spent(others, now)
    else:
        later_at = min(lately.values_list("opened_at", flat=True)) + window_ms
        Message.objects.filter(id__in=[m.id for m in loud]).update(due_at=later_at)


@transaction.atomic
def _join(fresh: Sequence[Message], now: int) -> None:
    """To the open page, or a new one, whose first turn it is then."""
    loud = [m for m in fresh if m.word not in CALM]
    for m in fresh:
        if m not in loud:
            for each in _next(settings.STILLHERE.coordinators, now, set()):
                _write(m, each, f"{m.key}.{who_is(each)}"[-80:], {"quiet": True}, now)
    page = Page.objects.select_for_update().filter(next_at__isnull=False).order_by("id").last()
    if loud and page is not None and page.count + len(loud) <= MOST_ABOUT:
        about = [*json.loads(page.about), *(m.id for m in loud)]
        page.count, page.about = page.count + len(loud), json.dumps(about)
        page.save(update_fields=["count", "about"])
    elif loud:
        for first in range(0, len(loud), MOST_ABOUT):
            part = loud[first : first + MOST_ABOUT]
            _turn(_open(part, now), part, now)
    _spent(fresh, now)


def _open(loud: Sequence[Message], now: int) -> Page:
    nonce = encryption.new_nonce()
    return Page.objects.create(
        nonce=nonce,
        key_hash=encryption.key_hash(encryption.key_for("page", nonce)),
        opened_at=now,
        count=len(loud),
        about=json.dumps([m.id for m in loud]),
    )


@transaction.atomic
def _go_on(page: Page, now: int) -> None:
    """The next turn; none where nothing is so any more."""
    locked = Page.objects.select_for_update().filter(id=page.id, turn=page.turn)
    if not locked.filter(next_at__isnull=False).exists():
        return
    about = Message.objects.filter(id__in=json.loads(page.about)).select_related("watch")
    still = [m for m in about.order_by("id") if _holds(m)]
    if still:
        _turn(page, still, now)
    else:
        Page.objects.filter(id=page.id).update(next_at=None, looked_by="", looked_at=0)


def _holds(m: Message) -> bool:
    """Whether what this page says is still so; what nobody can tell is."""
    if m.watch is not None:
        if m.watch.quarantined_at is not None:
            return True
        if m.word == PAGE_WORDS[Paging.GRAVE]:
            return m.watch.looked_at is None
        return m.watch.state == "alarm" and m.watch.alarms == m.alarm
    peer = json.loads(m.facts).get("peer")
    if peer is not None:
        return Peer.objects.filter(id=peer, told_at__gt=0).exists()
    if m.word == "page-stuck":
        return Installation.objects.filter(id=1, stuck_at__gt=0).exists()
    return True


def _turn(page: Page, about: Sequence[Message], now: int) -> None:
    told: list[tuple[str, int]] = json.loads(page.told)
    tried = {who for who, _ in told}
    # Whoever nothing reaches has one page waiting for them, until START.
    people = [
        each
        for each in _next(settings.STILLHERE.coordinators, now, tried)
        if who_is(each) not in tried or _ways(each)
    ]
    for each in people:
        more = {"page": page.id, "n": page.count}
        _write(about[0], each, f"page{page.id}.{page.turn}.{who_is(each)}", more, now, page)
    told += [(who_is(each), now) for each in people]
    page.told, page.turn = json.dumps(told[-MOST_ABOUT:]), page.turn + 1
    page.next_at = now + int(NEXT_MS * clock.read().rate)
    page.save(update_fields=["told", "turn", "next_at"])
    log.warning("page=%d turn=%d things=%d people=%d", page.id, page.turn, page.count, len(people))


def _next(people: Sequence[OnCall], now: int, tried: set[str]) -> Sequence[OnCall]:
    """Whose turn it is. Whoever looked a moment ago is awake and knows more."""
    able = [each for each in people if _ways(each)] or people
    ended = Page.objects.filter(looked_at__gt=now - AWAKE_MS, next_at__isnull=True)
    looked = ended.order_by("-looked_at").first()
    awake = [each for each in able if looked is not None and who_is(each) == looked.looked_by]
    if awake and not tried:
        return awake
    return turn(able, now, {each.name for each in able if who_is(each) in tried})


def _write(
    m: Message,
    to: OnCall,
    key: str,
    more: Mapping[str, Any],
    now: int,
    page: Page | None = None,
) -> None:
    """One page to one of them. Several things in it are told by their number."""
    many = page is not None and page.count > 1
    facts: dict[str, Any] = json.loads(m.facts)
    if many and page is not None:
        facts = {"at": page.opened_at}
    Message.objects.create(
        key=key,
        watch=m.watch,
        person_id=m.person_id,
        channel=COORDINATOR,
        word=MANY if many else m.word,
        facts=json.dumps({**facts, **more, "to": who_is(to)}),
        alarm=m.alarm,
        urgency=m.urgency,
        due_at=now,
        created_at=now,
    )


def _rewrite(m: Message, facts: Mapping[str, Any], word: str = "") -> None:
    queued = Message.objects.filter(id=m.id, status="queued")
    queued.update(facts=json.dumps(facts), word=word or m.word)


def _spent(messages: Iterable[Message], now: int) -> None:
    """Told within another message: they lapse."""
    for m in messages:
        facts = json.dumps(json.loads(m.facts) | {"to": ""})
        Message.objects.filter(id=m.id, status="queued").update(lapses_at=now, facts=facts)


# --- as they leave --------------------------------------------------------------------------------


def addresses(facts: str) -> str | None:
    """Where a message to the coordinator goes, for the pager; "" where the setting alone says so,
    None where all of it asked us to stop."""
    kept = json.loads(facts)
    somebody = find(kept.get("to") or "")
    if somebody is None:
        return ""
    if kept.get("number"):
        return f"{QUIET}{somebody.ways[kept['number'] - 1]}"
    ways = _ways(somebody)
    if kept.get("quiet"):
        ways = [f"{QUIET}{way}" if way.startswith("+") else way for way in ways]
    return ", ".join(ways) or None


def _ways(somebody: OnCall) -> list[str]:
    """Their ways without those that asked us to stop."""
    gone = _stopped(somebody)
    return [way for way in somebody.ways if way not in gone]


def _stopped(somebody: OnCall) -> set[str]:
    """Their numbers that said STOP. Anybody may have forged that."""
    phones = {("text", way) for way in somebody.ways if way.startswith("+")}
    gone = damage.around(lambda: suppression.silenced(phones), set[tuple[str, str]])
    return {way for _channel, way in gone}


def stopped() -> list[str]:
    """Whose number said STOP, of those on call: no page reaches it until START."""
    return [each.name for each in settings.STILLHERE.coordinators if _stopped(each)]


def read_by(facts: str) -> OnCall | None:
    """Who reads it."""
    return find(json.loads(facts).get("to") or "")


def link_of(facts: str) -> str:
    """What the link in a page ends with: which page it is, and who opens it; "" without one."""
    kept = json.loads(facts)
    page = Page.objects.filter(id=kept.get("page") or 0).first()
    return f"{encryption.key_for('page', page.nonce)}/{kept['to']}" if page is not None else ""


# --- somebody looks -------------------------------------------------------------------------------


def by_key(key: str, now: int) -> Page | None:
    """The page of a link; None where it has been over for a day: links stay in mailboxes."""
    page = Page.objects.filter(key_hash=encryption.key_hash(key)).first()
    if page is None or page.next_at is not None:
        return page
    return page if now - max(page.looked_at, page.opened_at) < LINK_MS else None


def waits() -> bool:
    """Whether a page waits for somebody."""
    return Page.objects.filter(next_at__isnull=False).exists()


def looks(who: str, now: int, upto: int | None = None) -> int:
    """Somebody looks: nobody else is tried. ``who`` as ``who_is`` says, "" where nobody knows;
    ``upto`` the page of the link that was pressed: what was paged after it waits on. Returns how
    many things there are to look at, 0 where no page waited."""
    return _answered(who, now, None, upto)


def says_so(who: str, now: int) -> int:
    """The same by text, which anybody can write in their name: it puts off the next turn, once a
    page, and ends nothing."""
    return _answered(who, now, now + int(SAID_MS * clock.read().rate))


@transaction.atomic
def _answered(who: str, now: int, next_at: int | None, upto: int | None = None) -> int:
    waiting = Page.objects.select_for_update().filter(next_at__isnull=False).order_by("id")
    pages = list(waiting if upto is None else waiting.filter(id__lte=upto))
    for page in pages:
        if next_at is not None and page.looked_at:
            continue  # put off once
        Page.objects.filter(id=page.id).update(next_at=next_at, looked_by=who, looked_at=now)
        log.warning("page=%d looked at=%s turns=%d", page.id, next_at is None, page.turn)
        if next_at is None:
            keys = [
                f"page{page.id}.{n}.{each}" for n in range(page.turn) for each, _ in _told(page)
            ]
            Message.objects.filter(key__in=keys, status="queued").update(lapses_at=now)
    return sum(page.count for page in pages)


def say(somebody: OnCall, number: str, word: str, facts: Mapping[str, Any], key: str) -> None:
    """Text them back, to the ``number`` they wrote from."""
    now = clock.now_ms()
    to = {"to": who_is(somebody), "number": somebody.ways.index(number) + 1}
    message = Message(
        key=key,
        channel=COORDINATOR,
        word=word,
        facts=json.dumps({**facts, **to}),
        urgency=Urgency.NEWS,
        due_at=now,
        created_at=now,
    )
    Message.objects.bulk_create([message], ignore_conflicts=True)


@dataclass(frozen=True, slots=True)
class ShownPage:
    """A page as the desk shows it: how many things are in it, who was told and when, in their
    order, and who looks since when. A name is "" where the setting names them no more."""

    opened_at: int
    count: int
    told: tuple[tuple[str, int], ...]
    looked_by: str
    looked_at: int
    waits: bool


def lately(since_at: int) -> list[ShownPage]:
    """The pages since then, the newest first."""
    found = Page.objects.filter(opened_at__gt=since_at).order_by("-id")[:50]
    return [
        ShownPage(
            page.opened_at,
            page.count,
            tuple((_name(who), at) for who, at in _told(page)),
            _name(page.looked_by),
            page.looked_at,
            page.next_at is not None,
        )
        for page in found
    ]


def _told(page: Page) -> list[tuple[str, int]]:
    return [(who, at) for who, at in json.loads(page.told)]


def _name(who: str) -> str:
    somebody = find(who)
    return somebody.name if somebody is not None else ""


def erase(now: int, days: int) -> int:
    """Erase pages after ``days``; returns how many."""
    return Page.objects.filter(opened_at__lt=now - days * 86_400_000, next_at=None).delete()[0]
