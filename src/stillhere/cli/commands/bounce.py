"""`stillhere bounce`: a returned mail is a receipt.

Owns the step from a mail server's pipe to the store. The mail server passes every mail sent to our
sender's address to this command; anything that is not a bounce of ours is ignored, because anybody
can write there. Exits with 75 (try again later) if it could not be stored.
"""

from __future__ import annotations

import os
import sys

import click

from stillhere.channels.email import MAX_BOUNCE_BYTES, parse_bounce
from stillhere.cli import loading, unlock
from stillhere.config import environment
from stillhere.config.environment import SettingError

TRY_AGAIN_LATER = 75  # EX_TEMPFAIL of sysexits.h: what mail servers understand


@click.command()
def command() -> None:
    """Read one returned mail from standard input."""
    inbound = parse_bounce(sys.stdin.buffer.read(MAX_BOUNCE_BYTES))
    if inbound is None:
        click.echo("No bounce of ours.")
        return
    try:
        unlock.require(environment.read(os.environ))
        action = loading.action("bounce")
    except SettingError as told:
        click.echo(str(told), err=True)
        raise SystemExit(TRY_AGAIN_LATER) from None
    except SystemExit as told:  # a wrong setting loses no mail
        click.echo(told.code, err=True)
        raise SystemExit(TRY_AGAIN_LATER) from None
    if not action.keep(inbound):
        raise SystemExit(TRY_AGAIN_LATER)
