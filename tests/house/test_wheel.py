"""The wheel alone is enough: pages, words in two languages and content are inside it."""

from __future__ import annotations

import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path

import pytest

from tests.installation import Installation
from tests.languages import LANGUAGES

ROOT = Path(__file__).resolve().parent.parent.parent
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built as a release is, but with the tools of this environment: no network."""
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    (built,) = folder.glob("*.whl")
    return built


def test_the_wheel_carries_everything_that_is_not_code(wheel: Path) -> None:
    inside = set(zipfile.ZipFile(wheel).namelist())
    source = ROOT / "src"
    wanted = [
        path
        for folder in ("web/templates", "web/static", "content", "sim")
        for path in (source / "stillhere" / folder).rglob("*")
        if path.is_file() and path.suffix != ".pyc"
    ]
    wanted += source.glob("stillhere/locale/**/*.po")
    wanted += source.glob("stillhere/locale/**/*.toml")
    assert {str(path.relative_to(source)) for path in wanted} <= inside
    for language in LANGUAGES:
        assert f"stillhere/locale/{language}/LC_MESSAGES/django.mo" in inside
    assert [name for name in inside if name.endswith(".dist-info/sboms/run.cdx.json")]
    assert not [name for name in inside if name.startswith(("tests", "data"))]


def test_the_wheel_alone_starts_and_speaks_spanish(wheel: Path, tmp_path: Path) -> None:
    """Installed into an environment of its own; the libraries are lent from this one."""
    environment = tmp_path / "environment"
    venv.create(environment, with_pip=False, symlinks=True)
    python = environment / "bin" / "python"
    pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check"]
    install = ["--python", str(python), "install", "--no-deps", "--no-index", str(wheel)]
    subprocess.run([*pip, *install], check=True)
    # A plain path line: the .pth files in there (our own editable install) are not followed.
    (site,) = environment.glob("lib/python3.*/site-packages")
    (site / "lent.pth").write_text(sysconfig.get_paths()["purelib"] + "\n")
    home = Installation(tmp_path, program=[str(environment / "bin" / "stillhere")])
    told = subprocess.run(
        [python, "-c", "import stillhere; print(stillhere.__file__)"],
        cwd=tmp_path,
        env=home.environment,
        capture_output=True,
        text=True,
        check=True,
    )
    assert str(environment) in told.stdout
    try:
        home.up()
        english, spanish = (
            home.ask("GET", "/", headers={"Accept-Language": language}) for language in ("en", "es")
        )
        assert english[0] == spanish[0] == 200
        assert 'lang="en"' in english[1]
        assert 'lang="es"' in spanish[1]
        assert english[1].replace('lang="en"', "") != spanish[1].replace('lang="es"', "")
    finally:
        home.stop()
