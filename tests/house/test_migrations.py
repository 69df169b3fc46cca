"""Expand first: a migration only adds, and every added column has a default in the database, so
that the release before this one can go on running on it.

What is to be dropped or renamed is left alone for one release, and then this file says so.
"""

from __future__ import annotations

import importlib
import itertools
import re
from pathlib import Path

import pytest
from django.db import migrations, models
from django.db.migrations.operations.base import Operation
from django.db.models import NOT_PROVIDED

from stillhere.cli import schema

LATER_ONES = sorted(path.stem for path in schema.MIGRATIONS.glob("[0-9]*.py"))[1:]
ADDS = (migrations.CreateModel, migrations.AddField, migrations.AddIndex)
FILLS = re.compile(r"\s*UPDATE (\w+) SET (\w+) = [^,;]+ WHERE [^;]+", re.ASCII)


def operations(name: str) -> list[Operation]:
    module = importlib.import_module(f"stillhere.store.migrations.{name}")
    found: list[Operation] = module.Migration.operations
    return found


def harm(operation: Operation, before: list[Operation]) -> str:
    """What the release before would stumble over, or nothing. A column that this very migration
    added may be filled: the release before does not know it."""
    if isinstance(operation, migrations.RunSQL):
        filled = FILLS.fullmatch(str(operation.sql).rstrip())
        new = [(op.model_name, op.name) for op in before if isinstance(op, migrations.AddField)]
        fills = filled is not None and filled.groups() in new
        return "" if fills else f"{operation.describe()}: only a column that is new may be filled"
    if not isinstance(operation, ADDS):
        return f"{operation.describe()}: only adding is safe beside the release before"
    if isinstance(operation, migrations.AddField):
        field = operation.field
        if field.unique:
            return f"{operation.describe()}: two old rows would have the same value"
        if field.db_default is NOT_PROVIDED and not field.null:
            return f"{operation.describe()}: give it db_default, old releases do not name it"
    return ""


@pytest.mark.parametrize("name", LATER_ONES)
def test_a_migration_only_adds_and_with_defaults_in_the_database(name: str) -> None:
    all_ = operations(name)
    harms = [harm(operation, all_[:place]) for place, operation in enumerate(all_)]
    assert [found for found in harms if found] == []


def test_a_migration_that_changes_what_was_there_before_is_found() -> None:
    added = migrations.AddField("address", "proved_at", models.BigIntegerField(db_default=0))
    fills = "UPDATE address SET proved_at = 1 WHERE channel = 'page'"
    assert not harm(migrations.RunSQL(fills), [added])
    for wrong in (
        "UPDATE address SET state = 'ok' WHERE channel = 'page'",
        "UPDATE address SET proved_at = 1, state = 'ok' WHERE channel = 'page'",
        f"{fills}; DELETE FROM address",
        "DELETE FROM address",
    ):
        assert harm(migrations.RunSQL(wrong), [added]), wrong
    assert harm(migrations.RunSQL(fills), [])


def test_migrations_stand_in_one_line() -> None:
    """Each after the one before it, numbered without a gap: a fork could not be applied."""
    assert LATER_ONES
    names = sorted(path.stem for path in Path(schema.MIGRATIONS).glob("[0-9]*.py"))
    assert [int(name[:4]) for name in names] == list(range(1, len(names) + 1))
    for before, name in itertools.pairwise(names):
        module = importlib.import_module(f"stillhere.store.migrations.{name}")
        assert module.Migration.dependencies == [("store", before)]
