"""What is kept is sealed, bound to its row, and really gone when its time is over."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.conf import settings
from django.db import connection

from stillhere.core import events as ev
from stillhere.store import problems
from stillhere.store.db import encryption
from stillhere.store.db.encryption import SealBroken
from stillhere.store.models import JournalLine, Message, Person, Tally, WatchRow, sealed_columns
from stillhere.store.people import invitations, persons, records
from stillhere.store.privacy import erasure
from stillhere.store.watches.apply import CallForHelp, CheckIn
from tests.circle import SamsNight, sams_night, tick_all
from tests.conftest import Clock

pytestmark = pytest.mark.usefixtures("database")

DAY_S = 86_400


def raw_files() -> bytes:
    """Every byte SQLite has on the disk."""
    name = Path(connection.settings_dict["NAME"])
    return b"".join(p.read_bytes() for p in sorted(name.parent.glob(name.name + "*")))


def sweep(clock: Clock) -> int:
    return erasure.erase_due(clock.now, 24, 30)


def quiet_night(clock: Clock) -> SamsNight:
    night = sams_night(("Leo",))
    night.start()
    night.does(ev.Marked())
    night.does(ev.Ended())
    return night


@pytest.mark.sqlite
def test_nothing_that_says_who_lies_in_clear_in_the_files(clock: Clock) -> None:
    night = sams_night(("Leonardo",))
    persons.set_plan(night.person, name="Samantha", place="12 Elm Street", entry="code 470811")
    files = raw_files()  # four digits alone are among the times and sealed bytes of other nights
    for secret in (b"Samantha", b"Leonardo", b"Elm Street", b"code 470811", b"2025550101"):
        assert secret not in files
    assert night.key.encode() not in files
    assert sealed_columns.person_note(night.person, "place") == "12 Elm Street"


def test_a_sealed_value_opens_only_in_its_own_row_and_field() -> None:
    mine, yours = encryption.new_nonce(), encryption.new_nonce()
    blob = encryption.seal("12 Elm Street", "person.place", mine)
    assert encryption.unseal(blob, "person.place", mine) == "12 Elm Street"
    for field, nonce in (("person.place", yours), ("person.entry", mine)):
        with pytest.raises(SealBroken):
            encryption.unseal(blob, field, nonce)
    with pytest.raises(SealBroken):
        encryption.unseal(blob[:-1] + bytes([blob[-1] ^ 1]), "person.place", mine)


def test_a_new_master_key_seals_and_the_old_one_still_opens(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    old = settings.STILLHERE.master_keys
    nonce = encryption.new_nonce()
    before, key = encryption.seal("Sam", "person.name", nonce), encryption.key_for("person", nonce)
    monkeypatch.setattr(encryption, "_masters", lambda: {**old, max(old) + 1: b"n" * 32})
    after = encryption.seal("Sam", "person.name", nonce)
    assert before[:2] != after[:2]
    assert encryption.unseal(before, "person.name", nonce) == "Sam"
    assert encryption.key_for("person", nonce) == key


def test_a_quiet_night_is_gone_after_a_day_and_only_counts_stay(clock: Clock) -> None:
    night = quiet_night(clock)
    nonce = bytes(night.row().nonce)
    clock.advance(DAY_S - 1)
    assert sweep(clock) == 0
    clock.advance(1)
    assert sweep(clock) == 1
    assert not WatchRow.objects.exists()
    assert not JournalLine.objects.exists()
    assert not Message.objects.filter(watch__isnull=False).exists()
    assert {t.what: t.count for t in Tally.objects.all()} == {"acute.started": 1, "acute.ended": 1}
    if connection.vendor == "sqlite":
        assert nonce not in raw_files()


def test_a_night_with_an_alarm_is_kept_thirty_days(clock: Clock) -> None:
    night = sams_night(("Leo",))
    night.start()
    night.does(ev.Marked())
    for wait_s in (60, 60):
        clock.advance(wait_s)
        tick_all()
    night.does(CheckIn())
    night.does(ev.Ended())
    clock.advance(30 * DAY_S - 1)
    assert sweep(clock) == 0
    clock.advance(1)
    assert sweep(clock) == 1


def test_grave_news_is_kept_until_a_person_has_looked(clock: Clock) -> None:
    night = sams_night(("Leo",))
    night.start()
    night.does(CallForHelp())
    night.does(ev.Resolved(night.contacts["Leo"].id, ev.Outcome.DIED))
    clock.advance(365 * DAY_S)
    assert sweep(clock) == 0
    with pytest.raises(problems.Problem):
        erasure.erase_person(night.person)


def test_erase_now_erases_everything_about_sam(clock: Clock) -> None:
    night = quiet_night(clock)
    nonces = [bytes(night.person.nonce), bytes(night.contacts["Leo"].nonce)]
    erasure.erase_person(night.person)
    assert not Person.objects.exists()
    assert not Message.objects.exists()
    if connection.vendor == "sqlite":
        files = raw_files()
        assert not any(nonce in files for nonce in nonces)


def test_the_number_of_an_erased_watch_is_never_given_again(clock: Clock) -> None:
    """Message keys and the journal speak of a watch by its number: it must mean one watch only."""
    before = quiet_night(clock)
    watch, person = WatchRow.objects.get().id, before.person.id
    erasure.erase_person(before.person)
    after = quiet_night(clock)
    assert WatchRow.objects.get().id > watch
    assert after.person.id > person


def test_an_open_alarm_cannot_be_erased_away(clock: Clock) -> None:
    night = sams_night(("Leo",))
    night.start()
    night.does(CallForHelp())
    with pytest.raises(problems.Problem, match="alarm-open"):
        erasure.erase_person(night.person)


def test_a_new_key_revokes_the_old_one_and_loses_nothing(clock: Clock) -> None:
    night = sams_night(("Leo",))
    new = persons.new_key(night.person)
    assert records.person_by_key(night.key) is None
    found = records.person_by_key(new)
    assert found is not None
    assert sealed_columns.person_note(found, "entry") == "code 4711"


def test_a_name_cannot_turn_the_words_around_it(clock: Clock) -> None:
    night = sams_night(("Le\u202eo\x1b[31m",))
    persons.set_plan(night.person, name="S\u2066am", entry="gate\ndoor")
    assert sealed_columns.contact_name(night.contacts["Le\u202eo\x1b[31m"]) == "Leo[31m"
    assert sealed_columns.person_note(night.person, "name") == "Sam"
    assert sealed_columns.person_note(night.person, "entry") == "gate\ndoor"


def test_someone_removed_or_gone_has_no_key_any_more(clock: Clock) -> None:
    night = sams_night(("Leo", "Ines"))
    keys = {n: encryption.key_for("contact", c.nonce) for n, c in night.contacts.items()}
    invitations.leave(night.contacts["Leo"])
    assert records.contact_by_key(keys["Leo"]) is None
    assert records.contact_by_key(keys["Ines"]) is not None
