"""`stillhere migrate`: brings the database up to date, and never loses the old one.

Owns what comes first: the database must be there and the keys are created; then
``actions/migrate.py`` takes over. Loads no Django before that, because `stillhere up` seldom needs
it.
"""

from __future__ import annotations

import contextlib
import os

import click

from stillhere.cli import data_lock, database, loading, unlock
from stillhere.cli.check import damage, key_fit
from stillhere.config import environment, keys
from stillhere.config.environment import SettingError, Stillhere


@click.command()
def command() -> None:
    """Bring the database up to date; back it up first."""
    stillhere = environment.read(os.environ)
    # PostgreSQL has a lock of its own for this, and the release before may go on running meanwhile.
    beside = bool(stillhere.database_url) and keys.exist(stillhere.keys)
    database.reach(stillhere)  # before anything is made
    with contextlib.nullcontext() if beside else data_lock.held(stillhere):
        if keys.exist(stillhere.keys):
            unlock.require(stillhere)
            key_fit.require(stillhere)
        done = prepare(stillhere)
    click.echo(f"Applied: {', '.join(done)}." if done else "The database is up to date.")


def prepare(stillhere: Stillhere) -> list[str]:
    """Create keys and tables as needed; returns the names of the migrations applied now.

    The caller holds the data folder. Raises `SettingError`, with a sentence, if it must not
    continue.
    """
    damage.require_there(stillhere)
    new_keys = keys.create_missing(stillhere.keys, demo=stillhere.demo)
    try:
        return list(loading.action("migrate").migrate(stillhere, new_keys))
    except (SettingError, OSError):
        if damage.holds(stillhere) is False:  # nothing is sealed under them
            keys.forget_created(stillhere.keys, new_keys)
        raise
