"""How Django is put together: cookies, hosts, headers, and a database that keeps its word."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.db.backends.base.base import BaseDatabaseWrapper
from django.test import Client

from stillhere.config import keys

ASKED = ("CSRF_COOKIE_SECURE", "LANGUAGE_COOKIE_SECURE", "ALLOWED_HOSTS", "CSRF_TRUSTED_ORIGINS")


def settings_for(data: Path, **environment: str) -> dict[str, Any]:
    """The settings of a process of its own."""
    keys.ensure_folder(data)
    keys.create_missing(data / keys.FOLDER)
    asking = (
        "import json; from stillhere.config import settings as s;"
        f"print(json.dumps({{n: getattr(s, n) for n in {ASKED}}}"
        " | {'hsts': getattr(s, 'SECURE_HSTS_SECONDS', 0)}))"
    )
    told = subprocess.run(
        [sys.executable, "-c", asking],
        env={**os.environ, "STILLHERE_DATA": str(data), **environment},
        capture_output=True,
        text=True,
        check=True,
    )
    answer: dict[str, Any] = json.loads(told.stdout)
    return answer


def test_on_plain_http_cookies_come_back(tmp_path: Path) -> None:
    here = settings_for(tmp_path, STILLHERE_BASE_URL="http://192.0.2.7:8420")
    assert not here["CSRF_COOKIE_SECURE"]
    assert not here["LANGUAGE_COOKIE_SECURE"]
    assert here["hsts"] == 0
    assert "192.0.2.7" in here["ALLOWED_HOSTS"]
    assert "*" not in here["ALLOWED_HOSTS"]


def test_on_https_cookies_never_travel_in_the_clear(tmp_path: Path) -> None:
    here = settings_for(tmp_path, STILLHERE_BASE_URL="https://lamp.example.org/")
    assert here["CSRF_COOKIE_SECURE"]
    assert here["LANGUAGE_COOKIE_SECURE"]
    assert here["hsts"] > 0
    assert here["CSRF_TRUSTED_ORIGINS"] == ["https://lamp.example.org"]


@pytest.mark.sqlite
def test_what_sqlite_acknowledged_survives_a_power_cut(database: BaseDatabaseWrapper) -> None:
    with connection.cursor() as cursor:
        values = {}
        for name in ("journal_mode", "synchronous", "secure_delete", "foreign_keys"):
            cursor.execute(f"PRAGMA {name}")
            values[name] = cursor.fetchone()[0]
    assert values == {
        "journal_mode": "wal",
        "synchronous": 2,  # FULL
        "secure_delete": 1,
        "foreign_keys": 1,
    }


def test_every_page_is_closed_to_other_sites(database: BaseDatabaseWrapper) -> None:
    page = Client().get("/", headers={"host": "localhost"})
    policy = page["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert page["X-Content-Type-Options"] == "nosniff"
    assert page["X-Frame-Options"] == "DENY"
    assert page["Cross-Origin-Resource-Policy"] == "same-origin"
    assert "geolocation=()" in page["Permissions-Policy"]
    assert "screen-wake-lock=(self)" in page["Permissions-Policy"]  # the page stays lit
    # Not "no-referrer": browsers would send "Origin: null" with our own forms.
    assert page["Referrer-Policy"] == "same-origin"


def test_a_host_that_is_not_ours_is_refused(database: BaseDatabaseWrapper) -> None:
    assert Client().get("/", headers={"host": "evil.example.org"}).status_code == 400
