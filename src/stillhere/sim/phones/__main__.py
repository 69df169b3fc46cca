"""``python -m stillhere.sim.phones``: the loopback provider as a process of its own.

Owns its command line and its clock. Writes one line when it serves, and stops at SIGTERM.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import signal
import sys
import time
from pathlib import Path

from stillhere.channels.carriers.numbers import normalise_number
from stillhere.sim.phones.exchange import Phone
from stillhere.sim.phones.provider import RING_S, Provider


def now_ms() -> int:
    # This process has no database to take the time from and no wiring above it.
    return time.time_ns() // 1_000_000  # noqa: TID251


def read_cast(path: Path) -> list[Phone]:
    """Phones from a JSON list of objects with ``name``, ``number`` and perhaps ``role``."""
    return [
        Phone(str(row["name"]), normalise_number(str(row["number"])), str(row.get("role", "")))
        for row in json.loads(path.read_text(encoding="utf-8"))
    ]


def arguments(argv: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser("stillhere.sim.phones", description="The demo's phones.")
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one")
    parser.add_argument("--secret-file", type=Path, required=True)
    parser.add_argument("--webhook", default="", help="where events are sent")
    parser.add_argument("--cast", type=Path, help="JSON list of {name, number, role}")
    parser.add_argument("--ring-s", type=float, default=RING_S, help="how long a call rings")
    parser.add_argument(
        "--any-number", action="store_true", help="take sends to numbers that are nobody's"
    )
    return parser.parse_args(argv)


async def serve(options: argparse.Namespace) -> None:
    provider = Provider(
        secret=options.secret_file.read_text(encoding="utf-8").strip(),
        webhook=options.webhook,
        clock=now_ms,
        phones=read_cast(options.cast) if options.cast else None,
        ring_s=options.ring_s,
        any_number=options.any_number,
    )
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for signum in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(signum, stop.set)
    async with provider.serving(options.port) as url:
        sys.stdout.write(f"phones {url}\n")
        sys.stdout.flush()
        await stop.wait()


if __name__ == "__main__":
    asyncio.run(serve(arguments(sys.argv[1:])))
