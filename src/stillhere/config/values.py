"""How one setting is read: from what was typed to a value, or to one sentence that says what to do.

Every reader takes the setting's name and what was typed, without spaces or quotes around it, and
raises `SettingError`. No sentence repeats an address, which may hold a password. Opens nothing.
"""

from __future__ import annotations

import ipaddress
import re
from email.utils import parseaddr
from importlib import resources
from pathlib import Path
from urllib.parse import SplitResult, quote, urlsplit

SMTP_SCHEMES = ("smtp", "smtps", "smtp+starttls")
LONGEST_PROGRAM = 200
LONGEST_PLACE = 300
# An address that mail servers take as a sender: at a domain, not at a number or a bare name.
_MAILBOX = re.compile(r"[^@\s<>]+@[^@\s<>]+\.[^@\s<>.]*[a-zA-Z][^@\s<>.]*")
_HOST_NAME = re.compile(r"(?=.{1,253}\Z)[A-Za-z0-9]([A-Za-z0-9-]*)(\.[A-Za-z0-9-]+)*\.?")
_HOST_AND_PORT = re.compile(r"(\[[0-9a-fA-F:.%]+\]|[^:\s]+):([0-9]{1,5})")


class SettingError(ValueError):
    """A setting cannot be used. The message is one kind line that says what to do."""


def is_utf8(typed: str) -> bool:
    """Whether it can be shown and stored: bytes that are no UTF-8 come as halves of letters."""
    try:
        typed.encode()
    except UnicodeEncodeError:
        return False
    return True


def whole(name: str, typed: str, least: int, most: int) -> int:
    """A whole number between two, both included."""
    if not re.fullmatch(r"[0-9]{1,9}", typed) or not least <= int(typed) <= most:
        raise SettingError(
            f"{name} must be a whole number from {least} to {most}, not {typed[:20]!r}."
        )
    return int(typed)


def one_of(name: str, typed: str, known: tuple[str, ...]) -> str:
    """One of a few words, in any case."""
    if typed.lower() not in known:
        raise SettingError(f"{name} must be one of {', '.join(known)}, not {typed[:20]!r}.")
    return typed.lower()


def country(name: str, typed: str) -> str:
    """Two letters of a country that there is."""
    letters = typed.upper()
    if not re.fullmatch("[A-Z]{2}", letters):
        raise SettingError(f"{name} must be two letters, like US, GB or MX.")
    table = resources.files("tzdata.zoneinfo").joinpath("iso3166.tab").read_text("utf-8")
    if not re.search(f"^{letters}\t", table, re.MULTILINE):
        raise SettingError(f"{name}: there is no country {letters}. Britain is GB.")
    return letters


def countries(name: str, typed: str) -> tuple[str, ...]:
    """Several countries by their two letters, with spaces or commas between."""
    return tuple(country(name, letters) for letters in typed.replace(",", " ").split())


def words(name: str, typed: str, most: int) -> str:
    """Words that people read, on one line."""
    said = " ".join(typed.split())
    if len(said) > most:
        raise SettingError(f"{name} has {len(said)} characters, and {most} is the most. Say less.")
    return said


def folder(name: str, typed: str) -> Path:
    """A folder, made or not. Without the setting: what `make up` made here, if it did."""
    here = "data" if Path("data/keys").is_dir() else ""
    try:
        path = Path(typed or here or "~/.local/share/stillhere").expanduser().absolute()
    except RuntimeError:  # no home folder: a service user, for example
        raise SettingError(f"{name} must name a folder: this user has no home.") from None
    for part in (path, *path.parents):
        if _is_no_folder(part):
            raise SettingError(f"{name} must name a folder, and {part} is a file.")
    return path


def keys_folder(name: str, typed: str) -> Path | None:
    """Where the keys lie; None without the setting: in the data folder."""
    return folder(name, typed) if typed else None


def backup_to(name: str, typed: str) -> str:
    """The public key of backups; the private one in its place is a mistake that must show."""
    if not re.fullmatch(r"backup-public-[A-Za-z0-9_-]{48}", typed):
        raise SettingError(
            f"{name} must be the whole line that begins with backup-public-, as `stillhere keys "
            "backup` prints it. The private key never belongs here."
        )
    return typed


def _is_no_folder(path: Path) -> bool:
    try:
        return path.exists() and not path.is_dir()
    except (OSError, ValueError):  # whoever uses it says why it cannot be looked at
        return False


def host(name: str, typed: str) -> str:
    """The address to listen on, without brackets. Whatever else was typed is told apart."""
    bare = typed[1:-1] if typed.startswith("[") and typed.endswith("]") else typed
    if _is_address(bare):
        return bare
    alone = re.sub(r"^[a-zA-Z+]+://", "", typed).partition("/")[0]
    pair = _HOST_AND_PORT.fullmatch(alone)
    if pair is not None:
        raise SettingError(
            f"{name} is an address without a port. "
            f"Write {name}={pair[1].strip('[]')} and STILLHERE_PORT={pair[2]}."
        )
    if alone != typed and (_is_address(alone) or _is_name(alone)):
        raise SettingError(f"{name} is an address only. Write {name}={alone}.")
    if typed.isdigit():
        raise SettingError(f"{name} is an address, not a port. Write STILLHERE_PORT={typed[:9]}.")
    if not _is_name(typed):
        raise SettingError(
            f"{name} must be an address of this machine, like 127.0.0.1. "
            "Leave it out to listen on all of them."
        )
    return typed


