"""A PostgreSQL of the tests' own: `python -m tests.postgres COMMAND...` runs COMMAND beside it.

Owns one throw-away cluster: initdb, start, stop, remove. It never touches a server that is there
already. COMMAND finds it in STILLHERE_DATABASE_URL. As root the server runs as the user `postgres`,
because it refuses to run as root.
"""

from __future__ import annotations

import contextlib
import getpass
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import FrameType

import psycopg

# No fsync: nobody pulls the plug in a test of logic. Tests that do, pass fsync=True.
# No time-outs either: they are the product's own to set, and would hide that it forgot to.
FAST = ("fsync=off", "synchronous_commit=off", "full_page_writes=off")
ALWAYS = (
    "listen_addresses=127.0.0.1",
    "unix_socket_directories=",
    "max_connections=200",
    "log_min_messages=warning",
)


def binaries() -> Path | None:
    """The folder with initdb and postgres of the newest version, or None."""
    versions = Path("/usr/lib/postgresql").glob("*/bin/initdb")
    newest = sorted(versions, key=lambda path: int(path.parent.parent.name))
    if newest:
        return newest[-1].parent
    found = shutil.which("initdb")
    return Path(found).resolve().parent if found else None


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Cluster:
    """One server in a folder of its own. Use `running_cluster`; kill tests use the methods."""

    def __init__(
        self, folder: Path, *, fsync: bool = False, environment: Mapping[str, str] | None = None
    ) -> None:
        """Prepare ``folder`` (chowned to the server's user); nothing runs yet. ``environment`` is
        added to the server's own."""
        programs = binaries()
        if programs is None:
            raise SystemExit("PostgreSQL is not installed: apt-get install postgresql")
        self.user = "postgres" if os.geteuid() == 0 else getpass.getuser()
        self.programs = programs
        self.folder = folder
        self.port = _free_port()
        self.options = ALWAYS if fsync else ALWAYS + FAST
        self.environment = os.environ | (environment or {})
        self.process: subprocess.Popen[bytes] | None = None
        if os.geteuid() == 0:
            owner = pwd.getpwnam(self.user)
            os.chown(folder, owner.pw_uid, owner.pw_gid)

    @property
    def url(self) -> str:
        """Where it answers; the database `stillhere` is made by `start`."""
        return f"postgresql://{self.user}@127.0.0.1:{self.port}/stillhere"

    def _popen(self, *command: str) -> subprocess.Popen[bytes]:
        with (self.folder / "log").open("ab") as log:
            return subprocess.Popen(
                [str(self.programs / command[0]), *command[1:]],
                user=self.user if os.geteuid() == 0 else None,
                group=self.user if os.geteuid() == 0 else None,
                extra_groups=[] if os.geteuid() == 0 else None,
                cwd=self.folder,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=log,
                start_new_session=True,  # Ctrl-C is for the tests; we stop the server ourselves
            )

    def create(self) -> None:
        """Initialise the folder."""
        (self.folder / "log").touch()
        process = self._popen(
            "initdb", "-D", "db", "-U", self.user, "--auth=trust", "--no-sync", "-E", "UTF8",
            "--locale=C.UTF-8",
        )  # fmt: skip
        if process.wait(timeout=60) != 0:
            raise RuntimeError((self.folder / "log").read_text())

    def start(self) -> None:
        """Start the server and wait until it answers."""
        arguments = [part for option in self.options for part in ("-c", option)]
        self.process = self._popen("postgres", "-D", "db", "-p", str(self.port), *arguments)
        server = f"postgresql://{self.user}@127.0.0.1:{self.port}/postgres"
        for attempt in range(300):
            if self.process.poll() is not None:
                raise RuntimeError((self.folder / "log").read_text())
            try:
                with psycopg.connect(server, autocommit=True, connect_timeout=2) as connection:
                    row = connection.execute(
                        "SELECT 1 FROM pg_database WHERE datname = 'stillhere'"
                    ).fetchone()
                    if row is None:
                        connection.execute("CREATE DATABASE stillhere")
                    return
            except psycopg.OperationalError:
                if attempt == 299:
                    raise
                with contextlib.suppress(subprocess.TimeoutExpired):
                    self.process.wait(timeout=0.1)

    def pids(self) -> list[int]:
        """The server's processes: its parent, then its children, those that serve us last."""
        if self.process is None:
            return []
        parent = self.process.pid
        children = Path(f"/proc/{parent}/task/{parent}/children").read_text().split()
        return [parent, *map(int, children)]

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """End the server: SIGINT is PostgreSQL's fast shutdown, SIGKILL pulls the plug."""
        if self.process is None:
            return
        if how is signal.SIGKILL:
            os.killpg(self.process.pid, how)  # the whole server, not only its parent
        else:
            self.process.send_signal(how)
        try:
            self.process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
        self.process = None


@contextlib.contextmanager
def running_cluster(*, fsync: bool = False) -> Iterator[Cluster]:
    """A fresh running cluster, gone with its folder when the block ends."""
    folder = Path(tempfile.mkdtemp(prefix="stillhere-postgres-"))
    try:
        cluster = Cluster(folder, fsync=fsync)
        try:
            cluster.create()
            cluster.start()
            yield cluster
        finally:
            cluster.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _stop_on_signal(_number: int, _frame: FrameType | None) -> None:
    raise SystemExit(130)


def main(command: Sequence[str]) -> int:
    """Run ``command`` beside a cluster and return its exit code."""
    if not command:
        raise SystemExit("usage: python -m tests.postgres COMMAND...")
    signal.signal(signal.SIGTERM, _stop_on_signal)
    with running_cluster() as cluster:
        environment = os.environ | {"STILLHERE_DATABASE_URL": cluster.url}
        return subprocess.run(command, env=environment, check=False).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
