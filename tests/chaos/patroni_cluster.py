"""Three etcd, Patroni and PostgreSQL on loopback, made from the files of deploy/patroni.

Owns their folder, their processes and what can be done to them. Everything runs as `postgres`, in
a Python environment made by the system's own Python, because that user cannot read root's home.
"""

from __future__ import annotations

import contextlib
import json
import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg

from tests.installation import free_port, wait_for
from tests.postgres import binaries

ROOT = Path(__file__).resolve().parent.parent.parent
RECIPE = ROOT / "deploy" / "patroni"
SYSTEM_PYTHON = "/usr/bin/python3"
PASSWORD = "only-on-loopback"


def example(name: str) -> dict[str, str]:
    """The settings of one of the recipe's environment files."""
    lines = (RECIPE / name).read_text().splitlines()
    pairs = (line.split("=", 1) for line in lines if line and not line.startswith("#"))
    return {key: value for key, value in pairs}  # noqa: C416  dict() takes no lists


@dataclass
class Node:
    """One database machine: the ports that stand for its address, and its processes."""

    name: str
    folder: Path
    etcd_port: int
    peer_port: int
    rest_port: int
    port: int
    etcd: subprocess.Popen[bytes] | None = None
    patroni: subprocess.Popen[bytes] | None = None

    @property
    def data(self) -> Path:
        return self.folder / "data"

    def postgres_pids(self) -> list[int]:
        """The server and all its children."""
        try:
            server = int((self.data / "postmaster.pid").read_text().split()[0])
        except (OSError, ValueError, IndexError):
            return []
        return [server, *_children(server)] if _is_postgres(server) else []

    def ask(self, path: str) -> tuple[int, Any]:
        """Patroni's REST API: status and JSON; status 0 when nothing answers."""
        try:
            with urllib.request.urlopen(
                f"http://127.0.0.1:{self.rest_port}{path}", timeout=2
            ) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as error:
            return error.code, None
        except (OSError, ValueError):
            return 0, None


def _is_postgres(pid: int) -> bool:
    try:
        return "postgres" in Path(f"/proc/{pid}/cmdline").read_text()
    except OSError:
        return False


def _children(parent: int) -> list[int]:
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            if int(stat.read_text().rpartition(")")[2].split()[1]) == parent:
                found.append(int(stat.parent.name))
    return found


def _signal_all(pids: list[int], number: signal.Signals) -> None:
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)


