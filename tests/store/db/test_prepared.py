"""A statement that is written down once gives what Django gives, on both databases."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import DatabaseError, connection
from django.db.models import Model

from stillhere.store.db.prepared import Prepared
from stillhere.store.models import Browser, Contact, Deed, Installation, Kit, Person, WatchRow
from stillhere.store.people import browsers
from stillhere.store.watches import care_log
from stillhere.store.watches.apply import CallForHelp
from tests.circle import SamsNight, sams_night
from tests.conftest import Clock


@pytest.fixture
def night(database: None, clock: Clock) -> SamsNight:
    return sams_night(("Leo",), ("Maya",))


def values(row: Model | None) -> dict[str, Any]:
    """Every column, with the type of its value."""
    assert row is not None
    found = {f.attname: getattr(row, f.attname) for f in row._meta.concrete_fields}
    return {name: (type(value), value) for name, value in found.items()}


@pytest.mark.parametrize("model", [Person, Contact, WatchRow, Browser, Installation])
def test_a_row_is_the_same_as_django_reads_it(
    night: SamsNight, clock: Clock, model: type[Model]
) -> None:
    night.start()
    browsers.open_pages(night.person, "Chrome/Android", tell=False)
    Installation.objects.update_or_create(id=1, defaults={"beat_at": clock.now})
    theirs = list(model._default_manager.order_by("pk"))
    ours = Prepared(model, "ORDER BY id").all()
    assert list(map(values, ours)) == list(map(values, theirs))
    assert ours == theirs
    with connection.execute_wrapper(_refused):
        assert ours[0].pk == theirs[0].pk  # nothing is left to be read later


def test_what_it_reads_can_be_kept_again(night: SamsNight, clock: Clock) -> None:
    found = Prepared(Contact, "WHERE id = %s").first(night.contacts["Leo"].id)
    assert found is not None
    found.rung = 3
    found.save(update_fields=["rung"])
    assert Contact.objects.get(id=found.id).rung == 3


def test_the_row_a_key_points_at_is_read_with_it(night: SamsNight, clock: Clock) -> None:
    night.start()
    night.does(CallForHelp())
    for contact in (night.contacts["Leo"], night.contacts["Maya"]):
        care_log.note(contact, night.row(), "found", "", 0, f"a{contact.id}")
    Deed.objects.filter(contact=night.contacts["Maya"]).update(contact=None)
    deeds = Prepared(Deed, "WHERE deed.watch_id = %s ORDER BY deed.id", whose="contact")
    asked: list[str] = []
    with connection.execute_wrapper(_counted(asked)):
        leo, nobody = deeds.all(night.watch)
        assert leo.contact == night.contacts["Leo"]
        assert nobody.contact is None
    assert len(asked) == 1


def test_a_list_may_have_any_length(night: SamsNight, clock: Clock) -> None:
    statement = Prepared(Contact, "WHERE id IN ({marks}) ORDER BY id")
    ids = sorted(each.id for each in night.contacts.values())
    assert [each.id for each in statement.among(ids)] == ids
    assert [each.id for each in statement.among(ids[:1])] == ids[:1]
    assert statement.among([]) == []
    assert Prepared(Kit, "WHERE id = %s").first(1) is None


def test_what_is_given_is_a_value_and_never_text_of_the_statement(night: SamsNight) -> None:
    assert Prepared(Person, "WHERE lang = %s").all("en' OR '1'='1") == []
    assert Prepared(Person, "WHERE lang IN ({marks})").among(["x') OR (1=1", "%s"]) == []


def _refused(*_asked: Any) -> None:
    raise DatabaseError


def _counted(asked: list[str]) -> Any:
    def count(execute: Any, sql: str, *rest: Any) -> Any:
        asked.append(sql)
        return execute(sql, *rest)

    return count