def hosts(name: str, typed: str) -> tuple[str, ...]:
    """Names or addresses of hosts, without port or path, separated by spaces or commas."""
    found = tuple(each.lower() for each in typed.replace(",", " ").split())
    for each in found:
        if not _is_name(each) and not _is_address(each):
            raise SettingError(
                f"{name} holds names of hosts, like push.example.org, with spaces between them: no "
                "port, no path, no https://."
            )
    return found


def networks(name: str, typed: str) -> tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, ...]:
    """Addresses or networks, separated by spaces or commas."""
    try:
        return tuple(ipaddress.ip_network(each) for each in typed.replace(",", " ").split())
    except ValueError:
        raise SettingError(
            f"{name} holds addresses or networks, like 127.0.0.1 or 172.30.84.0/24, with spaces "
            "between them. A network's address ends where the network begins."
        ) from None


def _is_address(typed: str) -> bool:
    try:
        ipaddress.ip_address(typed.partition("%")[0])
    except ValueError:
        return False
    return True


def _is_name(typed: str) -> bool:
    return _HOST_NAME.fullmatch(typed) is not None and not re.fullmatch(r"[0-9.]+", typed)


def split(name: str, url: str, schemes: tuple[str, ...], example: str) -> SplitResult:
    """Split a URL; a mistake is one sentence without the URL (it may hold a password)."""
    try:
        parts = urlsplit(url)
        port_is_fine = parts.port is None or parts.port > 0
    except ValueError:
        raise SettingError(f"{name} is not a web address we can read, like {example}.") from None
    if "://" not in url:
        raise SettingError(f"{name} must begin with {schemes[-1]}://, like {example}.")
    if parts.scheme not in schemes or not parts.hostname or not port_is_fine or " " in parts.netloc:
        raise SettingError(f"{name} must look like {example}.")
    return parts


def web_url(name: str, url: str) -> str:
    """An http or https address."""
    split(name, url, ("http", "https"), "https://stillhere.example.org")
    if re.search(r"\s", url):
        raise SettingError(f"{name} is one address, without a space in it.")
    return url


def web_urls(name: str, typed: str) -> tuple[str, ...]:
    """Several of them, with spaces or commas between."""
    return tuple(web_url(name, url) for url in re.split(r"[\s,]+", typed) if url)


def time_urls(name: str, typed: str) -> tuple[str, ...]:
    """Whose dates prove the time: of one host alone nobody could tell that it is wrong."""
    urls = web_urls(name, typed)
    if any(urlsplit(url).scheme != "https" for url in urls):
        raise SettingError(f"{name} must be https addresses: anybody could answer another.")
    voices = {_machine(urlsplit(url).hostname or ""): url for url in urls}  # each has one
    if len(voices) == 1:
        raise SettingError(f"{name} must name two different hosts or more, or none.")
    return tuple(voices.values())


def _machine(hostname: str) -> str:
    """A host by one of its names: this machine has many, and so has an address."""
    try:
        address = ipaddress.ip_address(hostname.rstrip("."))
    except ValueError:
        known = hostname.lower().rstrip(".")
        return "localhost" if known.endswith(".localhost") else known
    return "localhost" if address.is_loopback or address.is_unspecified else str(address)


def base_url(name: str, url: str, port: int) -> str:
    """How people reach us: scheme, host and port, no more. ``port`` is the one we listen on."""
    parts = split(name, web_url(name, url), ("http", "https"), "https://stillhere.example.org")
    if parts.path.strip("/") or parts.query or parts.fragment:
        raise SettingError(f"{name} must end after host and port: Stillhere needs its own name.")
    if parts.username is not None:
        raise SettingError(f"{name} holds a user. Write {name}={parts.scheme}://{parts.hostname}.")
    if parts.scheme == "https" and parts.port == port:
        raise SettingError(
            f"{name}: at :{port} Stillhere itself listens, without https. Name the address of "
            f"the proxy in front of it, like https://{parts.hostname}."
        )
    return url.rstrip("/")


def demo_url(name: str, url: str) -> str:
    """The demo's phones, on this machine."""
    if url and urlsplit(web_url(name, url)).hostname not in ("127.0.0.1", "localhost"):
        raise SettingError(f"{name}: the demo's phones are on this machine only.")
    return url


def smtp_url(name: str, url: str) -> str:
    """A mail server."""
    if url:
        split(name, url, SMTP_SCHEMES, "smtp+starttls://user:password@host:587")
    return url


def is_mailbox(typed: str) -> bool:
    """Whether mail servers take it as a sender."""
    return _MAILBOX.fullmatch(typed) is not None


def mail_from(name: str, typed: str) -> str:
    """A sender, with a name or without."""
    if not is_mailbox(parseaddr(typed)[1]):
        raise SettingError(f"{name} must say who the mails are from, like Lamp <lamp@example.org>.")
    return typed


def public_contact(name: str, typed: str) -> str:
    """Where anybody may write, as an address that a page can link to."""
    mailbox = typed.removeprefix("mailto:")
    if is_mailbox(mailbox):
        return f"mailto:{quote(mailbox, safe='@+')}"
    if not typed.startswith("https://"):
        raise SettingError(
            f"{name} must be an e-mail address or an https:// address: everybody can read it."
        )
    return web_url(name, typed)