class PatroniCluster:
    """The three machines. Use `running_patroni`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.nodes = [
            Node(f"db{n}", folder / f"db{n}", free_port(), free_port(), free_port(), free_port())
            for n in (1, 2, 3)
        ]

    @property
    def url(self) -> str:
        """The connection string with three hosts, as an installation is given it."""
        hosts = ",".join(f"127.0.0.1:{node.port}" for node in self.nodes)
        return f"postgresql://stillhere:{PASSWORD}@{hosts}/stillhere"

    # --- making ---------------------------------------------------------------------------------

    def prepare(self) -> None:
        """Folder, Python environment, nothing running yet."""
        for node in self.nodes:
            node.folder.mkdir()
        shutil.copy(RECIPE / "patroni.yml", self.folder)
        owner = pwd.getpwnam("postgres")
        for path in (self.folder, *self.folder.rglob("*")):
            os.chown(path, owner.pw_uid, owner.pw_gid)
        venv = self.folder / "venv"
        subprocess.run([SYSTEM_PYTHON, "-m", "venv", venv], check=True)
        requirements = ROOT / "requirements" / "patroni.txt"
        pip = [str(venv / "bin" / "pip"), "install", "--quiet", "--disable-pip-version-check"]
        told = subprocess.run(
            [*pip, "--require-hashes", "-r", str(requirements)],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        assert told.returncode == 0, told.stdout

    def _popen(
        self, node: Node, name: str, command: list[str], environment: Mapping[str, str]
    ) -> subprocess.Popen[bytes]:
        log = (node.folder / f"{name}.log").open("ab")
        return subprocess.Popen(
            command,
            user="postgres",
            group="postgres",
            extra_groups=[],
            cwd=node.folder,
            env={"PATH": os.environ["PATH"], "LANG": "C.UTF-8", **environment},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )

    def start_etcd(self, node: Node) -> None:
        client, peer = (f"http://127.0.0.1:{port}" for port in (node.etcd_port, node.peer_port))
        members = ",".join(f"{n.name}=http://127.0.0.1:{n.peer_port}" for n in self.nodes)
        environment = example("etcd.env.example") | {
            "ETCD_NAME": node.name,
            "ETCD_DATA_DIR": str(node.folder / "etcd"),
            "ETCD_LISTEN_CLIENT_URLS": client,
            "ETCD_ADVERTISE_CLIENT_URLS": client,
            "ETCD_LISTEN_PEER_URLS": peer,
            "ETCD_INITIAL_ADVERTISE_PEER_URLS": peer,
            "ETCD_INITIAL_CLUSTER": members,
        }
        node.etcd = self._popen(node, "etcd", ["etcd"], environment)

    def start_patroni(self, node: Node) -> None:
        programs = binaries()
        assert programs is not None
        rest, postgres = f"127.0.0.1:{node.rest_port}", f"127.0.0.1:{node.port}"
        environment = example("node.env.example") | {
            "PATRONI_NAME": node.name,
            "PATRONI_ETCD3_HOSTS": ",".join(f"127.0.0.1:{n.etcd_port}" for n in self.nodes),
            "PATRONI_RESTAPI_LISTEN": rest,
            "PATRONI_RESTAPI_CONNECT_ADDRESS": rest,
            "PATRONI_POSTGRESQL_LISTEN": postgres,
            "PATRONI_POSTGRESQL_CONNECT_ADDRESS": postgres,
            "PATRONI_POSTGRESQL_DATA_DIR": str(node.data),
            "PATRONI_POSTGRESQL_BIN_DIR": str(programs),
            "PATRONI_POSTGRESQL_PGPASS": str(node.folder / "pgpass"),
        }
        program = str(self.folder / "venv" / "bin" / "patroni")
        configuration = str(self.folder / "patroni.yml")
        node.patroni = self._popen(node, "patroni", [program, configuration], environment)

    def start(self) -> None:
        """Start everything, wait until it replicates, make the database."""
        for node in self.nodes:
            self.start_etcd(node)
        for node in self.nodes:
            self.start_patroni(node)
        wait_for(self.whole, "a primary and two standbys, one of them synchronous", 120)
        primary = self.primary()
        assert primary is not None
        password = example("node.env.example")["PATRONI_SUPERUSER_PASSWORD"]
        server = f"postgresql://postgres:{password}@127.0.0.1:{primary.port}/postgres"
        script = (RECIPE / "database.sql").read_text().replace(":'password'", f"'{PASSWORD}'")
        with psycopg.connect(server, autocommit=True) as connection:
            for statement in script.split(";"):
                lines = [x for x in statement.splitlines() if not x.startswith("--")]
                if text := "\n".join(lines).strip():
                    connection.execute(text.encode())

    # --- asking ---------------------------------------------------------------------------------

    def primary(self) -> Node | None:
        """The machine that holds the leader's key and takes writes."""
        return next((node for node in self.nodes if node.ask("/primary")[0] == 200), None)

    def whole(self) -> bool:
        """Whether there are a primary and two streaming standbys, one of them synchronous."""
        for node in self.nodes:
            status, told = node.ask("/cluster")
            if status == 200:
                members = [(m["role"], m["state"]) for m in told["members"]]
                return sorted(members) == [
                    ("leader", "running"), ("replica", "streaming"), ("sync_standby", "streaming"),
                ]  # fmt: skip
        return False

    # --- doing harm -----------------------------------------------------------------------------

    def kill_postgres(self, node: Node) -> None:
        """The server is killed with all its children; Patroni lives."""
        _signal_all(node.postgres_pids(), signal.SIGKILL)

    def kill_machine(self, node: Node) -> None:
        """Patroni and the server, as when the power goes."""
        assert node.patroni is not None
        pids = node.postgres_pids()
        node.patroni.kill()
        _signal_all(pids, signal.SIGKILL)
        node.patroni.wait()

    def freeze(self, node: Node) -> list[int]:
        """The machine hangs: its kernel still takes packets, nobody reads them."""
        assert node.patroni is not None
        pids = [node.patroni.pid, *node.postgres_pids()]
        _signal_all(pids, signal.SIGSTOP)
        return pids

    def thaw(self, pids: list[int]) -> None:
        _signal_all(pids, signal.SIGCONT)

    def kill_etcd(self, node: Node) -> None:
        assert node.etcd is not None
        node.etcd.kill()
        node.etcd.wait()

    def stop(self) -> None:
        """End everything, whatever state it is in."""
        for node in self.nodes:
            pids = node.postgres_pids()
            for process in (node.patroni, node.etcd):
                if process is not None:
                    process.kill()
                    process.wait()
            _signal_all(pids, signal.SIGKILL)


def _temporary_folder() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="stillhere-patroni-"))
    folder.chmod(0o755)
    return folder


@contextlib.contextmanager
def running_patroni() -> Iterator[PatroniCluster]:
    """A fresh running cluster, gone with its folder when the block ends."""
    if os.geteuid() != 0:
        sys.exit("this needs root, to start the servers as the user postgres")
    folder = _temporary_folder()
    cluster = PatroniCluster(folder)
    try:
        cluster.prepare()
        try:
            cluster.start()
            yield cluster
        finally:
            cluster.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)
