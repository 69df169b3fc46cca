"""The `stillhere` command.

Owns the list of commands. Each lives in a file of its own, in ``commands/`` or, where it runs until
somebody ends it, in ``commands/lasting/``, with a click command called ``command``, and is loaded
only when it is run (``loading.py``). To add one: write the file, add its line here; what needs the
tables goes into ``actions/`` under the same name.
"""

from __future__ import annotations

import logging
import os
from typing import Any

import click

from stillhere.cli import loading, trouble
from stillhere.config import environment
from stillhere.config.environment import SettingError

COMMANDS = {
    "up": "Start everything: database, web and engine, under one supervisor.",
    "web": "Run only the web server.",
    "pages": "Run only the pages, for a web server beside them.",
    "engine": "Run only the engine that asks, raises alarms and delivers.",
    "line": "Run only the direct line, which rings phones by SIP.",
    "migrate": "Bring the database up to date (backs it up first).",
    "backup": "Write everything into one sealed file, while it runs.",
    "restore": "Put a backup back, into an empty data folder.",
    "demo": "Show the whole story in one minute, on phones drawn on a page.",
    "desk": "Print the link to the coordinator's desk.",
    "steps": "Print the steps for the one who comes, or sign them.",
    "drill": "Rehearse with one person's list, and say who answers.",
    "bounce": "Read a returned mail from standard input (for the mail server).",
    "bench": "Say in words how many people this machine can look after.",
    "simulate": "Live through seeded nights of faults and say whether everything held.",
    "keys": "Say where the keys lie, or put a new one in their place.",
    "unseal": "Hand over the passphrase that the keys wait for.",
    "peer": "Look after another installation, and be looked after.",
    "clock": "Say whether the time is right, or that it is.",
    "check": "Say whether this installation is put together well.",
}


# Names every wrong setting; ends with a number that mail servers understand.
SAY_IT_THEMSELVES = ("check", "bounce")


class LazyCommands(click.Group):
    """Knows its commands by name and loads one when it is called."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command; a setting, folder or disk that cannot be used is one line, not a
        traceback."""
        try:
            return super().invoke(ctx)
        except SettingError as error:
            raise click.ClickException(str(error)) from error
        except Exception as error:
            said = trouble.sentence(error, environment.examine(os.environ)[0].data)
            if said is None:
                raise
            raise click.ClickException(said) from error

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names in the order of the table."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Load one command, or say that there is none."""
        return loading.command(cmd_name) if cmd_name in COMMANDS else None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands without loading any."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.command(cls=LazyCommands)
@click.version_option(package_name="stillhere")
@click.pass_context
def main(ctx: click.Context) -> None:
    """Stillhere: an overdose safety net that people run for each other.

    Settings come from the environment; docs/settings.md lists them all.
    """
    # Whatever we write (database, keys, backups) is for this user only.
    os.umask(0o077)
    stray = environment.strays(os.environ)
    if stray and ctx.invoked_subcommand not in SAY_IT_THEMSELVES:
        raise SettingError(" ".join(stray.values()))
    if ctx.invoked_subcommand not in loading.LASTING:
        # A command that ends says itself, in one sentence, what its disk or a clock's host said.
        for name in ("stillhere.disk", "stillhere.clock"):
            logging.getLogger(name).addFilter(lambda _record: False)
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "stillhere.config.settings")
