"""`stillhere engine`: the loops that ask, raise alarms and deliver."""

from __future__ import annotations

import os

import click

from stillhere.cli import loading
from stillhere.cli.check import key_fit
from stillhere.config import environment


@click.command()
def command() -> None:
    """Run only the engine; returns on SIGTERM."""
    key_fit.require_keys(environment.read(os.environ))
    loading.action("engine").run()
