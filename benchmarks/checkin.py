"""Durable check-ins per second: over HTTP, beside what the store alone can do, in the same run.

``make bench-checkin`` prints, at 10,000 and 1,000,000 open watches on SQLite with fsync on: one
transaction for each check-in (unbatched), the store's own group commits (batched), and HTTP through
the fast lane with 256 connections. What travels between machines is the ratio. Ends in
``name=value`` lines.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

from benchmarks.ports import free_port

SECONDS = float(os.environ.get("BENCH_SECONDS", "10"))
SIZES = tuple(int(n) for n in os.environ.get("BENCH_OPEN", "10000,1000000").split(","))
VISITORS = 256


def run(*command: str, data: Path) -> dict[str, float]:
    """Run a part in a process of its own; it prints one JSON line."""
    env = os.environ | {
        "STILLHERE_DATA": str(data),
        "DJANGO_SETTINGS_MODULE": "stillhere.config.settings",
    }
    done = subprocess.run(
        [sys.executable, "-m", *command], check=True, env=env, stdout=subprocess.PIPE, text=True
    )
    said: dict[str, float] = json.loads(done.stdout)
    return said


def over_http(data: Path) -> dict[str, float]:
    """Check-ins a second through a real ``stillhere web`` process."""
    port = free_port()
    env = os.environ | {"STILLHERE_DATA": str(data), "STILLHERE_PORT": str(port)}
    env |= {"STILLHERE_HOST": "127.0.0.1", "STILLHERE_LOG": "error"}
    web = subprocess.Popen([sys.executable, "-m", "stillhere", "web"], env=env)
    try:
        wait_for(f"http://127.0.0.1:{port}/healthz")
        load = ("benchmarks.load", "--keys", str(data / "keys.txt"), "--port", str(port))
        said = run(*load, "--seconds", str(SECONDS), "--visitors", str(VISITORS), data=data)
        rss_kb = int(Path(f"/proc/{web.pid}/status").read_text().split("VmRSS:")[1].split()[0])
    finally:
        web.send_signal(signal.SIGTERM)
        web.wait(10)
    if said["other"]:
        raise SystemExit(f"{said['other']} check-ins were not kept")
    return {
        "http_per_s": said["answered"] / said["seconds"],
        "http_p50_ms": said["p50_ms"],
        "http_p99_ms": said["p99_ms"],
        "web_mb": rss_kb / 1024,
    }


def wait_for(url: str) -> None:
    """Until something answers; whether it is healthy is not the question here."""
    for _ in range(200):
        try:
            urllib.request.urlopen(url, timeout=1).close()
        except urllib.error.HTTPError:
            return
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise SystemExit("the web process did not come up")


def measure(count: int) -> dict[str, float]:
    """All figures at one size."""
    with tempfile.TemporaryDirectory(prefix="stillhere-bench-") as folder:
        data = Path(folder)
        store = run("benchmarks.inside", folder, str(count), str(SECONDS / 2), data=data)
        found = store | over_http(data)
    return found | {"http_of_batched": found["http_per_s"] / found["batched_per_s"]}


def main() -> None:
    lines = []
    for count in SIZES:
        found = measure(count)
        print(
            f"{count:>9,} open: one by one {found['unbatched_per_s']:,.0f}/s, "
            f"grouped {found['batched_per_s']:,.0f}/s, over HTTP {found['http_per_s']:,.0f}/s "
            f"({found['http_of_batched']:.2f} of grouped), p50 {found['http_p50_ms']:.1f} ms, "
            f"p99 {found['http_p99_ms']:.1f} ms, web process {found['web_mb']:.0f} MB",
            flush=True,
        )
        lines += [f"checkin_{count}_{name}={value:.2f}" for name, value in found.items()]
    print("\n".join(lines))


if __name__ == "__main__":
    main()
