"""What a visitor can do in a loop, and how long a check-in takes beside it.

``make bench-visitors``. While 200 people a second check in, sixteen connections do one slow thing
after another, as fast as they are answered: set a PIN, try one, print paper, bring long names, send
texts of signs that expand. The web server is one process; no phone is reached.
``--postgres`` does it on PostgreSQL.
"""

from __future__ import annotations

import asyncio
import os
import sys
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from http.cookies import SimpleCookie
from threading import get_native_id
from typing import Any

import aiohttp

from benchmarks.report import Figure, tell
from benchmarks.stand import Stand, stand
from benchmarks.texts import OURS, SECRET, Signer

AT_ONCE = 16
CHECK_INS_PER_S, LASTS_S = 200, 8.0
MOST_CHECK_IN_MS = 100
EXPANDS = "\ufdfa"  # one sign of eighteen letters
LONG = EXPANDS * 40_000

Ask = Callable[[aiohttp.ClientSession, int], Awaitable[int]]


class Visitor:
    """The slow things, each one request; the status that came back."""

    def __init__(self, url: str, base_url: str, who: dict[str, Any]) -> None:
        self._url = url
        self._who = who
        self._signer = Signer(base_url)

    async def _form(
        self, http: aiohttp.ClientSession, path: str, no: int, fields: dict[str, str]
    ) -> int:
        """A form of our own page, by one of the people whose session this is; those who try a PIN
        have one."""
        token, whose = "a" * 32, self._who["with_pin" if path == "/pin" else "sessions"]
        session = whose[no % len(whose)]
        jar = SimpleCookie({"session": session, "csrftoken": token})
        headers = {"Cookie": jar.output(header="", sep=";").strip()}
        data = {"csrfmiddlewaretoken": token, **fields}
        async with http.post(
            f"{self._url}{path}", data=data, headers=headers, allow_redirects=False
        ) as answer:
            await answer.read()
            return answer.status

    async def new_pin(self, http: aiohttp.ClientSession, no: int) -> int:
        return await self._form(http, "/mine", no, {"do": "pin", "pin": "2580"})

    async def page(self, http: aiohttp.ClientSession, _no: int) -> int:
        """Nothing slow, to compare with."""
        async with http.get(f"{self._url}/learn") as answer:
            await answer.read()
            return answer.status

    async def pin(self, http: aiohttp.ClientSession, no: int) -> int:
        return await self._form(http, "/pin", no, {"pin": "0000"})

    async def long_name(self, http: aiohttp.ClientSession, no: int) -> int:
        return await self._form(http, "/people", no, {"do": "plan", "name": LONG[:25_000]})

    async def paper(self, http: aiohttp.ClientSession, no: int) -> int:
        fields = {"passed": self._who["passed"], "name": f"Sam {no}"}
        async with http.post(f"{self._url}/paper/certificate.pdf", data=fields) as answer:
            await answer.read()
            return answer.status

    async def text(self, http: aiohttp.ClientSession, no: int) -> int:
        path, body, signature = self._signer.text(no % 50, f"{LONG[:1_500]}{no}")
        return await self._webhook(http, path, body, signature)

    async def unsigned(self, http: aiohttp.ClientSession, no: int) -> int:
        """From anybody: it has to be read before it can be refused."""
        return await self._webhook(http, "/in/one/text", b"Body=" + b"%EF%B7%BA" * 3_600, "")

    async def _webhook(
        self, http: aiohttp.ClientSession, path: str, body: bytes, signature: str
    ) -> int:
        headers = {
            "X-Twilio-Signature": signature,
            "Content-Type": "application/x-www-form-urlencoded",
        }
        async with http.post(f"{self._url}{path}", data=body, headers=headers) as answer:
            await answer.read()
            return answer.status


async def _go_on(ask: Ask, seconds: float) -> Counter[int]:
    """Ask for it from so many connections until the time is over; what came back, counted."""
    until, heard, count = time.monotonic() + seconds, Counter[int](), iter(range(10**9))
    timeout = aiohttp.ClientTimeout(total=60)
    async with aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=AT_ONCE), cookie_jar=aiohttp.DummyCookieJar()
    ) as http:

        async def one() -> None:
            while time.monotonic() < until:
                try:
                    async with asyncio.timeout(timeout.total):
                        heard[await ask(http, next(count))] += 1
                except (aiohttp.ClientError, TimeoutError):
                    heard[0] += 1

        await asyncio.gather(*(one() for _ in range(AT_ONCE)))
    return heard


def _step_back() -> None:
    """Visitors have machines of their own: what they cost here is not the question."""
    os.setpriority(os.PRIO_PROCESS, get_native_id(), 10)


def _beside(here: Stand, port: int, name: str, ask: Ask) -> list[Figure]:
    load = here.load(port, LASTS_S + 1, visitors=64, rate=CHECK_INS_PER_S)
    time.sleep(0.5)
    with ThreadPoolExecutor(1, initializer=_step_back) as visiting:
        heard = visiting.submit(lambda: asyncio.run(_go_on(ask, LASTS_S))).result()
    told = load.told()
    sys.stdout.write(f"  {name}: {dict(sorted(heard.items()))} (status: how many)\n")
    return [
        Figure(f"visitors_{name}_check_in_p99_ms", told["p99_ms"], "ms", most=MOST_CHECK_IN_MS),
        Figure(f"visitors_{name}_not_kept", told["other"], "", most=0),
    ]


def measure(*, postgres: bool) -> list[Figure]:
    """Each of them for some seconds, one after the other."""
    carriers = f"twilio+http://AC1:{SECRET}@127.0.0.1:9?from={OURS}&name=one"
    with stand(postgres=postgres) as here:
        here.env |= {"STILLHERE_CARRIERS": carriers}
        here.inside("fill", count=2000)
        who = here.inside("visitors", count=400)
        [port] = here.start("web")
        calm = here.load(port, LASTS_S, visitors=64, rate=CHECK_INS_PER_S).said()
        visitor = Visitor(f"http://127.0.0.1:{port}", here.env["STILLHERE_BASE_URL"], who)
        figures = [Figure("visitors_check_in_p99_alone_ms", calm["p99_ms"], "ms")]
        for name, ask in (
            ("page", visitor.page), ("new_pin", visitor.new_pin), ("pin", visitor.pin),
            ("paper", visitor.paper), ("long_name", visitor.long_name), ("text", visitor.text),
            ("unsigned", visitor.unsigned),
        ):  # fmt: skip
            figures += _beside(here, port, name, ask)
        return figures


def main() -> int:
    postgres = "--postgres" in sys.argv
    figures = measure(postgres=postgres)
    where = "PostgreSQL" if postgres else "SQLite"
    tell(f"slow work in a loop, on {where} ({os.cpu_count()} processors)", figures)
    return 0 if all(figure.holds for figure in figures) else 1


if __name__ == "__main__":
    sys.exit(main())
