"""The supervisor: keeps a few children running forever, and never leaves one behind.

Owns starting, restarting with a capped back-off, and stopping. Each child leads its own process
group, and the whole group is stopped before the child starts again: a left-over worker of a server
would keep answering. When the supervisor itself dies, even by SIGKILL, the kernel stops the
children.

A child shows that it is alive by a byte a second through a pipe. One that falls silent is replaced.
If people reach us through it, the children that are ``told`` hear of its silence long before that,
and of its return. If the supervisor itself was stopped for a while, it heard nobody, and all counts
start again. It knows nothing about what the children do, and no Django: it must stay small and
boring.
"""

from __future__ import annotations

import contextlib
import ctypes
import logging
import os
import select
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from types import FrameType

from stillhere.cli import life
from stillhere.config.wiring import boot_ms

FIRST_DELAY_MS = 200
LONGEST_DELAY_MS = 2_000  # a start costs half a second of one core: nobody is watched meanwhile
HEALTHY_MS = 30_000  # a child that ran this long starts again without the back-off it had
GRACE_MS = 8_000  # from SIGTERM to SIGKILL
ROUND_S = 0.1  # how often we look while something is on its way; otherwise signals wake us
LISTEN_S = 1.0  # how often we look when nothing is: each child lives and says so
SILENT_MS = 15_000  # a child that said nothing for this long hangs, and is replaced
START_MS = 120_000  # until its first word: a slow machine, a database just put back
HELP_AFTER_MS = 10_000  # a start is busy enough without those who only help
UNHEARD_MS = 3_000  # nothing from any child that people reach us through: others are told
LATE_MS = 3_000  # a round of our own that came later than this: we stood still, not they

_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36
_LIBC = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None
log = logging.getLogger(__name__)


@dataclass
class Child:
    """One program to keep running. ``_ms`` are on the boot clock.

    ``hears``: people reach us through it. ``told``: it is told since when nobody can be heard.
    ``helps``: the others do without it while it is away, so it starts when people have reached us
    for some seconds, and ends last. ``without``: the names in our environment that it does not
    inherit. ``key``: opens its keys.
    """

    name: str
    command: Sequence[str]
    hears: bool = False
    told: bool = False
    helps: bool = False
    without: Collection[str] = ()
    key: bytes = field(default=b"", repr=False)
    process: subprocess.Popen[bytes] | None = None
    group: int | None = None  # its process group, until nothing in it lives
    started_ms: int = 0
    ending_ms: int = 0
    due_ms: int = 0
    delay_ms: int = field(default=FIRST_DELAY_MS)
    pipes: life.Pipes = field(default_factory=life.Pipes)
    spoke: bool = False  # the running process has said something
    counted_ms: int = 0  # its silence is counted from here
    heard_ms: int = 0  # the last word of this or an earlier one; 0: there was none yet

    def start(self, now_ms: int) -> None:
        """Start it as the leader of a new group that dies with us."""
        self.pipes.close()
        theirs = self.pipes.open(self.told, self.key)
        try:
            self.process = subprocess.Popen(
                self.command,
                stdin=subprocess.DEVNULL,
                process_group=0,
                preexec_fn=partial(_die_with, os.getpid()),  # noqa: PLW1509  we have one thread
                env=self._environment() | {name: str(end) for name, end in theirs.items()},
                pass_fds=tuple(theirs.values()),
            )
        finally:
            for end in theirs.values():
                os.close(end)
        self.group = self.process.pid
        self.started_ms = self.counted_ms = now_ms
        self.spoke = False
        log.info("child started name=%s pid=%s", self.name, self.process.pid)

    def _environment(self) -> dict[str, str]:
        return {name: said for name, said in os.environ.items() if name not in self.without}

    def look(self, now_ms: int) -> None:
        """One round: notice an end or a silence, wait for the group to end, and start again when it
        is time."""
        if self.process is not None:
            if self.pipes.heard():
                self.spoke, self.counted_ms, self.heard_ms = True, now_ms, now_ms
            code = self.process.poll()
            if code is None:
                self._replace_if_silent(now_ms)
                return
            log.warning("child ended name=%s code=%s", self.name, code)
            self._plan_restart(now_ms)
            self.process = None
            self.end(now_ms)
        if self.group is not None:
            self._see_off(now_ms)
        if self.group is None and now_ms >= self.due_ms:
            self.start(now_ms)

    def _replace_if_silent(self, now_ms: int) -> None:
        """By force: a process that is stopped or hangs does not react to SIGTERM."""
        silent_ms = now_ms - self.counted_ms
        if silent_ms >= (SILENT_MS if self.spoke else START_MS):
            log.error("child silent name=%s ms=%d, ended by force", self.name, silent_ms)
            _signal_group(self.group, signal.SIGKILL)
            self.counted_ms = now_ms

    def count_anew(self, now_ms: int) -> None:
        """We could not listen until now."""
        self.counted_ms = now_ms
        self.heard_ms = self.heard_ms and now_ms

    def _plan_restart(self, now_ms: int) -> None:
        if now_ms - self.started_ms >= HEALTHY_MS:
            self.delay_ms = FIRST_DELAY_MS
        self.due_ms = now_ms + self.delay_ms
        self.delay_ms = min(self.delay_ms * 2, LONGEST_DELAY_MS)

    def end(self, now_ms: int) -> None:
        """Ask the whole group to end."""
        self.ending_ms = now_ms
        _signal_group(self.group, signal.SIGTERM)

    def _see_off(self, now_ms: int) -> None:
        """Forget the group once it is empty; kill whatever outlasts the grace period."""
        if self.process is not None and self.process.poll() is not None:
            self.process = None
        if self.process is None and not _group_lives(self.group):
            self.group = None
        elif now_ms - self.ending_ms >= GRACE_MS:
            _signal_group(self.group, signal.SIGKILL)

    def gone(self, now_ms: int) -> bool:
        """While stopping: one round; returns whether nothing of it is left."""
        if self.group is not None:
            self._see_off(now_ms)
        return self.group is None


