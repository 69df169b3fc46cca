"""`stillhere steps`: what the walk-through says, for the clinician who reads and signs it.

Owns its options. What is printed is in ``actions/steps.py``.
"""

from __future__ import annotations

import os

import click

from stillhere.cli import loading
from stillhere.cli.check import key_fit
from stillhere.config import environment
from stillhere.content.languages import HOME


@click.command()
@click.option(
    "--sign", "by", default="", help="Name and title of the clinician who answers for it."
)
@click.option("--lang", default=HOME, help="The language to print.")
def command(by: str, lang: str) -> None:
    """Print every step with where it is from, and who signed it; or keep that somebody signs it."""
    key_fit.require_keys(environment.read(os.environ))
    action = loading.action("steps")
    if by:
        action.sign(by)
    else:
        action.show(lang)
