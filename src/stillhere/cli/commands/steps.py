"""`stillhere steps`: what the walk-through says, for the clinician who reads it and signs it.

Owns what is printed. What counts as signed is ``content/steps.py``'s: a change of any word ends it.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import click
import django
from django.conf import settings
from django.utils import translation

from stillhere.cli.check import key_fit
from stillhere.config import keys
from stillhere.config.environment import SettingError
from stillhere.config.wiring import wall_ms


@click.command()
@click.option(
    "--sign", "by", default="", help="Name and title of the clinician who answers for it."
)
@click.option("--lang", default="en", help="The language to print.")
def command(by: str, lang: str) -> None:
    """Print every step with where it is from, and who signed it; or keep that somebody signs it."""
    django.setup()
    walk: Any = importlib.import_module("stillhere.content.steps")
    fault = walk.own_fault()
    if fault:
        raise SettingError(f"walk.toml in the data folder is not used: {fault}.")
    if by:
        name = " ".join(by.split())
        if not 3 <= len(name) <= 120 or not name.isprintable():
            raise SettingError(
                "Give the clinician's name and title, like --sign 'Dr. Ana Example'."
            )
        key_fit.require_usable(settings.STILLHERE)
        day = datetime.fromtimestamp(wall_ms() / 1000, UTC).date().isoformat()
        walk.sign(name, day)
        keys.own(settings.STILLHERE.data / walk.SIGNED)
        click.echo(f"Signed by {name}, {day}. A change of any word or choice ends it.")
        return
    with translation.override(lang):
        for line in _lines(walk):
            click.echo(line)


def _lines(walk: Any) -> Iterator[str]:
    rows, sources = {row["id"]: row for row in walk.known()["screen"]}, walk.sources()
    for name, value in walk.known()["choose"].items():
        yield f"choose {name} = {value} (or: {', '.join(walk.CHOICES[name])})"
    for screen in walk.screens():
        row = rows[screen.id]
        yield f"\n[{screen.id}] {screen.says}"
        if screen.quiet:
            yield f"    {screen.quiet}"
        yield "    " + " | ".join(f"{a.says} -> {a.to}" for a in (*screen.answers, *screen.also))
        yield from _from(row, sources)
        if row.get("note"):
            yield f"    note: {row['note']}"
    for row in walk.signed_words()["reading"]["part"]:
        yield f"\n[{row['page']}] {row['head']['en']}\n    {row['says']['en']}"
        yield from _from(row, sources)
    for row in walk.signed_words()["reading"]["paper"]:
        when = f" (choose not_breathing = {row['choice']})" if "choice" in row else ""
        yield f"\n[paper, {row['where']} {row['step']}]{when} {row['says']['en']}"
        yield from _from(row, sources)
    signed = walk.signature()
    yield f"\nSigned by {signed.by}, {signed.on}." if signed else "\nNobody has signed this."


def _from(row: Any, sources: Any) -> Iterator[str]:
    for name in row["sources"]:
        mark = {"V": "", "S": " (quoted)", "M": " (NOT YET CHECKED)"}[sources[name]["mark"]]
        yield f"    from {sources[name]['body']}{mark}"
