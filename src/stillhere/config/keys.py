"""The secrets of an installation: two files in the data folder, made once, never replaced.

Owns ``keys/secret`` (Django signs with it) and ``keys/master.json`` (seals what is stored about
people). Never replaces a key. Whether a missing one may be created is the caller's to know. A
demo's folder is marked beside them, so that it and a real one are never taken for each other.
"""

from __future__ import annotations

import json
import os
import re
import secrets
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import MappingProxyType

from stillhere.config.environment import SettingError

KEY_BYTES = 32
FOLDER = "keys"
NAMES = ("secret", "master.json")
DEMO = "demo"


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


def create_missing(data: Path, *, demo: bool = False) -> list[str]:
    """Create the key files that are missing; return the names of those. An empty folder that gets
    its keys for a ``demo`` is a demo's for ever."""
    wanted = {
        "secret": secrets.token_hex(KEY_BYTES),
        "master.json": json.dumps({"1": secrets.token_hex(KEY_BYTES)}),
    }
    if demo and not exist(data) and {path.name for path in data.iterdir()} <= {FOLDER, "lock"}:
        wanted = {DEMO: ""} | wanted
    made: list[str] = []
    try:
        made += (name for name, text in wanted.items() if _write_new(data / FOLDER / name, text))
    except OSError as error:  # a full disk names no file, and half a set of keys is none
        forget_created(data, [*made, *(f".{name}.new" for name in wanted)])
        error.filename = error.filename or str(data / FOLDER)
        raise
    return made


def forget_created(data: Path, names: Iterable[str]) -> None:
    """Take back those keys that were just created and have sealed nothing yet."""
    for name in names:
        (data / FOLDER / name).unlink(missing_ok=True)


def require_whole(data: Path) -> None:
    """Raise `SettingError` where a key that is there is damaged."""
    read_secret(data)
    read_master(data)


def exist(data: Path) -> bool:
    """Whether both key files are there."""
    return all((data / FOLDER / name).exists() for name in NAMES)


def is_demo(data: Path) -> bool:
    """Whether this folder was made for a demo."""
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


def read_secret(data: Path) -> str:
    """The key Django signs with."""
    path = data / FOLDER / "secret"
    found = _read(path).strip()
    if not re.fullmatch(f"[0-9a-f]{{{2 * KEY_BYTES}}}", found):
        raise SettingError(_damaged(path))
    return found


def read_master(data: Path) -> Mapping[int, bytes]:
    """The master keys by number; the highest number seals, all of them open."""
    path = data / FOLDER / "master.json"
    text = _read(path)
    try:
        keys = {int(number): bytes.fromhex(key) for number, key in json.loads(text).items()}
    except (ValueError, AttributeError, TypeError):
        raise SettingError(_damaged(path)) from None
    if not keys or any(len(key) != KEY_BYTES for key in keys.values()):
        raise SettingError(_damaged(path))
    return MappingProxyType(keys)


def _damaged(path: Path) -> str:
    return (
        f"{path} is damaged, and nothing was changed. It lies in every backup: name a new folder "
        "in STILLHERE_DATA, type `stillhere restore FILE`, and copy "
        f"{FOLDER}/{path.name} from there."
    )


def _read(path: Path) -> str:
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
    """Write a file that did not exist, whole or not at all, readable by this user only.

    Two processes cannot race here: whoever creates keys holds the lock of the data folder.
    """
    if path.exists():
        return False
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
    return True


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
