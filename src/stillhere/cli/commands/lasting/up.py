"""`stillhere up`: everything an installation needs, in one command.

Owns the order (folder, keys, database, children) and what is said on the terminal. The children are
the same commands anyone can run: `stillhere web` and `stillhere engine`.
"""

from __future__ import annotations

import http.client
import json
import logging.config
import os
import sys
from collections.abc import Callable, Sequence

import click
import segno

from stillhere import sip
from stillhere.cli import data_lock, database, loading, schema, supervise, trouble, unlock, waiting
from stillhere.cli.check import damage, key_fit, listening, permissions
from stillhere.cli.commands.migrate import prepare
from stillhere.config import environment, key_lock, keys, logs
from stillhere.config.carriers import leaves
from stillhere.config.environment import SettingError, Stillhere
from stillhere.config.wiring import boot_ms
from stillhere.programs import PAGES_BESIDE

PATIENCE_MS = 10_000  # how long it may take to become healthy before we say what is missing


@click.command()
def command() -> None:
    """Start everything: database, web and engine."""
    stillhere = environment.read(os.environ)
    if not keys.exist(stillhere.keys):  # nothing is made where it could not start
        listening.require(stillhere)
    if stillhere.database_url:
        database.reach(stillhere)
    with data_lock.held(stillhere):
        waiting.open_keys(stillhere)
        found = _look(stillhere)
        if keys.exist(stillhere.keys) and keys.NEXT in keys.read_links(stillhere.keys):
            loading.action("keys").change_links()  # it was interrupted
        # Migrations that cannot be read any more: then we go on with what is there.
        if "django_migrations" not in found.damaged and not schema.is_current(stillhere):
            prepare(stillhere)  # loads Django, which the supervisor is better off without
        for carrier in stillhere.carriers:
            click.echo(leaves(carrier), err=True)
        if has_line(stillhere) and sip.missing():
            lacks = f"The direct line cannot ring without {', '.join(sip.missing())}"
            click.echo(f"{lacks}: {sip.INSTALL}. Then start again.", err=True)
        run(stillhere, children(*parts(stillhere)), Announcement(stillhere))


def _look(stillhere: Stillhere) -> damage.DamageReport:
    """Check what a start needs, before one child after another dies of it; say what is damaged.
    Raises `SettingError` if nobody could be watched."""
    said = trouble.unwritable(stillhere.data)
    if said is not None:
        raise SettingError(said)
    if keys.exist(stillhere.keys):
        key_fit.require_whole(stillhere)
        key_fit.require(stillhere)
        for sentence in permissions.look(stillhere.data, stillhere.keys):
            click.echo(sentence, err=True)
    found = damage.look(stillhere, damage.START_MS)
    if found.damaged and (mended := damage.mend(stillhere)):
        click.echo(mended, err=True)
        found = damage.look(stillhere, damage.START_MS)
    if found.damaged:
        click.echo(damage.sentence(found, stillhere.data), err=True)
    return found


def parts(stillhere: Stillhere) -> tuple[str, ...]:
    """The commands an installation consists of."""
    rings = has_line(stillhere) and not sip.missing()
    return ("web", "pages", "engine", *(["line"] if rings else []))


def has_line(stillhere: Stillhere) -> bool:
    """Whether our own SIP line is set up."""
    return any(carrier.kind == "sip" for carrier in stillhere.carriers)


def children(*names: str) -> list[supervise.Child]:
    """Our own commands as children of the supervisor."""
    us = [sys.executable, "-m", "stillhere"]
    return [
        supervise.Child(
            name,
            [*us, name],
            hears=name == "web",
            told=name == "engine",
            helps=name == "pages",
            without=environment.not_for(name),
            key=key_lock.HELD.key,
        )
        for name in names
    ]


def run(
    stillhere: Stillhere,
    children: Sequence[supervise.Child],
    each_round: Callable[[], bool],
) -> None:
    """Supervise ``children`` until we are told to stop. The caller holds the data folder."""
    logging.config.dictConfig(logs.configuration(stillhere.log))
    listening.require(stillhere)
    # The address is found once: all children must make the same links.
    os.environ["STILLHERE_BASE_URL"] = stillhere.base_url
    os.environ[PAGES_BESIDE] = "1" if any(child.name == "pages" for child in children) else ""
    if not key_lock.HELD.key:
        supervise.run(children, each_round)
        return
    with unlock.listening(stillhere.data) as door:
        supervise.run(children, each_round, door)


class Announcement:
    """Called every round until healthy: prints the address once, or says what is missing."""

    def __init__(self, stillhere: Stillhere) -> None:
        """Start waiting now."""
        self.stillhere = stillhere
        self.since_ms = boot_ms()
        self.said = ""

    def __call__(self) -> bool:
        """Ask the web server how it is; returns whether there is nothing more to announce."""
        status, reasons = health(self.stillhere)
        if status == 200:
            print_address(self.stillhere.base_url)
            click.echo(where_it_opens(self.stillhere.hostname))
            click.echo("Open alarms and what needs a person: `stillhere desk` prints the link.")
            return True
        if boot_ms() - self.since_ms > PATIENCE_MS and reasons != self.said:
            self.said = reasons
            click.echo(f"Not ready yet: {reasons}", err=True)
        return False


def health(stillhere: Stillhere) -> tuple[int, str]:
    """Return the status of /healthz and its reasons in one line; 0 when nothing answers."""
    own = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(stillhere.host, stillhere.host)  # noqa: S104
    asking = http.client.HTTPConnection(own, stillhere.port, timeout=1)
    try:
        asking.request("GET", "/healthz", headers={"Host": "localhost"})
        answer = asking.getresponse()
        return answer.status, ", ".join(json.loads(answer.read())["reasons"])
    except (OSError, http.client.HTTPException, ValueError, KeyError):
        return 0, "the web server does not answer yet"
    finally:
        asking.close()


def where_it_opens(hostname: str) -> str:
    """Who can open our links, said before anybody is sent one."""
    if hostname in ("localhost", "127.0.0.1", "::1"):
        return (
            "It opens on this machine only, and so do the links in messages. "
            "Set STILLHERE_BASE_URL to let others in. Ctrl-C stops it."
        )
    return "Open it on a phone in the same network. Ctrl-C stops it."


def print_address(url: str) -> None:
    """Print the address, in words and as a QR code for a phone's camera."""
    click.echo(f"\nStillhere is running: {url}\n")
    segno.make(url, error="l").terminal(sys.stdout, compact=True, border=2)
    sys.stdout.flush()
