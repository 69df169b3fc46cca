"""Who found a hole learns whom to tell, and nothing that is nobody's business."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.conf import settings as django_settings
from pytest_django.fixtures import DjangoAssertNumQueries, Settings

from stillhere.config.environment import SettingError, read
from stillhere.web.access.rate_limit import GUESSES, MOST_MISSES
from tests.web.conftest import browser
from tests.web.pages import read as opened

FILE, POLICY = "/.well-known/security.txt", "/security"


@pytest.fixture(autouse=True)
def told(settings: Settings) -> None:
    settings.STILLHERE = replace(
        settings.STILLHERE,
        security_contact="mailto:security@example.org",
        base_url="https://lamp.example.org",
    )


def fields() -> dict[str, list[str]]:
    response = browser().get(FILE)
    assert response.status_code == 200
    assert response["Content-Type"] == "text/plain; charset=utf-8"
    found: dict[str, list[str]] = {}
    for line in response.content.decode().splitlines():
        name, colon, value = line.partition(": ")
        assert colon
        assert value
        found.setdefault(name, []).append(value)
    return found


def test_it_says_whom_to_tell_in_which_language_and_by_what_rules() -> None:
    found = fields()
    assert found["Contact"] == ["mailto:security@example.org"]
    assert found["Canonical"] == [f"https://lamp.example.org{FILE}"]
    assert found["Policy"] == [f"https://lamp.example.org{POLICY}"]
    assert found["Preferred-Languages"][0].split(", ")[:2] == ["en", "es"]


def test_it_has_not_run_out_and_holds_for_less_than_a_year() -> None:
    (said,) = fields()["Expires"]
    runs_out = datetime.strptime(said, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
    now = datetime.fromtimestamp(django_settings.WALL_MS() / 1000, UTC)
    assert timedelta(days=90) < runs_out - now < timedelta(days=365)


def test_its_day_goes_with_the_clock(settings: Settings) -> None:
    settings.WALL_MS = lambda: 1_960_000_000_000
    assert fields()["Expires"] == ["2032-08-08T00:00:00Z"]


@pytest.mark.parametrize("path", [FILE, POLICY])
def test_a_program_that_looks_for_holes_is_never_slowed_down_and_leaves_no_cookie(
    path: str, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for _ in range(MOST_MISSES + 1):
        GUESSES.missed("127.0.0.1")
    with django_assert_num_queries(0):
        for _ in range(MOST_MISSES + 1):
            response = browser().get(path)
            assert response.status_code == 200
            assert not response.cookies


def test_where_nobody_reads_reports_no_file_says_so(settings: Settings) -> None:
    settings.STILLHERE = replace(settings.STILLHERE, security_contact="")
    assert browser().get(FILE).status_code == 404
    assert "Tell whoever runs this" in opened(browser(), POLICY)


def test_no_private_address_stands_in_it(settings: Settings) -> None:
    settings.STILLHERE = replace(
        settings.STILLHERE, coordinator="ruth@example.org, +12025550105", smtp_url="smtp://a:b@c"
    )
    for path in (FILE, POLICY):
        said = browser().get(path).content.decode()
        assert "security@example.org" in said
        for private in ("ruth", "2025550105", "smtp", django_settings.STILLHERE.mail_from):
            assert private not in said


def test_on_plain_http_it_names_no_address_that_the_standard_does_not_know(
    settings: Settings,
) -> None:
    settings.STILLHERE = replace(settings.STILLHERE, base_url="http://192.0.2.7:8420")
    assert {"Canonical", "Policy"} & set(fields()) == set()


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("security@example.org", "mailto:security@example.org"),
        ("mailto:security@example.org", "mailto:security@example.org"),
        ("https://example.org/report", "https://example.org/report"),
        ("a?b=c&d@example.org", "mailto:a%3Fb%3Dc%26d@example.org"),
        ("", ""),
    ],
)
def test_an_address_of_mail_or_of_a_form_is_taken(typed: str, kept: str) -> None:
    assert _read(typed).security_contact == kept


@pytest.mark.parametrize(
    "typed",
    ["Ruth", "+12025550105", "http://example.org", "https://", "https://a.org/\nContact: x"],
)
def test_what_nobody_could_write_to_is_refused(typed: str) -> None:
    with pytest.raises(SettingError, match="STILLHERE_SECURITY_CONTACT"):
        _read(typed)


def _read(typed: str) -> Any:
    return read({"HOME": "/home/ana", "STILLHERE_SECURITY_CONTACT": typed})
