"""`stillhere peer`: installations that look after each other.

Owns what is printed. Each side adds the other and hands over one address, which the other sets as
STILLHERE_HEARTBEAT_URL; what happens then is the engine's and the page `/beat/`'s.
"""

from __future__ import annotations

import os
from typing import Any

import click
import django
from django.conf import settings
from django.db import Error
from django.utils.module_loading import import_string

from stillhere.cli import data_lock, database
from stillhere.cli.check import key_fit
from stillhere.config import environment


@click.group()
def command() -> None:
    """Look after other installations, and let them look after this one."""
    data_lock.follow_running(environment.read(os.environ).data)
    django.setup()
    key_fit.require_usable(settings.STILLHERE)


@command.command()
@click.argument("name")
def add(name: str) -> None:
    """Look after NAME: prints the one address that its coordinator sets over there."""
    try:
        key = _ask("installation.peers.add", name)
    except import_string("stillhere.store.installation.peers.NameWrong") as problem:
        raise click.ClickException(f"{problem}. Nothing was changed.") from None
    click.echo(f"{settings.STILLHERE.base_url}/beat/{key}")
    click.echo(
        "Over there: set STILLHERE_HEARTBEAT_URL to this address. It is shown only now.", err=True
    )
    if not settings.STILLHERE.coordinator:
        click.echo("Here: set STILLHERE_COORDINATOR, or nobody hears of its silence.", err=True)


@command.command("list")
def listed() -> None:
    """Say of each whether it is heard."""
    now = _ask("db.clock.now_ms")
    for peer in _ask("installation.peers.seen", now):
        click.echo(f"{peer.name}: {heard(peer.heard_at, peer.silent, now)}")


@command.command()
@click.argument("name")
def remove(name: str) -> None:
    """Look after NAME no more."""
    if not _ask("installation.peers.remove", name):
        raise click.ClickException(f"There is none called {name}.")
    click.echo(f"{name} is not looked after any more. Its address opens nothing.")


def _ask(what: str, *given: object) -> Any:
    """Ask the store, which can be loaded only now."""
    try:
        return import_string(f"stillhere.store.{what}")(*given)
    except Error as error:
        raise database.problem(error, settings.STILLHERE) from None


def heard(heard_at: int, silent: bool, now: int) -> str:
    """How it is with one of them, in plain words."""
    if not heard_at:
        return "never heard yet"
    ago_s = max(0, now - heard_at) // 1000
    ago = f"{ago_s} s" if ago_s < 120 else f"{ago_s // 60} minutes"
    return f"silent, last heard {ago} ago" if silent else f"heard {ago} ago"
