"""Turns "where is the database" into what Django wants.

Owns the durability settings of SQLite and the reading of PostgreSQL addresses with several hosts,
which Django takes as lists and the usual URL readers refuse. Connects to nothing.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote

from stillhere.config.values import SettingError

SQLITE_FILE = "stillhere.sqlite3"
# So long a thread of pages keeps its connection: opening one costs as much as a small page. No
# longer, so that a file that was put in the place of another is soon noticed.
KEPT_S = 5

# WAL with FULL: a commit that was acknowledged survives a power cut. secure_delete: what is erased
# is overwritten, so it cannot be read back from the file. temp_store: nothing spills to /tmp.
# wal_autocheckpoint: 16 MB at a time, so that a page written twice meanwhile is copied once.
SQLITE_PRAGMAS = (
    "PRAGMA journal_mode=WAL;"
    "PRAGMA synchronous=FULL;"
    "PRAGMA busy_timeout=5000;"
    "PRAGMA secure_delete=ON;"
    "PRAGMA temp_store=MEMORY;"
    "PRAGMA wal_autocheckpoint=4000;"
)

# What libpq waits for, unless the address says otherwise. A dead host is found in seconds, not in
# the quarter of an hour that TCP takes; one that is only frozen is store/postgresql's job.
LIBPQ = {
    "application_name": "stillhere",
    "connect_timeout": "2",
    "keepalives_idle": "5",
    "keepalives_interval": "2",
    "keepalives_count": "3",
    "tcp_user_timeout": "5000",
}

_ADDRESS = re.compile(
    r"postgres(?:ql)?://"
    r"(?:(?P<user>[^:@/?]*)(?::(?P<password>[^@/?]*))?@)?"
    r"(?P<hosts>[^/?@]*)"
    r"(?:/(?P<name>[^?/]*))?"
    r"(?:\?(?P<query>.*))?"
)
_HOST = re.compile(r"(?P<host>\[[0-9a-fA-F:.]+\]|[^:\[\]]*)(?::(?P<port>[0-9]{1,5}))?")


def sqlite(data: Path) -> dict[str, Any]:
    """The embedded default: one file in the data folder."""
    return {
        "ENGINE": "stillhere.store.db.sqlite",  # Django's, with a queue in front of the one lock
        "NAME": str(data / SQLITE_FILE),
        "CONN_MAX_AGE": KEPT_S,
        "OPTIONS": {
            # Never makes the file: an empty one in the place of one that is gone watches nobody.
            "mode": "rw",
            # Deferred transactions that turn into writers fail at once under load; IMMEDIATE waits.
            "transaction_mode": "IMMEDIATE",
            "init_command": SQLITE_PRAGMAS,
            "timeout": 5,
        },
    }


def postgresql(url: str) -> dict[str, Any]:
    """``postgresql://user:password@host1:5432,host2:5433/name?target_session_attrs=read-write``.

    Everything after ``?`` goes to libpq as it is, on top of ``LIBPQ``. Of several hosts the one
    that takes writes is meant, whether or not the address says so.
    """
    match = _ADDRESS.fullmatch(url)
    if match is None:
        raise SettingError(
            "STILLHERE_DATABASE_URL must look like postgresql://user:password@host:5432/name "
            "(write special characters of the password as %40 and so on)."
        )
    hosts, ports = _hosts(match["hosts"])
    options: dict[str, Any] = LIBPQ | dict(parse_qsl(match["query"] or ""))
    if "," in options.get("host", hosts):
        options.setdefault("target_session_attrs", "read-write")
    return {
        "ENGINE": "stillhere.store.db.postgresql",
        "NAME": unquote(match["name"] or "stillhere"),
        "CONN_MAX_AGE": KEPT_S,
        "CONN_HEALTH_CHECKS": True,  # one that a failover cut is replaced before it is used
        "USER": unquote(match["user"] or ""),
        # Wherever it was typed: an option would be seen in the list of processes.
        "PASSWORD": options.pop("password", unquote(match["password"] or "")),
        "HOST": options.pop("host", hosts),
        "PORT": options.pop("port", ports),
        "OPTIONS": options,
    }


def _hosts(typed: str) -> tuple[str, str]:
    """Split ``h1:5432,h2`` into ``h1,h2`` and ``5432,5432``: libpq wants a port for every host."""
    if not typed:
        return "", ""
    hosts, ports = [], []
    for part in typed.split(","):
        match = _HOST.fullmatch(part)
        if match is None or not match["host"] or not 0 < int(match["port"] or 5432) < 65536:
            raise SettingError("STILLHERE_DATABASE_URL has a host or port that we cannot read.")
        hosts.append(unquote(match["host"]).strip("[]"))
        ports.append(match["port"] or "5432")
    return ",".join(hosts), ",".join(ports)
