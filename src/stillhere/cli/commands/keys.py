"""`stillhere keys`: where the keys lie and how old they are, and a new one in their place.

Owns the commands; what counts rows is in ``actions/keys.py``. The files themselves are written by
``config/keys.py``. No command prints a key.
"""

from __future__ import annotations

import os
from pathlib import Path

import click

from stillhere.cli import data_lock, loading, unlock
from stillhere.cli.backup_file import recipient
from stillhere.cli.check import key_fit
from stillhere.config import environment, keys
from stillhere.config.environment import SettingError


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


@command.command("new-links")
@click.option("--yes", is_flag=True, help="Do not ask.")
def new_links(*, yes: bool) -> None:
    """After a leak: make every link that was sent or printed open nothing. Stop Stillhere first, on
    every machine."""
    stillhere = environment.read(os.environ)
    with data_lock.held(stillhere):
        key_fit.require_whole(stillhere)
        action = loading.action("keys")
        action.tell_links()
        if not yes:
            click.confirm("Change the links' key now?", abort=True)
        action.change_links()


@command.command()
@click.argument("file", type=click.Path(path_type=Path))
def backup(file: Path) -> None:
    """Make a pair of keys for backups, on any machine: the private one goes into FILE, which does
    not exist yet."""
    private, public = recipient.new()
    try:
        with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as made:
            made.write(f"{private}\n")
    except OSError as error:
        raise SettingError(
            f"{file} was not written: {error.strerror}. Name a file that is not there yet."
        ) from None
    click.echo(
        f"The private key is in {file}. Take it off this machine: print it, and keep it in two "
        "places where somebody besides you finds it. Without it no backup opens.\n"
        f"On the machine that makes the backups set\n\nSTILLHERE_BACKUP_TO={public}\n"
    )
