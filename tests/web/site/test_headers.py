"""What every answer says to a browser, whoever makes it: a page, a lane, a file."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from stillhere.config import keys
from stillhere.store.installation import desk_key
from stillhere.web.asgi import responses
from stillhere.web.asgi.body_limits import Door
from stillhere.web.asgi.webhooks import WebhookLane
from tests.circle import SamsNight
from tests.conftest import Clock
from tests.web.conftest import browser
from tests.web.lane import ask, lane
from tests.web.pages import make
from tests.web.site.test_every_address import paths

# Of these kinds a browser must not have to guess in which letters they are written.
TEXT = ("text/", "application/xml", "application/atom+xml")


def closed(headers: Mapping[str, str]) -> list[str]:
    """What is missing in an answer; nothing where it is closed to other sites."""
    policy = headers.get("Content-Security-Policy", "")
    wanted = {
        "nosniff": headers.get("X-Content-Type-Options") == "nosniff",
        "referrer": headers.get("Referrer-Policy") == "same-origin",
        "policy": "default-src 'none'" in policy and "base-uri 'none'" in policy,
        "frames": "frame-ancestors 'none'" in policy,
        "resource": headers.get("Cross-Origin-Resource-Policy") == "same-origin",
        "cors": "Access-Control-Allow-Origin" not in headers,
        "features": "camera=()" in headers.get("Permissions-Policy", ""),
    }
    return [name for name, well in wanted.items() if not well]


def charset(kind: str) -> bool:
    """Whether it says in which letters it is written, where that matters."""
    return not kind.startswith(TEXT) or kind.endswith("; charset=utf-8")


@pytest.mark.parametrize("state", ["nothing", "alarm"])
def test_no_page_is_kept_framed_guessed_or_read_by_another_site(
    night: SamsNight, clock: Clock, state: str
) -> None:
    make(state, night)
    everywhere = paths(night)
    ruth = browser(night.key)
    ruth.get(f"/desk/{desk_key.key()}")
    for client in (ruth, browser()):
        for path in everywhere:
            answer = client.get(path)
            assert closed(answer.headers) == [], path
            assert answer["Cache-Control"] == "no-store", path
            assert charset(answer["Content-Type"]), (path, answer["Content-Type"])


def test_a_download_is_saved_under_a_name_of_ours(night: SamsNight, clock: Clock) -> None:
    make("alarm", night)
    somebody = browser(night.key)
    somebody.get(f"/desk/{desk_key.key()}")
    named = {
        f"{path.rpartition('/')[2]}": answer["Content-Disposition"]
        for path in paths(night)
        if (answer := somebody.get(path)).get("Content-Disposition")
    }
    assert named == {
        "lamp.vcf": 'attachment; filename="lamp.vcf"',
        "kits.csv": 'attachment; filename="lamp-kits.csv"',
        "lamp.json": 'attachment; filename="lamp.json"',
    }


def test_nobody_hears_back_what_they_sent(night: SamsNight) -> None:
    """TRACE would show a script the cookies that are hidden from it."""
    for path in paths(night):
        assert browser(night.key).trace(path).status_code == 405, path


@pytest.mark.parametrize(
    ("path", "length", "status"),
    [("/k/nothing", "2", 404), ("/in/nothing/text", "2", 404), ("/", "300000", 413)],
)
def test_an_answer_that_django_did_not_make_says_the_same(
    path: str, length: str, status: int
) -> None:
    app = WebhookLane(Door(lane()), ())
    headers = {"Content-Type": "application/json", "Content-Length": length}
    answer = asyncio.run(ask(app, path, [b"{}"], headers))
    assert answer.status == status
    assert closed({name.title(): value for name, value in answer.headers.items()}) == []
    assert answer.headers["cache-control"] == "no-store"
    assert charset(answer.headers["content-type"])


@pytest.mark.parametrize(
    ("base_url", "insists"),
    [("https://lamp.example.org", True), ("http://192.0.2.7:8420", False)],
)
def test_whoever_came_by_https_comes_no_other_way(
    tmp_path: Path, base_url: str, insists: bool
) -> None:
    """In a process of its own: the answers of the lanes go by the settings of a start."""
    keys.ensure_folder(tmp_path)
    keys.create_missing(tmp_path / keys.FOLDER)
    asking = (
        "import json, django; django.setup();"
        "from stillhere.web.asgi.responses import closed;"
        "from django.conf import settings;"
        "print(json.dumps([settings.SECURE_HSTS_SECONDS, [n.decode() for n, _ in closed()]]))"
    )
    told = subprocess.run(
        [sys.executable, "-c", asking],
        env={
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "stillhere.config.settings",
            "STILLHERE_DATA": str(tmp_path),
            "STILLHERE_BASE_URL": base_url,
        },
        capture_output=True,
        text=True,
        check=True,
    )
    seconds, names = json.loads(told.stdout)
    assert ("strict-transport-security" in names) is insists
    assert (seconds >= 365 * 24 * 3600) is insists


def test_every_lane_answers_through_one_hand() -> None:
    """Files and the pages of Django apart, nobody else begins an answer."""
    folder = Path(responses.__file__).parent
    begin = [path.name for path in folder.glob("*.py") if "http.response.start" in path.read_text()]
    assert sorted(begin) == ["responses.py", "static_files.py"]


def test_a_folder_of_files_shows_no_list() -> None:
    for path in ("/static/", "/static", "/.git/config", "/data/", "/static/../keys/secret"):
        assert browser().get(path).status_code == 404, path


def test_over_plain_http_nothing_is_sent_that_browsers_complain_of() -> None:
    assert "Cross-Origin-Opener-Policy" not in browser().get("/").headers
