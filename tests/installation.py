"""A whole Stillhere of a test's own: real processes on a data folder and a port of their own.

Owns starting it the way a person does (`stillhere up`), waiting until it is healthy, asking it over
HTTP, and ending it gently or by SIGKILL.
"""

from __future__ import annotations

import http.client
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import IO

from tests import commands, prepared

PATIENCE_S = 30.0
OURS = (sys.executable, "-m", "stillhere")


def free_port() -> int:
    """A port nobody listens on just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for(
    what: Callable[[], bool], why: str | Callable[[], str], seconds: float = PATIENCE_S
) -> None:
    """Wait for other processes; there is no clock to move. ``why`` may be found out at the end."""
    until = time.monotonic() + seconds
    while not what():
        said = why if isinstance(why, str) or time.monotonic() < until else why()
        assert time.monotonic() < until, f"waited {seconds} s in vain: {said}"
        time.sleep(0.02)


def alive(pid: int) -> bool:
    """Whether a process lives; one that only waits to be collected does not."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


class Installation:
    """One `stillhere up`. ``settings`` are added to its environment, nothing else leaks in."""

    def __init__(
        self,
        folder: Path,
        settings: Mapping[str, str] | None = None,
        program: Sequence[str] = OURS,
    ) -> None:
        """Nothing runs yet. The data folder is ``folder/data``, the log ``folder/log``."""
        self.folder = folder
        self.data = folder / "data"
        self.log = folder / "log"
        self.port = free_port()
        self.url = f"http://localhost:{self.port}"
        self.program = program
        self.supervisor = [*program, "up"]  # what runs everything and is never to die
        self.process: subprocess.Popen[bytes] | None = None
        self._log_file: IO[bytes] | None = None
        self.environment = commands.inherited() | {
            "STILLHERE_DATA": str(self.data),
            "STILLHERE_HOST": "127.0.0.1",
            "STILLHERE_PORT": str(self.port),
            "STILLHERE_BASE_URL": self.url,
            **(settings or {}),
        }

    def prepare(self) -> None:
        """What `stillhere migrate` would make of nothing, with keys of its own."""
        assert self.program == OURS, "another release has tables of its own"
        prepared.prepare(
            self.data,
            self.environment.get("STILLHERE_DATABASE_URL", ""),
            demo="STILLHERE_DEMO" in self.environment,
        )

    def run(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run one command to its end, from a folder that is not the project's."""
        given = self.environment | environment
        if self.program == OURS and commands.fits(given):
            return commands.run(arguments, self.folder, given, PATIENCE_S)
        return subprocess.run(
            [*self.program, *arguments],
            cwd=self.folder,
            env=given,
            capture_output=True,
            text=True,
            timeout=PATIENCE_S,
            check=False,
        )

    def start(self, *arguments: str) -> None:
        """Start `stillhere up` (or another command) and return at once."""
        assert self.process is None
        self._log_file = self.log.open("ab")
        self.process = subprocess.Popen(
            [*self.program, *arguments] if arguments else self.supervisor,
            cwd=self.folder,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=self._log_file,
            stderr=subprocess.STDOUT,
        )

    def up(self) -> None:
        """Start and wait until it is healthy."""
        self.start()
        self.wait_healthy()

    def wait_healthy(self) -> None:
        """Wait for 200 from /healthz."""
        try:
            wait_for(lambda: self.get("/healthz")[0] == 200 or self._ended(), "healthy")
        except AssertionError as error:
            raise AssertionError(f"{error}\n{self.get('/healthz')}\n{self._tail()}") from None
        assert not self._ended(), self._tail()

    def _ended(self) -> bool:
        return self.process is None or self.process.poll() is not None

    def _tail(self) -> str:
        return self.log.read_text()[-3000:] if self.log.exists() else ""

    def get(self, path: str, **headers: str) -> tuple[int, str]:
        """Return status and text of a page; status 0 when nothing answers."""
        return self.ask("GET", path, headers=headers)

    def ask(
        self, method: str, path: str, body: str = "", headers: Mapping[str, str] | None = None
    ) -> tuple[int, str]:
        """Make one request on a connection of its own."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            connection.request(
                method,
                path,
                body=body.encode() or None,
                headers={"Host": "localhost", **(headers or {})},
            )
            answer = connection.getresponse()
            return answer.status, answer.read().decode(errors="replace")
        except (OSError, http.client.HTTPException):
            return 0, ""
        finally:
            connection.close()

    def wait_started(self, name: str) -> None:
        """Wait until the supervisor has started this child: `pages` comes after the others."""
        wait_for(lambda: f"child started name={name} " in self.log.read_text(), f"{name} starts")

    def child(self, name: str) -> int:
        """The process id of the newest `web` or `engine`, as the supervisor logged it."""
        pids = re.findall(rf"child started name={name} pid=(\d+)", self.log.read_text())
        return int(pids[-1])

    def kill_child(self, name: str) -> int:
        """SIGKILL `web` or `engine`; return the process id it had."""
        pid = self.child(name)
        os.kill(pid, signal.SIGKILL)
        return pid

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        """End the supervisor and wait for it; return its exit code."""
        if self.process is None:
            return 0
        self.process.send_signal(number)
        return self.collect()

    def collect(self) -> int:
        """Wait for a supervisor that is ending, or was ended; return its exit code."""
        assert self.process is not None
        code = self.process.wait(timeout=PATIENCE_S)
        self.process = None
        if self._log_file is not None:
            self._log_file.close()
        return code
