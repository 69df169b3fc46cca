"""`stillhere desk`: the coordinator's link. Whoever has it sits at the desk."""

from __future__ import annotations

import click
import django
from django.conf import settings
from django.db import DatabaseError
from django.utils.module_loading import import_string

from stillhere.config.environment import SettingError


@click.command()
def command() -> None:
    """Print the link to the coordinator's desk; the same each time."""
    django.setup()
    try:
        key = import_string("stillhere.store.desk.key")()
    except DatabaseError:
        raise SettingError("The database is not ready. Run `stillhere up` first.") from None
    click.echo(f"{settings.STILLHERE.base_url}/desk/{key}")
