"""`stillhere keys`: where the keys lie and how old they are, and a new one in their place.

Owns the commands; what counts rows is in ``actions/keys.py``. The files themselves are written by
``config/keys.py``. No command prints a key.
"""

from __future__ import annotations

import os

import click

from stillhere.cli import data_lock, loading, unlock
from stillhere.cli.check import key_fit
from stillhere.config import environment, keys


@click.group(invoke_without_command=True)
@click.pass_context
def command(ctx: click.Context) -> None:
    """Say where the keys lie, which of them seal and open, and what names them."""
    if ctx.invoked_subcommand is None:
        key_fit.require_whole(environment.read(os.environ))
        loading.action("keys").show()


@command.command()
@click.option("--now", is_flag=True, help="Seal with it at once: no other machine has these keys.")
def rotate(*, now: bool) -> None:
    """Seal with a new data key from now on. Nothing stops, and no link changes."""
    key_fit.require_whole(environment.read(os.environ))
    loading.action("keys").rotate(at_once=now)


@command.command()
@click.option("--remove", is_flag=True, help="Write the keys in clear again.")
def passphrase(*, remove: bool) -> None:
    """Put the keys under a passphrase, or under another one. Stop Stillhere first."""
    stillhere = environment.read(os.environ)
    with data_lock.held(stillhere):
        key_fit.require_whole(stillhere)
        if remove:
            keys.unlock(stillhere.keys)
            click.echo(f"The keys in {stillhere.keys} lie in clear, and it starts by itself.")
            return
        new = unlock.prompt("The new passphrase of the keys", new=True)
        keys.lock(stillhere.keys, new)
    click.echo(
        f"The keys in {stillhere.keys} open only with this passphrase. Write it on paper, and keep "
        "it where somebody besides you finds it: without it nobody can be reached any more, and we "
        "cannot help.\nAfter each start, also after a power cut, nobody is watched until somebody "
        "types `stillhere unseal`. What lay in clear until now may still be on free space of this "
        "disk: `stillhere keys rotate` makes a data key that never did."
    )
