"""`stillhere check`: what a careful person would look at before the first night, and every week.

Owns the command and how findings are printed. The findings come from ``actions/check.py``, which
imports the tables and can be loaded only when there is an installation to look at.
"""

from __future__ import annotations

import os
from collections.abc import Iterable

import click

from stillhere.cli import data_lock, loading
from stillhere.cli.backup_file import passphrase
from stillhere.cli.check import key_fit
from stillhere.config import environment
from stillhere.config.environment import SettingError

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
    key_fit.require_keys(stillhere)
    data_lock.follow_running(stillhere.data)
    if not _say(loading.action("check").look(proving=not wrong)) or not well:
        raise SystemExit(1)


def _say(found: Iterable[Finding]) -> bool:
    """Print each finding as it is found; returns whether all is well."""
    well = True
    for good, sentence in found:
        well = well and good
        click.echo(f"{'ok  ' if good else 'LOOK'}  {sentence}")
    return well
