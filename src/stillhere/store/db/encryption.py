"""Encryption at rest, capability keys, and look-up hashes. The only file that uses a key.

Sealed fields are AES-256-GCM, bound to their field and row (a value copied to another row does not
open), with a 2-byte id of the data key that sealed them, so that those can be rotated: the newest
seals, every known one opens.

A capability key (the secret in a link) is derived from the row's random nonce: 160 bits, never
stored. The row keeps its SHA-256 only. Deriving again is how an outgoing message gets its link; a
new nonce revokes the old key. What links and look-ups are derived from are keys of their own, which
outlive every data key.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from collections.abc import Mapping
from functools import lru_cache

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings

from stillhere.store.db.key_ring import KeyRing

NONCE_BYTES = 16
KEY_BYTES = 20
LINK = "key"  # what capability keys are derived from
ROOT = "root"  # what secrets are derived from whose purpose is not among the links' keys


class SealBroken(ValueError):
    """A sealed value that does not open: wrong key, wrong row, or damaged."""


def new_nonce() -> bytes:
    """128 random bits for a new row."""
    return secrets.token_bytes(NONCE_BYTES)


def _masters() -> Mapping[int, bytes]:
    masters: Mapping[int, bytes] = settings.STILLHERE.master_keys
    return masters


def derived(links: Mapping[str, bytes], purpose: str) -> bytes:
    """A secret for one purpose that outlives every data key: kept as it is, or made from the root.
    Until the first rotation that is the first data key, and nothing else is kept."""
    return links[purpose] if purpose in links else _subkey(links[ROOT], purpose)


@lru_cache(maxsize=64)
def _subkey(master: bytes, purpose: str) -> bytes:
    return hmac.new(master, purpose.encode(), hashlib.sha256).digest()


@lru_cache(maxsize=8)
def _cipher(master: bytes) -> AESGCM:
    return AESGCM(_subkey(master, "seal"))


def seal(text: str, field: str, nonce: bytes | memoryview) -> bytes:
    """Encrypt ``text`` for ``field`` ("person.name") of the row with ``nonce``. Empty text stays
    empty."""
    if not text:
        return b""
    masters = _masters()
    number = masters.sealing() if isinstance(masters, KeyRing) else max(masters)
    iv = secrets.token_bytes(12)
    body = _cipher(masters[number]).encrypt(iv, text.encode(), field.encode() + bytes(nonce))
    return number.to_bytes(2, "big") + iv + body


def key_id(blob: bytes | memoryview) -> int:
    """The number of the data key that sealed ``blob``; 0 where nothing is sealed."""
    return int.from_bytes(bytes(blob[:2]), "big")


def is_known(blob: bytes | memoryview) -> bool:
    """Whether the data key that sealed ``blob`` is here. Without it nothing can be said of it."""
    return not blob or key_id(blob) in _masters()


def unseal(blob: bytes | memoryview, field: str, nonce: bytes | memoryview) -> str:
    """Open what ``seal`` made. Raises SealBroken."""
    return unseal_with(_masters(), blob, field, nonce)


def unseal_with(
    masters: Mapping[int, bytes], blob: bytes | memoryview, field: str, nonce: bytes | memoryview
) -> str:
    """As ``unseal``, with keys that are not in the settings. Raises SealBroken."""
    raw = bytes(blob)
    if not raw:
        return ""
    try:
        master = masters[key_id(raw)]
    except KeyError:
        raise SealBroken(f"{field}: the key that sealed this is not here") from None
    try:
        return _cipher(master).decrypt(raw[2:14], raw[14:], field.encode() + bytes(nonce)).decode()
    except InvalidTag:
        raise SealBroken(f"{field}: does not open") from None


def key_for(purpose: str, nonce: bytes | memoryview) -> str:
    """The capability key of a row: 27 characters that are safe in a path. ``purpose`` is the
    table's name."""
    return key_from(derived(settings.STILLHERE.link_keys, LINK), purpose, nonce)


def key_from(secret: bytes, purpose: str, nonce: bytes | memoryview) -> str:
    """The same, with a links' key that is not in the settings."""
    digest = hmac.digest(secret, purpose.encode() + bytes(nonce), "sha256")
    return base64.urlsafe_b64encode(digest[:KEY_BYTES]).decode().rstrip("=")


def key_hash(key: str) -> bytes:
    """What we store of a key, and look it up by."""
    return hashlib.sha256(key.encode("utf-8", "replace")).digest()


def lookup(channel: str, address: str) -> bytes:
    """Keyed hash of an address, so that an incoming text finds its sender without the address
    being readable."""
    return hmac.digest(
        derived(settings.STILLHERE.link_keys, "lookup"), f"{channel}:{address}".encode(), "sha256"
    )
