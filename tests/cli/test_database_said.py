"""A database server that cannot be used: what is said of it, and how long it is waited for."""

from __future__ import annotations

import socket
import sqlite3
import subprocess
import tempfile
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from stillhere.cli import database
from stillhere.config import keys
from stillhere.config.environment import SettingError, read
from tests.installation import Installation
from tests.postgres import Cluster

URL = "postgresql://ruth:swordfish@192.0.2.7:5432/lamp"


@pytest.mark.parametrize(
    ("said", "look"),
    [
        (
            'connection to server at "h", port 1 failed: Connection refused\n\tIs it there?',
            "host and port",
        ),
        ("connection timeout expired", "host and port"),
        ("failed to resolve host 'db.example.org': [Errno -2] Name or service not known", "host"),
        (
            'connection failed: FATAL:  password authentication failed for user "ruth"',
            "user and password",
        ),
        ("connection failed: fe_sendauth: no password supplied", "user and password"),
        ('connection failed: FATAL:  role "ruth" does not exist', "user"),
        ('FATAL:  no pg_hba.conf entry for host "192.0.2.9", user "ruth"', "user"),
        ('connection failed: FATAL:  database "lamp" does not exist', "name"),
        ("connection failed: server does not support SSL, but SSL was required", "sslmode="),
        ("connection failed: SSL error: certificate verify failed", "sslmode="),
        ('invalid connection option "colour"', "what follows ?"),
        ("FATAL:  sorry, too many clients already", "max_connections"),
        ("permission denied for schema public", "owner"),
        ("connection failed: session is read-only", "takes writes"),
        ("something nobody has heard of", "Look at STILLHERE_DATABASE_URL"),
    ],
)
def test_what_the_server_said_and_where_to_look_is_one_line(said: str, look: str) -> None:
    told = str(database.problem(psycopg.OperationalError(said), read({database.SETTING: URL})))
    assert "It said: " in told
    assert look in told
    assert "192.0.2.7:5432" in told
    assert "\n" not in told
    assert "FATAL" not in told


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://ruth:sword%20fish@192.0.2.7/lamp",
        "postgresql://ruth@192.0.2.7/lamp?password=sword%20fish",
    ],
)
def test_a_password_is_in_no_list_of_processes(url: str) -> None:
    assert "sword" not in database.address(read({database.SETTING: url}), password=False)
    assert "sword" in database.address(read({database.SETTING: url}), password=True)


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://ruth:sword%20fish@192.0.2.7/lamp",
        "postgresql://ruth@192.0.2.7/lamp?password=sword%20fish",
    ],
)
def test_a_password_is_in_no_sentence(url: str) -> None:
    said = f"missing something in {url}, which is sword fish"
    told = str(database.problem(psycopg.OperationalError(said), read({database.SETTING: url})))
    assert "fish" not in told


def test_a_password_that_is_part_of_a_word_is_not_given_away_by_a_hole() -> None:
    url = "postgresql://ruth:s@192.0.2.7/lamp"
    told = str(
        database.problem(
            psycopg.OperationalError("failed: Connection refused"), read({database.SETTING: url})
        )
    )
    assert "Connection refused. Is the server running?" in told


def test_a_sqlite_file_is_named_with_what_is_wrong_with_it() -> None:
    here = read({"STILLHERE_DATA": "/tmp/lamp"})
    told = str(database.problem(sqlite3.OperationalError("unable to open database file"), here))
    assert "/tmp/lamp/stillhere.sqlite3: unable to open database file" in told
    told = str(database.problem(sqlite3.OperationalError("no such table: x"), here))
    assert told == "The database is not ready. Run `stillhere up` first."


class Starting:
    """A server that is not ready for the first few who ask."""

    def __init__(self, unready: int) -> None:
        self.unready = unready
        self.asked = 0
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.url = (
            f"postgresql://ruth@127.0.0.1:{self.socket.getsockname()[1]}/lamp?sslmode=disable"
        )
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                client, _ = self.socket.accept()
            except OSError:
                return
            with client:
                client.recv(4096)
                self.asked += 1
                client.sendall(self._answer())

    def _answer(self) -> bytes:
        if self.asked > self.unready:
            return b"R\0\0\0\x08\0\0\0\0" + b"Z\0\0\0\x05I"
        says = b"SFATAL\0VFATAL\0C57P03\0Mthe database system is starting up\0\0"
        return b"E" + (len(says) + 4).to_bytes(4, "big") + says


