"""Everything that `stillhere check` looks at, in order.

Owns the list of questions; the answers come from the modules that know (``proof.py``,
``weaknesses.py``). Changes nothing except the record of what was proved.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Iterator

from django.conf import settings
from django.core import checks
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor

from stillhere.cli import data_lock, database, trouble
from stillhere.cli.check import damage, key_fit, listening, permissions, proof, weaknesses
from stillhere.cli.commands.lasting.up import health
from stillhere.config import databases, environment
from stillhere.config.carriers import leaves
from stillhere.config.environment import SettingError, Stillhere
from stillhere.config.wiring import build_channels
from stillhere.content import helplines, steps
from stillhere.store.db import clock
from stillhere.store.installation import proof as kept

LEAST_SQLITE = (3, 35, 0)  # UPDATE ... FROM and RETURNING
Finding = tuple[bool, str]
Question = Callable[[Stillhere], Iterator[Finding]]


def look(*, proving: bool) -> Iterator[Finding]:
    """Every finding about this installation; ``proving`` as in `everything`."""
    return everything(settings.STILLHERE, proving=proving)


def everything(stillhere: Stillhere, *, proving: bool = True) -> Iterator[Finding]:
    """All questions in order, and each answer once. A database that cannot be read is one finding,
    not the end. While a setting is wrong nothing is proved, because the record must be about the
    settings in use."""
    questions: list[Question] = [
        _framework, _folder, _keys, _locked, _sealed, _fit, _damage, _database, _channels, _running,
        _proofs, _steps, *weaknesses.questions(),
    ]  # fmt: skip
    told = set[Finding]()
    for ask in questions:
        if ask is _proofs and not proving:
            continue
        for finding in _answers(ask, stillhere):
            if finding not in told:
                told.add(finding)
                yield finding


def _answers(ask: Question, stillhere: Stillhere) -> Iterator[Finding]:
    try:
        yield from ask(stillhere)
    except DatabaseError as error:
        try:  # a database that is gone is said as that, once
            damage.require_there(stillhere)
        except SettingError as gone:
            yield False, str(gone)
            return
        yield False, str(database.problem(error, stillhere))


def _framework(_stillhere: Stillhere) -> Iterator[Finding]:
    problems = checks.run_checks()
    for problem in problems:
        yield False, f"{problem.id}: {problem.msg}"
    if not problems:
        yield True, "The settings fit together."


def _folder(stillhere: Stillhere) -> Iterator[Finding]:
    """Whether the current user can write what must be written, and read what is there."""
    said = trouble.unwritable(stillhere.data)
    if said is not None:
        yield False, said
    others = trouble.others(stillhere.data)
    if others:
        whose = trouble.owner(stillhere.data)
        more = f" (and {len(others) - 1} more)" if len(others) > 1 else ""
        yield (
            False,
            (
                f"{others[0]}{more} belongs to {trouble.owner(others[0])}, and the folder to "
                f"{whose}, who may not be able to read it: chown -R {whose} {stillhere.data}"
            ),
        )


def _keys(stillhere: Stillhere) -> Iterator[Finding]:
    loose = list(permissions.look(stillhere.data, stillhere.keys))
    yield from ((False, sentence) for sentence in loose)
    if not loose:
        yield (
            True,
            (
                "The keys can be read by this user only. Is there a copy elsewhere, not beside the "
                "backups? Without one a broken disk ends everything."
            ),
        )


def _locked(stillhere: Stillhere) -> Iterator[Finding]:
    """Whether it comes back without a person."""
    if stillhere.keys_locked:
        yield (
            False,
            (
                "The keys have a passphrase: after a power cut at three in the morning nobody is "
                "watched until a person types `stillhere unseal`. Until it starts without one, "
                "every page says: Practice."
            ),
        )
    elif stillhere.keys_elsewhere is not None:
        yield True, f"The keys lie in {stillhere.keys}. Is that there after a power cut, by itself?"


def _sealed(stillhere: Stillhere) -> Iterator[Finding]:
    """Who opens the backups that lie here."""
    if stillhere.backup_to:
        yield True, "Backups are sealed to a key that is not here. Does somebody have it on paper?"
    elif any(environment.backup_passphrase(os.environ)):
        yield (
            True,
            (
                "Backups are sealed under a passphrase that lies on this machine: whoever takes "
                "it opens them. `stillhere keys backup FILE` makes a key that need not be here."
            ),
        )


def _fit(stillhere: Stillhere) -> Iterator[Finding]:
    try:
        key_fit.require(stillhere)
    except SettingError as error:
        yield False, str(error)


def _database(stillhere: Stillhere) -> Iterator[Finding]:
    if damage.is_gone(stillhere):
        return  # no advice to make a new one
    if connection.vendor == "sqlite" and sqlite3.sqlite_version_info < LEAST_SQLITE:
        yield False, f"SQLite {sqlite3.sqlite_version} is too old: 3.35 or newer."
    try:
        executor = MigrationExecutor(connection)
        plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
    except DatabaseError as error:
        yield False, str(database.problem(error, stillhere))
        return
    if plan:
        yield False, f"The database lacks {len(plan)} migrations: `stillhere migrate`."
    else:
        yield True, f"The database is up to date ({connection.display_name})."


def _damage(stillhere: Stillhere) -> Iterator[Finding]:
    """A PostgreSQL server looks after its own pages."""
    try:
        found = damage.look(stillhere, damage.CHECK_MS)
    except SettingError as error:
        yield False, str(error)
        return
    if found.damaged:
        yield False, damage.sentence(found, stillhere.data)
    elif not found.finished:
        yield True, "The database is too large to look at all of it here: each backup does."
    elif (stillhere.data / databases.SQLITE_FILE).exists() and not stillhere.database_url:
        yield True, "All of the database's file can be read."


def _proofs(stillhere: Stillhere) -> Iterator[Finding]:
    """What must be proved before this is more than practice; the result is stored, so that every
    page knows."""
    found = list(proof.prove(stillhere))
    kept.keep([each.proves for each in found if each.proves], stillhere.base_url, clock.now_ms())
    for each in found:
        yield bool(each.proves), each.says
    if not all(each.proves for each in found):
        banner = (
            "Practice: not proved yet, though texts or calls do leave"
            if stillhere.carriers
            else "Practice: nobody will be called"
        )
        yield False, f"Until all of this is proved every page says: {banner}."


def _steps(stillhere: Stillhere) -> Iterator[Finding]:
    """Whether a clinician has signed the steps for the one who comes. Without a signature it is
    practice."""
    fault, signed = steps.own_fault(), steps.signature()
    if fault:
        yield False, f"walk.toml in the data folder is not used: {fault}."
    if lines := helplines.own_fault():
        yield False, f"lines.toml in the data folder is not used: {lines}."
    for fault in (*settings.LANGUAGE_FAULTS, *steps.language_faults()):
        yield False, f"A language is not used as it is written: {fault}."
    for fault in settings.STREET_FAULTS:
        yield False, f"Something in street-words.toml in the data folder is not used: {fault}."
    if signed is not None:
        yield True, f"The steps were signed by {signed.by}, {signed.on}."
    else:
        yield False, "No clinician has signed the steps: `stillhere steps`, then `--sign NAME`."


def _channels(stillhere: Stillhere) -> Iterator[Finding]:
    unset = environment.empty(os.environ)
    if unset:
        yield True, f"Set to nothing, which is as good as not set: {', '.join(unset)}."
    for carrier in stillhere.carriers:
        yield True, leaves(carrier)
    yield True, f"Channels: {', '.join(sorted(build_channels(stillhere)))}."
    if not stillhere.smtp_url:
        yield False, "No e-mail leaves here: set STILLHERE_SMTP_URL."


def _running(stillhere: Stillhere) -> Iterator[Finding]:
    status, reasons = health(stillhere)
    if status == 200:
        yield True, f"It is running: {stillhere.base_url}"
    elif status or data_lock.running(stillhere.data):
        yield False, f"It is not running well: {reasons}."
    else:
        yield False, "It is not running: `stillhere up`."
    if not status:
        try:
            listening.require(stillhere)
        except SettingError as error:
            yield False, str(error)
