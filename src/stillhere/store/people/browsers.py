"""The browsers and phones that open one person's pages: who comes in, who is listed, who is put
out.

Owns the tokens: 160 bits that only the browser has, looked up by their hash. Notifications belong
to a browser and end with it. Reading one writes nothing.

Who may put out whom: a browser those that came after it, at once. Those before it may be the
person's own, and the one that asks a guest's: they go a day later, unless they say that they stay,
and the person's own number is told. A PIN that has stood for a day decides at once.
"""

from __future__ import annotations

import secrets
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from django.db import transaction
from django.db.models import QuerySet

from stillhere.core.messages import TELEGRAM
from stillhere.store import changes
from stillhere.store.db import budgets, clock, encryption
from stillhere.store.db.prepared import Prepared
from stillhere.store.models import Address, Browser, ChatCode, Person
from stillhere.store.people import notices, persons
from stillhere.store.people.address_book import PUSH
from stillhere.store.watches import keys as watch_keys

TOKEN_BYTES = 20
MOST = 20  # of one person; a family shares fewer
LATELY = timedelta(days=7)
KEPT_DAYS = 400  # as long as a browser keeps a cookie
OUT_MS = persons.PIN_OFF_MS  # the same day, for the same reason
HOUR_MS = 3_600_000
RENEWED = 4  # times an hour
MOST_AT_ONCE = 500  # whose day is over, in one round
_BY_TOKEN = Prepared(Browser, "WHERE browser.token_hash = %s AND NOT person.trial", whose="person")


def by_token(token: str) -> Browser | None:
    """The browser with this token, read together with its person."""
    return _BY_TOKEN.first(encryption.key_hash(token))


def still_open(hashes: Sequence[bytes]) -> set[bytes]:
    """Which of these hashes are of browsers that still open their person's pages."""
    found = Browser.objects.filter(token_hash__in=hashes).values_list("token_hash", flat=True)
    return {bytes(each) for each in found}


def open_pages(
    person: Person, kind: str = "", *, borrowed: bool = False, tell: bool = True
) -> tuple[Browser, str]:
    """Let one more browser in; its token, which only it gets. The person's own number hears of it,
    unless there is nothing to ``tell``.

    Beyond ``MOST`` one goes (``_one_too_many``), and never this one.
    """
    token = secrets.token_urlsafe(TOKEN_BYTES)
    with transaction.atomic():
        Person.objects.select_for_update().get(id=person.id)
        now = clock.now_ms()
        today = _day(now)
        theirs = Browser.objects.filter(person=person)
        theirs.filter(since__lt=today - timedelta(days=KEPT_DAYS)).delete()
        here = list(theirs)
        while len(here) >= MOST:
            goes = _one_too_many(here, today)
            here.remove(goes)
            goes.delete()
        browser = Browser.objects.create(
            person=person,
            token_hash=encryption.key_hash(token),
            kind=kind,
            since=today,
            borrowed=borrowed,
        )
        if tell:
            notices.tell_of_browser(person.id, browser.id, now)
    return browser, token


def _one_too_many(here: list[Browser], today: date) -> Browser:
    """Who goes: of those that came within a week the newest of the kind that has the most. Whoever
    opens many puts out their own, and not the phone that was there before, nor one of another kind
    that comes after them."""
    lately = [one for one in here if one.since > today - LATELY] or here
    kinds = Counter(one.kind for one in lately)
    return max(lately, key=lambda one: (kinds[one.kind], one.id))


def exchange_key(person: Person, kind: str, *, borrowed: bool) -> tuple[Browser, str]:
    """The same for a browser whose cookie still holds the person's key. The first one of a person
    is nothing new; the others are told of, because somebody else may have been in already."""
    known = Browser.objects.filter(person=person).exists()
    return open_pages(person, kind, borrowed=borrowed, tell=known)


def renew(browser: Browser, kind: str, *, borrowed: bool) -> str:
    """Another token for a browser that opens its own person's pages again, and which stays as old
    as it is: no younger one comes before it, and its notifications go on."""
    token = secrets.token_urlsafe(TOKEN_BYTES)
    browser.token_hash, browser.kind = encryption.key_hash(token), kind
    browser.borrowed = borrowed
    browser.save(update_fields=["token_hash", "kind", "borrowed"])
    return token


def close(browser: Browser) -> None:
    """This browser opens nothing any more, and its notifications end. The person's own number hears
    it, unless the phone was not theirs: whoever held theirs may have pressed that."""
    with transaction.atomic():
        now = clock.now_ms()
        if not browser.borrowed:
            notices.tell_of_put_out(browser.person_id, now, later=False)
        changes.note([browser.person_id], now)
        browser.delete()


def remove(person: Person, browser: int, here: Browser) -> int:
    """Put out one of the person's own, by its number, as ``here`` asks; when it goes, ms UTC, or 0
    if it is out. It knew the addresses of open watches."""
    with transaction.atomic():
        now = clock.now_ms()
        wanted = Browser.objects.filter(person=person, id=browser)
        if not wanted.exists():
            return 0
        later = _later(wanted, here, now)
        if not later.exists():
            _renew_keys(person, here, now)
        return _put_out(person, wanted, later, now)


