"""`stillhere check`: what a careful person would look at before the first night, and every week.

Owns the command and what is printed. What is looked at stands in ``findings.py``, which knows the
tables and can be loaded only when there is an installation to look at.
"""

from __future__ import annotations

import os
from collections.abc import Iterator

import click
import django
from django.conf import settings
from django.utils.module_loading import import_string

from stillhere.config import environment, keys
from stillhere.config.environment import SettingError


@click.command()
def command() -> None:
    """Look at settings, keys, database and channels; exit with 1 where something is wrong."""
    stillhere = environment.read(os.environ)
    if not keys.exist(stillhere.data):
        raise SettingError(f"There is no installation in {stillhere.data} yet: `stillhere up`.")
    django.setup()
    found: Iterator[tuple[bool, str]] = import_string("stillhere.cli.findings.everything")(
        settings.STILLHERE
    )
    well = True
    for good, sentence in found:
        well = well and good
        click.echo(f"{'ok  ' if good else 'LOOK'}  {sentence}")
    if not well:
        raise SystemExit(1)
