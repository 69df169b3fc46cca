"""The sealed file of a backup: any stream of bytes, encrypted under a passphrase.

Owns the format (docs/decisions/0008) and none of the contents. The key is derived from the
passphrase with scrypt, whose parameters are in the header. The bytes are sealed in chunks with
AES-256-GCM. Each chunk's nonce contains its number and whether it is the last, and every chunk is
bound to the header: so no chunk can be changed, dropped, repeated, reordered or moved to another
file, and a missing end is noticed. Never returns a byte that has not been authenticated.
"""

from __future__ import annotations

import hmac
import io
import os
import struct
import unicodedata
from typing import BinaryIO

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

MAGIC = b"stillhere-backup-1\n"
CHUNK = 64 * 1024
TAG = 16
LOG_N, R, P = 17, 8, 1  # 128 MB and about half a second for every guess
MOST_LOG_N, MOST_R, MOST_P = 20, 16, 4  # a file may not ask for more than this machine can give
_FIELDS = struct.Struct(">BBB16s7s32s")  # log n, r, p, salt, nonce prefix, proof of the key
HEADER = len(MAGIC) + _FIELDS.size
MOST_CHUNKS = 2**32


class NotOpened(ValueError):
    """The file was not opened, or not to its end. The message is one kind line that says why."""


def _keys(passphrase: str, salt: bytes, log_n: int, r: int, p: int) -> tuple[bytes, bytes]:
    """The key, and a check value for it that may be public. The same letters give the same key,
    however the keyboard composed them."""
    typed = unicodedata.normalize("NFC", passphrase).encode()
    made = Scrypt(salt=salt, length=64, n=1 << log_n, r=r, p=p).derive(typed)
    return made[:32], made[32:]


def _nonce(prefix: bytes, number: int, last: bool) -> bytes:
    return prefix + struct.pack(">IB", number, last)


class Sealer(io.RawIOBase):
    """Write into it; ``target`` receives the sealed bytes. The file is complete only after
    ``finish``: one that was not finished can never be opened to its end."""

    def __init__(self, target: BinaryIO, passphrase: str, log_n: int = LOG_N) -> None:
        """Write the header. ``log_n`` is smaller in tests only."""
        salt, self._prefix = os.urandom(16), os.urandom(7)
        key, proof = _keys(passphrase, salt, log_n, R, P)
        self._header = MAGIC + _FIELDS.pack(log_n, R, P, salt, self._prefix, proof)
        self._cipher, self._target = AESGCM(key), target
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


class Opener(io.RawIOBase):
    """Read from it; every byte is authenticated before it is returned. Reaching the end proves that
    nothing is missing."""

    def __init__(self, source: BinaryIO, passphrase: str) -> None:
        """Read the header. Raises `NotOpened` if it is no backup, or the passphrase is wrong."""
        self._header = source.read(HEADER)
        if len(self._header) < HEADER or not self._header.startswith(MAGIC):
            raise NotOpened("This is not a backup of Stillhere, or its beginning is damaged.")
        log_n, r, p, salt, self._prefix, proof = _FIELDS.unpack(self._header[len(MAGIC) :])
        if not (0 < log_n <= MOST_LOG_N and 0 < r <= MOST_R and 0 < p <= MOST_P):
            raise NotOpened("The beginning of this backup is damaged.")
        key, found = _keys(passphrase, salt, log_n, r, p)
        if not hmac.compare_digest(proof, found):
            raise NotOpened(
                "The passphrase does not open this backup. "
                "(If you are sure of it, the beginning of the file is damaged.)"
            )
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
