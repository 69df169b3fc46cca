"""A folder or a file that anybody on the machine can change is said, and so is a key they read."""

from __future__ import annotations

from pathlib import Path

import pytest

from stillhere.cli.actions import check
from stillhere.cli.check import permissions
from stillhere.cli.commands.lasting import up
from stillhere.config import databases, environment, keys


@pytest.fixture
def data(tmp_path: Path) -> Path:
    made = tmp_path / "data"
    keys.ensure_folder(made)
    keys.create_missing(made / keys.FOLDER)
    (made / databases.SQLITE_FILE).touch(0o600)
    return made


def test_what_a_start_makes_is_open_to_nobody(data: Path) -> None:
    assert list(permissions.look(data)) == []


@pytest.mark.parametrize(
    ("folder", "what", "mode", "words"),
    [
        (0o777, ".", 0o777, "data, or put something else"),
        (0o711, "keys", 0o777, "keys"),
        (0o755, databases.SQLITE_FILE, 0o666, databases.SQLITE_FILE),
        (0o700, databases.SQLITE_FILE, 0o666, ""),  # nobody else gets there
        (0o711, "keys/secret", 0o602, "can read secret in keys/: chmod 600"),
        (0o770, databases.SQLITE_FILE, 0o660, ""),  # our own group
    ],
)
def test_what_anybody_can_change_is_said_with_the_way_to_close_it(
    data: Path, folder: int, what: str, mode: int, words: str
) -> None:
    (data / what).chmod(mode)
    data.chmod(folder)
    said = " ".join(permissions.look(data))
    assert words in said
    assert bool(said) is bool(words)
    assert "Anybody" not in said or f"chmod -R o-w {data}" in said


def test_credentials_are_looked_after_by_systemd(
    data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (data / "keys/secret").chmod(0o440)
    assert list(permissions.look(data, data / "keys"))
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(data / "keys"))
    assert list(permissions.look(data, data / "keys")) == []


def test_check_calls_no_keys_well_that_anybody_can_swap(data: Path) -> None:
    data.chmod(0o777)
    ours = environment.read({"STILLHERE_DATA": str(data)})
    (found,) = check._keys(ours)
    assert found[0] is False
    assert f"can change {data}, or put something else in its place" in found[1]


def test_a_start_says_so_too(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (data / databases.SQLITE_FILE).unlink()
    (data / keys.FOLDER / "master.json").chmod(0o644)
    up._look(environment.read({"STILLHERE_DATA": str(data)}))
    assert "Others on this machine can read master.json" in capsys.readouterr().err
