"""Opens a backup to its end, for both `restore` and `backup --check`.

Owns the proof that the contents are whole, and that this release with these settings can use them.
Decrypted files are kept meanwhile in a private folder inside the data folder, which is removed
however this ends. Puts nothing in place.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import IO, cast

from stillhere.cli import schema, trouble
from stillhere.cli.backup_file import bundle, integrity, record
from stillhere.cli.backup_file.bundle import Manifest
from stillhere.cli.backup_file.encryption import NotOpened, Opener, Secret
from stillhere.cli.backup_file.integrity import DamagedDatabase
from stillhere.config import keys
from stillhere.config.environment import SettingError, Stillhere

LOOK = "backup-being-looked-at"  # where `backup --check` unpacks


@contextlib.contextmanager
def opened(file: Path, secret: Secret) -> Iterator[IO[bytes]]:
    """A backup's contents as a stream. Every failure to open it is one `SettingError`."""
    try:
        with file.open("rb") as sealed:
            yield cast("IO[bytes]", Opener(sealed, secret))
    except NotOpened as error:
        raise SettingError(str(error)) from None
    except FileNotFoundError as error:
        raise SettingError(f"No such file: {error.filename or file}. Look at its name.") from None
    except OSError as error:
        said = trouble.sentence(error, file)
        raise SettingError(said or f"We cannot read or write here: {error.strerror}.") from None


@contextlib.contextmanager
def work_folder(data: Path, name: str, busy: str) -> Iterator[Path]:
    """A folder for decrypted files; one at a time, or `SettingError` with ``busy``. Whatever a
    killed process left there is removed first."""
    lock = os.open(data / f"{name}.lock", os.O_RDWR | os.O_CREAT, 0o600)
    keys.own(data / f"{name}.lock")
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise SettingError(busy) from None
        work = data / name
        shutil.rmtree(work, ignore_errors=True)
        work.mkdir(mode=0o700)
        try:
            yield work
        finally:
            shutil.rmtree(work)
    finally:
        os.close(lock)


def end_tidily() -> None:
    """Turn a request to stop into an exception, so that no decrypted file is left behind."""
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: sys.exit("stillhere: stopped; nothing was changed."))


def prove(manifest: Manifest, database: Path) -> int:
    """Read the database of a backup to its end; returns how many rows it holds. Raises
    `SettingError`."""
    if manifest.damage:
        raise SettingError(f"{describe(manifest)} It is evidence: restore an older one.")
    postgresql = manifest.database == bundle.POSTGRESQL
    try:
        rows = (integrity.prove_dump if postgresql else integrity.prove_sqlite)(database)
        integrity.compare(rows, manifest.rows)
    except DamagedDatabase as error:
        raise SettingError(
            f"The database in this backup is damaged: {error}. Take an older one."
        ) from None
    return sum(rows.values())


def require_ours(stillhere: Stillhere, manifest: Manifest) -> None:
    """Raise `SettingError` if this installation could not continue with it."""
    newer = sorted(set(manifest.migrations) - schema.ours())
    if newer:
        raise SettingError(
            f"This backup was made by a newer Stillhere ({manifest.version}, {newer[-1]}). "
            "Use that version to restore it."
        )
    if manifest.demo != stillhere.demo:
        raise SettingError(
            "This is the backup of a demo: nobody in it would be called."
            if manifest.demo
            else "This is the backup of a real installation, and STILLHERE_DEMO is set."
        )
    if (manifest.database == bundle.POSTGRESQL) != bool(stillhere.database_url):
        raise SettingError(
            "This backup is of a PostgreSQL database: name an empty one in STILLHERE_DATABASE_URL."
            if manifest.database == bundle.POSTGRESQL
            else "This backup is of a SQLite database: leave STILLHERE_DATABASE_URL empty."
        )


def describe(manifest: Manifest) -> str:
    """What a backup is, in one or two sentences."""
    kind = "SQLite" if manifest.database == bundle.SQLITE else "PostgreSQL"
    taken = f"Taken {record.moment(manifest.taken_at)} from Stillhere {manifest.version} on {kind}"
    if manifest.damage:
        return f"{taken}, of a database that was damaged already: {manifest.damage}."
    demo = " It is a demo's: nobody in it would be called." if manifest.demo else ""
    return (
        f"{taken}: {manifest.open_watches} open watches, {manifest.open_alarms} open alarms.{demo}"
    )
