"""`stillhere drill`: a rehearsal of one person's list, for a coordinator whom they asked.

Owns what is printed. Takes the person's own link or their phone number, which only they can have
given. The drill itself is ``store/people/drills.py``'s: every message says that it is only one.
"""

from __future__ import annotations

import importlib
import os
import time
from typing import Any

import click
import django
from django.conf import settings
from django.db import Error

from stillhere.cli import data_lock, database
from stillhere.config import environment
from stillhere.config.wiring import boot_ms

LOOKS_EVERY_S = 1.0


@click.command(context_settings={"ignore_unknown_options": True})  # a key may begin with "-"
@click.argument("who")
@click.option("--wait", type=click.IntRange(0, 3600), default=180, help="Seconds to wait.")
def command(who: str, wait: int) -> None:
    """Reach everybody on the list of WHO (their link, or their phone number), as in an alarm, with
    words that say it is a drill; print who answers, and how fast."""
    data_lock.follow_running(environment.read(os.environ).data)
    django.setup()
    try:
        _hold(who, wait)
    except Error as error:
        raise database.problem(error, settings.STILLHERE) from None


def _hold(who: str, wait: int) -> None:
    person = _person(who)
    if person is None:
        raise click.ClickException(
            "Nobody here has this link or number. Ask them for the link on their page “My data”."
        )
    drills = _store("people.drills")
    try:
        reached = drills.begin(person)
    except _store("problems").Problem as problem:
        said = importlib.import_module("stillhere.web.site.texts").put(problem.why)
        raise click.ClickException(said) from None
    click.echo(f"A drill goes to {reached} of them, round by round. Waiting {wait} s for answers.")
    silent = set(person.contacts.filter(drilled_at__gt=0).values_list("id", flat=True))
    until_ms = boot_ms() + wait * 1000
    while silent and boot_ms() < until_ms:
        time.sleep(LOOKS_EVERY_S)
        silent -= _tell(person.contacts.filter(id__in=silent, drill_answered_at__gt=0))
    for contact in person.contacts.filter(id__in=silent).order_by("rung", "id"):
        click.echo(f"{_name(contact)}: no answer yet")


def _store(name: str) -> Any:
    """A module that knows the tables, which can be loaded only now."""
    return importlib.import_module(f"stillhere.store.{name}")


def _person(who: str) -> Any:
    """Whose link or number this is."""
    records = _store("people.records")
    key = who.strip().rstrip("/").rpartition("/")[2]
    found = records.person_by_key(key) if len(key) <= 64 else None
    if found is not None:
        return found
    try:
        number = settings.PHONE_NUMBER(who)
    except ValueError:
        return None
    lookups = _store("people.services").lookups(number)
    people = _store("models").Person.objects
    return people.filter(addresses__lookup__in=lookups).order_by("id").first()


def _tell(answered: Any) -> set[int]:
    """Print each answer once; whose it was."""
    told = set()
    for contact in answered.order_by("drill_answered_at"):
        after_s = max(0, contact.drill_answered_at - contact.drilled_at) // 1000
        says = "would come" if contact.drill_said == "yes" else "could not come"
        click.echo(f"{_name(contact)}: {says}, after {after_s} s")
        told.add(contact.id)
    return told


def _name(contact: Any) -> str:
    return str(_store("models.sealed_columns").contact_name(contact))
