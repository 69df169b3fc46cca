"""Every setting a person can make, read from the environment once and checked.

Owns the names, the defaults, and finding every mistake at once; how a single value is read stands
in values.py. Knows no Django, opens no file and no connection: reading settings changes nothing.
"""

from __future__ import annotations

import difflib
import re
import socket
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from types import MappingProxyType
from typing import TypeVar
from urllib.parse import unquote, urlsplit

from stillhere.channels.carriers.carrier import Carrier
from stillhere.config import databases, pages, values
from stillhere.config.carriers import CarrierError, read_carriers
from stillhere.config.values import SettingError
from stillhere.core.paging.on_call import OnCall

__all__ = ["SettingError", "Stillhere", "backup_passphrase", "examine", "read", "strays"]

PREFIX = "STILLHERE_"
LOG_LEVELS = ("debug", "info", "warning", "error")
DEFAULT_PORT = 8420
BACKUP_PASSPHRASE = ("STILLHERE_BACKUP_PASSPHRASE", "STILLHERE_BACKUP_PASSPHRASE_FILE")
DEFAULT_PROXIES = "127.0.0.0/8 ::1"
DEFAULT_EXIT = "https://www.wikipedia.org/"
SETTINGS = (
    "STILLHERE_DATA", "STILLHERE_KEYS", "STILLHERE_HOST", "STILLHERE_PORT", "STILLHERE_BASE_URL",
    "STILLHERE_DATABASE_URL", "STILLHERE_SMTP_URL", "STILLHERE_MAIL_FROM", "STILLHERE_CARRIERS",
    "STILLHERE_COORDINATOR", "STILLHERE_PROGRAM", "STILLHERE_COUNTRY", "STILLHERE_COUNTRIES",
    "STILLHERE_STRANGERS_A_DAY", "STILLHERE_CHECKED_PLACE",
    "STILLHERE_WARNING_FEEDS", "STILLHERE_TIME_URLS", "STILLHERE_HEARTBEAT_URL",
    "STILLHERE_EXIT_URL", "STILLHERE_PROXIES",
    "STILLHERE_KEEP_QUIET_H", "STILLHERE_KEEP_ALARM_DAYS", "STILLHERE_KEEP_IDLE_MONTHS",
    "STILLHERE_KEEP_INVITED_DAYS", "STILLHERE_CHAT_PRIVATE",
    "STILLHERE_CHAT_HOSTS", "STILLHERE_SECURITY_CONTACT",
    "STILLHERE_LOG", "STILLHERE_DEMO", "STILLHERE_BACKUP_TO", *BACKUP_PASSPHRASE,
)  # fmt: skip
# The direct line rings phones and asks our own pages what to say.
OF_THE_LINE = frozenset({
    "STILLHERE_DATA", "STILLHERE_KEYS", "STILLHERE_HOST", "STILLHERE_PORT", "STILLHERE_BASE_URL",
    "STILLHERE_CARRIERS", "STILLHERE_COUNTRY", "STILLHERE_LOG", "STILLHERE_DEMO",
})  # fmt: skip
# What a program was to fill in before it started us: ${NAME}, ${NAME:-something}.
_NOT_FILLED_IN = re.compile(r"\$\{[A-Za-z_][A-Za-z0-9_]*[:}?+-]")
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Stillhere:
    """The settings of one installation, as `django.conf.settings.STILLHERE`.

    ``_h`` are hours, ``_days`` days. An empty string means: not set, and the thing is off.
    ``master_keys`` are the data keys by their number, 32 bytes each: the newest seals, all of them
    open. ``link_keys`` are what links and look-ups are derived from, by purpose.
    ``coordinators`` are the people of ``coordinator``, where it names any.
    ``keys_locked``: they lie under a passphrase, and a start waits for a person.
    """

    data: Path
    host: str
    port: int
    base_url: str
    database_url: str = field(repr=False)
    smtp_url: str = field(repr=False)
    mail_from: str
    coordinator: str
    program: str
    country: str
    heartbeat_url: str
    exit_url: str
    keep_quiet_h: int
    keep_alarm_days: int
    keep_idle_months: int
    keep_invited_days: int
    chat_private: bool
    log: str
    demo_url: str
    carriers: tuple[Carrier, ...] = ()
    coordinators: tuple[OnCall, ...] = ()
    warning_feeds: tuple[str, ...] = ()
    time_urls: tuple[str, ...] = ()
    checked_place: str = ""
    chat_hosts: tuple[str, ...] = ()
    security_contact: str = ""
    proxies: tuple[IPv4Network | IPv6Network, ...] = ()
    other_countries: tuple[str, ...] = ()
    strangers_a_day: int = 300
    master_keys: Mapping[int, bytes] = field(
        default_factory=lambda: MappingProxyType({}), repr=False
    )
    link_keys: Mapping[str, bytes] = field(default_factory=lambda: MappingProxyType({}), repr=False)
    backup_to: str = ""
    keys_elsewhere: Path | None = None
    keys_locked: bool = False

    @property
    def keys(self) -> Path:
        """The folder of the keys."""
        return self.keys_elsewhere or self.data / "keys"

    @property
    def demo(self) -> bool:
        """Whether this is a demo: the phones are drawn on a page, and no real one can ring."""
        return bool(self.demo_url)

    @property
    def countries(self) -> tuple[str, ...]:
        """Whose phone numbers may be reached."""
        return (self.country, *self.other_countries)

    @property
    def https(self) -> bool:
        """Whether people reach us by https, so that cookies may insist on it."""
        return self.base_url.startswith("https://")

    @property
    def hostname(self) -> str:
        """The host name of the base URL, for mail addresses and allowed hosts."""
        return urlsplit(self.base_url).hostname or "localhost"


