"""Installations that look after each other: added, listed, removed."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import click
from django.conf import settings
from django.db import Error

from stillhere.cli import database
from stillhere.cli.check import key_fit
from stillhere.store.db import clock
from stillhere.store.installation import peers


def require_usable() -> None:
    """Raise `SettingError` where the database is gone, or the keys do not open it."""
    key_fit.require_usable(settings.STILLHERE)


def add(name: str) -> None:
    """Look after ``name``, and print the address that its coordinator sets over there."""
    try:
        with _database():
            key = peers.add(name)
    except peers.NameWrong as problem:
        raise click.ClickException(f"{problem}. Nothing was changed.") from None
    click.echo(f"{settings.STILLHERE.base_url}/beat/{key}")
    click.echo(
        "Over there: set STILLHERE_HEARTBEAT_URL to this address. It is shown only now.", err=True
    )
    if not settings.STILLHERE.coordinator:
        click.echo("Here: set STILLHERE_COORDINATOR, or nobody hears of its silence.", err=True)


def show() -> None:
    """Say of each peer whether we hear from it."""
    with _database():
        now = clock.now_ms()
        found = peers.seen(now)
    for peer in found:
        click.echo(f"{peer.name}: {heard(peer.heard_at, peer.silent, now)}")


def remove(name: str) -> None:
    """Stop looking after ``name``."""
    with _database():
        removed = peers.remove(name)
    if not removed:
        raise click.ClickException(f"There is none called {name}.")
    click.echo(f"{name} is not looked after any more. Its address opens nothing.")


@contextlib.contextmanager
def _database() -> Iterator[None]:
    """Turn whatever the database complains about into one `SettingError`."""
    try:
        yield
    except Error as error:
        raise database.problem(error, settings.STILLHERE) from None


def heard(heard_at: int, silent: bool, now: int) -> str:
    """How one of them is doing, in plain words."""
    if not heard_at:
        return "never heard yet"
    ago_s = max(0, now - heard_at) // 1000
    ago = f"{ago_s} s" if ago_s < 120 else f"{ago_s // 60} minutes"
    return f"silent, last heard {ago} ago" if silent else f"heard {ago} ago"
