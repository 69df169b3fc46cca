"""The outcome of the last backups, in a small file beside the database.

It is a file because a database that is damaged or full cannot tell, and whoever starts it must be
told where the backups are. Holds times, paths and our own sentences; no names, no keys. Never gets
in the way: a record that cannot be written or read is treated as if there were none.
"""

from __future__ import annotations

import contextlib
import json
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from stillhere.config import keys

FILE = "last-backup.json"


@dataclass(frozen=True, slots=True)
class Record:
    """``whole`` is the path of the newest whole backup we know of, made at ``whole_at`` (ms UTC);
    ``digest`` is the SHA-256 of that file. ``failed`` says why the last try failed, "" where it did
    not."""

    whole: str = ""
    whole_at: int = 0
    failed: str = ""
    failed_at: int = 0
    digest: str = ""


def read(data: Path) -> Record:
    """What is known in this data folder."""
    try:
        found = json.loads((data / FILE).read_text("utf-8"))
        return Record(
            str(found["whole"]), int(found["whole_at"]),
            str(found["failed"]), int(found["failed_at"]), str(found.get("digest", "")),
        )  # fmt: skip
    except (OSError, ValueError, KeyError, TypeError):
        return Record()


def succeeded(data: Path, file: Path, at: int, digest: str = "") -> None:
    """``file`` is a whole backup, made at ``at`` (ms UTC); ``digest`` is its SHA-256."""
    _write(data, Record(whole=str(file.absolute()), whole_at=at, digest=digest))


def failed(data: Path, why: str, at: int) -> None:
    """A backup failed at ``at`` (ms UTC)."""
    _write(data, replace(read(data), failed=why, failed_at=at))


def _write(data: Path, record: Record) -> None:
    aside = data / f".{FILE}.new"
    with contextlib.suppress(OSError):
        try:
            aside.write_text(json.dumps(asdict(record)), "utf-8")
            keys.own(aside)
            aside.replace(data / FILE)
        finally:  # on a full disk it is empty
            aside.unlink(missing_ok=True)


def newest(data: Path) -> str:
    """A sentence that names the newest whole backup we know of."""
    known = read(data)
    if not known.whole:
        return "We know of no whole backup."
    gone = "" if Path(known.whole).exists() else " (it is not there any more: was it moved?)"
    return (
        f"The newest whole backup we know of is {known.whole}{gone}, of {moment(known.whole_at)}."
    )


def moment(at: int) -> str:
    """A time (ms UTC) as people read it."""
    return f"{datetime.fromtimestamp(at / 1000, UTC):%Y-%m-%d %H:%M} UTC"


def way_back(data: Path) -> str:
    """Two sentences: how to continue from a backup."""
    which = "To go back to it" if read(data).whole else "If you have one"
    return (
        f"{newest(data)} {which}: stop this one, name a new folder in STILLHERE_DATA, "
        "type `stillhere restore FILE`, then `stillhere up`."
    )
