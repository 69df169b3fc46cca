"""The secrets of an installation: files in the folder of its keys, made once.

Owns ``secret`` (Django signs with it), ``master.json`` (the data keys: they seal what is stored
about people, and can be rotated) and ``links.json`` (what links and look-ups are derived from; it
is written by the first rotation, until then they are derived from the first data key). All of them
may lie under a passphrase (``key_lock.py``). Whether a missing one may be created is the caller's
to know. A demo's folder is marked, so that it and a real one are never taken for each other.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import re
import secrets
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from types import MappingProxyType

from stillhere.config import key_lock
from stillhere.config.environment import SettingError, Stillhere
from stillhere.store.db import encryption
from stillhere.store.db.key_ring import DataKey, KeyRing

KEY_BYTES = 32
FOLDER = "keys"
SECRET, MASTER, LINKS = "secret", "master.json", "links.json"
NAMES = (SECRET, MASTER)
DEMO = "demo"
NEXT = "key-next"  # of the links' keys, while one is being changed
FIRST = 1  # the number of the first data key
LAST = 0xFFFF  # a sealed value names its key in two bytes
# What was derived from the first data key and must stay as it is when that is gone.
PURPOSES = (encryption.LINK, "lookup", "push", "message-id", "demo-phones")


class KeysBusyError(SettingError):
    """Somebody else works with the key files just now."""


def ensure_folder(data: Path) -> None:
    """Make the data folder, for this user only."""
    try:
        data.mkdir(mode=0o700, parents=True, exist_ok=True)
        (data / FOLDER).mkdir(mode=0o700, exist_ok=True)
    except OSError as error:
        raise SettingError(
            f"We cannot use {data} as data folder: {error.strerror}. "
            "Name another one in STILLHERE_DATA, where this user may write."
        ) from None


def require_folder(stillhere: Stillhere) -> None:
    """Raise `SettingError` where the folder of STILLHERE_KEYS is not there. It is never made by us:
    a stick that is not plugged in is no new installation."""
    if not stillhere.keys.is_dir() and stillhere.keys_elsewhere is not None:
        raise SettingError(
            f"STILLHERE_KEYS names {stillhere.keys}, and there is no such folder. Is what it lies "
            "on plugged in and mounted? A new folder must be made first."
        )


def create_missing(folder: Path, *, demo: bool = False) -> list[str]:
    """Create the key files that are missing; return the names of those. An empty data folder that
    gets its keys for a ``demo`` is a demo's for ever."""
    wanted = {
        SECRET: secrets.token_hex(KEY_BYTES),
        MASTER: json.dumps({str(FIRST): secrets.token_hex(KEY_BYTES)}),
    }
    data = folder.parent
    if demo and not exist(folder) and {path.name for path in data.iterdir()} <= {FOLDER, "lock"}:
        wanted = {DEMO: ""} | wanted
    made: list[str] = []
    try:
        made += (name for name, text in wanted.items() if _write_new(folder / name, text))
    except OSError as error:  # a full disk names no file, and half a set of keys is none
        forget_created(folder, [*made, *(f".{name}.new" for name in wanted)])
        error.filename = error.filename or str(folder)
        raise
    return made


def forget_created(folder: Path, names: Iterable[str]) -> None:
    """Take back those keys that were just created and have sealed nothing yet."""
    for name in names:
        (folder / name).unlink(missing_ok=True)


def require_whole(folder: Path) -> None:
    """Raise `SettingError` where a key that is there is damaged."""
    read_secret(folder)
    read_links(folder)


def exist(folder: Path) -> bool:
    """Whether both key files are there."""
    return all((folder / name).exists() for name in NAMES)


def is_demo(data: Path) -> bool:
    """Whether this data folder was made for a demo."""
    return (data / FOLDER / DEMO).exists()


def keep_apart(data: Path, *, demo: bool) -> None:
    """Refuse a demo on a real folder, where people would believe that phones ring, and the other
    way round, where the clock runs ten times too fast. Raises `SettingError`."""
    if demo and not is_demo(data):
        raise SettingError(
            f"{data} is not a demo's folder. STILLHERE_DEMO is set by `stillhere demo`, not by you."
        )
    if is_demo(data) and not demo:
        raise SettingError(
            f"{data} is a demo's folder: nobody would be called. "
            "Give this one a folder of its own with STILLHERE_DATA."
        )


def load(stillhere: Stillhere, wall_ms: Callable[[], int]) -> Stillhere:
    """The settings with the keys. Raises `SettingError`."""
    folder = stillhere.keys
    ring = KeyRing(folder / MASTER, partial(read_data_keys, folder), wall_ms)
    return replace(
        stillhere,
        master_keys=ring,
        link_keys=read_links(folder),
        keys_locked=key_lock.is_locked(folder),
    )


