"""Who keeps trying keys that open nothing, and who creates people and invitations by the hundred.

Owns a bounded memory of attempts by client address: misses for a minute, new people and invitations
for an hour, wrong codes for a day. Counts only *unknown* keys: a valid key is never slowed down,
whoever else is behind the same address, and no check-in, ask, claim or call for help is ever
counted. Each web process counts on its own.
"""

from __future__ import annotations

from collections import OrderedDict
from ipaddress import IPv6Address, ip_address, ip_network
from threading import Lock

from django.conf import settings
from django.http import HttpRequest

MOST_MISSES = 30
WINDOW_MS = 60_000
HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS
MOST_PERSONS = 20  # an hour, from one address: a shelter's whole evening
MOST_INVITATIONS = 60  # an hour, from one address: three full lists
MOST_PROOFS = 20  # a day, from one address at the code of one contact's page
MOST_PAPERS = 60  # an hour, from one address: a class
MOST_ADDRESSES = 10_000
LONGEST_ADDRESS = 64
LONGEST_WAY = 500  # of what is said to have been forwarded, from its end


class Guesses:
    """Misses by address, in windows of ``window_ms``. Threads and the event loop may share one."""

    def __init__(self, most: int = MOST_MISSES, window_ms: int = WINDOW_MS) -> None:
        self._most = most
        self._window_ms = window_ms
        self._seen: OrderedDict[str, tuple[int, int]] = OrderedDict()  # address: (since, misses)
        self._lock = Lock()

    def missed(self, address: str) -> bool:
        """Count one unknown key; whether this address has had too many in its window."""
        now = settings.BOOT_MS()
        with self._lock:
            since, misses = self._seen.pop(address, (now, 0))
            if now - since >= self._window_ms:
                since, misses = now, 0
            self._seen[address] = (since, misses + 1)
            if len(self._seen) > MOST_ADDRESSES:
                self._seen.popitem(last=False)
        return misses >= self._most

    def full(self, address: str) -> bool:
        """Whether this address has had too many in its window; counts nothing."""
        with self._lock:
            since, misses = self._seen.get(address, (0, 0))
            return misses >= self._most and settings.BOOT_MS() - since < self._window_ms

    def forget(self) -> None:
        """Start over."""
        with self._lock:
            self._seen.clear()


GUESSES = Guesses()
PERSONS = Guesses(MOST_PERSONS, HOUR_MS)
INVITATIONS = Guesses(MOST_INVITATIONS, HOUR_MS)
PROOFS = Guesses(MOST_PROOFS, DAY_MS)
PAPERS = Guesses(MOST_PAPERS, HOUR_MS)


def address_of(peer: str, forwarded: str) -> str:
    """The client's address. Where people reach us through proxies of ours (STILLHERE_PROXIES), it
    is the last one they added that is none of theirs; anybody else who says who they are forwarding
    for is taken for themselves."""
    if not (settings.STILLHERE.https and forwarded and _is_ours(peer)):
        return peer
    said = [address.strip()[:LONGEST_ADDRESS] for address in forwarded[-LONGEST_WAY:].split(",")]
    return next((address for address in reversed(said) if not _is_ours(address)), peer)


def _is_ours(address: str) -> bool:
    """Whether a proxy of ours has it. A proxy on a socket has none."""
    try:
        known = ip_address(address) if address else None
    except ValueError:
        return False
    if known is None:
        return True
    known = getattr(known, "ipv4_mapped", None) or known
    return any(known in network for network in settings.STILLHERE.proxies)


def missed(request: HttpRequest) -> bool:
    """The same for a page: this request named a key that opens nothing."""
    return GUESSES.missed(client_of(request))


def may_invite(request: HttpRequest) -> bool:
    """Count one message to a number that somebody typed; whether this line has one left."""
    return not INVITATIONS.missed(network_of(request))


def network_of(request: HttpRequest) -> str:
    """The line a request came from: the address, or the /64 of an IPv6 address, all of which
    belongs to one customer."""
    address = client_of(request)
    try:
        network = ip_network(f"{address}/64", strict=False)
    except ValueError:  # no IPv6 address, and IPv4 has no /64
        return address
    mapped = IPv6Address(address.partition("%")[0]).ipv4_mapped
    return str(mapped) if mapped is not None else str(network)


def client_of(request: HttpRequest) -> str:
    """The address a page was asked from."""
    peer = str(request.META.get("REMOTE_ADDR") or "")
    return address_of(peer, request.headers.get("X-Forwarded-For", ""))
