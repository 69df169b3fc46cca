"""`stillhere drill`: a rehearsal with one person's list, by a coordinator whom the person has
asked.

Takes the person's own link or phone number, which only they can have given. What is printed is in
``actions/drill.py``.
"""

from __future__ import annotations

import os

import click

from stillhere.cli import data_lock, loading
from stillhere.cli.check import key_fit
from stillhere.config import environment


@click.command(context_settings={"ignore_unknown_options": True})  # a key may begin with "-"
@click.argument("who")
@click.option("--wait", type=click.IntRange(0, 3600), default=180, help="Seconds to wait.")
def command(who: str, wait: int) -> None:
    """Reach everybody on the list of WHO (their link, or their phone number), as in an alarm, with
    words that say it is a drill; print who answers, and how fast."""
    stillhere = environment.read(os.environ)
    key_fit.require_keys(stillhere)
    data_lock.follow_running(stillhere.data)
    loading.action("drill").hold(who, wait)
