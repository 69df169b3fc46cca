"""One ``baresip``: a telephone without hands, told what to do over a socket.

Owns its configuration, its start and end, and the words of its control socket (netstrings of JSON,
module ``ctrl_tcp``). Knows nothing of what is said or meant. Its files are in memory or a folder of
its own, for this user only, and go with it: they hold the password of the trunk.

Source: https://github.com/baresip/baresip/wiki (``ctrl_tcp``, ``menu``, ``account``), version 1.0.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import shutil
import socket
import tempfile
import wave
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from stillhere import programs

START_S = 5.0
RTP_SILENT_S = 30  # a call whose other end says nothing at all any more is over
MODULES = "/usr/lib/baresip/modules"
SILENCE, SILENCE_S = "silence.wav", 120  # heard until the first words; its end ends the call
MOST_LINE = 64 * 1024


class LineError(Exception):
    """The telephone could not be started, or it ended."""


@dataclass(frozen=True, slots=True)
class Trunk:
    """Where calls go out and come in. ``host`` may carry a port. ``user`` is the account's name, or
    our number where the gateway asks for no account; it registers only with a ``secret``."""

    host: str
    user: str
    secret: str = ""

    def uri(self, number: str) -> str:
        return f"sip:{number}@{self.host}"

    def account(self, *, stays: bool) -> str:
        """The line of baresip's ``accounts`` file. ``stays``: it registers, so that calls come."""
        asks = f";auth_user={self.user};auth_pass={self.secret}" if self.secret else ""
        every_s = 120 if stays and self.secret else 0
        return f"<sip:{self.user}@{self.host}>{asks};regint={every_s};audio_codecs=pcmu,pcma\n"


@dataclass(frozen=True, slots=True)
class Happened:
    """One event of a call: its kind (``CALL_RINGING``...), who is at the other end, and a detail
    (the digit, or why it was closed)."""

    kind: str
    peer: str = ""
    detail: str = ""


class Telephone:
    """One baresip process with at most one call. Use as an async context; ``happened`` waits for
    what comes next."""

    def __init__(self, trunk: Trunk, *, stays: bool = False, port: int = 0) -> None:
        self._trunk = trunk
        self._stays = stays
        self._port = port
        self._folder = Path()
        self._process: asyncio.subprocess.Process | None = None
        self._reader: asyncio.StreamReader
        self._writer: asyncio.StreamWriter | None = None
        self._heard: asyncio.Queue[Happened | None] = asyncio.Queue()
        self._listens: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._folder = Path(tempfile.mkdtemp(prefix="lamp-line-"))
        try:
            await self._start()
        except (OSError, TimeoutError) as error:
            await self.__aexit__()
            raise LineError(f"baresip did not start: {type(error).__name__}") from error
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._writer is not None:
            self._writer.close()
        if self._listens is not None:
            self._listens.cancel()
        if self._process is not None and self._process.returncode is None:
            self._process.terminate()
            try:
                async with asyncio.timeout(2):
                    await self._process.wait()
            except TimeoutError:
                self._process.kill()
                await self._process.wait()
        shutil.rmtree(self._folder, ignore_errors=True)

    async def _start(self) -> None:
        near = _own_address(self._trunk.host)
        talks = _free_port(socket.SOCK_STREAM, "127.0.0.1")
        rings = self._port or _free_port(socket.SOCK_DGRAM, near)
        _silence(self._folder / SILENCE)
        (self._folder / "accounts").write_text(self._trunk.account(stays=self._stays))
        (self._folder / "contacts").write_text("")
        (self._folder / "config").write_text(self.configuration(near, rings, talks))
        self._process = await asyncio.create_subprocess_exec(
            "baresip", "-4", "-f", str(self._folder),
            env=programs.environment(),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
        )  # fmt: skip
        async with asyncio.timeout(START_S):
            while True:
                with contextlib.suppress(ConnectionError):
                    self._reader, self._writer = await asyncio.open_connection(
                        "127.0.0.1", talks, limit=MOST_LINE
                    )
                    self._listens = asyncio.create_task(self._listen())
                    return
                await asyncio.sleep(0.02)

    def configuration(self, near: str, rings: int, talks: int) -> str:
        """baresip's ``config``: SIP at ``near``:``rings``, told what to do at port ``talks``."""
        return (
            f"sip_listen {near}:{rings}\n"
            f"audio_source aufile,{self._folder / SILENCE}\nausrc_srate 8000\n"
            "auplay_srate 8000\nausrc_channels 1\nauplay_channels 1\naudio_path /nonexistent\n"
            f"call_local_timeout 30\ncall_max_calls 1\nrtp_timeout {RTP_SILENT_S}\n"
            f"module_path {MODULES}\nmodule g711.so\nmodule aufile.so\n"
            "module_tmp uuid.so\nmodule_tmp account.so\n"
            "module_app menu.so\nmodule_app ctrl_tcp.so\n"
            f"ctrl_tcp_listen 127.0.0.1:{talks}\n"
        )

    # --- what it is told ------------------------------------------------------------------------

    def dial(self, number: str) -> None:
        """Ring a number, by the trunk."""
        self.tell("dial", self._trunk.uri(number))

    def accept(self) -> None:
        self.tell("accept")

    def hang_up(self) -> None:
        self.tell("hangup")

    def play(self, sound: Path) -> None:
        """Say what is in a file (8 kHz, mono, 16 bit) in the call that goes on. Its end would end
        the call, so it must be longer than we listen."""
        self.tell("ausrc", f"aufile,{sound}")

    def tell(self, command: str, params: str = "") -> None:
        """One command to the process."""
        assert self._writer is not None
        said = json.dumps({"command": command, "params": params, "token": "t"}).encode()
        self._writer.write(b"%d:%s," % (len(said), said))

    # --- what it says ---------------------------------------------------------------------------

    async def happened(self, within_s: float | None = None) -> Happened | None:
        """The next event of a call; None where nothing happened in time. Raises LineError when
        the process is gone."""
        try:
            async with asyncio.timeout(within_s):
                told = await self._heard.get()
        except TimeoutError:
            return None
        if told is None:
            raise LineError("baresip ended")
        return told

    async def _listen(self) -> None:
        """Collect what it says, until it ends."""
        with contextlib.suppress(OSError, ValueError, asyncio.IncompleteReadError):
            while True:
                head = await self._reader.readuntil(b":")
                body = await self._reader.readexactly(int(head[:-1]) + 1)
                told = json.loads(body[:-1])
                if told.get("event") and str(told.get("type", "")).startswith("CALL_"):
                    peer, detail = str(told.get("peeruri", "")), str(told.get("param", ""))
                    self._heard.put_nowait(Happened(str(told["type"]), peer, detail))
        self._heard.put_nowait(None)


def _silence(path: Path) -> None:
    """A sound file of nothing."""
    with wave.open(str(path), "wb") as sound:
        sound.setparams((1, 2, 8000, 0, "NONE", ""))
        sound.writeframes(bytes(SILENCE_S * 16_000))


def _own_address(host: str) -> str:
    """The address of this machine from which ``host`` is reached. Sends nothing. Raises OSError."""
    name, _, port = host.partition(":")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.connect((name, int(port) if port.isdigit() else 5060))
        return str(probe.getsockname()[0])


def _free_port(kind: socket.SocketKind, address: str) -> int:
    with socket.socket(socket.AF_INET, kind) as probe:
        probe.bind((address, 0))
        return int(probe.getsockname()[1])
