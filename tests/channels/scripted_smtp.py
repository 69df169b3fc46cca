"""An SMTP server that says exactly what a test wants at exactly one point of the talk."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

CUT = "cut the connection"
HANG = "say nothing"

_USUAL = {
    "GREETING": "220 mail.example.org",
    "EHLO": "250 mail.example.org",
    "DATA": "354 go on",
    "TEXT": "250 2.0.0 queued",
    "QUIT": "221 bye",
}


class ScriptedSmtp:
    """Answers as ``script`` says for a verb (``GREETING`` and ``TEXT`` too), else as usual, each
    time after ``pause_s``."""

    def __init__(self, script: Mapping[str, str], *, pause_s: float = 0.0) -> None:
        self.script = dict(script)
        self.pause_s = pause_s
        self.connections = 0
        self.heard: list[str] = []
        self._over = asyncio.Event()

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[int]:
        """Serve on a free port of 127.0.0.1 and yield it."""
        server = await asyncio.start_server(self._talk, "127.0.0.1", 0)
        try:
            yield server.sockets[0].getsockname()[1]
        finally:
            self._over.set()
            server.close()
            await asyncio.sleep(0)

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            await self._say("GREETING", writer)
            while line := await reader.readline():
                verb = line.split()[0].decode("latin-1").upper() if line.split() else ""
                self.heard.append(line.decode("latin-1").strip())
                if await self._say(verb, writer) and verb == "DATA":
                    await reader.readuntil(b"\r\n.\r\n")
                    await self._say("TEXT", writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()
            with contextlib.suppress(ConnectionError):
                await writer.wait_closed()

    async def _say(self, verb: str, writer: asyncio.StreamWriter) -> bool:
        """Answer one verb; True when a text may follow."""
        await asyncio.sleep(self.pause_s)
        answer = self.script.get(verb, _USUAL.get(verb, "250 ok"))
        if answer == CUT:
            raise ConnectionAbortedError
        if answer == HANG:
            await self._over.wait()
            raise ConnectionAbortedError
        writer.write(answer.encode() + b"\r\n")
        await writer.drain()
        return answer.startswith("354")
