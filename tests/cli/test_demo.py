"""`stillhere demo`: journey 4 in a minute on drawn phones, and never anywhere near a real watch."""

from __future__ import annotations

import re
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from stillhere.config import keys
from stillhere.config.environment import SettingError, read
from stillhere.sim import demo
from stillhere.sim.clients import StuckError
from stillhere.sim.demo import NUMBERS, scenes
from tests.installation import Installation, alive, wait_for
from tests.journeys.town import Json, Phones

pytestmark = pytest.mark.slow

PHONES = re.compile(r"(?:Everybody's phone|Los teléfonos de todos): +(http://127\.0\.0\.1:\d+)")
PAGE = re.compile(r"(?:Sam's page|La página de Sam): +(http://localhost:\d+)/p/(\S+)")


@pytest.fixture
def home(installation: Callable[..., Installation]) -> Installation:
    """A folder and a port; the demo's own folder is made inside it."""
    made = installation(STILLHERE_DATABASE_URL="")
    made.environment["TMPDIR"] = str(made.folder)
    return made


def started(home: Installation, *options: str) -> tuple[str, str, str]:
    """Start a demo and wait until it names its addresses: phones, Stillhere, Sam's key."""
    home.start("demo", *options)
    wait_for(lambda: PAGE.search(home.log.read_text()) is not None, "the addresses", 60)
    told = home.log.read_text()
    phones, page = PHONES.search(told), PAGE.search(told)
    assert phones is not None
    assert page is not None
    return phones[1], page[1], page[2]


def sent(log: list[Json], who: str, channel: str) -> list[str]:
    return [
        line["text"] for line in log if (line["to"], line["channel"]) == (NUMBERS[who], channel)
    ]


def in_order(texts: list[str], *parts: str) -> bool:
    """Whether texts with these parts came, in this order."""
    left: Iterator[str] = iter(texts)
    return all(any(part in text for text in left) for part in parts)


# --- the story ------------------------------------------------------------------------------------


def test_a_newcomer_is_told_the_story_and_nothing_is_left_behind(home: Installation) -> None:
    # A real installation's settings must not leak in: this mail server would be somebody's.
    home.environment |= {"STILLHERE_SMTP_URL": "smtp://127.0.0.1:1", "STILLHERE_LOG": "info"}
    home.environment |= {"LC_ALL": "es_MX.UTF-8"}
    phones, _url, _key = started(home)
    wait_for(
        lambda: re.search("El resto es tuyo|se ha parado", home.log.read_text()) is not None,
        "the end",
        120,
    )
    told = home.log.read_text()
    assert "se ha parado" not in told
    says = ["Voy a empezar", "La alarma:", "ya no existe", "oprime 1", "Sam vive."]
    assert [told.index(part) for part in says] == sorted(told.index(part) for part in says)
    log = Phones(phones).log()
    assert in_order(sent(log, "Leo", "text"), "AHORA")
    assert not in_order(sent(log, "Leo", "text"), "Maya"), "a dead number is told nothing more"
    for who in ("Ines", "Ana"):
        told_to = sent(log, who, "text")
        assert in_order(told_to, "AHORA", "Maya va hacia Sam", "con Sam", "y vive"), told_to
        assert in_order(sent(log, who, "call"), "Oprime 1 si vas")
    alarms = [line["to"] for line in log if "AHORA" in line["text"]]
    order = [alarms.index(NUMBERS[who]) for who in ("Ines", "Maya", "Ana")]
    assert order == sorted(order)
    assert not home.data.exists(), "it has a folder of its own"
    [folder] = home.folder.glob("stillhere-demo-*")
    children = [home.child(name) for name in ("phones", "web", "engine")]
    assert home.stop(signal.SIGINT) == 0
    assert not folder.exists()
    assert not [pid for pid in children if alive(pid)]


def test_a_named_folder_is_kept_and_can_be_played_again(home: Installation) -> None:
    kept = home.folder / "kept"
    for _ in range(2):
        home.log.unlink(missing_ok=True)
        phones, url, key = started(home, "--no-story", "--data", str(kept))
        with pytest.raises(StuckError, match="404"):
            list(scenes(url, phones, "x" * len(key)))
        assert home.stop(signal.SIGINT) == 0
    assert keys.is_demo(kept)


# --- never anywhere near a real watch -------------------------------------------------------------


def test_a_real_installations_folder_is_refused(home: Installation) -> None:
    home.prepare()
    before = sorted(path.name for path in home.data.rglob("*"))
    told = home.run("demo", "--data", str(home.data))
    assert told.returncode == 1
    assert "is not a demo's folder" in told.stderr
    assert sorted(path.name for path in home.data.rglob("*")) == before


@pytest.mark.parametrize("command", ["up", "web", "engine", "migrate"])
def test_drawn_phones_never_stand_in_for_real_ones(home: Installation, command: str) -> None:
    home.prepare()
    told = home.run(command, STILLHERE_DEMO="http://127.0.0.1:9")
    assert told.returncode != 0
    assert "is not a demo's folder" in told.stderr


@pytest.mark.parametrize("command", ["up", "web", "engine", "migrate"])
def test_a_demos_folder_is_never_taken_for_a_real_one(home: Installation, command: str) -> None:
    """Its clock runs ten times too fast, and nobody would be called."""
    assert home.run("migrate", STILLHERE_DEMO="http://127.0.0.1:9").returncode == 0
    told = home.run(command)
    assert told.returncode != 0
    assert "nobody would be called" in told.stderr


def test_a_folder_that_lost_its_keys_does_not_become_a_demos(tmp_path: Path) -> None:
    keys.ensure_folder(tmp_path)
    (tmp_path / "stillhere.sqlite3").write_bytes(b"somebody's")
    made = keys.create_missing(tmp_path / keys.FOLDER, demo=True)
    assert made
    assert not keys.is_demo(tmp_path)
    keys.forget_created(tmp_path / keys.FOLDER, made)
    (tmp_path / "stillhere.sqlite3").unlink()
    made = keys.create_missing(tmp_path / keys.FOLDER, demo=True)
    assert keys.is_demo(tmp_path)
    keys.forget_created(tmp_path / keys.FOLDER, made)
    assert not keys.is_demo(tmp_path)


@pytest.mark.parametrize("url", ["http://phones.example.org", "http://0.0.0.0:80", "http://[::]:1"])
def test_drawn_phones_are_on_this_machine_only(url: str) -> None:
    with pytest.raises(SettingError, match="on this machine only"):
        read({"STILLHERE_DEMO": url})


def test_every_beat_has_somebody_with_a_phone() -> None:
    named = {name for rung in demo.RUNGS for name in rung}
    assert {"Sam", *named} == set(NUMBERS) == {phone["name"] for phone in demo.cast()}
    assert all(re.fullmatch(r"\+1202555010[0-9]", number) for number in NUMBERS.values())