def read(environ: Mapping[str, str]) -> Stillhere:
    """Return the settings in ``environ``; raise `SettingError` for the first bad one."""
    found, wrong = examine(environ)
    if wrong:
        more = f" {len(wrong) - 1} more: `stillhere check` names them." if len(wrong) > 1 else ""
        raise SettingError(next(iter(wrong.values())) + more)
    return found


def examine(environ: Mapping[str, str]) -> tuple[Stillhere, dict[str, str]]:
    """The settings as far as they can be read, a wrong one as if it were not there, and what is
    wrong: a sentence by name."""
    reading = _Reading(environ)
    of, optional = reading.of, reading.optional
    host = of("STILLHERE_HOST", values.host, "0.0.0.0")  # noqa: S104  phones must reach it
    port = of("STILLHERE_PORT", _whole(1, 65535), str(DEFAULT_PORT))
    at = f"http://{_own_address(host)}:{port}"
    base_url = of("STILLHERE_BASE_URL", partial(values.base_url, port=port), at)
    country = of("STILLHERE_COUNTRY", values.country, "US")
    smtp_url = optional("STILLHERE_SMTP_URL", values.smtp_url)
    demo_url = optional("STILLHERE_DEMO", values.demo_url)
    carriers = of("STILLHERE_CARRIERS", partial(_carriers, country=country), "")
    data = of("STILLHERE_DATA", values.folder, "", instead="data")
    coordinators = partial(pages.read, country=country, carriers=carriers, demo=bool(demo_url))
    paged = of("STILLHERE_COORDINATOR", partial(coordinators, locales=data / "locale"), "")
    found = Stillhere(
        data=data,
        host=host,
        port=port,
        base_url=base_url,
        database_url=optional("STILLHERE_DATABASE_URL", _database_url),
        smtp_url=smtp_url,
        mail_from=_mail_from(reading, smtp_url, urlsplit(base_url).hostname or "localhost"),
        coordinator=paged.addresses,
        coordinators=paged.people,
        program=of("STILLHERE_PROGRAM", partial(values.words, most=values.LONGEST_PROGRAM), ""),
        country=country,
        heartbeat_url=optional("STILLHERE_HEARTBEAT_URL", values.web_url),
        exit_url=""
        if reading.is_empty("STILLHERE_EXIT_URL")
        else of("STILLHERE_EXIT_URL", values.web_url, DEFAULT_EXIT),
        keep_quiet_h=of("STILLHERE_KEEP_QUIET_H", _whole(1, 24 * 365), "24"),
        keep_alarm_days=of("STILLHERE_KEEP_ALARM_DAYS", _whole(1, 3650), "30"),
        keep_idle_months=of("STILLHERE_KEEP_IDLE_MONTHS", _whole(1, 120), "12"),
        keep_invited_days=of("STILLHERE_KEEP_INVITED_DAYS", _whole(7, 3650), "180"),
        chat_private=of("STILLHERE_CHAT_PRIVATE", _one_of("0", "1"), "0") == "1",
        log=of("STILLHERE_LOG", _one_of(*LOG_LEVELS), "info"),
        demo_url=demo_url,
        carriers=carriers,
        other_countries=of("STILLHERE_COUNTRIES", values.countries, ""),
        strangers_a_day=of("STILLHERE_STRANGERS_A_DAY", _whole(1, 100_000), "300"),
        checked_place=of(
            "STILLHERE_CHECKED_PLACE", partial(values.words, most=values.LONGEST_PLACE), ""
        ),
        warning_feeds=of("STILLHERE_WARNING_FEEDS", values.web_urls, ""),
        time_urls=of("STILLHERE_TIME_URLS", values.time_urls, ""),
        backup_to=optional("STILLHERE_BACKUP_TO", values.backup_to),
        keys_elsewhere=of("STILLHERE_KEYS", values.keys_folder, ""),
        chat_hosts=of("STILLHERE_CHAT_HOSTS", values.hosts, ""),
        security_contact=optional("STILLHERE_SECURITY_CONTACT", values.public_contact),
        proxies=of("STILLHERE_PROXIES", values.networks, DEFAULT_PROXIES),
    )
    return found, reading.wrong


