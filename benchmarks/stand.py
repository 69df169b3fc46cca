"""What a benchmark stands on: an installation of real processes with a store filled beforehand.

Owns the data folder, a PostgreSQL of its own where one is asked for (fsync on), the processes, and
how much memory they take. Nothing of it is left afterwards.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.ports import free_port
from stillhere.programs import PAGES_BESIDE
from tests.postgres import running_cluster


@dataclass
class Stand:
    """One installation. ``env`` is what its processes see."""

    data: Path
    env: dict[str, str]
    provider_url: str
    running: list[subprocess.Popen[bytes]] = field(default_factory=list)
    provider: subprocess.Popen[bytes] | None = None

    def inside(self, what: str, **facts: object) -> Any:
        """One function of ``benchmarks.inside``, in a process of its own."""
        done = subprocess.run(
            [sys.executable, "-m", "benchmarks.inside", what, json.dumps(facts)],
            env=self.env,
            check=True,
            stdout=subprocess.PIPE,
            text=True,
        )
        return json.loads(done.stdout.splitlines()[-1])

    def start_provider(self, latency_ms: float = 0) -> None:
        port = self.provider_url.rpartition(":")[2]
        command = [sys.executable, "-m", "benchmarks.provider", port]
        self.provider = subprocess.Popen([*command, "--latency-ms", str(latency_ms)])
        wait_for(f"{self.provider_url}/log")

    def start(self, *names: str) -> list[int]:
        """Start ``web`` or ``engine`` processes, and before the first web what makes its pages; the
        ports of the webs, which answer by then."""
        ports = []
        if "web" in names and PAGES_BESIDE not in self.env:
            self.env[PAGES_BESIDE] = "1"
            names = ("pages", *names)
        for name in names:
            port = free_port()
            env = self.env | {"STILLHERE_PORT": str(port)}
            command = [sys.executable, "-m", "stillhere", name]
            self.running.append(subprocess.Popen(command, env=env))
            if name == "web":
                wait_for(f"http://127.0.0.1:{port}/healthz")
                ports.append(port)
        return ports

    def kill(self) -> None:
        """SIGKILL whatever runs of ours."""
        self.env.pop(PAGES_BESIDE, None)
        for process in self.running:
            process.kill()
            process.wait()
        self.running.clear()

    def memory_mb(self) -> float:
        """What all our processes hold now."""
        return sum(_rss_mb(process.pid) for process in self.running)

    def log(self) -> list[tuple[int, str, str]]:
        """What the provider took: (when, key, path)."""
        with urllib.request.urlopen(f"{self.provider_url}/log") as answer:
            lines = answer.read().decode().splitlines()
        found = [line.split(" ") for line in lines]
        return [(int(at), key, path) for at, key, path in found]

    def load(self, port: int, seconds: float, visitors: int = 256, rate: float = 0) -> Load:
        """Let people check in, as fast as they are answered or ``rate`` a second."""
        command = [sys.executable, "-m", "benchmarks.load", "--keys", str(self.data / "keys.txt")]
        command += ["--port", str(port), "--seconds", str(seconds)]
        command += ["--visitors", str(visitors), "--rate", str(rate)]
        return self._loads(command)

    def visits(self, port: int, seconds: float, pages: Sequence[str], visitors: int) -> Load:
        """Let ``visitors`` open pages, each as soon as the one before is there: an address, a
        space, and cookies."""
        file = self.data / "pages.txt"
        file.write_text("\n".join(pages))
        command = [sys.executable, "-m", "benchmarks.load", "--pages", str(file)]
        command += ["--port", str(port), "--seconds", str(seconds), "--visitors", str(visitors)]
        return self._loads(command)

    def _loads(self, command: list[str]) -> Load:
        return Load(subprocess.Popen(command, stdout=subprocess.PIPE, text=True))

    def stop(self) -> None:
        for process in [*self.running, *([self.provider] if self.provider else [])]:
            process.send_signal(signal.SIGTERM)
        for process in [*self.running, *([self.provider] if self.provider else [])]:
            try:
                process.wait(15)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self.running.clear()
        self.provider = None


@dataclass
class Load:
    """A load generator at work."""

    process: subprocess.Popen[str]

    def said(self) -> dict[str, float]:
        """Wait for its end; its figures. Ends everything where a check-in was not kept."""
        found = self.told()
        if found["other"]:
            raise SystemExit(f"{found['other']} check-ins were not kept")
        return found

    def told(self) -> dict[str, float]:
        """Wait for its end; its figures, with how many were not kept."""
        out, _ = self.process.communicate()
        found: dict[str, float] = json.loads(out.splitlines()[-1])
        return found


@contextlib.contextmanager
def stand(*, postgres: bool = False, latency_ms: float = 0) -> Iterator[Stand]:
    """An empty installation with a provider, on SQLite or on a PostgreSQL of its own."""
    with contextlib.ExitStack() as held:
        data = Path(held.enter_context(tempfile.TemporaryDirectory(prefix="stillhere-bench-")))
        kept = {k: v for k, v in os.environ.items() if not k.startswith("STILLHERE_")}
        url = f"http://127.0.0.1:{free_port()}"
        env = kept | {
            "DJANGO_SETTINGS_MODULE": "stillhere.config.settings",
            "STILLHERE_DATA": str(data),
            "STILLHERE_HOST": "127.0.0.1",
            "STILLHERE_BASE_URL": "http://localhost:8420",
            "STILLHERE_LOG": "error",
            "STILLHERE_DEMO": url,
        }
        if postgres:
            env["STILLHERE_DATABASE_URL"] = held.enter_context(running_cluster(fsync=True)).url
        here = Stand(data, env, url)
        here.inside("prepare")
        here.start_provider(latency_ms)
        try:
            yield here
        finally:
            here.stop()


def wait_for(url: str) -> None:
    """Until something answers; whether it is healthy is not the question here."""
    for _ in range(400):
        try:
            urllib.request.urlopen(url, timeout=1).close()
        except urllib.error.HTTPError:
            return
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise SystemExit(f"{url} did not come up")


def _rss_mb(pid: int) -> float:
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.split("VmRSS:")[1].split()[0]) / 1024


def percentile(values: list[float], q: float) -> float:
    """The value below which ``q`` of 100 lie."""
    ordered = sorted(values)
    return ordered[min(int(len(ordered) * q / 100), len(ordered) - 1)]
