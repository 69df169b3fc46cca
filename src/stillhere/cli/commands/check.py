"""`stillhere check`: what a careful person would look at before the first night, and every week.

Owns the command and how findings are printed. The findings come from ``actions/check.py``, which
imports the tables and can be loaded only when there is an installation to look at.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator

import click

from stillhere.cli import data_lock, loading, trouble
from stillhere.cli.backup_file import passphrase, record
from stillhere.cli.check import damage, key_fit, permissions
from stillhere.config import environment
from stillhere.config.environment import SettingError, Stillhere

Finding = tuple[bool, str]


# Without these nobody knows which installation is meant.
WHICH = frozenset({"STILLHERE_DATA", "STILLHERE_DATABASE_URL", "STILLHERE_DEMO"})


@click.command()
def command() -> None:
    """Look at settings, keys, database and channels; exit with 1 where something is wrong."""
    stillhere, wrong = environment.examine(os.environ)
    told = [*wrong.values(), *filter(None, [passphrase.fault()])]
    well = _say((False, sentence) for sentence in told)
    if wrong:
        _say([(False, "Nothing of ours starts with these. The rest is looked at without them:")])
    for name in wrong:
        os.environ.pop(name, None)
    if WHICH & set(wrong):
        raise SettingError(f"Which installation is meant? {', '.join(WHICH & set(wrong))}.")
    try:
        key_fit.require_whole(stillhere)
    except SettingError:
        _say(without_keys(stillhere))
        raise
    data_lock.follow_running(stillhere.data)
    if not _say(loading.action("check").look(proving=not wrong)) or not well:
        raise SystemExit(1)


def without_keys(stillhere: Stillhere) -> Iterator[Finding]:
    """What can be looked at where a key is missing or damaged: the folder, the database's file and
    the backups. A folder in which nothing ever was has no findings."""
    if not damage.traces(stillhere.data) and not damage.holds(stillhere):
        return
    if said := trouble.unwritable(stillhere.data):
        yield False, said
    if stillhere.keys.is_dir():
        yield from (
            (False, sentence) for sentence in permissions.look(stillhere.data, stillhere.keys)
        )
    try:
        found = damage.look(stillhere, damage.CHECK_MS)
    except SettingError as error:
        yield False, str(error)
    else:
        yield (
            not found.damaged,
            (
                damage.sentence(found, stillhere.data)
                if found.damaged
                else "The database is there, and what was read of it is whole."
            ),
        )
    last = record.read(stillhere.data)
    yield bool(last.whole), record.newest(stillhere.data)
    if last.failed:
        at = record.moment(last.failed_at)
        yield False, f"The last try at a backup failed, {at}: {last.failed}"


def _say(found: Iterable[Finding]) -> bool:
    """Print each finding as it is found; returns whether all is well."""
    well = True
    for good, sentence in found:
        well = well and good
        click.echo(f"{'ok  ' if good else 'LOOK'}  {sentence}")
    return well
