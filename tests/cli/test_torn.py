"""A page of the database file is torn, and commands run on it: what they mend, what they say."""

from __future__ import annotations

import pytest

from tests.cli.test_damage import database, home
from tests.installation import Installation
from tests.torn import root, tear

__all__ = ["home"]
pytestmark = [pytest.mark.slow, pytest.mark.sqlite, pytest.mark.storage]


def test_a_torn_index_is_made_anew_at_the_start_and_that_is_said(home: Installation) -> None:
    tear(database(home), root(database(home), "watch_due"))
    assert "LOOK  THE DATABASE IS DAMAGED: not all of watch" in home.run("check").stdout
    home.up()
    home.stop()
    assert "an index of watch could not be read, and was made anew" in home.log.read_text()
    assert "All of the database's file can be read" in home.run("check").stdout
