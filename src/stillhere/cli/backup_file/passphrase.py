"""The passphrase of backups: from the environment, a file, or the terminal.

Owns where it comes from and how short it may be. Never writes it anywhere, and takes it out of the
environment, so that no program we start inherits it.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import click

from stillhere.config import environment
from stillhere.config.environment import SettingError

LEAST = 12


def find(*, new: bool) -> str:
    """The passphrase; a ``new`` one is asked twice and must be long enough. Raises
    `SettingError`."""
    given, path = environment.backup_passphrase(os.environ)
    for name in environment.BACKUP_PASSPHRASE:
        os.environ.pop(name, None)
    if not given and path:
        given = _in_file(Path(path))
    if not given:
        given = _asked(new=new)
    if new and len(given) < LEAST:
        raise SettingError(
            f"Please choose a passphrase of {LEAST} characters or more: five or six words that "
            "belong together only in your head are good. Nothing was written."
        )
    return given


def fault() -> str:
    """What is wrong with the one in the environment, before a backup at night finds out."""
    given, path = environment.backup_passphrase(os.environ)
    try:
        given = given or (_in_file(Path(path)) if path else "")
    except SettingError as error:
        return str(error)
    short = f"The passphrase of backups is shorter than {LEAST} characters: no backup is made."
    return short if 0 < len(given) < LEAST else ""


def _in_file(path: Path) -> str:
    try:
        given = path.expanduser().read_text("utf-8-sig").strip()  # some editors mark its beginning
    except UnicodeDecodeError:
        raise SettingError(
            f"{path} (STILLHERE_BACKUP_PASSPHRASE_FILE) is not text in UTF-8. Save it again as "
            "plain text, in UTF-8."
        ) from None
    except (OSError, RuntimeError) as error:
        raise SettingError(
            f"We cannot read the passphrase in {path} (STILLHERE_BACKUP_PASSPHRASE_FILE): "
            f"{_why(error)}."
        ) from None
    if not given:
        raise SettingError(f"{path} (STILLHERE_BACKUP_PASSPHRASE_FILE) is empty.")
    if len(given.splitlines()) > 1:
        raise SettingError(
            f"{path} (STILLHERE_BACKUP_PASSPHRASE_FILE) holds more than one line. Leave only the "
            "passphrase in it, in one line."
        )
    if path.expanduser().stat().st_mode & 0o077:
        click.echo(f"Others on this machine can read the passphrase: chmod 600 {path}", err=True)
    return given


def _why(error: OSError | RuntimeError) -> str:
    if isinstance(error, FileNotFoundError):
        return "there is no such file"
    if isinstance(error, IsADirectoryError):
        return "it is a folder, and a file is needed here"
    if isinstance(error, PermissionError):
        return "this user may not read it"
    return getattr(error, "strerror", None) or "its name cannot be used"


def _asked(*, new: bool) -> str:
    if not sys.stdin.isatty():
        raise SettingError(
            "There is no terminal to ask for the passphrase. Put it into a file that only this "
            "user can read and name that in STILLHERE_BACKUP_PASSPHRASE_FILE."
        )
    typed: str = click.prompt(
        "Passphrase of the backup", hide_input=True, confirmation_prompt=new, err=True
    )
    return typed.strip()
