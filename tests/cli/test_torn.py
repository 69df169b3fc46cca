"""A page of the database file is torn, and commands run on it: what they mend, what they say."""

from __future__ import annotations

import pytest

from stillhere.cli.check import damage
from stillhere.config import environment
from tests.cli.test_damage import database
from tests.installation import Installation
from tests.torn import root, tear

pytestmark = [pytest.mark.slow, pytest.mark.sqlite, pytest.mark.storage]


def test_a_torn_index_is_made_anew_at_the_start_and_that_is_said(home: Installation) -> None:
    tear(database(home), root(database(home), "watch_due"))
    assert "LOOK  THE DATABASE IS DAMAGED: not all of watch" in home.run("check").stdout
    home.up()
    home.stop()
    assert "an index of watch could not be read, and was made anew" in home.log.read_text()
    assert "All of the database's file can be read" in home.run("check").stdout


def said_of(home: Installation) -> str:
    stillhere = environment.read({"STILLHERE_DATA": str(home.data)})
    return damage.sentence(damage.look(stillhere, damage.CHECK_MS), home.data)


@pytest.mark.parametrize(
    "what", ["installation", "watch", "watch_due", "message", "message_unsent"]
)
def test_where_nobody_can_be_asked_or_told_it_says_that_nobody_is_watched(
    home: Installation, what: str
) -> None:
    tear(database(home), root(database(home), what))
    assert damage.NOBODY in said_of(home)


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ("journal", "Everybody is watched. What happens may not be written down."),
        ("outage", "Everybody is watched. After an absence"),
        ("responder", "Everybody is watched. "),
        ("contact", "whoever cannot is not watched"),
    ],
)
def test_what_is_said_is_what_follows_from_this_table(
    home: Installation, table: str, words: str
) -> None:
    tear(database(home), root(database(home), table))
    said = said_of(home)
    assert f"not all of {table} can be read. " in said
    assert words in said
    assert damage.NOBODY not in said


@pytest.mark.parametrize("what", ["contact", "message", "set_aside", "installation", "watch_due"])
def test_a_torn_table_hides_no_other_finding_of_check(home: Installation, what: str) -> None:
    tear(database(home), root(database(home), what))
    said = home.run("check").stdout
    assert "THE DATABASE IS DAMAGED" in said
    assert "on the disk of the data folder" in said
    assert "time service" in said
    assert "There is no backup" in said or what == "installation"
