"""Every setting a person can make, read from the environment once and checked.

Owns the names, the defaults and the sentences that say what is wrong. Knows no Django, opens no
file and no connection: reading settings changes nothing.
"""

from __future__ import annotations

import re
import socket
from collections.abc import Mapping
from dataclasses import dataclass, field
from email.utils import parseaddr
from importlib import resources
from pathlib import Path
from types import MappingProxyType
from urllib.parse import SplitResult, unquote, urlsplit

from stillhere.channels.carrier import Carrier
from stillhere.config.carriers import CarrierError, read_carriers

LOG_LEVELS = ("debug", "info", "warning", "error")
SMTP_SCHEMES = ("smtp", "smtps", "smtp+starttls")
DEFAULT_PORT = 8420
BACKUP_PASSPHRASE = ("STILLHERE_BACKUP_PASSPHRASE", "STILLHERE_BACKUP_PASSPHRASE_FILE")
DEFAULT_EXIT = "https://www.wikipedia.org/"
# An address that mail servers take as a sender: at a domain, not at a number or a bare name.
_MAILBOX = re.compile(r"[^@\s<>]+@[^@\s<>]+\.[^@\s<>.]*[a-zA-Z][^@\s<>.]*")


class SettingError(ValueError):
    """A setting cannot be used. The message is one kind line that says what to do."""


@dataclass(frozen=True, slots=True)
class Stillhere:
    """The settings of one installation, as `django.conf.settings.STILLHERE`.

    ``_h`` are hours, ``_days`` days. An empty string means: not set, and the thing is off.
    ``master_keys`` maps a key's number to 32 bytes; the highest number seals, all of them open.
    """

    data: Path
    host: str
    port: int
    base_url: str
    database_url: str
    smtp_url: str
    mail_from: str
    coordinator: str
    program: str
    country: str
    heartbeat_url: str
    exit_url: str
    keep_quiet_h: int
    keep_alarm_days: int
    chat_private: bool
    log: str
    demo_url: str
    carriers: tuple[Carrier, ...] = ()
    warning_feeds: tuple[str, ...] = ()
    checked_place: str = ""
    master_keys: Mapping[int, bytes] = field(
        default_factory=lambda: MappingProxyType({}), repr=False
    )

    @property
    def demo(self) -> bool:
        """Whether this is a demo: the phones are drawn on a page, and no real one can ring."""
        return bool(self.demo_url)

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
    env = {name: value.strip() for name, value in environ.items() if name.startswith("STILLHERE_")}
    host = env.get("STILLHERE_HOST") or "0.0.0.0"  # noqa: S104  phones must reach it
    port = _whole(env, "STILLHERE_PORT", DEFAULT_PORT, 1, 65535)
    base_url = env.get("STILLHERE_BASE_URL") or f"http://{_own_address(host)}:{port}"
    base_url = _web_url("STILLHERE_BASE_URL", base_url).rstrip("/")
    heartbeat_url = env.get("STILLHERE_HEARTBEAT_URL", "")
    exit_url = env.get("STILLHERE_EXIT_URL", DEFAULT_EXIT)
    demo_url = env.get("STILLHERE_DEMO", "")
    return Stillhere(
        data=_data_folder(env),
        host=host,
        port=port,
        base_url=base_url,
        database_url=_database_url(env),
        smtp_url=_smtp_url(env),
        mail_from=_mail_from(env, urlsplit(base_url).hostname or "localhost"),
        coordinator=_coordinator(env),
        program=env.get("STILLHERE_PROGRAM", ""),
        country=_country(env),
        heartbeat_url=_web_url("STILLHERE_HEARTBEAT_URL", heartbeat_url) if heartbeat_url else "",
        exit_url=_web_url("STILLHERE_EXIT_URL", exit_url) if exit_url else "",
        keep_quiet_h=_whole(env, "STILLHERE_KEEP_QUIET_H", 24, 1, 24 * 365),
        keep_alarm_days=_whole(env, "STILLHERE_KEEP_ALARM_DAYS", 30, 1, 3650),
        chat_private=_one_of(env, "STILLHERE_CHAT_PRIVATE", "0", ("0", "1")) == "1",
        log=_one_of(env, "STILLHERE_LOG", "info", LOG_LEVELS),
        demo_url=_demo_url(demo_url) if demo_url else "",
        carriers=_carriers(env),
        checked_place=env.get("STILLHERE_CHECKED_PLACE", "")[:300],
        warning_feeds=tuple(
            _web_url("STILLHERE_WARNING_FEEDS", url)
            for url in env.get("STILLHERE_WARNING_FEEDS", "").split()
        ),
    )


def backup_passphrase(environ: Mapping[str, str]) -> tuple[str, str]:
    """The passphrase of backups and the file that holds it, "" where not given. Kept out of
    `Stillhere`: only the commands that seal and open a backup may know it."""
    given, path = (environ.get(name, "").strip() for name in BACKUP_PASSPHRASE)
    return given, path


