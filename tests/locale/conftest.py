"""An installation whose data folder has one more language in it, and nothing else that is new."""

from __future__ import annotations

import runpy
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from pytest_django.fixtures import Settings

from stillhere import config
from tests.locale import made_up
from tests.web.conftest import clean, night, ways_to_reach  # noqa: F401  fixtures

SETTINGS = str(Path(config.__file__).parent / "settings.py")


@pytest.fixture(scope="session")
def folders(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Both made-up languages, made once."""
    locales = tmp_path_factory.mktemp("made-up")
    for code in made_up.SOUNDS:
        made_up.write(code, locales)
    return locales


@pytest.fixture(params=made_up.SOUNDS)
def lang(request: pytest.FixtureRequest, settings: Settings, folders: Path) -> Iterator[str]:
    """The settings as they are read from a data folder with this language in it."""
    code = str(request.param)
    added = settings.STILLHERE.data / "locale"
    shutil.copytree(folders / code, added / code)
    anew = runpy.run_path(SETTINGS)
    for name in ("SPOKEN", "LANGUAGES", "LANGUAGES_BIDI", "LOCALE_PATHS", "UNDERSTOOD"):
        setattr(settings, name, anew[name])
    assert anew["LANGUAGE_FAULTS"] == ()
    yield code
    shutil.rmtree(added)
