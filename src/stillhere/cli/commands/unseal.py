"""`stillhere unseal`: hands the passphrase of the keys to an installation that waits for it."""

from __future__ import annotations

import os

import click

from stillhere.cli import unlock
from stillhere.cli.check import key_fit
from stillhere.config import environment, key_lock
from stillhere.config.environment import SettingError
from stillhere.config.key_lock import WrongPassphraseError


@click.command()
def command() -> None:
    """Open the keys of the `stillhere up` that waits for it here, by their passphrase: typed at the
    terminal, or the first line of standard input."""
    stillhere = environment.read(os.environ)
    key_fit.require_there(stillhere)
    if not key_lock.is_locked(stillhere.keys):
        raise SettingError(f"The keys in {stillhere.keys} have no passphrase: nothing waits.")
    try:
        with unlock.reach(stillhere.data) as line:
            if unlock.receive(line) != unlock.WAITING:
                click.echo("The keys are open already.")
                return
            line.sendall(f"{unlock.prompt('Passphrase of the keys')}\n".encode())
            said = unlock.receive(line)
    except OSError:
        raise SettingError(
            f"Nothing waits for the passphrase on {stillhere.data}. Start it: `stillhere up`, or "
            "`systemctl start stillhere`."
        ) from None
    if said != unlock.OPEN:
        raise WrongPassphraseError(
            "This passphrase does not open the keys, and nobody is watched yet. Look at capital "
            "letters and the keyboard's language, and try again."
        )
    click.echo("The keys are open. Stillhere starts now: /healthz says when people are watched.")
