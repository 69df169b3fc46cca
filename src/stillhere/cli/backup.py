"""`stillhere backup FILE`: everything an installation is, in one sealed file, while it runs.

Owns the order: copy the database, pack it with the keys, seal, write aside, open it again, and only
then give it its name. What lies in clear meanwhile lies in a folder of this user's own inside the
data folder, beside the database itself, and is removed however this ends. Refuses to overwrite.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import signal
import sqlite3
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import IO, BinaryIO, cast

import click
import django
from django.conf import settings
from django.db import DatabaseError, connection

from stillhere.cli import bundle, dump, passphrase
from stillhere.cli.bundle import Manifest
from stillhere.cli.vault import NotOpened, Opener, Sealer
from stillhere.config import environment, keys
from stillhere.config.environment import SettingError, Stillhere
from stillhere.store import backups, clock

WORK = "backup-in-the-making"


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--check", "look", is_flag=True, help="Open FILE and say what is in it.")
def command(file: Path, look: bool) -> None:
    """Write everything this installation is into FILE, sealed under a passphrase; it goes on
    running meanwhile."""
    if look:
        check(file)
        return
    stillhere = environment.read(os.environ)
    _require(stillhere, file)
    secret = passphrase.find(new=True)
    end_tidily()
    django.setup()
    try:
        with _work_folder(stillhere.data) as work:
            manifest, files = _collect(stillhere, work)
            size = _seal(file, secret, manifest, files)
        backups.keep(manifest.taken_at)
    except (DatabaseError, sqlite3.Error, OSError) as error:
        told = error.strerror if isinstance(error, OSError) else type(error).__name__
        raise SettingError(f"No backup was written: {told}. Is there space left?") from None
    finally:
        connection.close()
    click.echo(f"{file} is whole ({size / 1e6:.1f} MB): sealed, and opened again to be sure.")
    click.echo(describe(manifest))
    click.echo(
        "Now copy it to another machine. Keep the passphrase elsewhere, on paper, where somebody "
        "besides you finds it: without it nobody can open this file, and we cannot either.\n"
        f"Try it now and then: stillhere backup --check {file}"
    )


def check(file: Path) -> None:
    """Open a backup to its end and say what is in it; restores nothing. Raises `SettingError`."""
    with opened(file, passphrase.find(new=False)) as source:
        manifest, sizes = bundle.read(source, None)
    click.echo(f"{file} is whole and opens with this passphrase.")
    click.echo(describe(manifest))
    click.echo(f"Inside: {', '.join(f'{name} ({size} bytes)' for name, size in sizes.items())}.")


def describe(manifest: Manifest) -> str:
    """What a backup is, in one or two sentences."""
    at = datetime.fromtimestamp(manifest.taken_at / 1000, UTC)
    kind = "SQLite" if manifest.database == bundle.SQLITE else "PostgreSQL"
    demo = " It is a demo's: nobody in it would be called." if manifest.demo else ""
    return (
        f"Taken {at:%Y-%m-%d %H:%M} UTC from Stillhere {manifest.version} on {kind}: "
        f"{manifest.open_watches} open watches, {manifest.open_alarms} open alarms.{demo}"
    )


@contextlib.contextmanager
def opened(file: Path, secret: str) -> Iterator[IO[bytes]]:
    """A backup's contents as a stream. Whatever cannot be opened is one `SettingError`."""
    try:
        with file.open("rb") as sealed:
            yield cast("IO[bytes]", Opener(sealed, secret))
    except NotOpened as error:
        raise SettingError(str(error)) from None
    except OSError as error:
        raise SettingError(f"We cannot read or write here: {error.strerror}.") from None


def end_tidily() -> None:
    """Being told to stop unwinds, so that nothing is left lying in clear."""
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: sys.exit("stillhere: stopped; nothing was changed."))


def _require(stillhere: Stillhere, file: Path) -> None:
    if not keys.exist(stillhere.data):
        raise SettingError(f"There is no installation in {stillhere.data} yet: `stillhere up`.")
    if file.exists():
        raise SettingError(f"{file} is there already, and no backup is overwritten. Name another.")
    if not file.absolute().parent.is_dir():
        raise SettingError(f"There is no folder {file.absolute().parent}.")


@contextlib.contextmanager
def _work_folder(data: Path) -> Iterator[Path]:
    """A folder for what lies in clear meanwhile; one backup at a time. What a killed one left is
    removed first."""
    lock = os.open(data / f"{WORK}.lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise SettingError("Another backup is just being made. Wait for that one.") from None
        work = data / WORK
        shutil.rmtree(work, ignore_errors=True)
        work.mkdir(mode=0o700)
        try:
            yield work
        finally:
            shutil.rmtree(work)
    finally:
        os.close(lock)


def _collect(stillhere: Stillhere, work: Path) -> tuple[Manifest, dict[str, Path]]:
    """Copy the database; return what to pack, by the names inside. Keys are read after it, so that
    none is missing for what was sealed meanwhile."""
    before, copy, now = backups.contents(), work / bundle.DATABASE, clock.now_ms()
    kind = bundle.POSTGRESQL if stillhere.database_url else bundle.SQLITE
    if stillhere.database_url:
        dump.dump_postgresql(stillhere, copy)
    else:
        dump.copy_sqlite(Path(settings.DATABASES["default"]["NAME"]), copy)
    if backups.contents().migrations != before.migrations:
        raise SettingError("The database was just migrated. Please run the backup again.")
    manifest = Manifest(
        format=bundle.FORMAT,
        version=version("stillhere"),
        database=kind,
        migrations=before.migrations,
        taken_at=now,
        demo=keys.is_demo(stillhere.data),
        open_watches=before.open_watches,
        open_alarms=before.open_alarms,
    )
    names = [name for name in (*bundle.KEYS, *bundle.OWN) if (stillhere.data / name).exists()]
    return manifest, {name: stillhere.data / name for name in names} | {bundle.DATABASE: copy}


def _seal(file: Path, secret: str, manifest: Manifest, files: dict[str, Path]) -> int:
    """Write the sealed file aside, open it again, then give it its name; return its size."""
    aside = file.with_name(f".{file.name}.part")
    aside.unlink(missing_ok=True)
    try:
        with aside.open("xb") as target:
            sealer = Sealer(cast("BinaryIO", target), secret)
            bundle.write(cast("IO[bytes]", sealer), manifest, files)
            sealer.finish()
            target.flush()
            os.fsync(target.fileno())
        with opened(aside, secret) as source:
            bundle.read(source, None)
        aside.rename(file)
    finally:
        aside.unlink(missing_ok=True)
    keys.sync_folder(file.absolute().parent)
    return file.stat().st_size