def read_secret(folder: Path) -> str:
    """The key Django signs with."""
    path = folder / SECRET
    found = _read(path).strip()
    if not re.fullmatch(f"[0-9a-f]{{{2 * KEY_BYTES}}}", found):
        raise SettingError(_damaged(path))
    return found


def read_master(folder: Path) -> Mapping[int, bytes]:
    """The data keys by number, as they are now; all of them open."""
    return MappingProxyType({n: each.key for n, each in read_data_keys(folder).items()})


def read_data_keys(folder: Path) -> Mapping[int, DataKey]:
    """The data keys by number. A key that seals at once is written as it is, one that is to wait
    with the time from which it seals."""
    path = folder / MASTER
    text = _read(path)
    try:
        found = {int(number): _data_key(key) for number, key in json.loads(text).items()}
    except (ValueError, AttributeError, TypeError, KeyError):
        raise SettingError(_damaged(path)) from None
    if not found or not all(0 < n <= LAST and len(k.key) == KEY_BYTES for n, k in found.items()):
        raise SettingError(_damaged(path))
    return MappingProxyType(found)


def _data_key(written: str | dict[str, str | int]) -> DataKey:
    if isinstance(written, str):
        return DataKey(bytes.fromhex(written))
    return DataKey(bytes.fromhex(str(written["key"])), int(written["from"]))


def read_links(folder: Path) -> Mapping[str, bytes]:
    """What links and look-ups are derived from, by purpose; before the first rotation the first
    data key. Raises `SettingError` where it is missing and must not be."""
    path = folder / LINKS
    known = read_master(folder)
    if not path.exists() and known.keys() == {FIRST}:
        return MappingProxyType({encryption.ROOT: known[FIRST]})
    text = _read(path)
    try:
        found = {purpose: bytes.fromhex(key) for purpose, key in json.loads(text).items()}
    except (ValueError, AttributeError, TypeError):
        raise SettingError(_damaged(path)) from None
    needed = {encryption.ROOT, *PURPOSES}
    if not needed <= found.keys() or any(len(key) != KEY_BYTES for key in found.values()):
        raise SettingError(_damaged(path))
    return MappingProxyType(found)


def add(folder: Path, seals_from_at: int, more: Iterable[str]) -> int:
    """Add a data key that seals from then on (ms UTC; 0: at once); returns its number. Before the
    first time what was derived from the first one is written down, for the usual purposes and
    ``more``. Raises `SettingError` and `OSError`."""
    with _locked(folder, fcntl.LOCK_EX):
        known = dict(read_data_keys(folder))
        if not (folder / LINKS).exists():
            _write_links(folder, _kept(read_links(folder), (*PURPOSES, *more)))
        number = max(known) + 1
        if number > LAST:
            raise SettingError(f"There are no numbers left after {LAST} data keys.")
        known[number] = DataKey(secrets.token_bytes(KEY_BYTES), seals_from_at)
        _write_data_keys(folder, known)
    return number


def begin_links(folder: Path) -> tuple[bytes, bytes]:
    """Write down a new links' key beside the old one, or find the one of a change that was
    interrupted; returns both. Raises `SettingError` and `OSError`."""
    with _locked(folder, fcntl.LOCK_EX):
        links = dict(read_links(folder))
        if LINKS not in _there(folder):
            links = _kept(links, PURPOSES)
        links.setdefault(NEXT, secrets.token_bytes(KEY_BYTES))
        _write_links(folder, links)
    return links[encryption.LINK], links[NEXT]


def finish_links(folder: Path) -> None:
    """The new links' key takes the place of the old one, and what was signed is signed anew. Raises
    `SettingError` and `OSError`."""
    with _locked(folder, fcntl.LOCK_EX):
        links = dict(read_links(folder))
        _replace(folder / SECRET, secrets.token_hex(KEY_BYTES))
        links[encryption.LINK] = links.pop(NEXT)
        _write_links(folder, links)


def retire(folder: Path, numbers: Collection[int]) -> bool:
    """Remove data keys that no row names; returns whether they are gone. While a backup is being
    made they stay, and where the folder cannot be written. Raises other `SettingError`."""
    try:
        with _locked(folder, fcntl.LOCK_EX):
            known = read_data_keys(folder)
            left = {number: key for number, key in known.items() if number not in numbers}
            assert left, "somebody must seal"
            read_links(folder)  # nothing may be derived from what goes
            if left.keys() != known.keys():
                _write_data_keys(folder, left)
    except (KeysBusyError, OSError):
        return False
    return True


def _kept(links: Mapping[str, bytes], purposes: Iterable[str]) -> dict[str, bytes]:
    """The same for these purposes, and a new root, from which no data key can be told."""
    kept = {purpose: encryption.derived(links, purpose) for purpose in purposes}
    return kept | {encryption.ROOT: secrets.token_bytes(KEY_BYTES)}


