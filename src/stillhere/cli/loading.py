"""Loads a command when it is called, and its action once Django is set up.

Owns the only import by name in Stillhere. `stillhere --help` loads no command, and so needs no
settings; what imports the tables is an action (``actions/``), and is loaded through here. A command
without an action never loads Django, so that the supervisor stays small.
"""

from __future__ import annotations

import importlib
from types import ModuleType

import click
import django

# They run until somebody ends them, and write a log; nobody reads along.
LASTING = frozenset({"up", "web", "pages", "engine", "line", "demo"})


def command(name: str) -> click.Command:
    """The command of ``commands/<name>.py``, or of ``commands/lasting/<name>.py``."""
    loaded = _load(where(name), name).command
    assert isinstance(loaded, click.Command)
    return loaded


def where(name: str, floor: str = "commands") -> str:
    """The room in which a command lives, or its action."""
    return f"{floor}.lasting" if name in LASTING else floor


def action(name: str) -> ModuleType:
    """The action of a command, from the same room. Sets Django up first; a wrong setting ends the
    process there, with one line (`SystemExit`)."""
    django.setup()
    return _load(where(name, "actions"), name)


def _load(folder: str, name: str) -> ModuleType:
    return importlib.import_module(f"stillhere.cli.{folder}.{name}")
