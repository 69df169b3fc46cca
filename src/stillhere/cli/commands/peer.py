"""`stillhere peer`: installations that look after each other.

Each side adds the other and passes on one address, which the other sets as STILLHERE_HEARTBEAT_URL.
From then on the engine and the page `/beat/` do the work. What is printed is in
``actions/peer.py``.
"""

from __future__ import annotations

import os

import click

from stillhere.cli import data_lock, loading
from stillhere.cli.check import key_fit
from stillhere.config import environment


@click.group()
def command() -> None:
    """Look after other installations, and let them look after this one."""
    stillhere = environment.read(os.environ)
    key_fit.require_keys(stillhere)
    data_lock.follow_running(stillhere.data)
    loading.action("peer").require_usable()


@command.command()
@click.argument("name")
def add(name: str) -> None:
    """Look after NAME: prints the one address that its coordinator sets over there."""
    loading.action("peer").add(name)


@command.command("list")
def listed() -> None:
    """Say of each whether it is heard."""
    loading.action("peer").show()


@command.command()
@click.argument("name")
def remove(name: str) -> None:
    """Look after NAME no more."""
    loading.action("peer").remove(name)
