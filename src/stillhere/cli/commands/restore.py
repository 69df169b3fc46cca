"""`stillhere restore FILE`: rebuilds an installation from its backup, in an empty data folder.

Owns the order: open the file to its end, prove that the contents are whole and that this release
can use them (``unpack.py``), then the database, and the keys last: nothing starts without keys, so
an interrupted restore is never mistaken for a complete one. Overwrites nothing. What happens to
messages queued in the past, and who is asked first, is decided by the engine when it starts
(``engine/heartbeat.py``).
"""

from __future__ import annotations

import os
import shutil
import sqlite3
from pathlib import Path

import click
import psycopg

from stillhere.cli import data_lock
from stillhere.cli.backup_file import bundle, dump, recipient
from stillhere.cli.backup_file.bundle import Manifest
from stillhere.cli.backup_file.unpack import LOOK, describe, end_tidily, opened, prove, require_ours
from stillhere.cli.check import key_fit
from stillhere.config import databases, environment, keys
from stillhere.config.environment import SettingError, Stillhere

WORK = "restore-in-the-making"
# What an empty data folder may hold: locks, no key, and what a look or a restore that was killed
# left.
EMPTY = {keys.FOLDER, data_lock.LOCK_FILE, WORK, LOOK, f"{LOOK}.lock"}


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--key",
    type=click.Path(path_type=Path),
    help="The file with the private key, where FILE is sealed to one.",
)
def command(file: Path, key: Path | None) -> None:
    """Put back what is in FILE, into an empty data folder (and an empty PostgreSQL database)."""
    stillhere = environment.read(os.environ)
    _require_empty(stillhere)
    end_tidily()
    with (
        opened(file, recipient.opening(file, key)) as source,
        data_lock.held(stillhere),
    ):
        _require_empty(stillhere)
        work = stillhere.data / WORK
        shutil.rmtree(work, ignore_errors=True)
        work.mkdir(mode=0o700)
        try:
            manifest, _sizes = bundle.read(source, work)
            require_ours(stillhere, manifest)
            prove(manifest, work / bundle.DATABASE)
            key_fit.require_of_backup(work, manifest.database, stillhere.data)
            _put_in_place(stillhere, work)
        finally:
            shutil.rmtree(work, ignore_errors=True)
        key_fit.require(stillhere)
    click.echo(f"{describe(manifest)}\nIt is in place in {stillhere.data}.")
    click.echo(_what_now(manifest))


def _require_empty(stillhere: Stillhere) -> None:
    data = stillhere.data
    there = {path.name for path in data.iterdir()} if data.is_dir() else set()
    there |= {path.name for path in stillhere.keys.glob("*")}
    if there - EMPTY:
        raise SettingError(
            f"{data} is not empty ({min(there - EMPTY)}), and nothing is ever overwritten. "
            "Name a new folder with STILLHERE_DATA."
        )
    if stillhere.database_url:
        dump.require_empty_postgresql(stillhere)


def _put_in_place(stillhere: Stillhere, work: Path) -> None:
    """The database first, the keys last. Raises `SettingError`."""
    copy = work / bundle.DATABASE
    try:
        if stillhere.database_url:
            dump.restore_postgresql(stillhere, copy)
        else:
            dump.restore_sqlite(copy)
            _move(copy, stillhere.data / databases.SQLITE_FILE)
    except (psycopg.Error, sqlite3.Error) as error:
        raise SettingError(
            f"The database could not be restored ({type(error).__name__}). "
            "Make a new empty one and try again."
        ) from None
    for name in bundle.OWN:
        if (work / name).exists():
            _move(work / name, stillhere.data / name)
    for name in reversed(bundle.KEYS):
        if (work / name).exists():
            _move(work / name, bundle.place(stillhere, name))


def _move(source: Path, target: Path) -> None:
    """Move a file into place so that it survives a power cut."""
    keys.sync_file(source)
    source.rename(target)
    keys.own(target)
    keys.sync_folder(target.parent)


def _what_now(manifest: Manifest) -> str:
    alarms = (
        f"\n{manifest.open_alarms} alarms were open then. They go on: their people are called "
        "again, and the person is rung first of all."
        if manifest.open_alarms
        else ""
    )
    return (
        "Now start it: stillhere up. Whoever's time came meanwhile is asked first, and nobody is "
        f"called for them before a full time to answer has passed.{alarms}\n"
        "What happened after the backup is not in it. Whoever began a watch since then must begin "
        "again, and contacts who said STOP since then, or were removed, are on the list again: "
        "look at what you know of that before people rely on it. Links that were replaced since "
        "then open again."
    )
