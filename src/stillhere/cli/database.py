"""A database that cannot be used: what it said, and which part of the setting to look at.

Owns a command's first connection, and how long it waits for a server that is still starting. Never
repeats a password. A server that goes away later is handled by the loops.
"""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from typing import Any

import click
import psycopg
from psycopg.conninfo import make_conninfo

from stillhere.cli import trouble
from stillhere.config import databases
from stillhere.config.environment import SettingError, Stillhere
from stillhere.config.wiring import boot_ms

SETTING = "STILLHERE_DATABASE_URL"
STARTING = r"starting up|shutting down|in recovery|not yet accepting"
NOT_READY = "The database is not ready. Run `stillhere up` first."
NO_TABLES = r"no such table|relation .* does not exist"
WAIT_MS = 30_000
LOOKS_EVERY_S = 0.5
# What a server or libpq says, and what to do. The first that fits counts.
HINTS = (
    (STARTING, "It is not ready: try again in a minute."),
    (r"password authentication failed|no password supplied|fe_sendauth|SCRAM|SASL",
     f"Look at user and password in {SETTING}; special characters are written as %40 and so on."),
    (r"role .* does not exist|no pg_hba\.conf entry|peer authentication|ident authentication",
     f"Look at the user in {SETTING}, and whether the server lets it in from here."),
    (r"database .* does not exist", f"Look at the name in {SETTING}, or make it: createdb."),
    (r"SSL|certificate|TLS", f"Look at sslmode= and sslrootcert= in {SETTING}."),
    (r"translate host name|resolve|Name or service|nodename",
     f"Look at the host in {SETTING}: no machine has this name here."),
    (r"Connection refused|No such file|timeout|timed out|No route|unreachable",
     f"Is the server running? Look at host and port in {SETTING}."),
    (r"invalid connection option|invalid .* value|invalid integer",
     f"Look at what follows ? in {SETTING}."),
    (r"permission denied", f"The user in {SETTING} may not do that there: make it the owner."),
    (r"too many|remaining connection slots", "Raise max_connections there, or stop some of them."),
    (r"read-only|read only", f"Name the server that takes writes in {SETTING}."),
)  # fmt: skip
# A wrong setting stays wrong; whatever else goes wrong may pass by itself.
_STAYS = re.compile(
    r"password authentication failed|no password supplied|fe_sendauth|does not exist|"
    r"pg_hba\.conf|peer authentication|invalid connection option|invalid .* value|invalid integer|"
    r"does not support SSL|certificate verify failed|root certificate",
)
_SAID = re.compile(r"(?:FATAL|ERROR|PANIC):\s+(.+)")
_FAILED = re.compile(r".*failed: (.+)")


def problem(error: BaseException, stillhere: Stillhere) -> SettingError:
    """What happened, as one line."""
    said = _said(error, stillhere)
    if re.search(NO_TABLES, said):
        return SettingError(NOT_READY)
    if not stillhere.database_url:
        file = stillhere.data / databases.SQLITE_FILE
        why = trouble.in_the_way(stillhere.data) or trouble.is_full(stillhere.data)
        nothing = stillhere.data.is_dir() and not file.exists() and not why
        if "unable to open" in said and nothing:
            return SettingError(NOT_READY)
        known = trouble.sentence(error, stillhere.data)
        return SettingError(known or f"We cannot use the database {file}: {said}.")
    told = str(error)
    hint = next((hint for what, hint in HINTS if re.search(what, told, re.IGNORECASE)), "")
    where = databases.postgresql(stillhere.database_url)
    at = f"{where['HOST'] or 'local socket'}:{where['PORT'] or 5432}"
    sentence = hint or f"Look at {SETTING}."
    return SettingError(f"We cannot use the database at {at}. It said: {said}. {sentence}")


def reach(stillhere: Stillhere, wait_ms: int = WAIT_MS) -> None:
    """Make sure that the server lets us in before anything is created, and wait for one that is
    still starting, at most ``wait_ms``. Raises `SettingError`."""
    until, told = boot_ms() + wait_ms, False
    while stillhere.database_url:
        try:
            psycopg.connect(address(stillhere, password=True)).close()
            return
        except psycopg.Error as error:
            if not re.search(STARTING, str(error)) or boot_ms() >= until:
                raise problem(error, stillhere) from None
        if not told:
            told = True
            click.echo(f"The database is starting: we wait {wait_ms // 1000} s for it.", err=True)
        time.sleep(LOOKS_EVERY_S)


def refuse_wrong(stillhere: Stillhere) -> None:
    """For processes that run forever: end only if trying again cannot help. Raises
    `SettingError`."""
    if not stillhere.database_url:
        return
    try:
        psycopg.connect(address(stillhere, password=True)).close()
    except psycopg.Error as error:
        if _STAYS.search(str(error)):
            raise problem(error, stillhere) from None


def holds(stillhere: Stillhere) -> bool | None:
    """Whether PostgreSQL's database was ever prepared; None if it cannot be asked."""
    try:
        with psycopg.connect(address(stillhere, password=True)) as connection:
            named = connection.execute("SELECT to_regclass('django_migrations')").fetchone()
            if named == (None,):
                return False
            rows = connection.execute("SELECT count(*) FROM django_migrations").fetchone()
            return rows != (0,)
    except psycopg.Error:
        return None


def _said(error: BaseException, stillhere: Stillhere) -> str:
    """The reasons in an error, each once, without the password."""
    text = str(error)
    reasons = _SAID.findall(text) or _FAILED.findall(text) or text.splitlines()[:1]
    said = "; ".join(dict.fromkeys(reason.strip().rstrip(".") for reason in reasons))
    for secret in _secrets(stillhere):
        # As a word of its own: one that is part of a word shows nothing, and would be guessed.
        said = re.sub(rf"(?<!\w){re.escape(secret)}(?!\w)", "…", said)
    return said[:200] or type(error).__name__


def _secrets(stillhere: Stillhere) -> list[str]:
    url = stillhere.database_url
    if not url:
        return []
    made = databases.postgresql(url)
    found = {made["PASSWORD"], made["OPTIONS"].get("sslpassword")}
    found |= set(re.findall(r"://[^/?@]*:([^@/?]+)@", url))
    found |= set(re.findall(r"[?&](?:ssl)?password=([^&]+)", url))
    return sorted((secret for secret in found if secret), key=len, reverse=True)


def address(stillhere: Stillhere, *, password: bool) -> str:
    """The database as a libpq connection string; without ``password`` it may be shown to
    anybody."""
    found = databases.postgresql(stillhere.database_url)
    parts: Mapping[str, Any] = {
        "dbname": found["NAME"],
        "user": found["USER"],
        "password": found["PASSWORD"] if password else "",
        "host": found["HOST"],
        "port": found["PORT"],
        **found["OPTIONS"],
    }
    hidden = () if password else ("sslpassword",)
    return make_conninfo(
        **{name: value for name, value in parts.items() if value and name not in hidden}
    )
