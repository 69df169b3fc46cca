"""Who keeps trying keys that open nothing.

Owns a bounded memory of misses by client address, for a minute. Counts only *unknown* keys:
a valid key is never slowed down, whoever else sits behind the same address.
"""

from __future__ import annotations

from collections import OrderedDict
from threading import Lock

from django.conf import settings
from django.http import HttpRequest

MOST_MISSES = 30
WINDOW_MS = 60_000
MOST_ADDRESSES = 10_000


class Guesses:
    """Misses by address, in windows of a minute. Threads and the event loop may share one."""

    def __init__(self, most: int = MOST_MISSES) -> None:
        self._most = most
        self._seen: OrderedDict[str, tuple[int, int]] = OrderedDict()  # address: (since, misses)
        self._lock = Lock()

    def missed(self, address: str) -> bool:
        """Count one unknown key; whether this address has had too many this minute."""
        now = settings.BOOT_MS()
        with self._lock:
            since, misses = self._seen.pop(address, (now, 0))
            if now - since >= WINDOW_MS:
                since, misses = now, 0
            self._seen[address] = (since, misses + 1)
            if len(self._seen) > MOST_ADDRESSES:
                self._seen.popitem(last=False)
        return misses >= self._most

    def full(self, address: str) -> bool:
        """Whether this address has had too many this minute; counts nothing."""
        with self._lock:
            since, misses = self._seen.get(address, (0, 0))
            return misses >= self._most and settings.BOOT_MS() - since < WINDOW_MS

    def forget(self) -> None:
        """Start over."""
        with self._lock:
            self._seen.clear()


GUESSES = Guesses()


def address_of(peer: str, forwarded: str) -> str:
    """The client's address. Behind the proxy that ends TLS it is the last one that proxy added."""
    if settings.STILLHERE.https and forwarded:
        return forwarded.rpartition(",")[2].strip()[:64]
    return peer


def missed(request: HttpRequest) -> bool:
    """The same for a page: this request named a key that opens nothing."""
    peer = str(request.META.get("REMOTE_ADDR") or "")
    return GUESSES.missed(address_of(peer, request.headers.get("X-Forwarded-For", "")))
