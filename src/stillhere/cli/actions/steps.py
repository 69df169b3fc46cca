"""The steps for the one who comes: prints them with their sources, and signs them.

Owns what is printed. What counts as signed is decided in ``content/steps.py``: changing any word
invalidates the signature.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from functools import partial
from typing import Any

import click
from django.conf import settings
from django.utils import translation

from stillhere.cli.check import key_fit
from stillhere.config import keys
from stillhere.config.environment import SettingError
from stillhere.config.wiring import wall_ms
from stillhere.content import sentences, step_rules, steps


def show(lang: str) -> None:
    """Print every step in this language. Raises `SettingError`."""
    _require_own_steps()
    with translation.override(lang):
        for line in _lines():
            click.echo(line)


def sign(by: str) -> None:
    """Record that ``by`` vouches for the steps as they are now. Raises `SettingError`."""
    _require_own_steps()
    name = " ".join(by.split())
    if not 3 <= len(name) <= 120 or not name.isprintable():
        raise SettingError("Give the clinician's name and title, like --sign 'Dr. Ana Example'.")
    key_fit.require_usable(settings.STILLHERE)
    day = datetime.fromtimestamp(wall_ms() / 1000, UTC).date().isoformat()
    steps.sign(name, day)
    keys.own(settings.STILLHERE.data / steps.SIGNED)
    click.echo(f"Signed by {name}, {day}. A change of any word or choice ends it.")


def _require_own_steps() -> None:
    fault = steps.own_fault()
    if fault:
        raise SettingError(f"walk.toml in the data folder is not used: {fault}.")


def _lines() -> Iterator[str]:
    said = partial(sentences.said_in, language=sentences.language())
    rows, sources = {row["id"]: row for row in steps.known()["screen"]}, steps.sources()
    for name, value in steps.known()["choose"].items():
        yield f"choose {name} = {value} (or: {', '.join(step_rules.CHOICES[name])})"
    for screen in steps.screens():
        row = rows[screen.id]
        yield f"\n[{screen.id}] {screen.says}"
        if screen.quiet:
            yield f"    {screen.quiet}"
        yield "    " + " | ".join(f"{a.says} -> {a.to}" for a in (*screen.answers, *screen.also))
        yield from _from(row, sources)
        if row.get("note"):
            yield f"    note: {row['note']}"
    for row in steps.signed_words()["reading"]["part"]:
        yield f"\n[{row['page']}] {said(row['head'])}\n    {said(row['says'])}"
        yield from _from(row, sources)
    for row in steps.signed_words()["reading"]["paper"]:
        when = f" (choose not_breathing = {row['choice']})" if "choice" in row else ""
        yield f"\n[paper, {row['where']} {row['step']}]{when} {said(row['says'])}"
        yield from _from(row, sources)
    signed = steps.signature()
    yield f"\nSigned by {signed.by}, {signed.on}." if signed else "\nNobody has signed this."


def _from(row: Any, sources: Any) -> Iterator[str]:
    for name in row["sources"]:
        mark = {"V": "", "S": " (quoted)", "M": " (NOT YET CHECKED)"}[sources[name]["mark"]]
        yield f"    from {sources[name]['body']}{mark}"
