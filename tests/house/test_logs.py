"""A log that can be shown to anyone: ids only, one line an event."""

from __future__ import annotations

import logging
import sys

from stillhere.config.logs import OneLine, is_news


def line(name: str, message: str, *arguments: object, **more: object) -> str:
    """Format one event the way the handler does."""
    record = logging.LogRecord(name, logging.ERROR, "file.py", 7, message, arguments, None)
    for key, value in more.items():
        setattr(record, key, value)
    return OneLine().format(record)


def test_our_own_events_are_written_as_they_are() -> None:
    assert line("stillhere.engine", "alarm raised watch=%s", 7).endswith(
        "Z error stillhere.engine alarm raised watch=7"
    )


def test_a_failed_request_is_logged_without_its_address() -> None:
    told = line("django.request", "%s: %s", "Internal Server Error", "/k/secret", status_code=500)
    assert told.endswith("request answered status=500")


def test_arguments_of_other_peoples_messages_are_dropped() -> None:
    assert "secret" not in line("django.security.csrf", "Forbidden (%s): %s", "why", "/k/secret")
    assert "secret" not in line("apprise", "sent to tgram://secret")


def test_an_exception_is_its_type_and_place_on_the_same_line() -> None:
    try:
        raise ValueError("maya@example.org\nsecond line")
    except ValueError:
        told = line("stillhere.web", "page failed", exc_info=sys.exc_info())
    assert "error=ValueError at=test_logs.py:" in told
    assert "maya" not in told
    assert "\n" not in told


def test_an_honest_503_is_no_news_but_a_failure_is() -> None:
    record = logging.LogRecord("django.request", logging.ERROR, "f", 1, "%s", ("/healthz",), None)
    record.status_code = 503
    assert not is_news(record)
    record.status_code = 500
    assert is_news(record)
