"""The sealed file of a backup: any stream of bytes, encrypted under a passphrase or to a key.

Owns the format (docs/decisions/0008, 0025) and none of the contents. The key is derived from the
passphrase with scrypt, whose parameters are in the header; or it is agreed on between a key made
for this one file and the public one (X25519, HKDF), so that whoever seals cannot open. The bytes
are sealed in chunks with AES-256-GCM. Each chunk's nonce contains its number and whether it is the
last, and every chunk is bound to the header: so no chunk can be changed, dropped, repeated,
reordered or moved to another file, and a missing end is noticed. Never returns a byte that has not
been authenticated.
"""

from __future__ import annotations

import hmac
import io
import os
import struct
import unicodedata
from pathlib import Path
from typing import BinaryIO

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

MAGIC = b"stillhere-backup-1\n"
TO_KEY = b"stillhere-backup-2\n"
CHUNK = 64 * 1024
TAG = 16
LOG_N, R, P = 17, 8, 1  # 128 MB and about half a second for every guess
MOST_LOG_N, MOST_R, MOST_P = 20, 16, 4  # a file may not ask for more than this machine can give
_FIELDS = struct.Struct(">BBB16s7s32s")  # log n, r, p, salt, nonce prefix, proof of the key
HEADER = len(MAGIC) + _FIELDS.size
_TO_KEY_FIELDS = struct.Struct(">32s32sQ7s32s")  # whose, made for this file, when, prefix, proof
TO_KEY_HEADER = len(TO_KEY) + _TO_KEY_FIELDS.size
MOST_CHUNKS = 2**32


Secret = str | bytes | X25519PrivateKey  # a passphrase, the key of one file, a private key


class NotOpened(ValueError):
    """The file was not opened, or not to its end. The message is one kind line that says why."""


def _keys(passphrase: str, salt: bytes, log_n: int, r: int, p: int) -> tuple[bytes, bytes]:
    """The key, and a check value for it that may be public. The same letters give the same key,
    however the keyboard composed them."""
    typed = unicodedata.normalize("NFC", passphrase).encode()
    made = Scrypt(salt=salt, length=64, n=1 << log_n, r=r, p=p).derive(typed)
    return made[:32], made[32:]


def _agreed(shared: bytes, public: bytes, made: bytes) -> tuple[bytes, bytes]:
    """The same two from what two keys agree on; bound to both."""
    bound = HKDF(hashes.SHA256(), 64, salt=made + public, info=TO_KEY).derive(shared)
    return bound[:32], bound[32:]


def kind(file: Path) -> bytes:
    """How a file begins: `MAGIC`, `TO_KEY`, or anything else."""
    try:
        with file.open("rb") as opened:
            return opened.read(len(MAGIC))
    except OSError:  # said when it is opened
        return b""


def sealed_at(file: Path) -> int:
    """When a backup to a public key says that it was sealed (ms UTC); not proved without the
    private key. Raises `NotOpened` and OSError."""
    with file.open("rb") as opened:
        head = opened.read(TO_KEY_HEADER)
    if len(head) < TO_KEY_HEADER or not head.startswith(TO_KEY):
        raise NotOpened("This is not a backup of Stillhere, or its beginning is damaged.")
    return int(_TO_KEY_FIELDS.unpack(head[len(TO_KEY) :])[2])


def _nonce(prefix: bytes, number: int, last: bool) -> bytes:
    return prefix + struct.pack(">IB", number, last)


class Sealer(io.RawIOBase):
    """Write into it; ``target`` receives the sealed bytes. The file is complete only after
    ``finish``: one that was not finished can never be opened to its end."""

    def __init__(
        self, target: BinaryIO, to: str | X25519PublicKey, log_n: int = LOG_N, at: int = 0
    ) -> None:
        """Write the header: ``to`` is a passphrase or a public key, ``at`` is when (ms UTC).
        ``log_n`` is smaller in tests only."""
        self._prefix = os.urandom(7)
        if isinstance(to, str):
            salt = os.urandom(16)
            self.key, proof = _keys(to, salt, log_n, R, P)
            self._header = MAGIC + _FIELDS.pack(log_n, R, P, salt, self._prefix, proof)
        else:
            once = X25519PrivateKey.generate()
            whose, made = to.public_bytes_raw(), once.public_key().public_bytes_raw()
            self.key, proof = _agreed(once.exchange(to), whose, made)
            fields = _TO_KEY_FIELDS.pack(whose, made, at, self._prefix, proof)
            self._header = TO_KEY + fields
        self._cipher, self._target = AESGCM(self.key), target
        self._held, self._number = bytearray(), 0
        target.write(self._header)

    def writable(self) -> bool:
        return True

    def write(self, data: object) -> int:
        """Take bytes; a chunk is written once we know that it is not the last."""
        taken = bytes(data)  # type: ignore[call-overload]
        self._held += taken
        while len(self._held) > CHUNK:
            self._leave(bytes(self._held[:CHUNK]), last=False)
            del self._held[:CHUNK]
        return len(taken)

    def finish(self) -> None:
        """Seal the last chunk."""
        self._leave(bytes(self._held), last=True)
        self._held.clear()

    def _leave(self, chunk: bytes, *, last: bool) -> None:
        assert self._number < MOST_CHUNKS
        nonce = _nonce(self._prefix, self._number, last)
        self._target.write(self._cipher.encrypt(nonce, chunk, self._header))
        self._number += 1


