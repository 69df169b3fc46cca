"""`stillhere desk`: the coordinator's link. Whoever has it sits at the desk."""

from __future__ import annotations

import os

import click

from stillhere.cli import data_lock, loading
from stillhere.cli.check import key_fit
from stillhere.config import environment


@click.command()
@click.option("--new", is_flag=True, help="Make a new link; the old one opens nothing any more.")
def command(*, new: bool) -> None:
    """Print the link to the coordinator's desk; the same each time."""
    stillhere = environment.read(os.environ)
    key_fit.require_keys(stillhere)
    data_lock.follow_running(stillhere.data)
    loading.action("desk").show(new=new)