class _Reading:
    """What was typed, by name, and what was wrong with it."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        """Names first: a setting that nobody reads is worse than a wrong one."""
        self.wrong = strays(environ)
        self._typed = {name: _bare(environ[name]) for name in SETTINGS if name in environ}
        for name, typed in self._typed.items():
            if not values.is_utf8(typed):
                self.wrong[name] = (
                    f"{name} holds letters that are not UTF-8. Write it again, in UTF-8."
                )
            elif _NOT_FILLED_IN.search(typed):
                self.wrong[name] = (
                    f"{name} was not filled in: it still holds a ${{...}}. Write the value itself."
                )

    def is_empty(self, name: str) -> bool:
        """Whether it is set, to nothing."""
        return self._typed.get(name) == ""

    def of(
        self, name: str, read: Callable[[str, str], T], default: str, instead: str | None = None
    ) -> T:
        """A setting; where it is wrong its default, or what is typed as ``instead``."""
        assert name in SETTINGS
        usual = default if instead is None else instead
        try:
            return read(name, default if name in self.wrong else self._typed.get(name) or default)
        except SettingError as error:
            self.wrong.setdefault(name, str(error))
            return read(name, usual)

    def optional(self, name: str, read: Callable[[str, str], str]) -> str:
        """A setting that may be missing: then it is empty."""
        return self.of(name, lambda name, typed: read(name, typed) if typed else "", "")


def strays(environ: Mapping[str, str]) -> dict[str, str]:
    """Names that begin like ours and are none of ours, each with a sentence. Their values may be
    secrets that stand in the wrong place."""
    found = {}
    for name in sorted(environ):
        meant = name.upper()
        if name not in SETTINGS and not meant.startswith(PREFIX):
            alike = "STIL" in meant or "HERE_" in meant
            meant = next(iter(difflib.get_close_matches(meant, SETTINGS, 1, 0.85)), "")
            if not alike or not meant:
                continue
        elif name in SETTINGS:
            continue
        ours = [each.removeprefix(PREFIX) for each in SETTINGS]
        near = difflib.get_close_matches(meant.removeprefix(PREFIX), ours, 1, 0.7)
        hint = (
            f"Did you mean {PREFIX}{near[0]}?" if near else "docs/settings.md lists all there are."
        )
        shown = name.encode(errors="replace").decode()
        found[name] = f"{shown} is no setting of Stillhere. {hint}"
    return found


def empty(environ: Mapping[str, str]) -> list[str]:
    """The settings that are set to nothing, which counts as not set."""
    return [name for name in SETTINGS if name in environ and not _bare(environ[name])]


def _bare(typed: str) -> str:
    """Without spaces around it, and without the quotes that some programs leave there."""
    typed = typed.strip()
    quoted = len(typed) > 1 and typed[0] == typed[-1] and typed[0] in "\"'"
    return typed[1:-1].strip() if quoted and typed[0] not in typed[1:-1] else typed


def backup_passphrase(environ: Mapping[str, str]) -> tuple[str, str]:
    """The passphrase of backups and the file that holds it, "" where not given. Kept out of
    `Stillhere`: only the commands that seal and open a backup may know it."""
    given, path = (environ.get(name, "").strip() for name in BACKUP_PASSPHRASE)
    return given, path


def not_for(command: str) -> frozenset[str]:
    """The settings that one of our processes has no use for, and so does not inherit."""
    unused = frozenset(SETTINGS) - OF_THE_LINE if command == "line" else frozenset(())
    return unused | frozenset(BACKUP_PASSPHRASE)


def _whole(least: int, most: int) -> Callable[[str, str], int]:
    return partial(values.whole, least=least, most=most)


def _one_of(*known: str) -> Callable[[str, str], str]:
    return partial(values.one_of, known=known)


def _carriers(name: str, typed: str, country: str) -> tuple[Carrier, ...]:
    try:
        return read_carriers(typed, country)
    except CarrierError as error:
        raise SettingError(f"{name}: {error}.".replace("?.", "?")) from None


def _database_url(name: str, url: str) -> str:
    if not url.startswith(("postgres://", "postgresql://")):
        raise SettingError(
            f"{name} must start with postgresql:// (leave it empty for SQLite in the data folder)."
        )
    databases.postgresql(url)
    return url


def _mail_from(reading: _Reading, smtp_url: str, hostname: str) -> str:
    """The sender: as typed, or the mail server's user, or somebody at the host people know."""
    user = unquote(urlsplit(smtp_url).username or "")
    if "STILLHERE_BASE_URL" in reading.wrong:  # one mistake, one sentence
        hostname = "example.org"
    default = ""
    if values.is_mailbox(user):
        default = f"Lamp <{user}>"
    elif values.is_mailbox(f"lamp@{hostname}"):
        default = f"Lamp <lamp@{hostname}>"
    if default or not smtp_url:
        return reading.of("STILLHERE_MAIL_FROM", _sender, default)
    return reading.of("STILLHERE_MAIL_FROM", values.mail_from, "", instead="lamp@example.org")


def _sender(name: str, typed: str) -> str:
    return values.mail_from(name, typed) if typed else ""


def _own_address(host: str) -> str:
    """The address under which a phone on the same network finds this machine.

    Asks the routing table by a datagram socket; nothing is sent to the documentation address.
    """
    if host in ("127.0.0.1", "localhost", "::1"):
        return "localhost"
    if host not in ("0.0.0.0", "::"):  # noqa: S104  compares, binds nothing
        return f"[{host}]" if ":" in host else host
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("198.51.100.1", 9))
            return str(probe.getsockname()[0])
        except OSError:  # no network at all
            return "localhost"
