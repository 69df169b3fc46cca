"""Clients that mean harm, or are merely broken, against a real web server. Whatever they do, the
check-ins of others are kept meanwhile, memory stays bounded, and each gets the right status."""

from __future__ import annotations

import asyncio
import contextlib
import resource
import socket
import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.chaos.night import OWN
from tests.chaos.place import SQLITE, Place, opened, plain_ground

pytestmark = pytest.mark.slow

CROWD = 10_000
MOST_MB = 300
HOST = b"Host: localhost\r\n"
JSON = b"Content-Type: application/json\r\nAccept: application/json\r\n"
PAGES = ("/people", "/", "/hooks/phones")


@dataclass
class Server:
    """A running installation with one watch of ours."""

    place: Place
    key: str

    @property
    def port(self) -> int:
        return self.place.ports[0]

    def press(self) -> int:
        headers = {"Content-Type": "application/json", "Accept": "application/json"}
        return self.place.installation.ask("POST", f"/k/{self.key}", "{}", headers)[0]

    def megabytes(self) -> float:
        """What the web process holds in memory."""
        status = Path(f"/proc/{self.place.pid('web')}/status").read_text()
        return int(status.partition("VmRSS:")[2].split()[0]) / 1024

    @contextmanager
    def others_go_on(self) -> Iterator[None]:
        """Somebody checks in all the while; every check-in must be kept."""
        over = threading.Event()
        codes: list[int] = []

        def live() -> None:
            while not over.is_set():
                codes.append(self.press())
                over.wait(0.05)

        sam = threading.Thread(target=live)
        sam.start()
        try:
            yield
        finally:
            over.set()
            sam.join()
        assert set(codes) == {200}, Counter(codes)
        assert self.megabytes() < MOST_MB


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    _soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    with (
        plain_ground() as ground,
        opened(SQLITE, ground, people=1, rate=1.0, own=OWN) as (place, seeded),
    ):
        yield Server(place, seeded[0]["watch_key"])


