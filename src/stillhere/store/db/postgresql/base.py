"""PostgreSQL as we use it: a server that stops answering is given up on, and the host that answered
last is tried first.

Owns how a connection is made, in what order hosts are tried, and how long it waits. A frozen host's
kernel goes on acknowledging packets, so neither keepalives nor ``tcp_user_timeout`` nor a
``statement_timeout`` on the server releases a waiting client: only a time limit of our own does. A
server that is alive is told our limits as well; otherwise a statement we gave up on would wait
there forever, and a process of ours that was stopped would keep its rows locked for as long. Never
guesses what became of a statement: it may have been stored, so nobody is told "got it".
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Any

import psycopg
from django.db.backends.postgresql import base
from django.utils.functional import cached_property
from psycopg.abc import RV, PQGen

from stillhere.store.db.disk import Noticing
from stillhere.store.db.timeouts import LAST_WORD_S, LOCK_S, PATIENCE

log = logging.getLogger("stillhere.database")

_LOOK_EVERY_S = 0.1
_LIMITS = (
    "SELECT set_config('lock_timeout', %s, false), set_config('statement_timeout', %s, false), "
    "set_config('idle_in_transaction_session_timeout', %s, false)"
)


@dataclass(slots=True)
class Hosts:
    """What this process learned about the hosts of its database, as (host, port)."""

    answered: tuple[str, str] | None = None  # took us last
    silent: tuple[str, str] | None = None  # left us waiting last


HOSTS = Hosts()


class Impatient(psycopg.Connection[Any]):
    """A connection that waits for each answer as long as ``store/db/timeouts.py`` says, and is then
    considered broken for good."""

    def wait(
        self, gen: PQGen[RV], interval: float = _LOOK_EVERY_S, timeout: float | None = None
    ) -> RV:
        """One answer from the server. Raises ``OperationalError`` if it does not come."""
        try:
            return super().wait(gen, interval, timeout or _patience_s())
        except psycopg.OperationalError:
            if self.pgconn.transaction_status == psycopg.pq.TransactionStatus.ACTIVE:
                # It still owes us an answer. Nothing more is said on this line, not even goodbye.
                log.warning("the database fell silent")
                HOSTS.silent = (self.info.host, str(self.info.port))
                self.pgconn.finish()
            raise


class DatabaseWrapper(base.DatabaseWrapper):
    """Django's PostgreSQL, with our connections."""

    @cached_property
    def wrap_database_errors(self) -> Noticing:
        return Noticing(self)

    def get_new_connection(self, conn_params: dict[str, Any]) -> Impatient:
        """Connect to the first host that takes us."""
        self.isolation_level = psycopg.IsolationLevel.READ_COMMITTED
        connection = Impatient.connect(**reordered(conn_params, HOSTS))
        HOSTS.answered = (connection.info.host, str(connection.info.port))
        if HOSTS.silent == HOSTS.answered:
            HOSTS.silent = None
        return connection

    def init_connection_state(self) -> None:
        """Tell the server our limits. By a statement: the ``options`` of the address are the
        operator's, who chooses a schema with them."""
        super().init_connection_state()
        if PATIENCE.limit_s is not None:
            with self.cursor() as cursor:
                cursor.execute(_LIMITS, _limits(PATIENCE.limit_s))


def _patience_s() -> float | None:
    return None if PATIENCE.limit_s is None else PATIENCE.limit_s + LAST_WORD_S


def _limits(limit_s: float) -> list[str]:
    """For a lock, for a statement, and for an idle transaction."""
    return [f"{round(each_s * 1000)}ms" for each_s in (min(LOCK_S, limit_s), limit_s, limit_s)]


def reordered(params: dict[str, Any], known: Hosts) -> dict[str, Any]:
    """``params`` with the host that answered last in front and the one that stopped answering at
    the end: a frozen host in front costs each new connection ``connect_timeout`` seconds."""
    hosts, ports = str(params.get("host", "")).split(","), str(params.get("port", "")).split(",")
    pairs = list(zip(hosts, ports, strict=False))
    if len(hosts) < 2 or len(hosts) != len(ports):
        return params
    pairs.sort(key=lambda pair: (pair == known.silent, pair != known.answered))
    return params | {
        "host": ",".join(host for host, _ in pairs),
        "port": ",".join(port for _, port in pairs),
    }
