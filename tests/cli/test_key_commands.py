"""`stillhere keys`, as whoever looks after the machine types it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from stillhere.cli import data_lock
from stillhere.cli.actions import keys as action
from stillhere.cli.check import key_fit
from stillhere.config import environment, keys
from stillhere.config.environment import SettingError
from stillhere.config.wiring import wall_ms
from stillhere.engine.rotation import Rotation
from tests.circle import sams_night
from tests.key_home import Home, home

pytestmark = pytest.mark.usefixtures("database")
__all__ = ["home"]  # a fixture


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
