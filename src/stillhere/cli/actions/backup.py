"""Makes one whole backup while everything keeps running.

Owns the order: copy the database, prove that the copy is whole and that the keys open it, pack
both, seal, write to a temporary name, open it again, and only then give it its final name. A
database that is damaged, or that these keys do not open, never gets the name of a backup.
"""

from __future__ import annotations

import contextlib
import os
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import IO, BinaryIO, cast

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PublicKey
from django.conf import settings
from django.db import DatabaseError, connection

from stillhere.cli.backup_file import bundle, dump, integrity, record, rotation
from stillhere.cli.backup_file.bundle import Manifest
from stillhere.cli.backup_file.encryption import Sealer
from stillhere.cli.backup_file.integrity import DamagedDatabase, Rows
from stillhere.cli.backup_file.unpack import opened, work_folder
from stillhere.cli.check import key_fit
from stillhere.config import keys
from stillhere.config.environment import SettingError, Stillhere
from stillhere.config.wiring import wall_ms
from stillhere.store.db import clock
from stillhere.store.installation import backups
from stillhere.store.installation.backups import Contents

WORK = "backup-in-the-making"


def make(stillhere: Stillhere, file: Path, to: str | X25519PublicKey) -> tuple[Manifest, int]:
    """Write one whole backup, sealed ``to`` a passphrase or a public key; returns what is in it,
    and its size. Raises `SettingError`."""
    busy = "Another backup is just being made. Wait for that one."
    try:
        with work_folder(stillhere.data, WORK, busy) as work, keys.unchanged(stillhere.keys):
            manifest, files = _collect(stillhere, work)
            if manifest.damage:
                kept = _keep_damaged(file, to, manifest, files)
                raise SettingError(_damaged(stillhere, file, manifest.damage, kept))
            _require_fit(stillhere)
            size = _seal(file, to, manifest, files)
        backups.keep(manifest.taken_at)
    finally:
        connection.close()
    return manifest, size


def _require_fit(stillhere: Stillhere) -> None:
    """A backup whose keys do not open its database is worthless, and would push out good ones."""
    try:
        key_fit.require(stillhere)
    except SettingError as error:
        raise SettingError(f"No backup was written, and every older one is kept. {error}") from None


@dataclass(frozen=True, slots=True)
class Copied:
    """What the database held at the moment of the copy, and what is wrong with it."""

    held: Contents = field(default_factory=lambda: Contents((), 0, 0))
    rows: Rows = field(default_factory=dict)
    damage: str = ""


def _copy(stillhere: Stillhere, copy: Path) -> Copied:
    if stillhere.database_url:
        held, rows = dump.dump_postgresql(stillhere, copy)
        try:
            integrity.compare(integrity.prove_dump(copy), rows)
        except DamagedDatabase as error:
            return Copied(damage=str(error))
        return Copied(held, rows)
    try:
        dump.copy_sqlite(Path(settings.DATABASES["default"]["NAME"]), copy)
        rows = integrity.prove_sqlite(copy)
    except DamagedDatabase as error:
        return Copied(damage=str(error))
    return Copied(dump.sqlite_contents(copy), rows)


def _collect(stillhere: Stillhere, work: Path) -> tuple[Manifest, dict[str, Path]]:
    """Copy the database; returns what to pack, by the names inside. The keys are read after it, so
    that no key is missing for rows sealed meanwhile, and the caller keeps them unchanged."""
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
    places = {name: bundle.place(stillhere, name) for name in (*bundle.KEYS, *bundle.OWN)}
    files = {name: path for name, path in places.items() if path.exists()}
    return manifest, files | {bundle.DATABASE: copy}


def _now() -> int:
    """By the installation's clock; a database that cannot tell the time is copied all the same."""
    try:
        return clock.now_ms()
    except DatabaseError:
        return wall_ms()


def _seal(file: Path, to: str | X25519PublicKey, manifest: Manifest, files: dict[str, Path]) -> int:
    """Write the sealed file under a temporary name, open it again, then rename it; returns its
    size. The key of this one file is known until it is opened again, and then to nobody here."""
    aside = file.with_name(f".{file.name}.part")
    aside.unlink(missing_ok=True)
    try:
        with aside.open("xb") as target:
            sealer = Sealer(cast("BinaryIO", target), to, at=manifest.taken_at)
            bundle.write(cast("IO[bytes]", sealer), manifest, files)
            sealer.finish()
            target.flush()
            os.fsync(target.fileno())
        keys.own(aside)
        with opened(aside, sealer.key) as source:
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
    file: Path, to: str | X25519PublicKey, manifest: Manifest, files: dict[str, Path]
) -> Path | None:
    """Keep what can still be read, under a name that nobody takes for a backup. None if there is
    nothing to keep, or no room for it."""
    copy, kept = files[bundle.DATABASE], rotation.damaged(file)
    if not copy.exists() or not copy.stat().st_size or rotation.has_damaged(file):
        return None
    with contextlib.suppress(OSError, SettingError):
        _seal(kept, to, manifest, files)
        return kept
    return None


def _damaged(stillhere: Stillhere, file: Path, damage: str, kept: Path | None) -> str:
    """The one line about a damaged database."""
    evidence = (
        f" What can still be read lies sealed in {kept}: evidence, not a backup." if kept else ""
    )
    return (
        f"The database is damaged: {damage}. {file} was not written, and every older backup is "
        f"kept. {record.way_back(stillhere.data)}{evidence}"
    )
