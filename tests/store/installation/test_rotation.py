"""The data key rotates while everything goes on, and the old one is gone in the end."""

from __future__ import annotations

import json
import threading
from dataclasses import replace
from pathlib import Path

import pytest
from django.apps import apps
from django.conf import settings as ours
from django.db import connection, models

from stillhere.cli.backup_file import bundle
from stillhere.config import keys
from stillhere.config.environment import SettingError
from stillhere.engine.rotation import REST_MS, RETIRE_MS, Rotation
from stillhere.store.db import encryption
from stillhere.store.db.encryption import SealBroken
from stillhere.store.installation import reseal
from stillhere.store.models import Address, Contact, Person, WatchRow, sealed_columns
from stillhere.store.models.sealed_columns import SEALED
from stillhere.store.people import persons, records, sealed
from stillhere.store.watches.apply import CheckIn
from tests.circle import SamsNight, sams_night
from tests.key_home import Home, PowerCut, home, power_cut

pytestmark = pytest.mark.usefixtures("database")
__all__ = ["home"]  # a fixture


def named() -> dict[int, int]:
    return dict(reseal.named(SEALED))


def everything(night: SamsNight) -> list[str]:
    """What is sealed of a night, in clear."""
    found = [
        encryption.unseal(blob, table.field(column), nonce)
        for table in SEALED
        for column in table.columns
        for blob, nonce in table.model._default_manager.order_by("pk").values_list(column, "nonce")
    ]
    assert "Leo" in found
    return found


def test_every_sealed_column_is_in_the_list() -> None:
    """One that is left out would name its key for ever, or lose it. Nonces and hashes have a
    length; what is sealed has none."""
    columns = {
        (model, field.name)
        for model in ours_models()
        for field in model._meta.get_fields()
        if isinstance(field, models.BinaryField) and field.max_length is None
    }
    assert columns == {(table.model, name) for table in SEALED for name in table.columns}


def ours_models() -> list[type[models.Model]]:
    return list(apps.get_app_config("store").get_models())


def test_a_rotation_loses_nothing_changes_no_link_and_retires_the_old_key(home: Home) -> None:
    night = sams_night(("Leo", "Maya"))
    night.start()
    before = everything(night)
    link = encryption.key_for("contact", night.contacts["Leo"].nonce)
    lookup = encryption.lookup("text", "+12025550101")
    old = keys.read_master(home.folder)[1]
    number = keys.add(home.folder, home.wall, [])
    work = Rotation()
    assert work.round() > 0
    assert set(named()) == {number}
    assert everything(night) == before
    home.pass_by(RETIRE_MS)
    work.round()
    assert home.numbers() == {1, number}, "its look began before a day had passed"
    home.pass_by(REST_MS + 1000)
    work.round()
    assert home.numbers() == {number}
    assert everything(night) == before
    home.start()
    assert encryption.key_for("contact", night.contacts["Leo"].nonce) == link
    assert encryption.lookup("text", "+12025550101") == lookup
    assert records.contact_by_key(link) is not None
    assert sealed.opens()
    assert old.hex() not in "".join(path.read_text() for path in home.folder.iterdir())


def test_what_links_keep_does_not_open_what_the_retired_key_sealed(home: Home) -> None:
    night = sams_night(("Leo",))
    blob, nonce = bytes(night.person.name), bytes(night.person.nonce)
    keys.add(home.folder, home.wall, [])
    for secret in keys.read_links(home.folder).values():
        with pytest.raises(SealBroken):
            encryption.unseal_with({1: secret}, blob, "person.name", nonce)


def test_a_key_that_waits_opens_and_does_not_seal_until_its_time(home: Home) -> None:
    ring = home.settings.STILLHERE.master_keys
    number = keys.add(home.folder, home.wall + 60_000, [])
    night = sams_night(("Leo",))
    assert set(named()) == {1}
    other = {number: keys.read_master(home.folder)[number]}
    assert number in ring
    home.pass_by(60_000)
    name = encryption.seal("Leo", "contact.name", b"n" * 16)
    assert encryption.unseal_with(other, name, "contact.name", b"n" * 16) == "Leo"
    assert Rotation().round() > 0
    assert set(named()) == {number}
    assert everything(night)


