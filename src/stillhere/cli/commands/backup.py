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
from stillhere.cli.backup_file import (
    bundle,
    encryption,
    integrity,
    passphrase,
    recipient,
    record,
    rotation,
)
from stillhere.cli.backup_file.encryption import NotOpened
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
    "--key",
    type=click.Path(path_type=Path),
    help="With --check: the file with the private key, where it is sealed to one.",
)
@click.option(
    "--keep",
    type=click.IntRange(min=1),
    help="FILE is a folder: write a new file into it, and keep as many whole ones.",
)
def command(file: Path, look: bool, key: Path | None, keep: int | None) -> None:
    """Write everything this installation is into FILE, sealed under a passphrase, or to the public
    key of STILLHERE_BACKUP_TO; it goes on running meanwhile."""
    stillhere = environment.read(os.environ)
    if look:
        check(stillhere, file, key)
        return
    _require(stillhere, file, keep)
    target = rotation.name(file, wall_ms()) if keep else file
    with _noted(stillhere):
        damage.require_filled(stillhere)
        to = recipient.public(stillhere.backup_to) if stillhere.backup_to else _passphrase()
        end_tidily()
        manifest, size = loading.action("backup").make(stillhere, target, to)
    record.succeeded(stillhere.data, target, manifest.taken_at, integrity.digest(target))
    click.echo(f"{target} is whole ({size / 1e6:.1f} MB): sealed, and opened again to be sure.")
    click.echo(describe(manifest))
    if keep:
        for old in rotation.let_go(file, target, keep):
            click.echo(f"{old.name} was removed: {keep} are kept.")
    what = "private key" if stillhere.backup_to else "passphrase"
    click.echo(
        f"Now copy it to another machine. Keep the {what} elsewhere, on paper, where somebody "
        "besides you finds it: without it nobody can open this file, and we cannot either.\n"
        f"Try it now and then: stillhere backup --check {target}"
    )


def _passphrase() -> str:
    return passphrase.find(new=True)


def check(stillhere: Stillhere, file: Path, key: Path | None) -> None:
    """Open a backup as `restore` does and say whether that would work here; restores nothing.
    What can be told of one without its private key is told first. Raises `SettingError`."""
    if encryption.kind(file) == encryption.TO_KEY:
        click.echo(_from_outside(stillhere.data, file))
    secret = recipient.opening(file, key)
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
    what = "passphrase" if isinstance(secret, str) else "private key"
    click.echo(f"{file} is whole and opens with this {what}.")
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


def _from_outside(data: Path, file: Path) -> str:
    """Age and digest, which are told without the private key."""
    try:
        digest, at = integrity.digest(file), encryption.sealed_at(file)
    except (NotOpened, OSError) as error:
        raise SettingError(trouble.sentence(error, file) or str(error)) from None
    last = record.read(data)
    same = Path(last.whole) == file.absolute() and last.digest
    known = (
        "" if not same
        else ", as it was written" if last.digest == digest
        else ": IT IS NOT WHAT WAS WRITTEN THEN. Take another copy"
    )  # fmt: skip
    return f"{file} says that it was sealed {record.moment(at)}. SHA-256 {digest}{known}."


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