def _write_links(folder: Path, links: Mapping[str, bytes]) -> None:
    _replace(folder / LINKS, json.dumps({purpose: key.hex() for purpose, key in links.items()}))


def _write_data_keys(folder: Path, known: Mapping[int, DataKey]) -> None:
    written = {
        str(number): {"key": each.key.hex(), "from": each.seals_from_at}
        if each.seals_from_at
        else each.key.hex()
        for number, each in known.items()
    }
    _replace(folder / MASTER, json.dumps(written))


@contextlib.contextmanager
def unchanged(folder: Path) -> Iterator[None]:
    """Nobody changes a key file meanwhile: for a backup, whose keys must open its rows."""
    with _locked(folder, fcntl.LOCK_SH):
        yield


@contextlib.contextmanager
def _locked(folder: Path, how: int) -> Iterator[None]:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, how | fcntl.LOCK_NB)
        yield
    except BlockingIOError:
        raise KeysBusyError(
            "A backup is being made, or the keys are being changed. Try again when that is done."
        ) from None
    finally:
        os.close(descriptor)


def _damaged(path: Path) -> str:
    return (
        f"{path} is damaged, and nothing was changed. It lies in every backup: name a new folder "
        "in STILLHERE_DATA, type `stillhere restore FILE`, and copy "
        f"{FOLDER}/{path.name} from there."
    )


def lock(folder: Path, passphrase: str) -> None:
    """Put the keys under this passphrase, or under this one instead of the last. Killed in the
    middle, everything opens with it, and the next time finishes it. Raises `SettingError` and
    `OSError`."""
    with _locked(folder, fcntl.LOCK_EX):
        if key_lock.is_locked(folder) and not key_lock.HELD.key:
            raise key_lock.LockedError("The keys wait for their passphrase: nothing was changed.")
        folder_key = key_lock.HELD.key or secrets.token_bytes(KEY_BYTES)
        _write(folder / key_lock.FILE, key_lock.new_lock(passphrase, folder_key))
        key_lock.HELD.key = folder_key
        for name in _there(folder):
            _replace(folder / name, _read(folder / name))


def unlock(folder: Path) -> None:
    """Write the keys in clear, as they are without a passphrase; this process holds the folder key.
    Raises `SettingError` and `OSError`."""
    with _locked(folder, fcntl.LOCK_EX):
        for name in _there(folder):
            _write(folder / name, _read(folder / name))
        (folder / key_lock.FILE).unlink(missing_ok=True)
        sync_folder(folder)
        key_lock.HELD.key = b""


def _there(folder: Path) -> list[str]:
    return [name for name in (*NAMES, LINKS) if (folder / name).exists()]


def _read(path: Path) -> str:
    text = _read_file(path)
    try:
        return key_lock.open_sealed(path, text) if text.startswith(key_lock.MARK) else text
    except key_lock.LockedError:
        raise
    except ValueError:
        return ""  # no key of ours


def _read_file(path: Path) -> str:
    try:
        return path.read_text("ascii")
    except FileNotFoundError:
        raise SettingError(
            f"{path} is missing. Run `stillhere up` for a new installation; "
            "for an old one put the keys back from your backup: `stillhere check` says how."
        ) from None
    except UnicodeDecodeError:
        return ""  # no key of ours
    except PermissionError:
        raise  # who may read it is said for every file alike
    except OSError:
        raise SettingError(f"{path} cannot be read. Look at what it is.") from None


def _write_new(path: Path, text: str) -> bool:
    """Write a file that did not exist.

    Two processes cannot race here: whoever creates keys holds the lock of the data folder.
    """
    if path.exists():
        return False
    _replace(path, text)
    return True


def _replace(path: Path, text: str) -> None:
    """Write a key file, under the passphrase where there is one."""
    if key_lock.is_locked(path.parent):
        if not key_lock.HELD.key:
            raise key_lock.LockedError("The keys wait for their passphrase: nothing was changed.")
        text = key_lock.seal(key_lock.HELD.key, path.name, text)
    _write(path, text)


def _write(path: Path, text: str) -> None:
    """Write a file, whole or not at all, readable by this user only."""
    aside = path.with_name(f".{path.name}.new")
    aside.unlink(missing_ok=True)
    descriptor = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    own(aside)
    aside.rename(path)
    sync_folder(path.parent)


def own(path: Path) -> None:
    """Give what root made to the user whom the folder it lies in belongs to: the one who runs the
    installation must be able to read it."""
    if os.geteuid() == 0:
        folder = path.parent.stat()
        os.chown(path, folder.st_uid, folder.st_gid)


def sync_file(file: Path) -> None:
    """Make a file's contents survive a power cut."""
    with file.open("rb") as opened:
        os.fsync(opened.fileno())


def sync_folder(folder: Path) -> None:
    """Make a rename survive a power cut: without its folder's entry a key file is lost."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
