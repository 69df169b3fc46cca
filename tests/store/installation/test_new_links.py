"""After a leak every link that was sent or printed opens nothing, and nobody is lost by it."""

from __future__ import annotations

from dataclasses import replace

import pytest
from django.conf import settings as ours
from django.test import Client

from stillhere.cli.actions import keys as action
from stillhere.cli.check import key_fit
from stillhere.config import keys
from stillhere.config.environment import SettingError
from stillhere.store.db import encryption
from stillhere.store.installation import desk_key, relink
from stillhere.store.models import Address, Kit, Person, Suppression
from stillhere.store.people import records, suppression
from stillhere.store.watches import queries
from tests.circle import SamsNight, sams_night
from tests.key_home import Home, home, power_cut

pytestmark = pytest.mark.usefixtures("database")
__all__ = ["home"]  # a fixture


def links_of(night: SamsNight) -> dict[str, str]:
    """Where the links lead that were sent, printed or handed out."""
    kit = Kit.objects.get()
    return {
        "contact": f"/c/{encryption.key_for('contact', night.contacts['Leo'].nonce)}",
        "watch": f"/k/{encryption.key_for('watch', night.row().nonce)}",
        "desk": f"/desk/{desk_key.key()}",
        "kit": f"/kit/{encryption.key_for('kit', kit.nonce)}",
    }


@pytest.fixture
def night(home: Home) -> SamsNight:
    night = sams_night(("Leo",))
    night.start()
    nonce = encryption.new_nonce()
    Kit.objects.create(
        nonce=nonce,
        key_hash=encryption.key_hash(encryption.key_for("kit", nonce)),
        created_at=home.clock.now,
        form="nasal-4",
        doses=2,
    )
    return night


def status(link: str) -> int:
    return int(Client().get(link, headers={"host": "localhost"}, follow=True).status_code)


def test_old_links_open_nothing_and_new_ones_open_what_they_should(
    home: Home, night: SamsNight, capsys: pytest.CaptureFixture[str]
) -> None:
    old, secret = links_of(night), keys.read_secret(home.folder)
    before = {kind: status(link) for kind, link in old.items()}
    assert max(before.values()) < 400, before
    lookups = set(map(bytes, Address.objects.values_list("lookup", flat=True)))
    no = [("text", "+12025550199")]
    suppression.add(no, Suppression.Why.STOP, home.clock.now, proved=True)
    action.tell_links()
    said = capsys.readouterr().out
    assert "the links of 1 contacts" in said
    assert "1 stickers on kits: print them again" in said
    assert "the links of 1 open watches" in said
    action.change_links()
    home.start()
    new = links_of(night)
    for kind, link in old.items():
        assert link != new[kind]
        assert status(link) == 404, kind
        assert status(new[kind]) == before[kind], kind
    assert queries.watch_by_key(old["watch"].rpartition("/")[2]) is None
    assert queries.watch_by_key(new["watch"].rpartition("/")[2]) is not None
    assert records.person_by_key(night.key) is None
    assert keys.read_secret(home.folder) != secret, "what was signed is signed anew"
    assert set(map(bytes, Address.objects.values_list("lookup", flat=True))) == lookups
    assert encryption.lookup("text", "+12025550101") in lookups
    assert suppression.refuses([("call", "+12025550199")])


def test_a_key_that_was_taken_away_does_not_come_back(home: Home, night: SamsNight) -> None:
    gone = encryption.key_hash("nobody has it")
    Person.objects.filter(id=night.person.id).update(key_hash=gone)
    action.change_links()
    assert bytes(Person.objects.get(id=night.person.id).key_hash) == gone


@pytest.mark.parametrize("cut_after", range(14))
def test_a_power_cut_in_the_middle_is_finished_by_the_next_start(
    home: Home, night: SamsNight, monkeypatch: pytest.MonkeyPatch, cut_after: int
) -> None:
    monkeypatch.setattr(relink, "MOST", 1)
    with power_cut(monkeypatch, cut_after):
        action.change_links()
    home.settings.STILLHERE = replace(ours.STILLHERE, keys_elsewhere=home.folder)
    home.start()
    if keys.NEXT in keys.read_links(home.folder):
        with pytest.raises(SettingError, match="was interrupted"):
            key_fit.require_usable(home.settings.STILLHERE)
        action.change_links()
        home.start()
    assert keys.NEXT not in keys.read_links(home.folder)
    for kind, link in links_of(night).items():
        assert status(link) < 400, kind


@pytest.mark.parametrize("rows_before", range(4))
def test_killed_between_two_rows_it_goes_on_where_it_was(
    home: Home, night: SamsNight, monkeypatch: pytest.MonkeyPatch, rows_before: int
) -> None:
    class KilledError(BaseException):
        pass

    old = links_of(night)
    stored, store = 0, relink._store

    def kill(model: type, fresh: dict[int, bytes]) -> None:
        nonlocal stored
        stored += len(fresh)
        if stored > rows_before:
            raise KilledError
        store(model, fresh)

    monkeypatch.setattr(relink, "MOST", 1)
    monkeypatch.setattr(relink, "_store", kill)
    with pytest.raises(KilledError):
        action.change_links()
    monkeypatch.undo()
    home.start()
    action.change_links()
    home.start()
    for kind, link in links_of(night).items():
        assert status(link) < 400, kind
        assert status(old[kind]) == 404, kind
