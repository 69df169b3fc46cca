"""The coordinator's desk: how long it takes and how many statements it is, whatever is open.

``make bench-desk``. A thousand people with five on their list each and thirty volunteers; 30, 300
and 1,000 alarms are open. One browser opens the desk again and again, its first and its last page.
The web server is one process on SQLite; no phone is reached. ``--postgres`` does it on PostgreSQL.
"""

from __future__ import annotations

import asyncio
import os
import sys
import time

import aiohttp

from benchmarks.report import Figure, tell
from benchmarks.stand import percentile, stand

PEOPLE, EACH = 1_000, 5
ALARMS = (30, 300, 1_000)
THE_LIMIT_IS_FOR = 300
MOST_MS, MOST_STATEMENTS = 100, 20
FIRST_TIMES, TIMES = 5, 60
LAST_PAGE = "?page=999999"


async def _opened(url: str, path: str, page: str) -> list[float]:
    """How long each of so many looks took until the last byte, in ms."""
    took = []
    async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as ruth:
        async with ruth.get(f"{url}{path}") as answer:
            answer.raise_for_status()
        for _ in range(FIRST_TIMES + TIMES):
            began = time.perf_counter()
            async with ruth.get(f"{url}/desk{page}") as answer:
                html = await answer.text()
            took.append((time.perf_counter() - began) * 1000)
            if answer.status != 200 or 'value="resolve"' not in html:
                raise SystemExit(f"the desk answered {answer.status} without an alarm")
    return took[FIRST_TIMES:]


def measure(*, postgres: bool) -> list[Figure]:
    """An installation of its own for each number of open alarms."""
    figures = []
    for alarms in ALARMS:
        limited = alarms == THE_LIMIT_IS_FOR
        with stand(postgres=postgres) as here:
            path = here.inside("desk", people=PEOPLE, each=EACH, alarms=alarms)
            [port] = here.start("web")
            said = here.inside("desk_statements", path=path)
            url = f"http://127.0.0.1:{port}"
            first = asyncio.run(_opened(url, path, ""))
            last = asyncio.run(_opened(url, path, LAST_PAGE))
        name, most = f"desk_{alarms}_alarms", MOST_MS if limited else None
        statements = MOST_STATEMENTS if limited else None
        figures += [
            Figure(f"{name}_p50_ms", percentile(first, 50), "ms", most=most),
            Figure(f"{name}_p99_ms", percentile(first, 99), "ms"),
            Figure(f"{name}_last_page_p50_ms", percentile(last, 50), "ms", most=most),
            Figure(f"{name}_statements", said, "", most=statements),
        ]
    return figures


def main() -> int:
    postgres = "--postgres" in sys.argv
    figures = measure(postgres=postgres)
    where = "PostgreSQL" if postgres else "SQLite"
    tell(f"the desk, on {where} ({os.cpu_count()} processors)", figures)
    return 0 if all(figure.holds for figure in figures) else 1


if __name__ == "__main__":
    sys.exit(main())
