"""A backup that the machine which made it cannot open."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from stillhere.cli.backup_file import recipient
from stillhere.config import environment, key_lock
from stillhere.config.environment import SettingError
from tests.installation import Installation

pytestmark = pytest.mark.slow

SOURCE = Path(key_lock.__file__).resolve().parents[2]
Make = Callable[..., Installation]


@pytest.fixture
def home(installation: Make) -> Installation:
    """An installation that seals its backups to Ruth's public key; her private one is elsewhere."""
    made = installation(PYTHONPATH=str(SOURCE))
    made.prepare()
    told = made.run("keys", "backup", str(made.folder / "ruths.key"))
    assert told.returncode == 0, told.stderr
    found = re.search(r"STILLHERE_BACKUP_TO=(\S+)", told.stdout)
    assert found
    assert (made.folder / "ruths.key").stat().st_mode & 0o077 == 0
    assert (made.folder / "ruths.key").read_text().strip() not in told.stdout
    made.environment["STILLHERE_BACKUP_TO"] = found[1]
    return made


@pytest.mark.storage
def test_it_is_made_without_a_passphrase_told_from_outside_and_opened_by_the_private_key(
    installation: Make, home: Installation
) -> None:
    folder, key = home.folder / "backups", str(home.folder / "ruths.key")
    folder.mkdir()
    told = home.run("backup", "--keep", "2", str(folder))
    assert told.returncode == 0, told.stderr
    [file] = folder.iterdir()
    assert "the private key elsewhere" in told.stdout
    told = home.run("backup", "--check", str(file))
    assert told.returncode == 1
    assert "only the private one opens it" in told.stderr
    assert re.search(r"sealed 20\d\d-.* UTC\. SHA-256 [0-9a-f]{64}, as it was written", told.stdout)
    told = home.run("backup", "--check", str(file), "--key", key)
    assert told.returncode == 0, told.stderr
    assert "is whole and opens with this private key" in told.stdout
    other = installation(PYTHONPATH=str(SOURCE))
    told = other.run("restore", str(file))
    assert told.returncode == 1
    assert "only the private one opens it" in told.stderr
    assert not other.data.exists()
    told = other.run("restore", str(file), "--key", str(file))
    assert "not plain text" in told.stderr
    told = other.run("restore", str(file), "--key", key)
    assert told.returncode == 0, told.stderr
    for name in ("secret", "master.json"):
        assert (other.data / "keys" / name).read_bytes() == (home.data / "keys" / name).read_bytes()
    broken = file.read_bytes()
    file.write_bytes(broken[:-1] + bytes([broken[-1] ^ 1]))
    told = home.run("backup", "--check", str(file), "--key", key)
    assert told.returncode == 1
    assert "IT IS NOT WHAT WAS WRITTEN THEN" in told.stdout


def test_a_pair_overwrites_nothing(tmp_path: Path, home: Installation) -> None:
    file = home.folder / "ruths.key"
    before = file.read_bytes()
    told = home.run("keys", "backup", str(file))
    assert told.returncode == 1
    assert "was not written" in told.stderr
    assert file.read_bytes() == before


def test_the_private_key_in_place_of_the_public_one_is_refused_and_not_shown() -> None:
    private, public = recipient.new()
    assert environment.read({"STILLHERE_BACKUP_TO": public}).backup_to == public
    with pytest.raises(SettingError, match="never belongs here") as told:
        environment.read({"STILLHERE_BACKUP_TO": private})
    assert private not in str(told.value)
    wrong = public[:-1] + ("A" if public[-1] != "A" else "B")
    with pytest.raises(SettingError, match="No backup was written"):
        recipient.public(environment.read({"STILLHERE_BACKUP_TO": wrong}).backup_to)


def test_old_backups_under_a_passphrase_still_open(home: Installation, installation: Make) -> None:
    words = {"STILLHERE_BACKUP_PASSPHRASE": "five small words for Ruth"}
    file = home.folder / "old.backup"
    told = home.run("backup", str(file), STILLHERE_BACKUP_TO="", **words)
    assert told.returncode == 0, told.stderr
    other = installation(PYTHONPATH=str(SOURCE))
    told = other.run("restore", str(file), **words)
    assert told.returncode == 0, told.stderr
    assert (other.data / "keys/secret").exists()
