"""`stillhere desk`: the coordinator's link. Whoever has it sits at the desk."""

from __future__ import annotations

import os

import click
import django
from django.conf import settings
from django.db import Error
from django.utils.module_loading import import_string

from stillhere.cli import data_lock, database
from stillhere.cli.check import key_fit
from stillhere.config import environment


@click.command()
@click.option("--new", is_flag=True, help="Make a new link; the old one opens nothing any more.")
def command(*, new: bool) -> None:
    """Print the link to the coordinator's desk; the same each time."""
    data_lock.follow_running(environment.read(os.environ).data)
    django.setup()
    key_fit.require_usable(settings.STILLHERE)
    try:
        key = import_string("stillhere.store.installation.desk_key.key")(new=new)
    except Error as error:
        raise database.problem(error, settings.STILLHERE) from None
    click.echo(f"{settings.STILLHERE.base_url}/desk/{key}")