@pytest.fixture
def starting() -> Iterator[Callable[[int], Starting]]:
    made: list[Starting] = []

    def make(unready: int) -> Starting:
        made.append(Starting(unready))
        return made[-1]

    yield make
    for each in made:
        each.socket.close()


def test_a_server_that_is_starting_is_waited_for_and_said_once(
    starting: Callable[[int], Starting],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(database, "LOOKS_EVERY_S", 0.0)
    server = starting(3)
    database.reach(read({database.SETTING: server.url}))
    assert server.asked == 4
    assert capsys.readouterr().err.count("The database is starting: we wait 30 s for it.") == 1


def test_a_server_that_never_gets_ready_is_waited_for_no_longer(
    starting: Callable[[int], Starting],
) -> None:
    with pytest.raises(SettingError, match=r"starting up.*It is not ready"):
        database.reach(read({database.SETTING: starting(9).url}), wait_ms=0)


def test_what_runs_for_ever_goes_on_where_a_server_is_only_away(
    starting: Callable[[int], Starting],
) -> None:
    database.refuse_wrong(read({database.SETTING: starting(9).url}))
    database.refuse_wrong(read({database.SETTING: "postgresql://ruth@127.0.0.1:1/lamp"}))


@pytest.fixture(scope="module")
def locked() -> Iterator[Cluster]:
    """A server that asks for passwords. Its folder is not pytest's, which lets no other user in."""
    with tempfile.TemporaryDirectory(prefix="stillhere-locked-") as folder:
        yield from _locked(Path(folder))


def _locked(folder: Path) -> Iterator[Cluster]:
    cluster = Cluster(folder)
    cluster.create()
    cluster.start()
    with psycopg.connect(cluster.url, autocommit=True) as connection:
        connection.execute("CREATE ROLE ruth LOGIN PASSWORD 'swordfish'")
    cluster.stop()
    (folder / "db" / "pg_hba.conf").write_text(
        f"host all {cluster.user} 127.0.0.1/32 trust\nhost all all 127.0.0.1/32 scram-sha-256\n"
    )
    cluster.start()
    yield cluster
    cluster.stop()


WRONG_PASSWORD = "postgresql://ruth:tuna@127.0.0.1:{port}/stillhere"


@pytest.mark.slow
@pytest.mark.postgres
@pytest.mark.parametrize(
    ("url", "said"),
    [
        (WRONG_PASSWORD, "password authentication failed"),
        ("postgresql://ruth@127.0.0.1:{port}/stillhere", "no password supplied"),
        ("postgresql://ruth:swordfish@127.0.0.1:{port}/lamp", 'database "lamp" does not exist'),
        (
            "postgresql://ruth:swordfish@127.0.0.1:{port}/stillhere?sslmode=require",
            "server does not support SSL",
        ),
    ],
)
def test_what_a_real_server_said_stops_the_start(
    installation: Callable[..., Installation], locked: Cluster, url: str, said: str
) -> None:
    here = installation(STILLHERE_DATABASE_URL=url.format(port=locked.port))
    told = here.run("up")
    _one_line(told, said)
    assert not here.data.exists(), "nothing is half begun"


@pytest.mark.slow
@pytest.mark.postgres
@pytest.mark.parametrize("command", ["engine", "web", "check", "desk"])
def test_each_command_says_what_a_real_server_said(
    installation: Callable[..., Installation], locked: Cluster, command: str
) -> None:
    here = installation(STILLHERE_DATABASE_URL=WRONG_PASSWORD.format(port=locked.port))
    keys.ensure_folder(here.data)
    keys.create_missing(here.data / keys.FOLDER)
    _one_line(here.run(command), "password authentication failed")


def _one_line(told: subprocess.CompletedProcess[str], said: str) -> None:
    heard = told.stdout + told.stderr
    assert told.returncode == 1
    (line,) = {line for line in heard.splitlines() if said in line}
    assert "STILLHERE_DATABASE_URL" in line
    assert "Traceback" not in heard
    assert "swordfish" not in heard
    assert "tuna" not in heard
