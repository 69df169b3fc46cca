"""`stillhere keys`, as whoever looks after the machine types it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from stillhere.cli import data_lock
from stillhere.cli.actions import check
from stillhere.cli.actions import keys as action
from stillhere.cli.check import key_fit
from stillhere.config import environment, keys
from stillhere.config.environment import SettingError
from stillhere.config.wiring import wall_ms
from stillhere.engine.rotation import Rotation
from tests.circle import sams_night
from tests.installation import Installation
from tests.key_home import Home, home

pytestmark = pytest.mark.usefixtures("database")
__all__ = ["home"]  # a fixture

SOURCE = str(Path(keys.__file__).resolve().parents[2])


def test_it_says_where_the_keys_lie_and_how_far_a_rotation_is_and_shows_no_key(
    home: Home, capsys: pytest.CaptureFixture[str]
) -> None:
    sams_night(("Leo",))
    action.show()
    said = capsys.readouterr().out
    assert f"The keys lie in {home.folder}." in said
    assert "Data key 1 seals:" in said
    assert "derived from data key 1" in said
    action.rotate(at_once=True)
    home.wall = wall_ms() + 1000
    home.start()
    Rotation().round()
    action.show()
    said += capsys.readouterr().out
    assert "Data key 2 seals from now on" in said
    assert "Data key 1 only opens: 0 values name it." in said
    assert "Links and look-ups have keys of their own." in said
    for secret in [*keys.read_master(home.folder).values(), *keys.read_links(home.folder).values()]:
        assert secret.hex() not in said


def test_other_machines_are_given_a_day_to_get_the_new_key(
    home: Home, capsys: pytest.CaptureFixture[str]
) -> None:
    home.settings.STILLHERE = replace(home.settings.STILLHERE, database_url="")
    action.rotate(at_once=False)
    assert "seals from now on" in capsys.readouterr().out
    if not home.url:
        return
    home.settings.STILLHERE = replace(home.settings.STILLHERE, database_url=home.url)
    action.rotate(at_once=False)
    said = capsys.readouterr().out
    assert f"copy {home.folder} to each of them before that" in said
    assert (
        keys.read_data_keys(home.folder)[3].seals_from_at
        > keys.read_data_keys(home.folder)[2].seals_from_at
    )


def test_keys_lie_where_the_setting_says_and_a_stick_that_is_missing_is_said(home: Home) -> None:
    here = {"STILLHERE_DATA": str(home.folder.parent / "data")}
    assert environment.read(here).keys == home.folder.parent / "data/keys"
    assert environment.read(here | {"STILLHERE_KEYS": str(home.folder)}).keys == home.folder
    without = environment.read(here | {"STILLHERE_KEYS": str(home.folder / "stick")})
    with pytest.raises(SettingError, match="plugged in"), data_lock.held(without):
        pass
    with pytest.raises(SettingError, match="plugged in"):
        key_fit.require_keys(without)
    assert not without.keys.exists()
    assert not without.data.exists()


def test_check_says_who_opens_the_backups_that_lie_here(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = replace(home.settings.STILLHERE, backup_to="")
    for name in environment.BACKUP_PASSPHRASE:
        monkeypatch.delenv(name, raising=False)
    assert list(check._sealed(here)) == []
    monkeypatch.setenv("STILLHERE_BACKUP_PASSPHRASE_FILE", "/run/words")
    [(_, said)] = check._sealed(here)
    assert "whoever takes it opens them" in said
    [(_, said)] = check._sealed(replace(here, backup_to="backup-public-x"))
    assert "a key that is not here" in said


@pytest.mark.slow
@pytest.mark.storage
def test_keys_on_a_stick_never_lie_on_the_disk_and_come_back_from_a_backup(
    installation: Callable[..., Installation], tmp_path: Path
) -> None:
    words = {"STILLHERE_BACKUP_PASSPHRASE": "five small words for Ruth"}
    stick, other_stick = tmp_path / "stick", tmp_path / "other"
    for made in (stick, other_stick):
        made.mkdir(0o700)
    ours = installation(PYTHONPATH=SOURCE, STILLHERE_KEYS=str(stick))
    assert ours.run("migrate").returncode == 0
    assert sorted(path.name for path in stick.iterdir()) == ["master.json", "secret"]
    assert list((ours.data / "keys").iterdir()) == []
    ours.up()
    assert ours.run("keys", "rotate", "--now").returncode == 0
    file = ours.folder / "one.backup"
    told = ours.run("backup", str(file), **words)
    assert told.returncode == 0, told.stderr
    ours.stop()
    secrets = [key.hex().encode() for key in keys.read_master(stick).values()]
    lies = [path for path in ours.data.rglob("*") if path.is_file()]
    assert not any(secret in path.read_bytes() for secret in secrets for path in lies)
    other = installation(PYTHONPATH=SOURCE, STILLHERE_KEYS=str(other_stick))
    told = other.run("restore", str(file), **words)
    assert told.returncode == 0, told.stderr
    for name in (keys.SECRET, keys.MASTER, keys.LINKS):
        assert (other_stick / name).read_bytes() == (stick / name).read_bytes()
    stick.rename(tmp_path / "pulled out")
    for command in ("up", "desk", "check", "migrate"):
        told = ours.run(command)
        assert told.returncode == 1
        assert "plugged in" in told.stderr
    assert not stick.exists()
