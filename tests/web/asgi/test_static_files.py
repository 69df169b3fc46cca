"""Static files are answered in front of Django: compressed, for ever when their name has a hash."""

from __future__ import annotations

import asyncio
import json
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from django.contrib.staticfiles.storage import staticfiles_storage
from django.core.management import call_command
from django.test import override_settings
from whitenoise.storage import CompressedManifestStaticFilesStorage

from stillhere.web.asgi.static_files import StaticLane

CSS = "body { color: #f7efe4; background: #15110d }\n" * 50


async def _behind(scope: Any, receive: Any, send: Any) -> None:
    """What stands behind the lane: says that it was asked."""
    await send({"type": "http.response.start", "status": 299, "headers": []})


async def _ask(
    lane: StaticLane, path: str, **headers: str
) -> tuple[int, dict[bytes, bytes], bytes]:
    sent: list[Mapping[str, Any]] = []

    async def receive() -> Any:
        return {"type": "http.request"}

    async def send(message: Mapping[str, Any]) -> None:
        sent.append(message)

    named = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    scope: Any = {"type": "http", "method": "GET", "path": path, "headers": named}
    await lane(scope, receive, send)
    body = sent[1]["body"] if len(sent) > 1 else b""
    return sent[0]["status"], dict(sent[0]["headers"]), body


@pytest.fixture
def lane(tmp_path: Path) -> Any:
    source = tmp_path / "source"
    source.mkdir()
    (source / "lamp.css").write_text(CSS)
    storage = "whitenoise.storage.CompressedManifestStaticFilesStorage"
    with override_settings(
        STATICFILES_DIRS=[source],
        STATIC_ROOT=tmp_path / "made",
        STORAGES={"staticfiles": {"BACKEND": storage}},
    ):
        call_command("collectstatic", interactive=False, verbosity=0)
        yield StaticLane(_behind)


def test_a_file_is_served_compressed_and_kept_for_ever(lane: StaticLane) -> None:
    assert isinstance(staticfiles_storage, CompressedManifestStaticFilesStorage)
    url = staticfiles_storage.url("lamp.css")
    status, headers, body = asyncio.run(_ask(lane, url, accept_encoding="gzip"))
    assert status == 200
    assert headers[b"content-encoding"] == b"gzip"
    assert b"immutable" in headers[b"cache-control"]
    assert headers[b"x-content-type-options"] == b"nosniff"
    assert headers[b"cross-origin-resource-policy"] == b"same-origin"
    assert len(body) < len(CSS) / 5


def test_an_unchanged_file_is_not_sent_again(lane: StaticLane) -> None:
    _, headers, _ = asyncio.run(_ask(lane, "/static/lamp.css"))
    status, _, body = asyncio.run(
        _ask(lane, "/static/lamp.css", if_none_match=headers[b"etag"].decode())
    )
    assert (status, body) == (304, b"")


@pytest.mark.parametrize("path", ["/", "/static/none.css", "/static/../keys/secret"])
def test_everything_else_goes_on_to_the_pages(lane: StaticLane, path: str) -> None:
    assert asyncio.run(_ask(lane, path))[0] == 299


# --- made once, whole, and put in place at once ---------------------------------------------------

MAKING = """
import os, signal, sys
from pathlib import Path
from django.conf import settings
source, target = map(Path, sys.argv[1:3])
settings.configure(
    STATICFILES_DIRS=[source], STATIC_ROOT=target, STATIC_URL="/static/",
    INSTALLED_APPS=["django.contrib.staticfiles"], USE_TZ=True,
    STORAGES={"staticfiles": {
        "BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"}},
)
import django
django.setup()
from stillhere.cli.commands.lasting import web
if sys.argv[3:] == ["die"]:
    os.sync = lambda: os.kill(os.getpid(), signal.SIGKILL)
web.collect_static(source, target)
"""


@pytest.fixture
def places(tmp_path: Path) -> tuple[Path, Path]:
    source = tmp_path / "source"
    source.mkdir()
    for number in range(20):
        (source / f"lamp-{number}.css").write_text(CSS)
    return source, tmp_path / "static"


def _make(places: tuple[Path, Path], *how: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-c", MAKING, *map(str, places), *how])


def _whole(target: Path) -> bool:
    manifest = json.loads((target / "staticfiles.json").read_text())
    names = manifest["paths"].values()
    return len(names) == 20 and all((target / f"{name}.gz").exists() for name in names)


@pytest.mark.slow
def test_several_web_servers_on_a_fresh_folder_make_the_files_once(
    places: tuple[Path, Path],
) -> None:
    making = [_make(places) for _ in range(3)]
    assert [each.wait(60) for each in making] == [0, 0, 0]
    assert _whole(places[1])
    left = sorted(path.name for path in places[1].parent.iterdir())
    assert left == ["source", "static", "static.lock"]


@pytest.mark.slow
def test_one_that_is_killed_in_the_middle_leaves_nothing_half(places: tuple[Path, Path]) -> None:
    assert _make(places, "die").wait(60) == -signal.SIGKILL
    assert not places[1].exists()
    assert _make(places).wait(60) == 0
    assert _whole(places[1])
    (places[0] / "lamp-0.css").write_text(CSS + "p { margin: 0 }")
    assert _make(places, "die").wait(60) == -signal.SIGKILL
    assert _whole(places[1]), "those of before are still served"
