"""Who may stay connected to the web server, so that nobody can block it for everyone else.

Owns the number of connections, and closing those on which nothing happens: our server waits forever
for the first byte of a request, and a connection costs its opener nothing. For each one the kernel
knows how long nothing was sent or received (``TCP_INFO``). A page that waits to be told something
has shown a key, and hears a beat: it is left alone and hardly looked at, however many there are.
Linux only: elsewhere the number is limited and nothing is closed.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import resource
import socket
import stat
import struct
import sys
from collections.abc import Callable, Container, Iterator
from dataclasses import dataclass
from itertools import count

MOST = 14_000  # each costs up to 30 KB while its request is half there
SPARE = 512  # files that are not connections: the database, the log, the pages
MUTE_MS = 10_000  # nothing was ever said on it
STILL_MS = 75_000  # a proxy keeps its connections for a minute
CROWDED = 0.7  # of all places taken: then who has said nothing for two seconds goes first
CROWDED_MUTE_MS = 2_000
CROWDED_STILL_MS = 15_000  # longer than any answer takes
LOOK_EVERY_S = 1.0
MANY = 1_000  # where so many pages wait, all is looked through less often: it takes milliseconds
LOOK_AT_MANY_EVERY_S = 4.0
ALL_AGAIN = 60  # looks between two at everything, also at what was waiting

_INFO = struct.Struct("@8B24I")
_SENT, _RECEIVED = 8 + 9, 8 + 11  # places of last_data_sent and last_data_recv
_BYTES_RECEIVED = struct.Struct("@Q")
_BYTES_RECEIVED_AT = 128
_INFO_BYTES = 136
log = logging.getLogger("stillhere.connections")

Peer = tuple[str, int]  # whoever is connected: address and port


def room() -> int:
    """Raise the limit of open files as far as we may; return how many connections fit."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = sys.maxsize if hard == resource.RLIM_INFINITY else hard
    wanted = min(most, MOST + SPARE)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        with contextlib.suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
            soft = wanted
    fits = wanted if soft == resource.RLIM_INFINITY else min(soft, wanted)
    return max(fits - SPARE, fits // 2)


@dataclass(slots=True)
class Connection:
    """One client's connection: a second handle on it, and how long nothing has happened there."""

    handle: socket.socket
    peer: Peer
    still_ms: int
    mute: bool

    def end(self) -> None:
        """Hang up. The server sees the end and forgets it."""
        with contextlib.suppress(OSError):
            self.handle.shutdown(socket.SHUT_RDWR)


def connections(port: int, known: Container[int] = ()) -> Iterator[Connection]:
    """Every client connected to our ``port``, without those whose socket is ``known``. The handle
    is closed when the next one is asked for."""
    for name in os.listdir("/proc/self/fd"):  # noqa: PTH208  thousands of names, no paths
        handle = _second_handle(int(name), known)
        if handle is None:
            continue
        with handle:
            found = _look(handle, port)
            if found is not None:
                yield found


def _second_handle(descriptor: int, known: Container[int]) -> socket.socket | None:
    """A second handle on a socket, which remains valid even if the server closes its own; None if
    it is no socket, ``known`` or was just closed."""
    try:
        here = os.fstat(descriptor)
        if not stat.S_ISSOCK(here.st_mode) or here.st_ino in known:
            return None
        copy = os.dup(descriptor)
    except OSError:
        return None
    try:
        return socket.socket(fileno=copy)
    except OSError:  # the number was given to something else in between
        os.close(copy)
        return None


def _look(handle: socket.socket, port: int) -> Connection | None:
    """What the kernel knows about a socket; None if it is not a client's."""
    try:
        if handle.family not in (socket.AF_INET, socket.AF_INET6):
            return None
        if handle.getsockname()[1] != port:
            return None
        peer = handle.getpeername()  # the one that listens has none
        raw = handle.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _INFO_BYTES)
    except OSError:
        return None
    if len(raw) < _INFO_BYTES:
        return None
    facts = _INFO.unpack_from(raw)
    heard = _BYTES_RECEIVED.unpack_from(raw, _BYTES_RECEIVED_AT)[0]
    still_ms = min(facts[_SENT], facts[_RECEIVED])
    return Connection(handle, peer_of(*peer[:2]), still_ms, heard == 0)


def peer_of(host: str, port: int) -> Peer:
    """Whoever has this address, however it is written where both kinds of address are heard."""
    return host.removeprefix("::ffff:"), port


def sweep(
    port: int,
    places: int,
    crowded: bool,
    waits: Callable[[Peer], bool] = lambda _: False,
    waiting: set[int] | None = None,
) -> tuple[int, int]:
    """Close the connections on which nothing happens; returns how many there are and how many were
    closed. ``crowded`` is the result of the last look: if so, the time limits are shorter. Those on
    which a page ``waits`` are not closed, and stand in ``waiting`` until that is emptied: they are
    not looked at again."""
    mute_ms = CROWDED_MUTE_MS if crowded else MUTE_MS
    still_ms = CROWDED_STILL_MS if crowded else STILL_MS
    waiting = set() if waiting is None else waiting
    there, ended = len(waiting), 0
    for found in connections(port, frozenset(waiting)):
        there += 1
        if waits(found.peer):
            waiting.add(os.fstat(found.handle.fileno()).st_ino)
        elif found.still_ms >= (mute_ms if found.mute else still_ms):
            found.end()
            ended += 1
    if ended:
        log.info("ended connections=%d of=%d places=%d", ended, there, places)
    return there, ended


async def watch(port: int, places: int, waits: Callable[[Peer], bool]) -> None:
    """Look once a second, until cancelled."""
    if sys.platform != "linux":
        return
    there, waiting = 0, set[int]()
    for no in count():
        await asyncio.sleep(LOOK_EVERY_S if len(waiting) < MANY else LOOK_AT_MANY_EVERY_S)
        if not no % ALL_AGAIN:
            waiting.clear()
        others = there - len(waiting)
        crowded = others > (places - len(waiting)) * CROWDED
        there, _ = await asyncio.to_thread(sweep, port, places, crowded, waits, waiting)
