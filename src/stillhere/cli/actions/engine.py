"""The engine in a process of its own, the only one on its data folder."""

from __future__ import annotations

from django.conf import settings

from stillhere.cli import data_lock, database, life
from stillhere.cli.check import key_fit
from stillhere.config import gc_tuning
from stillhere.engine import loop


def run() -> None:
    """Go round until SIGTERM. Raises `SettingError` where it cannot begin."""
    database.refuse_wrong(settings.STILLHERE)
    key_fit.require_usable(settings.STILLHERE)
    gc_tuning.seldom()
    with data_lock.only_engine(settings.STILLHERE):
        loop.run(life.sign(), life.inherited(life.SILENCE))