def test_a_process_that_did_not_start_anew_opens_what_another_sealed(home: Home) -> None:
    running = home.settings.STILLHERE.master_keys
    keys.add(home.folder, home.wall, [])
    home.start()
    blob = encryption.seal("Sam", "person.name", b"n" * 16)
    assert encryption.unseal_with(running, blob, "person.name", b"n" * 16) == "Sam"
    assert running.sealing() == 2


def test_a_key_file_that_cannot_be_read_just_now_takes_nothing_away(home: Home) -> None:
    blob = encryption.seal("Sam", "person.name", b"n" * 16)
    file = home.folder / keys.MASTER
    whole = file.read_text()
    for content in ("", "{", '{"1": "ab"}'):
        file.write_text(content)
        assert encryption.unseal(blob, "person.name", b"n" * 16) == "Sam"
    file.unlink()
    assert encryption.unseal(blob, "person.name", b"n" * 16) == "Sam"
    file.write_text(whole)
    assert encryption.unseal(blob, "person.name", b"n" * 16) == "Sam"


def test_nothing_is_retired_while_one_row_names_it_or_a_backup_is_made(home: Home) -> None:
    night = sams_night(("Leo",))
    contact = night.contacts["Leo"]
    broken = bytes(contact.name)[:-1] + bytes([bytes(contact.name)[-1] ^ 1])
    Contact.objects.filter(id=contact.id).update(name=broken)
    keys.add(home.folder, home.wall, [])
    work = Rotation()
    for _ in range(3):
        work.round()
        home.pass_by(RETIRE_MS)
    assert home.numbers() == {1, 2}
    assert named()[1] == 1
    assert bytes(Contact.objects.get(id=contact.id).name) == broken, "evidence stays as it is"
    Contact.objects.filter(id=contact.id).update(
        name=encryption.seal("Leo", "contact.name", contact.nonce)
    )
    with keys.unchanged(home.folder):
        for _ in range(2):
            work.round()
            home.pass_by(RETIRE_MS)
        assert home.numbers() == {1, 2}
        with pytest.raises(SettingError, match="Try again"):
            keys.add(home.folder, home.wall, [])
    for _ in range(2):
        work.round()
        home.pass_by(RETIRE_MS)
    assert home.numbers() == {2}


def test_a_row_that_somebody_holds_is_left_for_later(home: Home) -> None:
    if connection.vendor == "sqlite":
        return  # it has one lock for everything, and nobody holds a row
    night = sams_night(("Leo",))
    keys.add(home.folder, home.wall, [])
    held, let_go = threading.Event(), threading.Event()

    def hold() -> None:
        with connection.cursor() as cursor:
            cursor.execute("BEGIN")
            cursor.execute("SELECT 1 FROM person WHERE id = %s FOR UPDATE", [night.person.id])
            held.set()
            let_go.wait(20)
            cursor.execute("ROLLBACK")
        connection.close()

    holder = threading.Thread(target=hold)
    holder.start()
    work = Rotation()
    try:
        assert held.wait(20)
        work.round()
        assert encryption.key_id(Person.objects.get().name) == 1
        assert encryption.key_id(Address.objects.order_by("-id")[0].value) == 2
    finally:
        let_go.set()
        holder.join()
    home.pass_by(REST_MS + 1000)
    work.round()
    assert set(named()) == {2}


