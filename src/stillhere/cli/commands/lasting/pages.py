"""`stillhere pages`: makes the pages for the web server beside it; `stillhere up` starts both."""

from __future__ import annotations

import os

import click
import django

from stillhere.cli import loading
from stillhere.cli.check import key_fit
from stillhere.cli.commands.lasting import web
from stillhere.config import environment


@click.command()
def command() -> None:
    """Run only the pages, for the web server of the same data folder."""
    key_fit.require_keys(environment.read(os.environ))
    django.setup()
    web.prepare()
    loading.action("pages").run()
