"""The engine in its own process, the only one on its data folder."""

from __future__ import annotations

from django.conf import settings

from stillhere.cli import data_lock, database, life
from stillhere.cli.check import damage, key_fit
from stillhere.config import gc_tuning
from stillhere.engine import loop


def run() -> None:
    """Run until SIGTERM. Raises `SettingError` if it cannot start."""
    database.refuse_wrong(settings.STILLHERE)
    damage.require_filled(settings.STILLHERE)
    key_fit.require_usable(settings.STILLHERE)
    gc_tuning.seldom()
    with data_lock.only_engine(settings.STILLHERE):
        loop.run(life.sign(), life.inherited(life.SILENCE))
