"""`stillhere engine`: the loops that ask, raise alarms and deliver."""

from __future__ import annotations

import click
import django
from django.conf import settings
from django.utils.module_loading import import_string

from stillhere.cli import data_lock, life
from stillhere.config import gc_tuning


@click.command()
def command() -> None:
    """Run only the engine; returns on SIGTERM."""
    django.setup()
    if settings.STILLHERE.database_url:  # loads its driver
        import_string("stillhere.cli.database.refuse_wrong")(settings.STILLHERE)
    import_string("stillhere.cli.check.key_fit.require_usable")(settings.STILLHERE)
    run = import_string("stillhere.engine.loop.run")
    gc_tuning.seldom()
    with data_lock.only_engine(settings.STILLHERE):
        run(life.sign(), life.inherited(life.SILENCE))
