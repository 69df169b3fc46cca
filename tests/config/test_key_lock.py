"""Whoever takes the data folder of an installation whose keys have a passphrase reads nothing."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from django.conf import settings as ours

from stillhere.config import key_lock, keys
from stillhere.config.environment import SettingError
from stillhere.config.key_lock import LockedError, WrongPassphraseError
from stillhere.store.db import encryption
from tests.key_home import power_cut

WORDS = "five small words in a row"
OTHERS = "another five small words here"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Keys in clear, of an installation that was rotated once."""
    monkeypatch.setattr(key_lock, "LOG_N", 4)
    monkeypatch.setattr(key_lock.new_lock, "__defaults__", (4,))
    made = tmp_path / "keys"
    made.mkdir()
    keys.create_missing(made)
    keys.add(made, 0, [])
    yield made
    key_lock.HELD.key = b""


def secrets_of(folder: Path) -> list[bytes]:
    """Every key, as it could lie in a file."""
    raw = [
        bytes.fromhex(keys.read_secret(folder)),
        *keys.read_master(folder).values(),
        *keys.read_links(folder).values(),
    ]
    found: list[bytes] = []
    for key in raw:
        found += [key, key.hex().encode(), key.hex().upper().encode(), base64.b64encode(key)[:40]]
    return found


def everything(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file())


def opened(folder: Path) -> tuple[object, ...]:
    return (
        keys.read_secret(folder),
        dict(keys.read_master(folder)),
        dict(keys.read_links(folder)),
    )


def start_anew(folder: Path, words: str) -> None:
    """As the next process: it holds nothing but the passphrase."""
    key_lock.HELD.key = b""
    if key_lock.is_locked(folder):
        key_lock.HELD.key = key_lock.unwrap(folder, words)


def test_a_copy_of_the_folder_opens_no_name_and_makes_no_link(folder: Path) -> None:
    here = replace(ours.STILLHERE, keys_elsewhere=folder)
    before, secrets = opened(folder), secrets_of(folder)
    assert any(secret in everything(folder) for secret in secrets), "they are found in clear"
    keys.lock(folder, WORDS)
    assert opened(folder) == before, "the one who holds it reads as before"
    folder_key = key_lock.HELD.key
    raw = everything(folder)
    for secret in [*secrets, folder_key, folder_key.hex().encode(), WORDS.encode()]:
        assert secret not in raw
    key_lock.HELD.key = b""
    for read in (keys.read_secret, keys.read_master, keys.read_links):
        with pytest.raises(LockedError, match="stillhere unseal"):
            read(folder)
    with pytest.raises(LockedError):
        keys.load(here, lambda: 0)
    start_anew(folder, WORDS)
    assert opened(folder) == before
    assert keys.load(here, lambda: 0).keys_locked


def test_a_wrong_passphrase_is_a_kind_sentence_and_changes_nothing(folder: Path) -> None:
    keys.lock(folder, WORDS)
    before = everything(folder)
    for wrong in ("", "five small words in a rov", WORDS.upper()):
        with pytest.raises(WrongPassphraseError, match="does not open the keys"):
            key_lock.unwrap(folder, wrong)
    key_lock.HELD.key = b""
    with pytest.raises(LockedError):
        keys.lock(folder, OTHERS)
    with pytest.raises(LockedError):
        keys.add(folder, 0, [])
    assert everything(folder) == before
    assert key_lock.unwrap(folder, f" {WORDS}\n"), "as it was typed, with what a terminal adds"


def test_a_short_passphrase_and_a_damaged_lock_are_refused(folder: Path) -> None:
    before = everything(folder)
    with pytest.raises(SettingError, match="12 characters"):
        keys.lock(folder, "too short")
    assert everything(folder) == before
    keys.lock(folder, WORDS)
    lock = folder / key_lock.FILE
    for damaged in ("", "{}", lock.read_text().replace('"log_n": 4', '"log_n": 40')):
        lock.write_text(damaged)
        with pytest.raises(SettingError, match=r"lock\.json is damaged"):
            key_lock.unwrap(folder, WORDS)


def test_a_key_file_of_another_name_or_damaged_under_the_lock_is_damaged(folder: Path) -> None:
    keys.lock(folder, WORDS)
    whole = (folder / keys.LINKS).read_text()
    for text in ((folder / keys.MASTER).read_text(), whole[:-8] + "AAAAAAA=", key_lock.MARK):
        (folder / keys.LINKS).write_text(text)
        with pytest.raises(SettingError, match=r"links\.json is damaged"):
            keys.read_links(folder)


def test_another_passphrase_takes_the_place_of_the_first_and_can_be_taken_off(folder: Path) -> None:
    before = opened(folder)
    keys.lock(folder, WORDS)
    keys.lock(folder, OTHERS)
    with pytest.raises(WrongPassphraseError):
        key_lock.unwrap(folder, WORDS)
    start_anew(folder, OTHERS)
    assert opened(folder) == before
    keys.unlock(folder)
    start_anew(folder, "")
    assert opened(folder) == before
    assert not key_lock.is_locked(folder)


def test_a_rotation_under_the_lock_writes_no_key_in_clear(folder: Path) -> None:
    keys.lock(folder, WORDS)
    number = keys.add(folder, 0, [])
    assert keys.retire(folder, [1])
    raw = everything(folder)
    assert set(keys.read_master(folder)) == {2, number}
    assert not any(secret in raw for secret in secrets_of(folder))


@pytest.mark.parametrize("what", ["lock", "other", "unlock"])
@pytest.mark.parametrize("cut_after", range(16))
def test_a_power_cut_at_any_write_leaves_the_keys_to_whoever_knows_a_passphrase(
    folder: Path, monkeypatch: pytest.MonkeyPatch, what: str, cut_after: int
) -> None:
    before = opened(folder)
    if what != "lock":
        keys.lock(folder, WORDS)

    def act() -> None:
        if what == "unlock":
            keys.unlock(folder)
        else:
            keys.lock(folder, OTHERS if what == "other" else WORDS)

    with power_cut(monkeypatch, cut_after):
        act()
    for words in (WORDS, OTHERS):
        try:
            start_anew(folder, words)
        except WrongPassphraseError:
            continue
        break
    assert opened(folder) == before
    act()
    assert opened(folder) == before
    assert key_lock.is_locked(folder) == (what != "unlock")


def test_what_was_locked_under_a_process_that_runs_takes_nothing_away(folder: Path) -> None:
    """A process that was not given the passphrase goes on with what it has read."""
    here = keys.load(replace(ours.STILLHERE, keys_elsewhere=folder), lambda: 1)
    nonce = b"n" * 16
    newest = dict(here.master_keys)
    keys.lock(folder, WORDS)
    key_lock.HELD.key = b""
    assert dict(here.master_keys) == newest
    assert encryption.unseal_with(here.master_keys, b"", "person.name", nonce) == ""
