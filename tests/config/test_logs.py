"""A log that can be shown to anyone: ids only, one line an event."""

from __future__ import annotations

import logging
import sys

from stillhere.config.logs import OneLine, Seldom, is_news


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


def test_the_same_trouble_is_said_once_a_minute_with_how_often_it_came() -> None:
    seldom, said = Seldom(), []
    for tenth in range(1_210):
        record = logging.LogRecord("stillhere.engine", logging.WARNING, "f", 1, "full", (), None)
        record.created = 1_000_000 + tenth / 10
        if seldom.filter(record):
            said.append(OneLine().format(record).partition(" ")[2])
    assert said == [
        "warning stillhere.engine full",
        "warning stillhere.engine full times=600",
        "warning stillhere.engine full times=600",
    ]


def test_another_trouble_and_what_is_none_are_said_each_time() -> None:
    seldom = Seldom()
    for level, words in (("INFO", "sent"), ("INFO", "sent"), ("ERROR", "one"), ("ERROR", "two")):
        record = logging.LogRecord(
            "stillhere.engine", getattr(logging, level), "f", 1, words, (), None
        )
        assert seldom.filter(record)


def test_nothing_in_a_line_moves_a_terminal_or_begins_another_line() -> None:
    told = line("stillhere.web", "feed %s: no date", "a\x1b[2J\r\n2026 error\u202e\u2028\x85é中")
    assert told.endswith(r"feed a\u001b[2J\u000d 2026 error\u202e\u2028\u0085é中: no date")