def run(
    children: Sequence[Child], each_round: Callable[[], bool], door: socket.socket | None = None
) -> None:
    """Keep ``children`` running until SIGTERM or SIGINT, then end them all.

    ``each_round`` is called every `ROUND_S` seconds until it returns True: nothing more to do.
    Whoever comes to ``door``, a listening socket, is told the key of the first child.
    """
    stop = _StopFlag()
    if _LIBC is not None:
        # Orphans of our children become ours, so that `_group_lives` can collect them at once.
        _LIBC.prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    with _wakeups(stop, door) as wait:
        busy, looked_ms = True, boot_ms()
        while not stop:
            now_ms = boot_ms()
            if now_ms - looked_ms > LATE_MS:
                log.warning("supervisor stood still ms=%d", now_ms - looked_ms)
                for child in children:
                    child.count_anew(now_ms)
            looked_ms = now_ms
            for child in children:
                if child.group is not None or not child.helps or _are_heard(children, now_ms):
                    child.look(now_ms)
            _tell(children, now_ms)
            busy = busy and not each_round()
            settled = not busy and all(child.process for child in children)
            wait(LISTEN_S if settled else ROUND_S)
            if door is not None:
                _tell_key(door, children[0].key)
        log.info("stopping signal=%s", stop.number)
        for late in (False, True):
            _end([child for child in children if child.helps == late], wait)


def _are_heard(children: Sequence[Child], now_ms: int) -> bool:
    """Whether people have reached us for some seconds: one of those through whom they do started
    before that and has said that it lives."""
    return any(
        child.hears and child.spoke and now_ms - child.started_ms >= HELP_AFTER_MS
        for child in children
    )


def _end(children: Sequence[Child], wait: Callable[[float], None]) -> None:
    """Ask these to end, and see that nothing of them is left."""
    for child in children:
        if child.group is not None:
            child.end(boot_ms())
    while [child for child in children if not child.gone(boot_ms())]:
        wait(ROUND_S)


def _tell(children: Sequence[Child], now_ms: int) -> None:
    """Say since when nobody can be heard, again in each round for as long as it lasts, because a
    child that has just started does not know yet. Before the first byte there is no silence: that
    is a start."""
    heard_ms = max((child.heard_ms for child in children if child.hears), default=0)
    unheard = heard_ms and now_ms - heard_ms > UNHEARD_MS
    for child in children:
        if child.told:
            child.pipes.say(heard_ms if unheard else 0)


def _tell_key(door: socket.socket, key: bytes) -> None:
    """Tell one who came, if there is one. Never waits: what is said fits into a socket."""
    with contextlib.suppress(OSError):
        line, _ = door.accept()
        with line:
            line.setblocking(False)
            line.sendall(f"key {key.hex()}\n".encode())


class _StopFlag:
    """Set by the first SIGTERM or SIGINT."""

    number = 0

    def __bool__(self) -> bool:
        return self.number != 0

    def handle(self, number: int, _frame: FrameType | None) -> None:
        self.number = number


def _ignore(_number: int, _frame: FrameType | None) -> None:
    """SIGCHLD needs a handler to wake us; there is nothing else to do."""


@contextlib.contextmanager
def _wakeups(
    stop: _StopFlag, door: socket.socket | None
) -> Iterator[Callable[[float | None], None]]:
    """Handle signals, and provide a ``wait(seconds)`` that any signal cuts short, and whoever comes
    to the ``door``.

    Python writes a byte to the socket for each signal, so none is lost between looking and
    sleeping.
    """
    reader, writer = socket.socketpair()
    reader.setblocking(False)
    writer.setblocking(False)
    ends = [reader] if door is None else [reader, door]
    if door is not None:
        door.setblocking(False)
    old_fd = signal.set_wakeup_fd(writer.fileno(), warn_on_full_buffer=False)
    wanted = {signal.SIGTERM: stop.handle, signal.SIGINT: stop.handle, signal.SIGCHLD: _ignore}
    old = {number: signal.signal(number, handler) for number, handler in wanted.items()}

    def wait(seconds: float | None) -> None:
        select.select(ends, [], [], seconds)
        with contextlib.suppress(BlockingIOError):
            reader.recv(4096)

    try:
        yield wait
    finally:
        for number, handler in old.items():
            signal.signal(number, handler)
        signal.set_wakeup_fd(old_fd)
        reader.close()
        writer.close()


def _die_with(parent: int) -> None:
    """In the new child, before its program starts: ask the kernel to end us when the parent ends.

    Linux only; elsewhere a child outlives a SIGKILL of its supervisor.
    """
    if _LIBC is not None:
        _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:  # it died before we could ask
            os._exit(1)


def _signal_group(group: int | None, number: signal.Signals) -> None:
    if group is not None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(group, number)


def _group_lives(group: int | None) -> bool:
    """Whether any process of the group is left. Called only after its leader was reaped.

    Its orphans become our children (see `run`): until they are reaped they would count as alive.
    """
    if group is None:
        return False
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-group, os.WNOHANG)[0]:
            pass
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
