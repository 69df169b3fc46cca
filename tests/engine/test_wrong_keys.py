"""An engine that holds other keys than the database's says so, ends, and loses nothing."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from django.conf import settings as ours
from pytest_django.fixtures import Settings

from stillhere.cli.check import key_fit
from stillhere.config import keys
from stillhere.config.environment import SettingError
from stillhere.engine import loop
from stillhere.engine.audit import audit_once
from stillhere.engine.heartbeat import pulse_once
from stillhere.store.db import encryption
from stillhere.store.messages import delivery
from stillhere.store.models import Installation, Message
from stillhere.store.people import sealed
from tests.conftest import Clock
from tests.store.messages.test_delivery import alarmed_night, lease

OTHER = {1: b"x" * 32}


def test_nothing_is_dropped_while_the_keys_are_others_and_all_goes_on_with_the_right_ones(
    clock: Clock, settings: Settings, database: object
) -> None:
    night = alarmed_night(clock, ("Leo", "Maya"))
    pulse_once()
    right = settings.STILLHERE
    settings.STILLHERE = replace(right, master_keys=OTHER)
    assert [m for m in lease(clock, "text") if m.contact] == []
    assert not Message.objects.filter(status="dropped", why=delivery.UNREADABLE).exists()
    assert sealed.FAULT in audit_once(clock.now)
    assert sealed.FAULT in Installation.objects.get().proof_says, "/healthz says it"
    settings.STILLHERE = right
    clock.advance(21)
    assert {m.contact for m in lease(clock, "text") if m.contact} == {
        each.id for each in night.contacts.values()
    }
    assert sealed.FAULT not in audit_once(clock.now)


def test_an_engine_with_other_keys_ends_so_that_it_reads_them_again(
    clock: Clock, settings: Settings, database: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    def ended(code: int) -> None:
        raise SystemExit(code)

    alarmed_night(clock, ("Leo",))
    monkeypatch.setattr(os, "_exit", ended)
    settings.STILLHERE = replace(settings.STILLHERE, master_keys=OTHER)
    with pytest.raises(SystemExit) as told:
        loop._auditing()()
    assert told.value.code == loop.START_OVER


@pytest.mark.sqlite
def test_the_keys_that_were_read_are_judged_and_not_those_that_lie_there_by_now(
    tmp_path: Path,
) -> None:
    keys.ensure_folder(tmp_path)
    (tmp_path / "keys/master.json").write_text(f'{{"1": "{ours.STILLHERE.master_keys[1].hex()}"}}')
    name, nonce = encryption.seal("Sam", "person.name", b"n" * 16), b"n" * 16
    with closing(sqlite3.connect(tmp_path / "stillhere.sqlite3")) as made, made:
        made.execute("CREATE TABLE person (id INTEGER PRIMARY KEY, nonce BLOB, name BLOB)")
        made.execute("INSERT INTO person (nonce, name) VALUES (?, ?)", [nonce, name])
    here = replace(ours.STILLHERE, data=tmp_path, database_url="")
    key_fit.require(here)
    key_fit.require(replace(here, master_keys={}))
    with pytest.raises(SettingError, match="do not open this database"):
        key_fit.require(replace(here, master_keys=OTHER))


def test_what_another_machines_key_sealed_waits_for_it_and_is_never_dropped(
    clock: Clock, settings: Settings, database: object
) -> None:
    """The newest data key was not copied to this machine; everything else opens."""
    night = alarmed_night(clock, ("Leo", "Maya"))
    pulse_once()
    here = settings.STILLHERE
    first = dict(here.master_keys)
    both = replace(here, master_keys=first | {2: b"n" * 32})
    settings.STILLHERE = both
    way = night.contacts["Leo"].addresses.order_by("id")[0]
    way.value = encryption.seal("+12025550102", "address.value", way.nonce)
    way.save(update_fields=["value"])
    settings.STILLHERE = replace(here, master_keys=first)
    assert night.contacts["Leo"].id not in {m.contact for m in lease(clock, "text") if m.contact}
    assert not Message.objects.filter(status="dropped", why=delivery.UNREADABLE).exists()
    reasons = audit_once(clock.now)
    assert sealed.MISSING in reasons
    assert sealed.FAULT not in reasons, "the engine goes on for all others"
    settings.STILLHERE = both
    clock.advance(21)
    assert night.contacts["Leo"].id in {m.contact for m in lease(clock, "text") if m.contact}
    assert sealed.MISSING not in audit_once(clock.now)