def _whole(env: Mapping[str, str], name: str, default: int, least: int, most: int) -> int:
    typed = env.get(name) or str(default)
    if not re.fullmatch(r"[0-9]{1,9}", typed) or not least <= int(typed) <= most:
        raise SettingError(f"{name} must be a whole number from {least} to {most}, not {typed!r}.")
    return int(typed)


def _one_of(env: Mapping[str, str], name: str, default: str, known: tuple[str, ...]) -> str:
    typed = (env.get(name) or default).lower()
    if typed not in known:
        raise SettingError(f"{name} must be one of {', '.join(known)}, not {typed!r}.")
    return typed


def _country(env: Mapping[str, str]) -> str:
    typed = env.get("STILLHERE_COUNTRY", "US").upper()
    if not re.fullmatch("[A-Z]{2}", typed):
        raise SettingError("STILLHERE_COUNTRY must be two letters, like US, GB or MX.")
    table = resources.files("tzdata.zoneinfo").joinpath("iso3166.tab").read_text("utf-8")
    if not re.search(f"^{typed}\t", table, re.MULTILINE):
        raise SettingError(f"STILLHERE_COUNTRY: there is no country {typed}. Britain is GB.")
    return typed


def _carriers(env: Mapping[str, str]) -> tuple[Carrier, ...]:
    try:
        return read_carriers(env.get("STILLHERE_CARRIERS", ""))
    except CarrierError as error:
        raise SettingError(f"STILLHERE_CARRIERS: {error}.") from None


def _data_folder(env: Mapping[str, str]) -> Path:
    """Where everything is kept. Without the setting: what `make up` made here, if it did."""
    here = "data" if Path("data/keys").is_dir() else ""
    typed = env.get("STILLHERE_DATA") or here or "~/.local/share/stillhere"
    try:
        return Path(typed).expanduser().absolute()
    except RuntimeError:  # no home folder: a service user, for example
        raise SettingError("STILLHERE_DATA must name a folder: this user has no home.") from None


def _split(name: str, url: str, schemes: tuple[str, ...], example: str) -> SplitResult:
    """Split a URL; a mistake is one sentence without the URL (it may hold a password)."""
    try:
        parts = urlsplit(url)
        port_is_fine = parts.port is None or parts.port > 0
    except ValueError:
        raise SettingError(f"{name} is not a web address we can read, like {example}.") from None
    if parts.scheme not in schemes or not parts.hostname or not port_is_fine:
        raise SettingError(f"{name} must look like {example}.")
    return parts


def _web_url(name: str, url: str) -> str:
    parts = _split(name, url, ("http", "https"), "https://stillhere.example.org")
    if name == "STILLHERE_BASE_URL" and (parts.path.strip("/") or parts.query or parts.fragment):
        raise SettingError(f"{name} must end after host and port: Stillhere needs its own name.")
    return url


def _demo_url(url: str) -> str:
    if urlsplit(_web_url("STILLHERE_DEMO", url)).hostname not in ("127.0.0.1", "localhost"):
        raise SettingError("STILLHERE_DEMO: the demo's phones are on this machine only.")
    return url


def _database_url(env: Mapping[str, str]) -> str:
    url = env.get("STILLHERE_DATABASE_URL", "")
    if url and not url.startswith(("postgres://", "postgresql://")):
        raise SettingError(
            "STILLHERE_DATABASE_URL must start with postgresql:// "
            "(leave it empty for SQLite in the data folder)."
        )
    return url


def _smtp_url(env: Mapping[str, str]) -> str:
    url = env.get("STILLHERE_SMTP_URL", "")
    if url:
        _split("STILLHERE_SMTP_URL", url, SMTP_SCHEMES, "smtp+starttls://user:password@host:587")
    return url


def _mail_from(env: Mapping[str, str], hostname: str) -> str:
    """The sender: as typed, or the mail server's user, or somebody at the host people know."""
    typed = env.get("STILLHERE_MAIL_FROM", "")
    user = unquote(urlsplit(env.get("STILLHERE_SMTP_URL", "")).username or "")
    if not typed and _MAILBOX.fullmatch(user):
        return f"Lamp <{user}>"
    if not typed and _MAILBOX.fullmatch(f"lamp@{hostname}"):
        return f"Lamp <lamp@{hostname}>"
    if (typed or env.get("STILLHERE_SMTP_URL")) and not _MAILBOX.fullmatch(parseaddr(typed)[1]):
        raise SettingError(
            "STILLHERE_MAIL_FROM must say who the mails are from, like Lamp <lamp@example.org>."
        )
    return typed


def _coordinator(env: Mapping[str, str]) -> str:
    typed = env.get("STILLHERE_COORDINATOR", "")
    if typed and "@" not in typed and "://" not in typed:
        raise SettingError("STILLHERE_COORDINATOR must be an e-mail address or an Apprise URL.")
    return typed


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
