"""`stillhere backup`: everything an installation is, in one sealed file, while it runs.

Owns the order: copy the database, prove the copy whole and that the keys open it, pack both, seal,
write aside, open it again, only then give it its name, and only then let go of an older one. A
database that is not whole, or that these keys do not open, never gets the name of a backup. Refuses
to overwrite.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import IO, BinaryIO, cast

import click
import django
import psycopg
from django.conf import settings
from django.db import DatabaseError, connection
from django.utils.module_loading import import_string

from stillhere.cli import database, trouble
from stillhere.cli.backup_file import bundle, dump, integrity, passphrase, record, rotation
from stillhere.cli.backup_file.bundle import Manifest
from stillhere.cli.backup_file.encryption import Sealer
from stillhere.cli.backup_file.integrity import Damaged, Rows
from stillhere.cli.backup_file.unpack import (
    LOOK,
    describe,
    end_tidily,
    opened,
    prove,
    require_ours,
    work_folder,
)
from stillhere.cli.check import key_fit
from stillhere.config import environment, keys
from stillhere.config.environment import SettingError, Stillhere
from stillhere.config.wiring import wall_ms
from stillhere.store.installation import backups
from stillhere.store.installation.backups import Contents

WORK = "backup-in-the-making"


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--check", "look", is_flag=True, help="Open FILE as `restore` would; change nothing.")
@click.option(
    "--keep",
    type=click.IntRange(min=1),
    help="FILE is a folder: write a new file into it, and keep as many whole ones.",
)
def command(file: Path, look: bool, keep: int | None) -> None:
    """Write everything this installation is into FILE, sealed under a passphrase; it goes on
    running meanwhile."""
    stillhere = environment.read(os.environ)
    if look:
        check(stillhere, file)
        return
    _require(stillhere, file, keep)
    target = rotation.name(file, wall_ms()) if keep else file
    with _noted(stillhere):
        manifest, size = _make(stillhere, target)
    record.succeeded(stillhere.data, target, manifest.taken_at)
    click.echo(f"{target} is whole ({size / 1e6:.1f} MB): sealed, and opened again to be sure.")
    click.echo(describe(manifest))
    if keep:
        for old in rotation.let_go(file, target, keep):
            click.echo(f"{old.name} was removed: {keep} are kept.")
    click.echo(
        "Now copy it to another machine. Keep the passphrase elsewhere, on paper, where somebody "
        "besides you finds it: without it nobody can open this file, and we cannot either.\n"
        f"Try it now and then: stillhere backup --check {target}"
    )


def check(stillhere: Stillhere, file: Path) -> None:
    """Open a backup as `restore` does and say whether that would work here; restores nothing.
    Raises `SettingError`."""
    secret = passphrase.find(new=False)
    end_tidily()
    busy = "Another backup is just being looked at. Wait for that one."
    with (
        opened(file, secret) as source,
        _there(stillhere.data),
        work_folder(stillhere.data, LOOK, busy) as work,
    ):
        manifest, sizes = bundle.read(source, work)
        rows = prove(manifest, work / bundle.DATABASE)
        key_fit.require_of_backup(work, manifest.database)
    click.echo(f"{file} is whole and opens with this passphrase.")
    click.echo(describe(manifest))
    click.echo(f"Inside: {', '.join(f'{name} ({size} bytes)' for name, size in sizes.items())}.")
    click.echo(
        f"All {rows} rows of its database can be read, as many as were put in."
        if manifest.digest
        else f"All {rows} rows of its database can be read. It was made by an older release, which "
        "did not write down how many were put in."
    )
    require_ours(stillhere, manifest)
    click.echo("`stillhere restore` would work here, into a new folder.")


@contextlib.contextmanager
def _there(data: Path) -> Iterator[None]:
    """The data folder for the time of a look: on a new machine there is none yet."""
    made = not data.exists()
    data.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        yield
    finally:
        if made:
            (data / f"{LOOK}.lock").unlink(missing_ok=True)
            data.rmdir()


def _require(stillhere: Stillhere, file: Path, keep: int | None) -> None:
    key_fit.require_keys(stillhere)
    if keep and not file.is_dir():
        raise SettingError(f"{file} is no folder. With --keep, name one that is there.")
    if not keep and file.is_dir():
        raise SettingError(f"{file} is a folder. Name a file in it, or add --keep 14.")
    if not keep and file.exists():
        raise SettingError(f"{file} is there already, and no backup is overwritten. Name another.")
    if not file.absolute().parent.is_dir():
        raise SettingError(f"There is no folder {file.absolute().parent}.")


@contextlib.contextmanager
def _noted(stillhere: Stillhere) -> Iterator[None]:
    """What goes wrong is one `SettingError`, and kept for `stillhere check`."""
    try:
        try:
            yield
        except (DatabaseError, psycopg.Error, sqlite3.Error, OSError) as error:
            said = trouble.sentence(error, stillhere.data) or database.problem(error, stillhere)
            raise SettingError(f"No backup was written. {said}") from None
    except SettingError as error:
        record.failed(stillhere.data, str(error), wall_ms())
        raise


def _make(stillhere: Stillhere, file: Path) -> tuple[Manifest, int]:
    """Write one whole backup; what is in it, and its size. Raises `SettingError`."""
    secret = passphrase.find(new=True)
    end_tidily()
    django.setup()
    busy = "Another backup is just being made. Wait for that one."
    try:
        with work_folder(stillhere.data, WORK, busy) as work:
            manifest, files = _collect(stillhere, work)
            if manifest.damage:
                kept = _keep_damaged(file, secret, manifest, files)
                raise SettingError(_damaged(stillhere, file, manifest.damage, kept))
            _require_fit(stillhere)
            size = _seal(file, secret, manifest, files)
        backups.keep(manifest.taken_at)
    finally:
        connection.close()
    return manifest, size


def _require_fit(stillhere: Stillhere) -> None:
    """A backup whose keys do not open its database is none, and would push out those that are."""
    try:
        key_fit.require(stillhere)
    except SettingError as error:
        raise SettingError(f"No backup was written, and every older one is kept. {error}") from None


@dataclass(frozen=True, slots=True)
class Copied:
    """What was in the database at the moment of the copy, and what is wrong with it."""

    held: Contents = field(default_factory=lambda: Contents((), 0, 0))
    rows: Rows = field(default_factory=dict)
    damage: str = ""


def _copy(stillhere: Stillhere, copy: Path) -> Copied:
    if stillhere.database_url:
        held, rows = dump.dump_postgresql(stillhere, copy)
        try:
            integrity.compare(integrity.prove_dump(copy), rows)
        except Damaged as error:
            return Copied(damage=str(error))
        return Copied(held, rows)
    try:
        dump.copy_sqlite(Path(settings.DATABASES["default"]["NAME"]), copy)
        rows = integrity.prove_sqlite(copy)
    except Damaged as error:
        return Copied(damage=str(error))
    return Copied(dump.sqlite_contents(copy), rows)


def _collect(stillhere: Stillhere, work: Path) -> tuple[Manifest, dict[str, Path]]:
    """Copy the database; return what to pack, by the names inside. Keys are read after it, so that
    none is missing for what was sealed meanwhile."""
    now = _now()
    copy = work / bundle.DATABASE
    copied = _copy(stillhere, copy)
    manifest = Manifest(
        format=bundle.FORMAT,
        version=version("stillhere"),
        database=bundle.POSTGRESQL if stillhere.database_url else bundle.SQLITE,
        migrations=copied.held.migrations,
        taken_at=now,
        demo=keys.is_demo(stillhere.data),
        open_watches=copied.held.open_watches,
        open_alarms=copied.held.open_alarms,
        digest=integrity.digest(copy) if copy.exists() else "",
        rows=copied.rows,
        damage=copied.damage,
    )
    names = [name for name in (*bundle.KEYS, *bundle.OWN) if (stillhere.data / name).exists()]
    return manifest, {name: stillhere.data / name for name in names} | {bundle.DATABASE: copy}


def _now() -> int:
    """By the installation's clock; a database that cannot tell is copied all the same."""
    try:
        now: int = import_string("stillhere.store.db.clock.now_ms")()  # knows the tables
        return now
    except DatabaseError:
        return wall_ms()


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
        keys.own(aside)
        with opened(aside, secret) as source:
            bundle.read(source, None)
        aside.rename(file)
    except OSError as error:  # a full disk names no file
        error.filename = error.filename or str(file)
        raise
    finally:
        aside.unlink(missing_ok=True)
    keys.sync_folder(file.absolute().parent)
    return file.stat().st_size


def _keep_damaged(
    file: Path, secret: str, manifest: Manifest, files: dict[str, Path]
) -> Path | None:
    """Keep what can still be read, under a name that nobody takes for a backup's; None where
    there is nothing, or no room for it."""
    copy, kept = files[bundle.DATABASE], rotation.damaged(file)
    if not copy.exists() or not copy.stat().st_size or rotation.has_damaged(file):
        return None
    with contextlib.suppress(OSError, SettingError):
        _seal(kept, secret, manifest, files)
        return kept
    return None


def _damaged(stillhere: Stillhere, file: Path, damage: str, kept: Path | None) -> str:
    """What is said, in one line, of a database that is not whole."""
    evidence = (
        f" What can still be read lies sealed in {kept}: evidence, not a backup." if kept else ""
    )
    return (
        f"The database is damaged: {damage}. {file} was not written, and every older backup is "
        f"kept. {record.way_back(stillhere.data)}{evidence}"
    )