def test_names_that_change_during_a_rotation_stay_changed(home: Home) -> None:
    """Check-ins and changes go on; whoever is sealed anew is what they were made last."""
    nights = [sams_night(("Leo",)) for _ in range(12)]
    for night in nights:
        night.start()
    keys.add(home.folder, home.wall, [])
    told = threading.Event()

    def live() -> None:
        try:
            for count in range(5):
                for number, night in enumerate(nights):
                    persons.set_plan(night.person, name=f"Sam {number} {count}")
                    night.does(CheckIn())
            told.set()
        finally:
            connection.close()

    living = threading.Thread(target=live)
    living.start()
    work = Rotation()
    while living.is_alive():
        work.round()
        home.pass_by(REST_MS + 1000)
    living.join()
    assert told.is_set()
    home.pass_by(REST_MS + 1000)
    work.round()
    assert set(named()) == {2}
    for number, night in enumerate(nights):
        found = Person.objects.get(id=night.person.id)
        assert sealed_columns.person_note(found, "name") == f"Sam {number} 4"
    assert WatchRow.objects.filter(closed_at__isnull=True).count() == len(nights)


@pytest.mark.parametrize("cut_after", range(12))
def test_a_power_cut_at_any_write_leaves_everything_readable(
    home: Home, monkeypatch: pytest.MonkeyPatch, cut_after: int
) -> None:
    """Every change of a file is a step; the power goes before one of them."""
    night = sams_night(("Leo",))
    before = everything(night)
    link = encryption.key_for("contact", night.contacts["Leo"].nonce)

    with power_cut(monkeypatch, cut_after):
        keys.add(home.folder, home.wall, [])
        Rotation().round()
        keys.retire(home.folder, [1])
    home.settings.STILLHERE = replace(ours.STILLHERE, keys_elsewhere=home.folder)
    home.start()
    assert everything(night) == before
    assert encryption.key_for("contact", night.contacts["Leo"].nonce) == link
    keys.add(home.folder, home.wall, [])
    Rotation().round()
    assert everything(night) == before


def test_an_old_installation_keeps_its_links_over_the_first_rotation(tmp_path: Path) -> None:
    """Its links were derived from the first data key alone."""
    first = b"k" * 32
    (tmp_path / keys.MASTER).write_text(json.dumps({"1": first.hex()}))
    assert keys.read_links(tmp_path) == {encryption.ROOT: first}
    keys.add(tmp_path, 0, ["line trunk"])
    links = keys.read_links(tmp_path)
    for purpose in (*keys.PURPOSES, "line trunk"):
        assert links[purpose] == encryption.derived({encryption.ROOT: first}, purpose)
    assert links[encryption.ROOT] != first


def test_links_keys_that_are_lost_are_missed_and_never_derived_anew(tmp_path: Path) -> None:
    (tmp_path / keys.MASTER).write_text(json.dumps({"1": "ab" * 32}))
    keys.add(tmp_path, 0, [])
    (tmp_path / keys.LINKS).unlink()
    with pytest.raises(SettingError, match=r"links\.json is missing"):
        keys.read_links(tmp_path)
    (tmp_path / keys.LINKS).write_text("{}")
    with pytest.raises(SettingError, match=r"links\.json is damaged"):
        keys.read_links(tmp_path)


def test_a_backup_carries_the_links_keys() -> None:
    assert f"{keys.FOLDER}/{keys.LINKS}" in bundle.KEYS


@pytest.mark.parametrize("sealed_before", range(9))
def test_killed_between_two_values_everything_opens_and_the_next_start_goes_on(
    home: Home, monkeypatch: pytest.MonkeyPatch, sealed_before: int
) -> None:
    night = sams_night(("Leo", "Maya"))
    night.start()
    before = everything(night)
    keys.add(home.folder, home.wall, [])
    seal, count = encryption.seal, 0

    def kill(text: str, field: str, nonce: bytes) -> bytes:
        nonlocal count
        count += 1
        if count > sealed_before:
            raise PowerCut
        return seal(text, field, nonce)

    monkeypatch.setattr(encryption, "seal", kill)
    with pytest.raises(PowerCut):
        Rotation().round()
    monkeypatch.undo()
    home.start()
    assert everything(night) == before
    Rotation().round()
    assert set(named()) == {2}
    assert everything(night) == before
