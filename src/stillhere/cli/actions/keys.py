"""The data keys of this installation: what names them, and a new one."""

from __future__ import annotations

import click
from django.conf import settings
from django.db import DatabaseError, connection

from stillhere.cli import database
from stillhere.cli.backup_file import record
from stillhere.cli.check import key_fit
from stillhere.config import keys
from stillhere.config.environment import SettingError, Stillhere
from stillhere.config.wiring import wall_ms
from stillhere.store.db import key_ring
from stillhere.store.installation import relink, reseal
from stillhere.store.models.sealed_columns import SEALED

NOTICE_MS = 24 * 3600 * 1000  # for copying the keys to the other machines


def show() -> None:
    """Print what there is. Raises `SettingError`."""
    here: Stillhere = settings.STILLHERE
    key_fit.require_usable(here)
    known = keys.read_data_keys(here.keys)
    newest = key_ring.sealing(known, wall_ms())
    try:
        named = reseal.named(SEALED)
    except DatabaseError as error:
        raise database.problem(error, here) from None
    click.echo(f"The keys lie in {here.keys}.")
    for number, key in sorted(known.items()):
        click.echo(
            f"Data key {number} {_state(number, newest, key.seals_from_at)}: {_of(named[number])}."
        )
    for number in sorted(named.keys() - known.keys()):
        click.echo(f"Data key {number} is not here, and nothing opens {_of(named[number])}.")
    click.echo(
        "Links and look-ups have keys of their own."
        if keys.PURPOSES[0] in here.link_keys
        else "Links and look-ups are derived from data key 1; the first rotation writes them down."
    )


def _state(number: int, newest: int, from_at: int) -> str:
    if number > newest:
        return f"seals from {record.moment(from_at)}"
    since = f" since {record.moment(from_at)}" if from_at else ""
    return f"seals{since}" if number == newest else "only opens"


def _of(count: int) -> str:
    return "1 value names it" if count == 1 else f"{count} values name it"


def rotate(*, at_once: bool) -> None:
    """Add a data key. With PostgreSQL other machines may have the same keys: they are given a day
    to get it, unless it is to seal ``at_once``. Raises `SettingError`."""
    here: Stillhere = settings.STILLHERE
    key_fit.require_usable(here)
    now = wall_ms()
    waits = bool(here.database_url) and not at_once
    from_at = now + NOTICE_MS if waits else now
    lines = [f"line {carrier.name}" for carrier in here.carriers]
    try:
        number = keys.add(here.keys, from_at, lines)
    except OSError as error:
        raise SettingError(
            f"The keys in {here.keys} cannot be changed here: {error.strerror}. Nothing was "
            "changed."
        ) from None
    if waits:
        click.echo(
            f"Data key {number} seals from {record.moment(from_at)}. If other machines run on this "
            f"database, copy {here.keys} to each of them before that; `rotate --now` is for one "
            "machine alone."
        )
    else:
        click.echo(f"Data key {number} seals from now on.")
    click.echo(
        "Nothing has to be stopped, and no link changes. What older keys sealed is sealed anew in "
        "the background; a day later the engine removes what nothing names any more. `stillhere "
        "keys` says how far it is. Make a backup: older ones hold the keys that open them."
    )


def tell_links() -> None:
    """Print which links die with the links' key, and what stays. Raises `SettingError`."""
    here: Stillhere = settings.STILLHERE
    key_fit.require(here)
    try:
        links = relink.count()
    except DatabaseError as error:
        raise database.problem(error, here) from None
    click.echo(
        "These open nothing any more:\n"
        f"- the links of {links.contacts} contacts: the next message to each has a new one\n"
        f"- the links of {links.watches} open watches in messages that were sent\n"
        f"- {links.stickers} stickers on kits: print them again\n"
        f"- the links of {links.volunteers} volunteers: hand out new ones at the desk\n"
        "- the desk's link: `stillhere desk` prints the new one\n"
        f"- the addresses of {links.peers} installations that this one looks after: `stillhere "
        "peer`\n"
        f"- {links.phones} phones that have not been here since there are sessions, and every link "
        "to come back that a person kept\n"
        "What stays: people's own phones, notifications, who said no, and words under force. "
        "Look-ups of numbers keep their key, because the list of those who said no is made of "
        "them: whoever has that key and the database can still try out numbers."
    )


def change_links() -> None:
    """Give every row that has a link the hash of its new one. Killed in the middle, the next start
    goes on. Nobody works on this installation meanwhile. Raises `SettingError`."""
    here: Stillhere = settings.STILLHERE
    try:
        old, new = keys.begin_links(here.keys)
        rows = relink.rekey(old, new)
        keys.finish_links(here.keys)
    except OSError as error:
        raise SettingError(f"{here.keys} cannot be changed here: {error.strerror}.") from None
    except DatabaseError as error:
        raise database.problem(error, here) from None
    finally:
        connection.close()
    click.echo(
        f"{rows} links were changed, and old ones open nothing. If other machines run on this "
        f"database, copy {here.keys} to each before it starts. Change the data key too: `stillhere "
        "keys rotate`. Then make a backup: what is restored from an older one has the old links."
    )
