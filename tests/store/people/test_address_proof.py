"""Whose number it is: what an update carries over, and what the rows of a budget give away."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection, connections

from stillhere.store.db import budgets
from stillhere.store.models import Address, Budget, Message, Person
from stillhere.store.people import address_book, invitations, persons, push_subscriptions
from stillhere.store.people.numbers import address_proof
from stillhere.store.privacy import erasure
from stillhere.store.problems import Reached
from stillhere.store.watches import apply
from tests.circle import ways
from tests.conftest import Clock

pytestmark = pytest.mark.usefixtures("database")

MIGRATION = importlib.import_module("stillhere.store.migrations.0016_proved")


def new(number: int) -> Person:
    person, _key = persons.new_person("en")
    address_book.set_own_addresses(person, ways(number))
    return person


def heard(person: Person) -> None:
    way = Address.objects.filter(person=person, channel="text").get()
    Message.objects.create(
        key=f"r{way.id}", person=person, address=way, channel="text", word="reply-got-it",
        urgency=3, due_at=1, created_at=1,
    )  # fmt: skip


def with_a_watch(person: Person) -> None:
    apply.start(person.id, "injected")


def with_a_browser(person: Person) -> None:
    Address.objects.filter(person=person).delete()
    push_subscriptions.allow(Reached("push", "https://push.example.org", False), person=person)


@pytest.mark.parametrize(
    ("lived", "proved"),
    [
        (lambda _: None, False),
        (heard, True),
        (with_a_watch, True),
        (with_a_browser, True),
        (lambda person: Person.objects.filter(id=person.id).update(caller=True), True),
    ],
)
def test_an_update_carries_over_own_numbers_that_are_known(
    clock: Clock, lived: Callable[[Person], object], proved: bool
) -> None:
    person = new(100)
    lived(person)
    Address.objects.update(proved_at=0)
    with connection.cursor() as cursor:
        cursor.execute(MIGRATION.CARRY_OVER)
    known = {a.proved_at > 0 for a in person.addresses.all()}
    assert known == {proved}


def test_an_update_carries_over_contacts_who_said_yes(clock: Clock) -> None:
    person = new(100)
    leo = invitations.add_contact(person, "Leo", ways(101))
    maya = invitations.add_contact(person, "Maya", ways(102))
    invitations.join(leo)
    with connection.cursor() as cursor:
        cursor.execute(MIGRATION.CARRY_OVER)
    assert leo.addresses.filter(proved_at=1).count() == 2
    assert not maya.addresses.filter(proved_at__gt=0).exists()


def test_a_code_proves_once_and_then_nothing_more(clock: Clock) -> None:
    person = new(100)
    code = address_proof.code_of(address_proof.unproved(person)[0].nonce)
    assert address_proof.try_code(person, code)
    assert not address_proof.try_code(person, code)


def test_the_last_one_of_a_budget_is_taken_once(clock: Clock) -> None:
    """Sixty at once get no more than ten."""
    ten = [budgets.limit("enough", 10, "tries", "Sam")]

    def take(_: int) -> str:
        try:
            return budgets.take(ten, clock.now)
        finally:
            connections["default"].close()

    with ThreadPoolExecutor(6) as pool:
        said = list(pool.map(take, range(60)))
    assert said.count("") == 10
    assert budgets.used(ten[0], clock.now) == 10


def test_where_one_limit_is_used_up_none_of_the_others_is_used(clock: Clock) -> None:
    full, free = budgets.limit("full", 1, "a"), budgets.limit("free", 5, "b")
    assert budgets.take([full, free], clock.now) == ""
    assert budgets.take([full, free], clock.now) == "full"
    assert budgets.used(free, clock.now) == 1
    clock.advance(24 * 3600)
    assert budgets.take([full, free], clock.now) == "", "tomorrow is another day"


def test_budgets_name_nobody_and_their_days_are_erased(clock: Clock) -> None:
    day = budgets.limit("today", 5, "asked", "phone:+12025550150")
    ever = budgets.limit("once", 1, "invited", "phone:+12025550150", ever=True)
    budgets.take([day, ever], clock.now)
    assert all(b"5550150" not in bytes(row.scope) for row in Budget.objects.all())
    clock.advance(4 * 24 * 3600)
    assert budgets.forget(clock.now, erasure.MOST_ERASED) == 1
    assert budgets.used(ever, clock.now) == 1
