"""The key in the link to the coordinator's desk."""

from __future__ import annotations

import click
from django.conf import settings
from django.db import Error

from stillhere.cli import database
from stillhere.cli.check import key_fit
from stillhere.store.installation import desk_key


def show(*, new: bool) -> None:
    """Print the link; ``new``: another one. Raises `SettingError`."""
    key_fit.require_usable(settings.STILLHERE)
    try:
        key = desk_key.key(new=new)
    except Error as error:
        raise database.problem(error, settings.STILLHERE) from None
    click.echo(f"{settings.STILLHERE.base_url}/desk/{key}")
