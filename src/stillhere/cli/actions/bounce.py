"""A returned mail, kept like any other message that comes in."""

from __future__ import annotations

import click
from django.conf import settings
from django.db import Error, connection

from stillhere.channels.base import Inbound
from stillhere.cli.check import key_fit
from stillhere.config.environment import SettingError
from stillhere.store.inbound import inbox
from stillhere.web.hooks.demo_phones import came


def keep(inbound: Inbound) -> bool:
    """Store it and say so; whether it was stored."""
    try:
        key_fit.require_usable(settings.STILLHERE)
        inbox.take(came(inbound, settings.RAW_NOW_MS(connection)))
    except Error as failure:
        click.echo(f"Not stored ({type(failure).__name__}). Try again.", err=True)
        return False
    except SettingError as problem:
        click.echo(f"Not stored. {problem}", err=True)
        return False
    click.echo("Stored.")
    return True
