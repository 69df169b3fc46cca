"""Whether the web server can listen where it is told to, and if not, which setting is wrong.

Owns the sentences, and finding out which program has a port. Leaves nothing open.
"""

from __future__ import annotations

import errno
import socket
from collections.abc import Iterator
from pathlib import Path

from stillhere.config.environment import SettingError, Stillhere

LISTENING = "0A"  # TCP_LISTEN in /proc/net/tcp
_LOOKS_ON = 20  # ports


def require(stillhere: Stillhere, root: Path = Path("/")) -> None:
    """Raise `SettingError` if it cannot listen. ``root`` is where this machine's files are."""
    host, port = stillhere.host, stillhere.port
    try:
        _bind(host, port)
    except socket.gaierror:
        raise SettingError(_no_address(host)) from None
    except OSError as error:
        raise SettingError(_why(error, host, port, root)) from None


def address(host: str) -> str:
    """The IP address of a host, because our server takes no names. If there are both kinds, the
    IPv4 one: that is what a proxy's 127.0.0.1 reaches. Raises ``socket.gaierror``."""
    found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    found.sort(key=lambda each: each[0] != socket.AF_INET)
    return str(found[0][4][0])


def _bind(host: str, port: int) -> None:
    number = address(host)
    family, kind, _, _, place = socket.getaddrinfo(number, port, type=socket.SOCK_STREAM)[0]
    with socket.socket(family, kind) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind(place)


def _why(error: OSError, host: str, port: int, root: Path) -> str:
    if error.errno in (errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT):
        return _no_address(host)
    if error.errno == errno.EACCES:
        return (
            f"STILLHERE_PORT={port} needs rights that this user lacks. Take one from 1024 up, like "
            f"8420, and let a proxy listen at {port}."
        )
    if error.errno == errno.EADDRINUSE:
        who = holder(port, root)
        free = _free_beside(host, port)
        return (
            f"Port {port} cannot be used: {who or 'another program'} has it. "
            + (f"Stop that, or set STILLHERE_PORT={free}, which is free." if free
               else "Stop that, or choose another with STILLHERE_PORT.")
        )  # fmt: skip
    return f"STILLHERE_HOST={host} and STILLHERE_PORT={port} cannot be used: {error.strerror}."


def _no_address(host: str) -> str:
    return (
        f"STILLHERE_HOST={host} is no address of this machine. "
        "Leave it out to listen on all of them, or set 127.0.0.1 behind a proxy."
    )


def _free_beside(host: str, port: int) -> int | None:
    for other in range(port + 1, min(port + _LOOKS_ON, 65535) + 1):
        try:
            _bind(host, other)
        except OSError:
            continue
        return other
    return None


def holder(port: int, root: Path = Path("/")) -> str:
    """Which program listens on a port, as far as this user may see; "" if unknown."""
    sockets = {f"socket:[{inode}]" for inode in _inodes(port, root)}
    for process in (root / "proc").glob("[0-9]*") if sockets else ():
        try:
            if any(str(each.readlink()) in sockets for each in (process / "fd").iterdir()):
                return f"{_name(process)} (process {process.name})"
        except OSError:  # somebody else's, or just ended
            continue
    return ""


def _inodes(port: int, root: Path) -> Iterator[str]:
    for table in ("tcp", "tcp6"):
        try:
            rows = (root / "proc/net" / table).read_text().splitlines()[1:]
        except OSError:
            continue
        for row in rows:
            fields = row.split()
            if fields[1].endswith(f":{port:04X}") and fields[3] == LISTENING:
                yield fields[9]


def _name(process: Path) -> str:
    words = (process / "cmdline").read_text(errors="replace").split("\0")
    if any(Path(word).name == "stillhere" for word in words[:3]):
        return "another Stillhere"
    return (process / "comm").read_text(errors="replace").strip()[:40]
