"""`stillhere bench`: how many people this machine can look after, in words, within a minute.

Owns a temporary folder beside the data folder (the same disk), removed afterwards. Touches no
installation and sends nothing. It measures SQLite; with PostgreSQL the answer is more web and
engine processes (docs/scale.md).
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import click

from stillhere.cli import loading, scratch_env
from stillhere.cli.backup_file.unpack import end_tidily
from stillhere.config import environment


@click.command()
@click.option("--seconds", default=8.0, show_default=True, type=click.FloatRange(0.1, 120))
def command(seconds: float) -> None:
    """Measure this machine, and say how many people it can look after at once."""
    beside = environment.read(os.environ).data
    beside.mkdir(mode=0o700, parents=True, exist_ok=True)
    end_tidily()
    with tempfile.TemporaryDirectory(prefix=".bench-", dir=beside) as folder:
        scratch_env.set_up(Path(folder))
        loading.action("bench").measure(seconds)
