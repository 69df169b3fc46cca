"""A rehearsal with one person's list, and who answers.

Owns what is printed. The drill itself is in ``store/people/drills.py``: every message says that it
is only a drill.
"""

from __future__ import annotations

import time

import click
from django.conf import settings
from django.db import Error
from django.db.models import QuerySet

from stillhere.cli import database
from stillhere.cli.check import key_fit
from stillhere.config.wiring import boot_ms
from stillhere.store.models import Contact, Person
from stillhere.store.models.sealed_columns import contact_name
from stillhere.store.people import address_book, drills, records
from stillhere.store.problems import Problem
from stillhere.web.site import page_text

LOOKS_EVERY_S = 1.0


def hold(who: str, wait_s: int) -> None:
    """Start a drill for the list of ``who``, and print the answers for ``wait_s``. Raises
    `SettingError` if the database cannot be used, `ClickException` if there can be no drill."""
    key_fit.require_usable(settings.STILLHERE)
    try:
        _hold(who, wait_s)
    except Error as error:
        raise database.problem(error, settings.STILLHERE) from None


def _hold(who: str, wait_s: int) -> None:
    person = _person(who)
    if person is None:
        raise click.ClickException(
            "Nobody here has this link or number. Ask them for the link on their page “My data”."
        )
    try:
        reached = drills.begin(person)
    except Problem as problem:
        raise click.ClickException(page_text.put(problem.why)) from None
    waits = f"Waiting {wait_s} s for answers."
    click.echo(f"A drill goes to {reached} of them, round by round. {waits}")
    silent = set(person.contacts.filter(drilled_at__gt=0).values_list("id", flat=True))
    until_ms = boot_ms() + wait_s * 1000
    while silent and boot_ms() < until_ms:
        time.sleep(LOOKS_EVERY_S)
        silent -= _tell(person.contacts.filter(id__in=silent, drill_answered_at__gt=0))
    for contact in person.contacts.filter(id__in=silent).order_by("rung", "id"):
        click.echo(f"{contact_name(contact)}: no answer yet")


def _person(who: str) -> Person | None:
    """Whose link or number this is."""
    key = who.strip().rstrip("/").rpartition("/")[2]
    found = records.person_by_key(key) if len(key) <= 64 else None
    if found is not None:
        return found
    try:
        number = settings.PHONE_NUMBER(who)
    except ValueError:
        return None
    lookups = address_book.lookups(number)
    return Person.objects.filter(addresses__lookup__in=lookups).order_by("id").first()


def _tell(answered: QuerySet[Contact]) -> set[int]:
    """Print each answer once; returns whose answers they were."""
    told = set()
    for contact in answered.order_by("drill_answered_at"):
        after_s = max(0, contact.drill_answered_at - contact.drilled_at) // 1000
        says = "would come" if contact.drill_said == "yes" else "could not come"
        click.echo(f"{contact_name(contact)}: {says}, after {after_s} s")
        told.add(contact.id)
    return told
