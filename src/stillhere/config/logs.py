"""One line an event, on standard error, that can be shown to anyone.

Owns the rule that keeps secrets out of logs: our own messages hold ids only and are written as they
are; of everyone else's (Django, the server, libraries) only the fixed part is kept, because their
arguments hold paths with keys, addresses and numbers. Of an exception we keep its type and place.
Trouble that repeats itself is said once a minute.
"""

from __future__ import annotations

import logging
import traceback
from datetime import UTC, datetime
from pathlib import PurePath
from typing import Any

# Their message texts are fixed templates with the particulars as arguments, which we drop.
FIXED_TEXTS = ("django", "_granian", "granian", "asyncio")
SELDOM_S = 60.0
MOST_REMEMBERED = 500
PLACES = 5  # frames of an exception that are named, innermost first


class OneLine(logging.Formatter):
    """``2026-01-31T22:16:05.123Z warning stillhere.engine event key=value``."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the record as one line without anybody's particulars."""
        moment = datetime.fromtimestamp(record.created, UTC)
        parts = [
            f"{moment:%Y-%m-%dT%H:%M:%S}.{int(record.msecs):03d}Z",
            record.levelname.lower(),
            record.name,
            _message(record),
            _error(record),
            f"times={record.times}" if hasattr(record, "times") else "",
        ]
        return printable(" ".join(part for part in parts if part))


def printable(text: str) -> str:
    """``text`` on one line, with what a terminal would act on (controls, escapes, a change of
    direction) as its number. Somebody outside may have chosen a part of it."""
    return "".join(
        char if char.isprintable() else " " if char == "\n" else f"\\u{ord(char):04x}"
        for char in text
    )


def _message(record: logging.LogRecord) -> str:
    family = record.name.partition(".")[0]
    if family == "stillhere":
        return record.getMessage()
    status = getattr(record, "status_code", None)
    if status is not None:
        return f"request answered status={status}"
    if family in FIXED_TEXTS:
        return str(record.msg).partition("\n")[0].replace("%s", "…")
    return f"line={record.lineno}"


def _error(record: logging.LogRecord) -> str:
    """Type and place only: messages of exceptions quote rows, addresses and URLs."""
    if not record.exc_info or record.exc_info[1] is None:
        return ""
    error = record.exc_info[1]
    frames = traceback.extract_tb(error.__traceback__)[-PLACES:]
    places = "<".join(f"{PurePath(f.filename).name}:{f.lineno}" for f in reversed(frames))
    return f"error={type(error).__name__} at={places}"


class Seldom(logging.Filter):
    """The same trouble in the same words is said once a minute, with how often it came.

    A disk that is full makes every loop speak of it many times a second.
    """

    def __init__(self) -> None:
        super().__init__()
        self._said: dict[tuple[str, str, str], tuple[float, int]] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        if record.levelno < logging.WARNING:
            return True
        words = record.name, _message(record), _error(record)
        at, more = self._said.get(words, (-SELDOM_S, 0))
        if 0 <= record.created - at < SELDOM_S:
            self._said[words] = at, more + 1
            return False
        if len(self._said) >= MOST_REMEMBERED:
            self._said.clear()
        self._said[words] = record.created, 0
        if more:
            record.times = more + 1
        return True


def is_news(record: logging.LogRecord) -> bool:
    """Whether a request's record tells anything new.

    Who answers 503 has said why in a line of its own, and a watcher asks again every second.
    """
    return record.exc_info is not None or getattr(record, "status_code", None) != 503


def configuration(level: str) -> dict[str, Any]:
    """The ``LOGGING`` dictionary for ``level`` (``debug``, ``info``, ...)."""
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"one-line": {"()": OneLine}},
        "filters": {"news": {"()": lambda: is_news}, "seldom": {"()": Seldom}},
        "handlers": {
            "stderr": {
                "class": "logging.StreamHandler",
                "formatter": "one-line",
                "filters": ["seldom"],
            }
        },
        "root": {"handlers": ["stderr"], "level": "WARNING"},
        "loggers": {
            "stillhere": {"level": level.upper()},
            # Django brings handlers of its own (and mails administrators): only ours speaks.
            "django": {"handlers": [], "level": "WARNING", "propagate": True},
            # A page that is not there is no event, and guessed keys would fill the disk.
            "django.request": {"level": "ERROR", "filters": ["news"]},
            "django.security": {"level": "ERROR"},
            "django.security.DisallowedHost": {"level": "CRITICAL"},
        },
    }
