"""The recipes of CONTRIBUTING.md lead where they say, in three files at most."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from django.urls import URLPattern

from stillhere.config import wiring
from stillhere.config.environment import SETTINGS, Stillhere
from stillhere.content.languages import HOME, OURS
from stillhere.core import alarm_handlers, events, quiet_handlers, watch
from stillhere.core.profiles import load
from stillhere.web.urls import urlpatterns

ROOT = Path(__file__).resolve().parent.parent.parent
GUIDE = (ROOT / "CONTRIBUTING.md").read_text("utf-8")
RECIPES = {
    name: re.findall(r"^\d\. (.+(?:\n   .+)*)", steps, re.MULTILINE)
    for name, steps in re.findall(r"^### (.+)\n((?:(?!^##).*\n?)*)", GUIDE, re.MULTILINE)
}
_PATH = re.compile(r"`((?:src|tests|docs|tools|deploy)/[\w./-]+)`")


def test_there_are_the_six() -> None:
    assert list(RECIPES) == [
        "A page", "A way to reach a phone", "A language", "A setting", "An interval between asks",
        "An event",
    ]  # fmt: skip


@pytest.mark.parametrize("name", RECIPES)
def test_a_recipe_opens_three_files_at_most_and_each_is_there(name: str) -> None:
    steps = RECIPES[name]
    assert 1 <= len(steps) <= 3
    for step in steps:
        assert _PATH.search(step), step


def test_every_path_of_the_guide_is_there() -> None:
    named = _PATH.findall(GUIDE)
    assert named
    assert [path for path in named if not (ROOT / path).exists()] == []


def test_a_view_and_its_template_stand_under_the_same_name() -> None:
    web = ROOT / "src/stillhere/web"
    rooms = {
        pattern.callback.__module__.split(".")[2]
        for room in urlpatterns
        for pattern in room.url_patterns
        if isinstance(pattern, URLPattern) and "lambda" not in str(pattern.callback)
    }
    with_pages = rooms - {"hooks", "access"}  # which answer machines
    assert with_pages <= {folder.name for folder in (web / "templates").iterdir()}
    assert (web / "templates/site/base.html").exists()


LANGUAGE_FILES = (
    "language.toml", "steps.toml", "reading.toml", "lines.toml", "understood.toml",
)  # fmt: skip


@pytest.mark.parametrize("name", LANGUAGE_FILES)
def test_the_recipe_of_a_language_names_its_files(name: str) -> None:
    assert f"`{name}`" in GUIDE
    assert all((folder / name).is_file() for folder in OURS.iterdir() if folder.is_dir())


def test_nothing_but_its_folder_names_a_language() -> None:
    """English is what is left where another one says nothing; the others are found."""
    others = "|".join(path.name for path in OURS.iterdir() if path.is_dir() and path.name != HOME)
    named = re.compile(rf"""["'](?:{others})(?:-\w+)?["']|\.(?:{others}) =""")
    kinds = {".py", ".html", ".js", ".toml", ".yaml"}
    for path in (each for name in ("src", "tools", "deploy") for each in (ROOT / name).rglob("*")):
        if path.suffix in kinds and OURS not in path.parents:
            lines = path.read_text("utf-8").splitlines()
            code = [line for line in lines if not line.startswith("#")]
            assert [line for line in code if named.search(line)] == [], path


def test_what_the_other_recipes_name_is_there() -> None:
    assert callable(wiring.build_channels)
    assert "STILLHERE_PORT" in SETTINGS
    assert "port" in Stillhere.__dataclass_fields__
    assert set(events.EVENTS) == {event for _, event in watch.TABLE}
    homes = {quiet_handlers.__name__, alarm_handlers.__name__}
    assert homes <= {handler.__module__ for handler in watch.TABLE.values()}
    assert load((ROOT / "src/stillhere/content/profiles.toml").read_text("utf-8"))
