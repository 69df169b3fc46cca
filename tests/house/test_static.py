"""Static files are answered in front of Django: compressed, for ever when their name has a hash."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from django.contrib.staticfiles.storage import staticfiles_storage
from django.core.management import call_command
from django.test import override_settings
from whitenoise.storage import CompressedManifestStaticFilesStorage

from stillhere.config.static import StaticLane

CSS = "body { color: #f7efe4; background: #15110d }\n" * 50


async def _behind(scope: Any, receive: Any, send: Any) -> None:
    """What stands behind the lane: says that it was asked."""
    await send({"type": "http.response.start", "status": 299, "headers": []})


async def _ask(
    lane: StaticLane, path: str, **headers: str
) -> tuple[int, dict[bytes, bytes], bytes]:
    sent: list[Mapping[str, Any]] = []

    async def receive() -> Mapping[str, Any]:
        return {"type": "http.request"}

    async def send(message: Mapping[str, Any]) -> None:
        sent.append(message)

    named = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    scope = {"type": "http", "method": "GET", "path": path, "headers": named}
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
