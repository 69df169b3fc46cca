"""A file that the host wrote into the data folder: as text, or a sentence that says why not; and
whether it is still the same."""

from __future__ import annotations

from pathlib import Path


class HostFileError(ValueError):
    """It cannot be used. The message says why, as part of a sentence."""


def read(path: Path, largest: int) -> str:
    """The text of a file of ``largest`` bytes at most. Raises `HostFileError`, and
    `FileNotFoundError` where there is none."""
    try:
        if path.stat().st_size > largest:
            raise HostFileError("it is too large")
        return path.read_text("utf-8")
    except FileNotFoundError:
        raise
    except UnicodeDecodeError:
        raise HostFileError(
            "it is not text in UTF-8. Save it again as plain text, in UTF-8"
        ) from None
    except IsADirectoryError:
        raise HostFileError("it is a folder, and a file is needed here") from None
    except OSError as error:
        raise HostFileError(f"it cannot be read ({error.strerror})") from None


def stamp(path: Path) -> tuple[int, int, int]:
    """Changes whenever the file does; zeros where there is none."""
    try:
        told = path.stat()
    except OSError:
        return (0, 0, 0)
    return (told.st_mtime_ns, told.st_size, told.st_ino)
