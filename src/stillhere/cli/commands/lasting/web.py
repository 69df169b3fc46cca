"""`stillhere web`: the web server, in one process.

Owns the checks before it listens, and the static files. The server itself is in ``actions/``, which
loads the pages.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from pathlib import Path

import click
import django
from django.conf import settings
from django.contrib.staticfiles.management.commands import collectstatic
from django.contrib.staticfiles.storage import StaticFilesStorage
from django.core.files.storage import storages
from django.core.management import call_command

from stillhere.cli import data_lock, database, loading
from stillhere.cli.check import damage, key_fit, listening
from stillhere.config import environment, keys

STAMP = ".made-from"


@click.command()
def command() -> None:
    """Run only the web server."""
    key_fit.require_keys(environment.read(os.environ))
    django.setup()
    listening.require(settings.STILLHERE)
    prepare()
    loading.action("web").run()


def prepare() -> None:
    """What pages need before the first of them: they read the table of static files. Raises
    `SettingError` where the database cannot be used."""
    database.refuse_wrong(settings.STILLHERE)
    damage.require_filled(settings.STILLHERE)
    key_fit.require_usable(settings.STILLHERE)
    settings.DAMAGED = damage.look(settings.STILLHERE, damage.START_MS).damaged
    collect_static(Path(settings.STATICFILES_DIRS[0]), Path(settings.STATIC_ROOT))


def collect_static(source: Path, target: Path) -> None:
    """Name, hash and compress the static files, once for each state of them.

    They are built in a temporary folder and moved into place as a whole: a process killed in the
    middle leaves nothing half done, and of two web servers on a new folder one builds them and the
    other waits.
    """
    if _made_from(target) == _state_of(source):
        return
    with data_lock.turn(target.with_name(target.name + ".lock")):
        state = _state_of(source)
        if _made_from(target) == state:
            return
        fresh, old = (target.with_name(f"{target.name}.{name}") for name in ("new", "old"))
        for left_behind in (fresh, old):
            shutil.rmtree(left_behind, ignore_errors=True)
        making = collectstatic.Command()
        making.storage = _storage_at(fresh)
        call_command(making, interactive=False, verbosity=0)
        (fresh / STAMP).write_text(state)
        for path in (fresh, *sorted(fresh.rglob("*"))):  # a folder before what lies in it
            keys.own(path)
        os.sync()  # or after a power cut the names are there and the files are empty
        if target.exists():
            target.rename(old)
        fresh.rename(target)
        shutil.rmtree(old, ignore_errors=True)


def _storage_at(place: Path) -> StaticFilesStorage:
    """The configured storage, at another place."""
    made = storages.create_storage(
        {**settings.STORAGES["staticfiles"], "OPTIONS": {"location": str(place)}}
    )
    assert isinstance(made, StaticFilesStorage)
    return made


def _made_from(target: Path) -> str:
    """The state of the files that these were built from; "" if there are none."""
    try:
        return (target / STAMP).read_text()
    except OSError:
        return ""


def _state_of(source: Path) -> str:
    digest = hashlib.sha256(django.__version__.encode())
    for path in sorted(path for path in source.rglob("*") if path.is_file()):
        facts = path.stat()
        digest.update(f"{path} {facts.st_size} {facts.st_mtime_ns}\n".encode())
    return digest.hexdigest()
