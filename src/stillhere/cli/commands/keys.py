"""`stillhere keys`: where the keys lie and how old they are, and a new one in their place.

Owns the commands; what counts rows is in ``actions/keys.py``. The files themselves are written by
``config/keys.py``. No command prints a key.
"""

from __future__ import annotations

import os

import click

from stillhere.cli import loading
from stillhere.cli.check import key_fit
from stillhere.config import environment


@click.group(invoke_without_command=True)
@click.pass_context
def command(ctx: click.Context) -> None:
    """Say where the keys lie, which of them seal and open, and what names them."""
    stillhere = environment.read(os.environ)
    key_fit.require_whole(stillhere)
    if ctx.invoked_subcommand is None:
        loading.action("keys").show()


@command.command()
@click.option("--now", is_flag=True, help="Seal with it at once: no other machine has these keys.")
def rotate(*, now: bool) -> None:
    """Seal with a new data key from now on. Nothing stops, and no link changes."""
    loading.action("keys").rotate(at_once=now)
