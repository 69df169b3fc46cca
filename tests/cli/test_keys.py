"""Keys that are missing, or others than the database's: nothing is made of it, and nothing lost."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import IO, cast

import pytest

from stillhere.cli.backup_file import bundle
from stillhere.cli.backup_file.encryption import Opener, Sealer
from tests.cli.test_backup import WORDS
from tests.cli.test_damage import keep, refused
from tests.cli.test_trouble import hold_sam, other_keys
from tests.installation import Installation

Make = Callable[..., Installation]

pytestmark = pytest.mark.storage


@pytest.fixture
def home(installation: Make) -> Installation:
    """An installation that was prepared, holds Sam's name and does not run."""
    made = installation()
    told = made.run("migrate")
    assert told.returncode == 0, told.stderr
    hold_sam(made)
    return made


def with_keys_of(other: Installation, file: Path) -> Path:
    """The backup in ``file``, sealed again with the keys of another installation."""
    words, work = WORDS["STILLHERE_BACKUP_PASSPHRASE"], file.with_name("work")
    work.mkdir()
    with file.open("rb") as source:
        manifest, sizes = bundle.read(cast("IO[bytes]", Opener(source, words)), work)
    files = {name: work / name for name in sizes}
    files["keys/master.json"] = other.data / "keys/master.json"
    made = file.with_name("mixed.backup")
    with made.open("wb") as target:
        sealer = Sealer(target, words, log_n=4)
        bundle.write(cast("IO[bytes]", sealer), manifest, files)
        sealer.finish()
    return made


def test_keys_of_another_installation_make_no_backup_and_push_out_none(home: Installation) -> None:
    folder = home.folder / "backups"
    folder.mkdir()
    for _night in range(2):
        assert keep(home, folder, 2).returncode == 0
    good = sorted(folder.iterdir())
    other_keys(home)
    for _night in range(2):
        refused(
            keep(home, folder, 2), "No backup was written, and every older one is kept",
            "do not open this database", str(good[-1]), "stillhere restore FILE",
        )  # fmt: skip
    assert sorted(folder.iterdir()) == good
    assert "LOOK  The last try at a backup failed" in home.run("check").stdout


def test_a_backup_whose_keys_open_nothing_is_called_so_and_never_put_in_place(
    installation: Make, home: Installation
) -> None:
    file = home.folder / "good.backup"
    assert home.run("backup", str(file), **WORDS).returncode == 0
    other = installation()
    assert home.run("backup", "--check", str(file), **WORDS).returncode == 0
    (other.data / "keys").mkdir(parents=True)
    (other.data / "keys/master.json").write_text('{"1": "' + "ab" * 32 + '"}')
    mixed = with_keys_of(other, file)
    told = home.run("backup", "--check", str(mixed), **WORDS)
    refused(told, "keys in this backup do not open", "Take an older one")
    assert "would work here" not in told.stdout
    new = installation()
    refused(new.run("restore", str(mixed), **WORDS), "do not open", "older one")
    assert not new.data.exists(), "a restore that failed leaves nothing"
    told = new.run("restore", str(file), **WORDS)
    assert told.returncode == 0, "nothing was put into its database either"
