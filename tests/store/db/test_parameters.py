"""What stands in a statement as a parameter, and what only looks like one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pytest
from django.db import connection


@pytest.mark.parametrize(
    ("sql", "values", "found"),
    [
        ("SELECT CAST(%s AS text), CAST(%s AS text)", ["Sam", "%s"], ("Sam", "%s")),
        ("SELECT CAST(%s AS text), '100 %%', 'a %%s'", ["Sam"], ("Sam", "100 %", "a %s")),
        ("SELECT CAST(%(who)s AS text)", {"who": "Leo"}, ("Leo",)),
    ],
    ids=["parameters", "percent signs", "by name"],
)
def test_a_percent_sign_is_no_parameter(
    database: None, sql: str, values: Sequence[str] | Mapping[str, str], found: tuple[str, ...]
) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        assert cursor.fetchone() == found
        cursor.execute("SELECT '%s'")
        assert cursor.fetchone() == ("%s",), "without any nothing is replaced"
