"""A pair of keys for backups: the machine has the public one, and cannot open what it sealed.

Owns how both are written (32 bytes and a check of four, so that what was copied by hand from paper
shows its mistakes), and where the private one comes from. Keeps neither.
"""

from __future__ import annotations

import base64
import hashlib
import sys
from pathlib import Path

import click
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey

from stillhere.cli.backup_file import encryption, passphrase
from stillhere.config.environment import SettingError

PRIVATE = "backup-private-"
PUBLIC = "backup-public-"
_CHECK = 4  # bytes


def new() -> tuple[str, str]:
    """A new pair, as it is written: the private one and the public one."""
    private = X25519PrivateKey.generate()
    public = private.public_key().public_bytes_raw()
    return _written(PRIVATE, private.private_bytes_raw()), _written(PUBLIC, public)


def _written(kind: str, raw: bytes) -> str:
    check = hashlib.sha256(kind.encode() + raw).digest()[:_CHECK]
    return kind + base64.urlsafe_b64encode(raw + check).decode()


def _read(kind: str, typed: str) -> bytes:
    """The bytes of a written key. Raises ValueError."""
    raw = base64.urlsafe_b64decode(typed.strip().removeprefix(kind).encode("ascii"))[:-_CHECK]
    if _written(kind, raw) != typed.strip():
        raise ValueError
    return raw


def public(typed: str) -> X25519PublicKey:
    """The key of STILLHERE_BACKUP_TO. Raises `SettingError`."""
    try:
        return X25519PublicKey.from_public_bytes(_read(PUBLIC, typed))
    except ValueError:
        raise SettingError(
            f"STILLHERE_BACKUP_TO is no public key as `stillhere keys backup` prints it: it begins "
            f"with {PUBLIC}. Copy the whole line. No backup was written."
        ) from None


def private(typed: str) -> X25519PrivateKey:
    """A private key. Raises `SettingError`, which does not show it."""
    try:
        return X25519PrivateKey.from_private_bytes(_read(PRIVATE, typed))
    except ValueError:
        raise SettingError(
            "That is no private key as `stillhere keys backup` wrote it: it begins with "
            f"{PRIVATE} and is one line. Look for a letter that was left out or changed."
        ) from None


def opening(file: Path, key: Path | None) -> encryption.Secret:
    """What opens this backup: the private key in the file ``key`` or from the terminal, or the
    passphrase. Raises `SettingError`."""
    if encryption.kind(file) != encryption.TO_KEY:
        return passphrase.find(new=False)
    if key is not None:
        try:
            return private(key.expanduser().read_text("ascii"))
        except (OSError, UnicodeDecodeError) as error:
            why = getattr(error, "strerror", None) or "it is not plain text"
            raise SettingError(f"We cannot read the private key in {key}: {why}.") from None
    if not sys.stdin.isatty():
        raise SettingError(
            f"{file} is sealed to a public key: only the private one opens it. Name the file that "
            "holds that: --key FILE."
        )
    return private(click.prompt("Private key of the backup", hide_input=True, err=True))
