"""A returned mail, kept like any other message that comes in."""

from __future__ import annotations

import click
from django.conf import settings
from django.db import Error

from stillhere.cli.check import key_fit
from stillhere.config.environment import SettingError
from stillhere.core.messages import Inbound
from stillhere.store.inbound import inbox


def keep(inbound: Inbound) -> bool:
    """Store it and say so; whether it was stored."""
    try:
        key_fit.require_usable(settings.STILLHERE)
        inbox.take(inbound)
    except Error as failure:
        click.echo(f"Not stored ({type(failure).__name__}). Try again.", err=True)
        return False
    except SettingError as problem:
        click.echo(f"Not stored. {problem}", err=True)
        return False
    click.echo("Stored.")
    return True
