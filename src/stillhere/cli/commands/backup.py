"""`stillhere backup`: everything an installation is, in one sealed file, while it runs.

Owns what comes before and after: it refuses to overwrite, keeps what went wrong for `stillhere
check`, and removes an older backup only once a newer one is whole. How a backup is made is in
``actions/backup.py``.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import click
import psycopg
from django.db import DatabaseError

from stillhere.cli import database, loading, trouble
from stillhere.cli.backup_file import bundle, passphrase, record, rotation
from stillhere.cli.backup_file.unpack import (
    LOOK,
    describe,
    end_tidily,
    opened,
    prove,
    require_ours,
    work_folder,
)
from stillhere.cli.check import damage, key_fit
from stillhere.config import environment
from stillhere.config.environment import SettingError, Stillhere
from stillhere.config.wiring import wall_ms


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
        damage.require_filled(stillhere)
        secret = passphrase.find(new=True)
        end_tidily()
        manifest, size = loading.action("backup").make(stillhere, target, secret)
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
        key_fit.require_of_backup(work, manifest.database, stillhere.data)
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
    """The data folder for the duration of a look: on a new machine there is none yet."""
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
    """Turn whatever goes wrong into one `SettingError`, and keep it for `stillhere check`."""
    try:
        try:
            yield
        except (DatabaseError, psycopg.Error, sqlite3.Error, OSError) as error:
            said = trouble.sentence(error, stillhere.data) or database.problem(error, stillhere)
            raise SettingError(f"No backup was written. {said}") from None
    except SettingError as error:
        record.failed(stillhere.data, str(error), wall_ms())
        raise
