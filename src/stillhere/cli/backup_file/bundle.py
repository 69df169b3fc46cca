"""The contents of a backup: a manifest, the keys and the database, as a tar.

Owns the names and the manifest. Rejects anything else found in a tar, however it got there, a
manifest that is inconsistent, and a database that is not the one that was packed. Knows nothing of
encryption; streams, so that size does not matter.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import tarfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import IO, cast

from stillhere.cli import trouble
from stillhere.cli.backup_file.encryption import NotOpened
from stillhere.config.environment import Stillhere

FORMAT = 1
MANIFEST, DATABASE = "manifest.json", "database"
OWN = ("lines.toml", "walk.toml", "walk.signed")  # what a host put beside the database
KEYS = ("keys/secret", "keys/master.json", "keys/demo", "keys/links.json", "keys/lock.json")
DEMO = KEYS[2]  # only in a demo's folder; the two after it only where there are some
MOST_MANIFEST = 1024 * 1024
SQLITE, POSTGRESQL = "sqlite", "postgresql"


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a backup holds. ``taken_at`` is ms UTC by the installation's own clock; ``migrations``
    are the names of those the database had. ``digest`` is the SHA-256 of the database inside,
    ``rows`` the number of rows per table; older releases wrote neither. ``damage`` says what is
    wrong with a database that was kept although it is damaged."""

    format: int
    version: str
    database: str
    migrations: tuple[str, ...]
    taken_at: int
    demo: bool
    open_watches: int
    open_alarms: int
    digest: str = ""
    rows: Mapping[str, int] = field(default_factory=dict)
    damage: str = ""


def place(stillhere: Stillhere, name: str) -> Path:
    """Where a file of a backup belongs, by its name inside."""
    folder, _, file = name.rpartition("/")
    return stillhere.keys / file if folder and name != DEMO else stillhere.data / name


def write(target: IO[bytes], manifest: Manifest, files: Mapping[str, Path]) -> None:
    """Write the tar: the manifest first, then ``files`` by their names inside, in this order."""
    with tarfile.open(fileobj=target, mode="w|", format=tarfile.PAX_FORMAT) as tar:
        text = json.dumps(asdict(manifest), indent=1).encode()
        tar.addfile(_entry(MANIFEST, len(text)), io.BytesIO(text))
        for name, path in files.items():
            with path.open("rb") as file:
                tar.addfile(_entry(name, path.stat().st_size), file)


def _entry(name: str, size: int) -> tarfile.TarInfo:
    entry = tarfile.TarInfo(name)
    entry.size, entry.mode = size, 0o600
    return entry


def read(source: IO[bytes], folder: Path | None) -> tuple[Manifest, dict[str, int]]:
    """Read the whole tar and put its files into ``folder`` (None: nowhere). Returns the manifest
    and each file's size.

    Raises `NotOpened` for anything that does not belong there. Nothing is proved until this
    returns.
    """
    try:
        with tarfile.open(fileobj=source, mode="r|") as tar:
            manifest, sizes, digest = _members(tar, folder)
        while source.read(1024 * 1024):  # what is left of the stream: its end must be proved too
            pass
    except tarfile.TarError:
        raise NotOpened("What is in this backup is not what Stillhere writes.") from None
    if manifest is None or not {DATABASE, *KEYS[:2]} <= sizes.keys():
        raise NotOpened("Something is missing in this backup. Take another one.")
    if manifest.demo != (DEMO in sizes):
        raise NotOpened("What is in this backup is not what Stillhere writes.")
    if manifest.digest not in ("", digest):
        raise NotOpened("The database in this backup is not the one that was put in. Take another.")
    return manifest, sizes


def _members(
    tar: tarfile.TarFile, folder: Path | None
) -> tuple[Manifest | None, dict[str, int], str]:
    manifest, sizes, digest = None, dict[str, int](), ""
    for entry in tar:
        if not entry.isreg() or entry.name in sizes:
            raise NotOpened("What is in this backup is not what Stillhere writes.")
        file = cast("IO[bytes]", tar.extractfile(entry))
        if entry.name == MANIFEST and manifest is None and entry.size <= MOST_MANIFEST:
            manifest = parse(file.read())
        elif entry.name in (DATABASE, *OWN, *KEYS):
            sizes[entry.name] = entry.size
            found = _lay(file, folder / entry.name if folder is not None else None)
            digest = found if entry.name == DATABASE else digest
        else:
            raise NotOpened("What is in this backup is not what Stillhere writes.")
    return manifest, sizes, digest


def _lay(file: IO[bytes], path: Path | None) -> str:
    """Read one file of the tar to its end and write it to ``path``; returns its SHA-256."""
    digest = hashlib.sha256()
    if path is not None:
        path.parent.mkdir(mode=0o700, exist_ok=True)
    try:
        with path.open("xb") if path is not None else contextlib.nullcontext() as laid:
            while part := file.read(1024 * 1024):
                digest.update(part)
                if laid is not None:
                    laid.write(part)
    except OSError as error:  # a full disk names no file, and what is read lies elsewhere
        if error.errno in trouble.FULL and path is not None:
            error.filename = str(path.parent)
        raise
    return digest.hexdigest()


def parse(text: bytes) -> Manifest:
    """Read a manifest. Raises `NotOpened`, with its own message for a later format."""
    try:
        found = json.loads(text)
        number = found["format"]
        if number == FORMAT:
            known = {name: found[name] for name in Manifest.__slots__ if name in found}
            known |= {"migrations": tuple(known["migrations"]), "rows": dict(known.get("rows", {}))}
            return Manifest(**known)
    except (ValueError, KeyError, TypeError):
        raise NotOpened("What is in this backup is not what Stillhere writes.") from None
    raise NotOpened(
        f"This backup was made by a newer Stillhere ({found.get('version', '?')}). "
        "Use that version to open it."
    )