def _by_passphrase(fields: bytes, secret: Secret) -> bytes:
    log_n, r, p, salt, _prefix, proof = _FIELDS.unpack(fields)
    if not (0 < log_n <= MOST_LOG_N and 0 < r <= MOST_R and 0 < p <= MOST_P):
        raise NotOpened("The beginning of this backup is damaged.")
    if isinstance(secret, bytes):
        return secret
    if not isinstance(secret, str):
        raise NotOpened("This backup is sealed under a passphrase, not to a key: leave --key out.")
    key, found = _keys(secret, salt, log_n, r, p)
    if not hmac.compare_digest(proof, found):
        raise NotOpened(
            "The passphrase does not open this backup. "
            "(If you are sure of it, the beginning of the file is damaged.)"
        )
    return key


def _by_private_key(fields: bytes, secret: Secret) -> bytes:
    whose, made, _at, _prefix, proof = _TO_KEY_FIELDS.unpack(fields)
    if isinstance(secret, bytes):
        return secret
    if isinstance(secret, str):
        raise NotOpened("This backup is sealed to a public key: only the private one opens it.")
    try:
        shared = secret.exchange(X25519PublicKey.from_public_bytes(made))
    except ValueError:  # a forged one that agrees on nothing
        raise NotOpened("The beginning of this backup is damaged.") from None
    key, found = _agreed(shared, whose, made)
    if not hmac.compare_digest(proof, found):
        ours = secret.public_key().public_bytes_raw()
        raise NotOpened(
            "The beginning of this backup is damaged. Take another copy of it."
            if ours == whose
            else "This private key does not open this backup: it was sealed to another one."
        )
    return key


class Opener(io.RawIOBase):
    """Read from it; every byte is authenticated before it is returned. Reaching the end proves that
    nothing is missing."""

    def __init__(self, source: BinaryIO, secret: Secret) -> None:
        """Read the header. Raises `NotOpened` if it is no backup, or ``secret`` does not open
        it."""
        begin = source.read(len(MAGIC))
        size = {MAGIC: HEADER, TO_KEY: TO_KEY_HEADER}.get(begin, 0)
        self._header = begin + source.read(max(0, size - len(begin)))
        if not size or len(self._header) < size:
            raise NotOpened("This is not a backup of Stillhere, or its beginning is damaged.")
        fields = self._header[len(MAGIC) :]
        key = (_by_passphrase if begin == MAGIC else _by_private_key)(fields, secret)
        self._prefix = fields[-39:-32]  # the last but one in both
        self._cipher, self._source = AESGCM(key), source
        self._ready, self._number, self._over = b"", 0, False
        self._next = source.read(CHUNK + TAG)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: object) -> int:
        """Return authenticated bytes; 0 after the last chunk. Raises `NotOpened`."""
        view = memoryview(buffer).cast("B")  # type: ignore[arg-type]
        while not self._ready and not self._over:
            self._ready = self._open_next()
        size = min(len(view), len(self._ready))
        view[:size] = self._ready[:size]
        self._ready = self._ready[size:]
        return size

    def _open_next(self) -> bytes:
        sealed, self._next = self._next, self._source.read(CHUNK + TAG)
        self._over = not self._next
        nonce = _nonce(self._prefix, self._number, self._over)
        try:
            opened = self._cipher.decrypt(nonce, sealed, self._header)
        except (InvalidTag, ValueError):
            raise NotOpened(
                f"This backup is damaged or cut off after {self._number * CHUNK // 1024} kB. "
                "Take another copy of it."
            ) from None
        self._number += 1
        return opened