def new_link(person: Person, keep: Browser) -> tuple[str, int]:
    """A new key for the person, and when those go that were here before ``keep``, which asks for
    it: ms UTC, or 0 if there is none. All others are out, with their notifications."""
    with transaction.atomic():
        now = clock.now_ms()
        others = Browser.objects.filter(person=person).exclude(id=keep.id)
        later = _later(others, keep, now)
        if not later.exists() or others.exclude(id__in=later.values("id")).exists():
            _renew_keys(person, keep, now)
        key = persons.new_key(person)
        out_at = _put_out(person, others, later, now) if others.exists() else 0
        _end_chats(person, now)
        Address.objects.filter(person=person, channel=PUSH, browser__isnull=True).delete()
    return key, out_at


def _later(others: QuerySet[Browser], here: Browser, now: int) -> QuerySet[Browser]:
    """Those of ``others`` that go only a day after ``here`` asks for it."""
    decides = bool(here.person.pin) and here.person.pin_at <= now - OUT_MS
    return others.none() if decides else others.filter(id__lt=here.id, borrowed=False)


def _renew_keys(person: Person, here: Browser, now: int) -> None:
    """New keys for the watches, a few times an hour: each makes what is on the screens a dead end
    for a moment. What guests use up is not what the oldest browser has."""
    older = Browser.objects.filter(person=person, id__lt=here.id, borrowed=False).exists()
    used = budgets.limit("keys", RENEWED, "new keys", person.id, older, now // HOUR_MS)
    if not budgets.take([used], now):
        watch_keys.renew(person.id, now)


def _put_out(person: Person, others: QuerySet[Browser], later: QuerySet[Browser], now: int) -> int:
    out_at = 0
    if later.exists():
        out_at = now + OUT_MS
        later.filter(out_at=0).update(out_at=out_at)
    others.exclude(id__in=later.values("id")).delete()
    changes.note([person.id], now)
    notices.tell_of_put_out(person.id, now, later=bool(out_at))
    return out_at


def stay(browser: Browser) -> None:
    """Whoever uses it says that it stays."""
    Browser.objects.filter(id=browser.id).update(out_at=0)


def end_due(now: int) -> None:
    """Put out those whose day is over."""
    due = Browser.objects.filter(out_at__gt=0, out_at__lte=now).order_by("id")[:MOST_AT_ONCE]
    for browser in due:
        with transaction.atomic():
            watch_keys.renew(browser.person_id, now)
            Browser.objects.filter(id=browser.id, out_at__gt=0, out_at__lte=now).delete()
            changes.note([browser.person_id], now)


def end_other_notifications(person: Person, keep: Browser | None) -> None:
    """Nobody but ``keep`` is notified any more."""
    theirs = Address.objects.filter(person=person, channel=PUSH)
    (theirs.exclude(browser=keep) if keep is not None else theirs).delete()


def set_pin(person: Person, hashed: str, here: Browser | None, *, decoy: bool = False) -> None:
    """Keep a PIN, already hashed, which was typed ``here``, beside the person's own if it is a
    ``decoy``. Notifications and chats stand behind
    it: where there was none before, whoever was let in without one is notified no more. No chat
    outlives the PIN before: it may have been connected on this very phone."""
    with transaction.atomic():
        _end_chats(person, clock.now_ms())
        if not person.pin:
            end_other_notifications(person, here)
        persons.set_pin(person, hashed, decoy=decoy)


def _end_chats(person: Person, now: int) -> None:
    """No chat answers for the person any more, and no link that is out connects one: whoever held
    an open phone for a moment got it there. Links first, so that none comes in between."""
    ChatCode.objects.filter(person=person).delete()
    ended, _of = Address.objects.filter(person=person, channel=TELEGRAM).delete()
    if ended:
        notices.tell_of_chats_over(person.id, now)


@dataclass(frozen=True, slots=True)
class ListedBrowser:
    """One browser as the person's own page shows it. ``told``: it gets their notifications, and
    took one last at ``reached_at``; ``lost``: it got them, and its push service knows it no more;
    ``out_at``: when it goes. ms UTC, or 0."""

    id: int
    kind: str
    since: date
    borrowed: bool
    told: bool
    lost: bool
    reached_at: int
    out_at: int


def listed(person: Person) -> list[ListedBrowser]:
    """All of them, the oldest first. Notifications from before there were browsers get one each, so
    that they can be put out like any other."""
    for way in Address.objects.filter(person=person, channel=PUSH, browser__isnull=True):
        way.browser = Browser.objects.create(
            person=person,
            token_hash=encryption.key_hash(secrets.token_urlsafe(TOKEN_BYTES)),  # nobody has it
            since=_day(way.since_at),  # and no kind, until its browser names it (push)
        )
        way.save(update_fields=["browser"])
    found = Browser.objects.filter(person=person).order_by("since", "id")
    ways = Address.objects.filter(person=person, channel=PUSH).order_by("id")
    told = {way.browser_id: way for way in ways}
    return [_listed(each, told.get(each.id)) for each in found]


def _listed(b: Browser, way: Address | None) -> ListedBrowser:
    told = way is not None and way.state == Address.State.OK
    lost = way is not None and way.state == Address.State.BROKEN
    reached_at = way.reached_at if way is not None else 0
    return ListedBrowser(b.id, b.kind, b.since, b.borrowed, told, lost, reached_at, b.out_at)


def _day(at: int) -> date:
    return datetime.fromtimestamp(at / 1000, UTC).date()
