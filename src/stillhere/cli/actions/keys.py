"""The data keys of this installation: what names them, and a new one."""

from __future__ import annotations

import click
from django.conf import settings
from django.db import DatabaseError

from stillhere.cli import database
from stillhere.cli.backup_file import record
from stillhere.cli.check import key_fit
from stillhere.config import keys
from stillhere.config.environment import SettingError, Stillhere
from stillhere.config.wiring import wall_ms
from stillhere.store.db import key_ring
from stillhere.store.installation import reseal
from stillhere.store.models.sealed_columns import SEALED

NOTICE_MS = 24 * 3600 * 1000  # for copying the keys to the other machines


def show() -> None:
    """Print what there is. Raises `SettingError`."""
    here: Stillhere = settings.STILLHERE
    key_fit.require_usable(here)
    known = keys.read_data_keys(here.keys)
    newest = key_ring.sealing(known, wall_ms())
    try:
        named = reseal.named(SEALED)
    except DatabaseError as error:
        raise database.problem(error, here) from None
    click.echo(f"The keys lie in {here.keys}.")
    for number, key in sorted(known.items()):
        click.echo(
            f"Data key {number} {_state(number, newest, key.seals_from_at)}: {_of(named[number])}."
        )
    for number in sorted(named.keys() - known.keys()):
        click.echo(f"Data key {number} is not here, and nothing opens {_of(named[number])}.")
    click.echo(
        "Links and look-ups have keys of their own."
        if keys.PURPOSES[0] in here.link_keys
        else "Links and look-ups are derived from data key 1; the first rotation writes them down."
    )


def _state(number: int, newest: int, from_at: int) -> str:
    if number > newest:
        return f"seals from {record.moment(from_at)}"
    since = f" since {record.moment(from_at)}" if from_at else ""
    return f"seals{since}" if number == newest else "only opens"


def _of(count: int) -> str:
    return "1 value names it" if count == 1 else f"{count} values name it"


def rotate(*, at_once: bool) -> None:
    """Add a data key. With PostgreSQL other machines may have the same keys: they are given a day
    to get it, unless it is to seal ``at_once``. Raises `SettingError`."""
    here: Stillhere = settings.STILLHERE
    key_fit.require_usable(here)
    now = wall_ms()
    waits = bool(here.database_url) and not at_once
    from_at = now + NOTICE_MS if waits else now
    lines = [f"line {carrier.name}" for carrier in here.carriers]
    try:
        number = keys.add(here.keys, from_at, lines)
    except OSError as error:
        raise SettingError(
            f"The keys in {here.keys} cannot be changed here: {error.strerror}. Nothing was "
            "changed."
        ) from None
    if waits:
        click.echo(
            f"Data key {number} seals from {record.moment(from_at)}. If other machines run on this "
            f"database, copy {here.keys} to each of them before that; `rotate --now` is for one "
            "machine alone."
        )
    else:
        click.echo(f"Data key {number} seals from now on.")
    click.echo(
        "Nothing has to be stopped, and no link changes. What older keys sealed is sealed anew in "
        "the background; a day later the engine removes what nothing names any more. `stillhere "
        "keys` says how far it is. Make a backup: older ones hold the keys that open them."
    )
