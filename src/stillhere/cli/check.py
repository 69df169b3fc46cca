"""`stillhere check`: what a careful person would look at before the first night.

Owns the list of questions; asks the parts that know. Changes nothing but the record of what was
proved (``proof.py``).
"""

from __future__ import annotations

import os
import sqlite3
import stat
from collections.abc import Callable, Iterator

import click
import django
from django.conf import settings
from django.core import checks
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor

from stillhere.cli import proof
from stillhere.cli.up import health
from stillhere.config import environment, keys
from stillhere.config.environment import SettingError, Stillhere
from stillhere.config.wiring import build_channels
from stillhere.store import clock
from stillhere.store import proof as kept

LEAST_SQLITE = (3, 35, 0)  # UPDATE ... FROM and RETURNING
Finding = tuple[bool, str]


@click.command()
def command() -> None:
    """Look at settings, keys, database and channels; exit with 1 where something is wrong."""
    stillhere = environment.read(os.environ)
    if not keys.exist(stillhere.data):
        raise SettingError(f"There is no installation in {stillhere.data} yet: `stillhere up`.")
    django.setup()
    questions: list[Callable[[Stillhere], Iterator[Finding]]] = [
        _framework, _keys, _database, _channels, _running, _proofs,
    ]  # fmt: skip
    findings = [finding for ask in questions for finding in ask(settings.STILLHERE)]
    for good, sentence in findings:
        click.echo(f"{'ok  ' if good else 'LOOK'}  {sentence}")
    if not all(good for good, _ in findings):
        raise SystemExit(1)


def _framework(_stillhere: Stillhere) -> Iterator[Finding]:
    problems = checks.run_checks()
    for problem in problems:
        yield False, f"{problem.id}: {problem.msg}"
    if not problems:
        yield True, "Everything is put together well."


def _keys(stillhere: Stillhere) -> Iterator[Finding]:
    loose = [
        path.name
        for path in (stillhere.data / keys.FOLDER).iterdir()
        if stat.S_IMODE(path.stat().st_mode) & 0o077
    ]
    if loose:
        yield False, f"Others on this machine can read {', '.join(loose)} in keys/: chmod 600."
    else:
        yield True, "The keys can be read by this user only. Is there a copy elsewhere?"


def _database(_stillhere: Stillhere) -> Iterator[Finding]:
    if connection.vendor == "sqlite" and sqlite3.sqlite_version_info < LEAST_SQLITE:
        yield False, f"SQLite {sqlite3.sqlite_version} is too old: 3.35 or newer."
    try:
        executor = MigrationExecutor(connection)
        plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
    except DatabaseError as error:
        yield False, f"The database cannot be used ({type(error).__name__})."
        return
    if plan:
        yield False, f"The database lacks {len(plan)} migrations: `stillhere migrate`."
    else:
        yield True, f"The database is up to date ({connection.display_name})."


def _proofs(stillhere: Stillhere) -> Iterator[Finding]:
    """What must be proved before this is more than practice; kept, so that every page knows."""
    found = list(proof.prove(stillhere))
    kept.keep([each.proves for each in found if each.proves], stillhere.base_url, clock.now_ms())
    for each in found:
        yield bool(each.proves), each.says
    if not all(each.proves for each in found):
        yield False, "Until all of this is proved every page says: Practice: nobody will be called."


def _channels(stillhere: Stillhere) -> Iterator[Finding]:
    yield True, f"Channels: {', '.join(sorted(build_channels(stillhere)))}."
    if not stillhere.smtp_url:
        yield False, "No e-mail leaves here: set STILLHERE_SMTP_URL."
    if not stillhere.coordinator:
        yield False, "Nobody is paged when a ladder is exhausted: set STILLHERE_COORDINATOR."


def _running(stillhere: Stillhere) -> Iterator[Finding]:
    status, reasons = health(stillhere)
    good = status == 200
    yield good, "It is running." if good else f"It is not running well: {reasons}"