async def status_of(port: int, *parts: bytes, pause_s: float = 0.0, wait_s: float = 40.0) -> int:
    """Send the parts, and return the status that comes back; 0 when we are hung up on without a
    word, -1 when nothing comes at all."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    answer = asyncio.create_task(reader.read(12))
    try:
        for part in parts:
            writer.write(part)
            await writer.drain()
            if pause_s:
                await asyncio.wait([answer], timeout=pause_s)
            if answer.done():
                break
        head = await asyncio.wait_for(answer, wait_s)
        return int(head.split()[1]) if head.startswith(b"HTTP/1.1 ") else 0
    except ConnectionError:
        return await _read_late(answer)
    except TimeoutError:
        return -1
    finally:
        answer.cancel()
        writer.close()


async def _read_late(answer: asyncio.Task[bytes]) -> int:
    """We were cut off while we wrote; the answer may have come before."""
    try:
        head = await asyncio.wait_for(answer, 5)
    except (ConnectionError, TimeoutError):
        return 0
    return int(head.split()[1]) if head.startswith(b"HTTP/1.1 ") else 0


def statuses(port: int, requests: Sequence[tuple[bytes, ...]], *, at_once: int = 50) -> list[int]:
    """The status of each, some at once."""

    async def ask() -> list[int]:
        places = asyncio.Semaphore(at_once)

        async def one(parts: tuple[bytes, ...]) -> int:
            async with places:
                return await status_of(port, *parts)

        return list(await asyncio.gather(*(one(parts) for parts in requests)))

    return asyncio.run(ask())


def post(path: str, body: bytes, *headers: bytes) -> tuple[bytes]:
    head = b"POST %s HTTP/1.1\r\n" % path.encode() + HOST + b"Connection: close\r\n"
    length = b"Content-Length: %d\r\n" % len(body)
    return (head + length + b"".join(headers) + b"\r\n" + body,)


def test_malformed_requests_by_the_thousand(server: Server) -> None:
    key = f"/k/{server.key}"
    line = b"POST %s HTTP/1.1\r\n" % key.encode() + HOST
    bad: dict[tuple[bytes, ...], set[int]] = {
        post(key, b"{", JSON): {400},
        post(key, b"[" * 4_000, JSON): {400},
        post(key, b'{"age_ms": "now"}', JSON): {400},
        post(key, b'{"seq": -7}', JSON): {400},
        post(key, b'{"seq": 1e400}', JSON): {400},
        post(key, b'{"do": "help"}', JSON): {400},
        post(key, b"\xff\xfe", JSON): {400},
        post(key, b"x" * 5_000, JSON): {413},
        post("/k/" + "A" * 27, b"{}", JSON): {404, 429},
        post("/k/%00%ff", b"{}", JSON): {404, 429},
        post("/k/" + "k" * 3_000, b"{}", JSON): {404, 429},
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(200),): {400, 0},
        (b"GET\r\n\r\n",): {400, 0},
        (b"POST %s HTTP/9.9\r\n\r\n" % key.encode(),): {400, 505, 0},
        (line + b"Content-Length: -1\r\n\r\n",): {400, 0},
        (line + b"Content-Length: 9" * 2 + b"\r\n\r\n",): {400, 0},
        (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes(50),): {400, 505, 0},
        (b"BREW" + line.removeprefix(b"POST") + b"Connection: close\r\n\r\n",): {403, 405},
    }
    requests = list(bad) * 150
    with server.others_go_on():
        found = statuses(server.port, requests)
    wrong = Counter(
        (parts[0][:60], code)
        for parts, code in zip(requests, found, strict=True)
        if code not in bad[parts]
    )
    assert not wrong


def test_ten_thousand_idle_connections_keep_nobody_out(server: Server) -> None:
    async def idle() -> None:
        waiting: list[asyncio.StreamWriter] = []
        readers: list[asyncio.StreamReader] = []
        for _ in range(CROWD // 200):
            opening = (asyncio.open_connection("127.0.0.1", server.port) for _ in range(200))
            for reader, writer in await asyncio.gather(*opening):
                waiting.append(writer)
                readers.append(reader)
        # Whoever says nothing is hung up on in the end.
        assert await asyncio.wait_for(readers[0].read(), 60) == b""
        assert await asyncio.wait_for(readers[-1].read(), 60) == b""
        for writer in waiting:
            writer.close()

    with server.others_go_on():
        asyncio.run(idle())


def test_heads_and_bodies_that_trickle_hold_no_place(server: Server) -> None:
    key = server.key.encode()
    letters = [b"x"] * 60
    head = (b"POST /k/" + key + b" HTTP/1.1\r\nX-Slow: ", *letters)
    body = HOST + JSON + b"Content-Length: 99\r\n\r\n"
    lane = (b"POST /k/" + key + b" HTTP/1.1\r\n" + body, *letters)
    page = (b"POST /people HTTP/1.1\r\n" + body, *letters)
    wanted = {head: {0, 408}, lane: {503}, page: {408}}

    async def trickle() -> dict[tuple[bytes, ...], Counter[int]]:
        async def many(parts: tuple[bytes, ...]) -> Counter[int]:
            each = (status_of(server.port, *parts, pause_s=1.0) for _ in range(200))
            return Counter(await asyncio.gather(*each))

        return dict(zip(wanted, await asyncio.gather(*map(many, wanted)), strict=True))

    with server.others_go_on():
        found = asyncio.run(trickle())
    for parts, codes in found.items():
        assert set(codes) <= wanted[parts], (parts[0][:40], codes)


def test_clients_that_ask_and_never_read_cost_little(server: Server) -> None:
    """Hundreds of pages asked for on each of many connections, and not one of them taken."""
    asked = b"GET / HTTP/1.1\r\n" + HOST + b"\r\n"
    deaf: list[socket.socket] = []
    with server.others_go_on():
        for _ in range(60):
            line = socket.create_connection(("127.0.0.1", server.port))
            line.settimeout(0.2)
            deaf.append(line)
            with contextlib.suppress(TimeoutError):
                line.sendall(asked * 1_200)
        assert server.megabytes() < MOST_MB
    assert server.place.installation.get("/healthz")[0] == 200
    for line in deaf:
        line.close()


def test_keys_guessed_at_speed_find_nothing_and_slow_down_nobody_else(server: Server) -> None:
    guesses = [post(f"/k/{n:027d}", b"{}", JSON) for n in range(3_000)]
    with server.others_go_on():
        codes = Counter(statuses(server.port, guesses))
    assert set(codes) <= {404, 429}
    assert codes[404] <= 60, "thirty a minute for one address"
    assert server.press() == 200, "a key that opens is never slowed down"


def test_absurd_heads_are_refused(server: Server) -> None:
    line = f"POST /k/{server.key} HTTP/1.1\r\n".encode() + HOST
    absurd = [
        (line + b"X: " + b"y" * 1_000_000 + b"\r\n\r\n",),
        (line + b"".join(b"X-%d: y\r\n" % n for n in range(5_000)) + b"\r\n",),
        (b"GET /" + b"a" * 200_000 + b" HTTP/1.1\r\n\r\n",),
        (line + b"Cookie: " + b"a=b; " * 100_000 + b"\r\n\r\n",),
    ]
    with server.others_go_on():
        codes = Counter(statuses(server.port, absurd * 25))
    assert set(codes) <= {414, 431, 400, 0}


def test_chunks_that_are_none_are_a_mistake_of_the_client(server: Server) -> None:
    paths = (f"/k/{server.key}", *PAGES)
    head = HOST + JSON + b"Transfer-Encoding: chunked\r\n\r\n"
    broken = [
        (f"POST {path} HTTP/1.1\r\n".encode() + head + size + b"\r\nabc\r\n0\r\n\r\n",)
        for path in paths
        for size in (b"ZZ", b"F" * 17)
    ]
    with server.others_go_on():
        codes = statuses(server.port, broken)
    assert set(codes) <= {400, 403, 413}, Counter(codes)


def test_giant_bodies_are_refused_before_they_are_read(server: Server) -> None:
    gigabyte = b"Content-Length: 1073741824\r\n"
    chunk = b"10000\r\n" + b"x" * 65_536 + b"\r\n"
    paths = (f"/k/{server.key}", *PAGES)
    heads = [f"POST {path} HTTP/1.1\r\n".encode() + HOST + JSON for path in paths]
    announced = [(head + gigabyte + b"\r\n", *([b"x" * 65_536] * 64)) for head in heads]
    endless = [(head + b"Transfer-Encoding: chunked\r\n\r\n", *([chunk] * 1_000)) for head in heads]
    with server.others_go_on():
        codes = statuses(server.port, announced * 5 + endless * 5, at_once=10)
    assert set(codes) <= {413, 0}, Counter(codes)
    assert 413 in codes
