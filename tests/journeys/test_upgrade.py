"""An upgrade under people's feet: the database moves on to the newest schema while the processes of
the release before go on with it."""

from __future__ import annotations

import io
import signal
import subprocess
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from hatch_build import compile_catalogues
from stillhere.cli import schema
from tests.installation import Installation
from tests.journeys.town import NUMBERS, Town, eventually

pytestmark = [pytest.mark.storage, pytest.mark.slow]

ROOT = Path(__file__).resolve().parent.parent.parent
JSON = {"Content-Type": "application/json", "Accept": "application/json"}


def git(*arguments: str) -> bytes:
    """What git says. Without the history there is nothing to test, and that is no reason for
    green."""
    done = subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, check=False)
    if done.returncode:
        pytest.fail(
            "This test runs the release before the newest migration, taken from the project's git "
            f"history. Clone it with its history (not --depth). git said: {done.stderr.decode()}"
        )
    return done.stdout


def release_before(folder: Path) -> Path:
    """The source as it was before the newest migration, ready to run; its src folder."""
    newest = max(schema.MIGRATIONS.glob("[0-9]*.py"))
    path = str(newest.relative_to(ROOT))
    added = git("log", "--diff-filter=A", "--format=%H", "-1", "--", path).decode().strip()
    if not added:
        pytest.fail(f"{path} is not committed, or the clone has no history: commit it first.")
    archive = git("archive", "--format=tar", f"{added}^", "src")
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        tar.extractall(folder, filter="data")
    assert not (folder / path).exists()
    compile_catalogues(folder / "src")
    return folder / "src"


@pytest.fixture
def place(tmp_path: Path, database_url: str) -> Iterator[Town]:
    """A town that runs the release before, as a web and an engine process of their own."""
    old = {"PYTHONPATH": str(release_before(tmp_path / "before"))}
    place = Town(tmp_path, {"STILLHERE_DATABASE_URL": database_url, **old})
    told = place.installation.run("migrate")  # with the tables of that release
    assert told.returncode == 0, told.stderr
    engine = Installation(tmp_path, place.installation.environment)
    engine.environment, engine.log = place.installation.environment, tmp_path / "engine.log"
    try:
        place.open_the_world()
        place.installation.start("web")
        engine.start("engine")
        place.installation.wait_healthy()
        yield place
    finally:
        engine.stop(signal.SIGKILL)
        place.close()


def test_the_release_before_goes_on_while_the_database_moves_on(place: Town) -> None:
    newest = max(path.stem for path in schema.MIGRATIONS.glob("[0-9]*.py"))
    told = place.installation.run("migrate", PYTHONPATH="")
    assert newest in told.stdout, told.stdout + told.stderr
    place.installation.wait_healthy()

    sam = place.inside("seed", name="Sam", rungs=[["Leo"]], numbers=NUMBERS, start=True)
    press = f"/k/{sam['watch_key']}"
    assert place.installation.ask("POST", press, '{"seq": 1}', JSON)[0] == 200
    place.pass_to_the_next_ask()
    place.settled()
    assert place.inside("watches")[0]["state"] == "asking"
    assert place.installation.ask("POST", press, '{"seq": 2}', JSON)[0] == 200
    assert place.inside("watches")[0]["state"] == "open"
    place.live_through(155, step_s=15)
    eventually(lambda: place.phones.sent_to("Sam") != [], "an ask leaves")
    eventually(lambda: place.phones.sent_to("Leo") != [], "an alarm leaves")
    status, _ = place.installation.get(f"/c/{sam['contacts']['Leo']}")
    assert status == 200
    assert "Traceback" not in (place.installation.folder / "engine.log").read_text()

    again = place.installation.run("migrate")
    assert again.returncode != 0, "and the release before does not start anew on it"
    assert "newer Stillhere" in again.stderr
