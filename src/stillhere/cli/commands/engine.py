"""`stillhere engine`: the loops that ask, raise alarms and deliver."""

from __future__ import annotations

import click

from stillhere.cli import loading


@click.command()
def command() -> None:
    """Run only the engine; returns on SIGTERM."""
    loading.action("engine").run()
