"""Whom pages go to: the setting ``STILLHERE_COORDINATOR``, read and checked.

Either people with semicolons between, each a name, a colon and what is theirs with commas between
(addresses, a language, hours, a time zone); or, as before there were people, addresses alone, tried
in their order. What could never be paged is refused. Opens no connection.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence, Set
from dataclasses import dataclass
from email.utils import parseaddr
from functools import partial
from pathlib import Path
from zoneinfo import available_timezones

from stillhere.channels.apps import APPS
from stillhere.channels.base import AddressError
from stillhere.channels.carriers.carrier import Carrier
from stillhere.channels.carriers.numbers import normalise_number, time_zone_of
from stillhere.channels.pager import addresses, channels_for
from stillhere.config.values import SettingError
from stillhere.content import languages
from stillhere.core.paging.on_call import OnCall

LONGEST_NAME = 24
MOST = 12  # people
DAY_MIN = 1440
_NAMED = re.compile(
    r"\s*(?!mailto:|tel:|sms:)([^@:,;/<>+]*[^\W\d][^@:,;/<>+]*):(?!//)\s*(.*)", re.DOTALL
)
_HOURS = re.compile(r"([0-9]{1,2})(?::([0-9]{2}))?\s*-\s*([0-9]{1,2})(?::([0-9]{2}))?")
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}")


@dataclass(frozen=True, slots=True)
class Pages:
    """Who is paged: ``people`` where they are named, and in any case all ``addresses`` as one text
    with commas between, each in the form that is sent to."""

    addresses: str = ""
    people: tuple[OnCall, ...] = ()


def read(
    name: str,
    typed: str,
    *,
    country: str,
    carriers: Sequence[Carrier],
    demo: bool,
    locales: Path,
) -> Pages:
    """Who is paged. Raises ``SettingError`` with what to do about the first that cannot be."""
    one = partial(_one, name, country=country, carriers=carriers, demo=demo)
    if not _NAMED.match(typed):
        return Pages(", ".join(one(each) for each in addresses(typed)))
    parts = [part for part in typed.split(";") if part.strip()]
    people = tuple(_person(name, part, one, locales) for part in parts)
    _require_apart(name, people, {carrier.sender for carrier in carriers})
    return Pages(", ".join(way for each in people for way in each.ways), people)


def _person(name: str, typed: str, one: Callable[[str], str], locales: Path) -> OnCall:
    named = _NAMED.fullmatch(typed)
    if named is None:
        raise SettingError(
            f"{name}: each person begins with a name and a colon, like Ruth: ruth@example.org, "
            "+1 202 555 0150. Semicolons stand between people, commas between what is theirs."
        )
    who = " ".join(named[1].split())
    if len(who) > LONGEST_NAME:
        raise SettingError(f"{name}: {who[:LONGEST_NAME]}... is too long a name. Shorten it.")
    ways, lang, hours, tz = [], "", None, ""
    for part in addresses(named[2]):
        if span := _HOURS.fullmatch(part):
            hours = _hours(name, who, span)
        elif part in ("UTC", "GMT") or ("/" in part and "://" not in part):
            tz = _zone(name, who, part)
        elif _LANGUAGE.fullmatch(part):
            lang = _language(name, who, part, locales)
        else:
            ways.append(one(part))
    if not ways:
        raise SettingError(
            f"{name}: there is no way to reach {who}. Add a phone number or an e-mail address."
        )
    return OnCall(who, tuple(ways), lang, hours, _zone_of(name, who, ways, hours, tz))


def _hours(name: str, who: str, span: re.Match[str]) -> tuple[int, int] | None:
    begin, end = (int(span[n]) * 60 + int(span[n + 1] or 0) for n in (1, 3))
    late = int(span[2] or 0) > 59 or int(span[4] or 0) > 59 or begin >= DAY_MIN or end > DAY_MIN
    if late or begin == end:
        raise SettingError(
            f"{name}: {span[0]} are no hours for {who}. Write them like 8-20 or 20:30-6:00, or "
            "leave them out: then it is day and night."
        )
    return (begin, end % DAY_MIN) if end - begin < DAY_MIN else None


def _zone(name: str, who: str, typed: str) -> str:
    if typed not in available_timezones():
        raise SettingError(
            f"{name}: {typed[:40]} is no time zone for {who}. Write one like America/Denver."
        )
    return typed


def _zone_of(
    name: str, who: str, ways: Sequence[str], hours: tuple[int, int] | None, tz: str
) -> str:
    """The zone as written, else that of their phone number."""
    number = next((way for way in ways if way.startswith("+")), "")
    tz = tz or (time_zone_of(number) if number else "UTC")
    if hours is not None and tz == "UTC":
        raise SettingError(
            f"{name}: {who} has hours, and we cannot tell in which time zone. Add one, like "
            "America/Denver."
        )
    return tz


def _language(name: str, who: str, typed: str, locales: Path) -> str:
    folders = (languages.OURS, locales)
    ours = sorted({each.name for at in folders if at.is_dir() for each in at.iterdir()})
    if typed.lower() not in ours:
        raise SettingError(
            f"{name}: we do not speak {typed} with {who}. Write one of {', '.join(ours)}, or leave "
            "it out: then it is English."
        )
    return typed.lower()


def _require_apart(name: str, people: Sequence[OnCall], ours: Set[str]) -> None:
    """Who answered must be plain."""
    if len(people) > MOST:
        raise SettingError(f"{name} holds {len(people)} people, and {MOST} is the most.")
    names = [each.name.lower() for each in people]
    ways = [way for each in people for way in each.ways]
    if len({*names}) < len(names):
        raise SettingError(f"{name} has two people of one name. Give one of them another.")
    if len({*ways}) < len(ways):
        raise SettingError(f"{name} has one address twice. Each address is one person's.")
    if ours & {*ways}:
        raise SettingError(f"{name} holds the number that we call from. Write that of a person.")


def _one(name: str, typed: str, country: str, carriers: Sequence[Carrier], demo: bool) -> str:
    by = channels_for(typed)
    if by == ("chat",):
        return _chat(name, typed)
    if by == ("email",):
        return _mailbox(name, typed)
    if not any(c.isdigit() for c in typed):
        raise SettingError(
            f"{name} must hold e-mail addresses, addresses of a chat app, or phone numbers, "
            "with commas between."
        )
    if not demo and not carriers:
        raise SettingError(
            f"{name} holds a phone number, and nothing here can text or call it: set "
            "STILLHERE_CARRIERS, or take the number out."
        )
    try:
        return normalise_number(typed, country)
    except AddressError as wrong:
        raise SettingError(f"{name} holds a phone number that cannot be used. {wrong}") from None


def _mailbox(name: str, typed: str) -> str:
    mailbox = parseaddr(typed)[1]
    if not all(mailbox.partition("@")) or any(c.isspace() for c in mailbox):
        raise SettingError(f"{name} holds an e-mail address that is none. Look at the @.")
    return mailbox


def _chat(name: str, typed: str) -> str:
    scheme = typed.partition("://")[0].lower()
    if scheme not in APPS:
        raise SettingError(
            f"{name}: we know no app {scheme[:20]}://. Use an e-mail address, a phone number, or "
            "an app like ntfys:// or tgram://."
        )
    return typed
