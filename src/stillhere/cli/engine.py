"""`stillhere engine`: the loops that ask, raise alarms and deliver."""

from __future__ import annotations

import click
import django
from django.conf import settings
from django.utils.module_loading import import_string

from stillhere.cli import damage, folder, life
from stillhere.config import garbage


@click.command()
def command() -> None:
    """Run only the engine; returns on SIGTERM."""
    django.setup()
    if settings.STILLHERE.database_url:  # loads its driver
        import_string("stillhere.cli.database.refuse_wrong")(settings.STILLHERE)
    damage.require_there(settings.STILLHERE)
    import_string("stillhere.cli.fit.require")(settings.STILLHERE)
    run = import_string("stillhere.engine.loop.run")
    garbage.seldom()
    with folder.only_engine(settings.STILLHERE):
        run(life.sign(), life.inherited(life.SILENCE))
