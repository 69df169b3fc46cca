"""A passphrase over the keys: what lies in the folder opens nothing without it.

Owns ``lock.json`` and how a key file is written under it. The passphrase wraps a *folder key*,
which seals each file, so that another passphrase changes one file, and a process that holds the
folder key can read the files again and write them. The folder key is in memory only. Whoever has
the running machine's memory has it too.
"""

from __future__ import annotations

import base64
import json
import secrets
import unicodedata
from dataclasses import dataclass
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from stillhere.config.environment import SettingError

FILE = "lock.json"
MARK = "locked-1 "
KEY_BYTES = 32
LEAST = 12  # characters of a passphrase
LOG_N, R, P = 17, 8, 1  # 128 MB and about half a second for every guess
MOST_LOG_N, MOST_R, MOST_P = 20, 16, 4  # a file may not ask for more than this machine can give


class LockedError(SettingError):
    """The keys lie under a passphrase that this process was not given."""


class WrongPassphraseError(SettingError):
    """This passphrase does not open the keys."""


@dataclass(slots=True)
class _Held:
    """What this process was given: the folder key, or nothing."""

    key: bytes = b""

    def __repr__(self) -> str:
        return f"_Held({len(self.key)} bytes)"


HELD = _Held()


def is_locked(folder: Path) -> bool:
    """Whether the keys in this folder lie under a passphrase."""
    return (folder / FILE).exists()


def new_lock(passphrase: str, folder_key: bytes, log_n: int = LOG_N) -> str:
    """The contents of ``lock.json``. ``log_n`` is smaller in tests only. Raises `SettingError` for
    a passphrase that is too short."""
    if len(passphrase) < LEAST:
        raise SettingError(
            f"Please choose a passphrase of {LEAST} characters or more: five or six words that "
            "belong together only in your head are good. Nothing was changed."
        )
    salt, iv = secrets.token_bytes(16), secrets.token_bytes(12)
    key = _key(passphrase, salt, log_n, R, P)
    wrapped = iv + AESGCM(key).encrypt(iv, folder_key, FILE.encode())
    return json.dumps(
        {"log_n": log_n, "r": R, "p": P, "salt": salt.hex(), "wrapped": wrapped.hex()}
    )


def unwrap(folder: Path, passphrase: str) -> bytes:
    """The folder key. Raises `WrongPassphraseError`, and `SettingError` where ``lock.json`` is
    damaged."""
    try:
        found = json.loads((folder / FILE).read_text("ascii"))
        log_n, r, p = (int(found[name]) for name in ("log_n", "r", "p"))
        salt, wrapped = bytes.fromhex(found["salt"]), bytes.fromhex(found["wrapped"])
        bounded = 0 < log_n <= MOST_LOG_N and 0 < r <= MOST_R and 0 < p <= MOST_P
        if not bounded or len(wrapped) != 12 + KEY_BYTES + 16:
            raise ValueError
    except (ValueError, KeyError, TypeError):
        raise SettingError(
            f"{folder / FILE} is damaged, and nothing was changed. It lies in every backup: name a "
            "new folder in STILLHERE_DATA, type `stillhere restore FILE`, and copy keys/lock.json "
            "from there."
        ) from None
    try:
        cipher = AESGCM(_key(passphrase, salt, log_n, r, p))
        return cipher.decrypt(wrapped[:12], wrapped[12:], FILE.encode())
    except InvalidTag:
        raise WrongPassphraseError(
            "This passphrase does not open the keys. Nothing was changed. Look at capital letters "
            "and the keyboard's language, and try again."
        ) from None


def _key(passphrase: str, salt: bytes, log_n: int, r: int, p: int) -> bytes:
    """The same letters give the same key, however the keyboard composed them."""
    typed = unicodedata.normalize("NFC", passphrase.strip()).encode()
    return Scrypt(salt=salt, length=32, n=1 << log_n, r=r, p=p).derive(typed)


def seal(folder_key: bytes, name: str, text: str) -> str:
    """The contents of a key file as it lies under the lock; bound to its name."""
    iv = secrets.token_bytes(12)
    body = iv + AESGCM(folder_key).encrypt(iv, text.encode(), name.encode())
    return MARK + base64.b64encode(body).decode()


def open_sealed(path: Path, text: str) -> str:
    """What ``seal`` made of the contents of ``path``. Raises `LockedError` without the folder key,
    and ValueError where it does not open."""
    if not HELD.key:
        raise LockedError(
            f"The keys in {path.parent} wait for their passphrase. If Stillhere runs here, type "
            "`stillhere unseal`; if not, start it: `stillhere up` asks for it."
        )
    body = base64.b64decode(text.removeprefix(MARK))
    try:
        return AESGCM(HELD.key).decrypt(body[:12], body[12:], path.name.encode()).decode()
    except InvalidTag:
        raise ValueError("does not open") from None
