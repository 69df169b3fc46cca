"""Runs commands of `stillhere` in children of one interpreter that has read the libraries already.

Owns what a command costs under test: tests run hundreds, and each would read Django and psycopg
anew for longer than it works. The parent reads libraries only, nothing of ours: a command still has
its own environment, folder, modules and exit code. What needs an interpreter of its own (another
PYTHONPATH, another locale) does not fit, and whoever asks for it starts one.
"""

from __future__ import annotations

import atexit
import contextlib
import gc
import importlib
import json
import os
import runpy
import selectors
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
LIBRARIES = (
    "aiohttp", "asyncio", "click", "cryptography.hazmat.primitives.ciphers.aead",
    "cryptography.hazmat.primitives.kdf.scrypt", "cryptography.x509", "django.contrib.staticfiles",
    "django.core.handlers.wsgi", "django.db.backends.postgresql.base",
    "django.db.backends.sqlite3.base", "django.db.migrations.executor", "django.forms",
    "django.template.defaulttags", "django.urls", "phonenumbers", "psycopg", "segno", "tomllib",
)  # fmt: skip
LONGEST = 1 << 17  # bytes of one request
# Differ from test to test, and mean nothing to a command.
OURS = ("STILLHERE_", "PYTEST_")


def inherited() -> dict[str, str]:
    """What a program of ours finds in its environment under test: nothing of a developer's own."""
    dropped = ("STILLHERE_", "PYTHONPATH", "DJANGO_")
    return {k: v for k, v in os.environ.items() if not k.startswith(dropped)}


def fits(environment: Mapping[str, str]) -> bool:
    """Whether nothing but settings of ours sets ``environment`` apart."""
    return _others(environment) == _others(inherited())


def _others(environment: Mapping[str, str]) -> dict[str, str]:
    return {k: v for k, v in environment.items() if not k.startswith(OURS)}


def run(
    arguments: Sequence[str], cwd: Path, environment: Mapping[str, str], timeout_s: float
) -> subprocess.CompletedProcess[str]:
    """As `subprocess.run` with ``capture_output``. Raises `subprocess.TimeoutExpired`."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    said = [os.memfd_create(name) for name in ("stdout", "stderr")]
    try:
        asked = json.dumps([list(arguments), str(cwd), dict(environment)]).encode()
        socket.send_fds(_parent(), [asked], [theirs.fileno(), *said])
        theirs.close()
        pid = int(ours.recv(16))
        ours.settimeout(timeout_s)
        try:
            status = int(ours.recv(16))
        except TimeoutError:
            os.kill(pid, signal.SIGKILL)
            raise subprocess.TimeoutExpired(list(arguments), timeout_s) from None
        out, err = (Path(f"/proc/self/fd/{fd}").read_text() for fd in said)
        code = os.waitstatus_to_exitcode(status)
        return subprocess.CompletedProcess(list(arguments), code, out, err)
    finally:
        ours.close()
        theirs.close()
        for fd in said:
            os.close(fd)


@cache
def _parent() -> socket.socket:
    """The parent's socket; it ends when this is closed."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.commands", str(theirs.fileno())],
        cwd=ROOT, env=inherited(), stdin=subprocess.DEVNULL, pass_fds=[theirs.fileno()],
    )  # fmt: skip
    theirs.close()

    def end() -> None:
        ours.shutdown(socket.SHUT_RDWR)  # whoever else may hold it
        ours.close()
        process.wait()

    atexit.register(end)
    return ours


def _asked(requests: socket.socket) -> tuple[list[Any], list[int]] | None:
    """In each child what it is asked to do; None at the end, in the parent."""
    look = selectors.DefaultSelector()
    look.register(requests, selectors.EVENT_READ)
    while True:
        for key, _ in look.select():
            if key.data is not None:
                _tell_end(look, key)
                continue
            asked, fds, _flags, _from = socket.recv_fds(requests, LONGEST, 3)
            if not asked:
                return None
            reply = socket.socket(fileno=fds.pop(0))
            pid = os.fork()
            if pid == 0:
                reply.close()
                requests.close()
                look.close()
                return json.loads(asked), fds
            for fd in fds:
                os.close(fd)
            reply.send(b"%d" % pid)
            look.register(os.pidfd_open(pid), selectors.EVENT_READ, (pid, reply))


def _tell_end(look: selectors.BaseSelector, key: selectors.SelectorKey) -> None:
    pid, reply = key.data
    look.unregister(key.fileobj)
    os.close(key.fd)
    status = os.waitpid(pid, 0)[1]
    with reply, contextlib.suppress(OSError):  # whoever asked may have had no more patience
        reply.send(b"%d" % status)


def main() -> None:
    """The parent, until a child comes back out of it and becomes the command."""
    for name in LIBRARIES:
        importlib.import_module(name)
    gc.freeze()
    asked = _asked(socket.socket(fileno=int(sys.argv[1])))
    if asked is None:
        return
    (arguments, cwd, environment), fds = asked
    for fd, number in zip(fds, (1, 2), strict=True):
        os.dup2(fd, number)
        os.close(fd)
    os.chdir(cwd)
    os.environ.clear()
    os.environ.update(environment)
    sys.argv, sys.path[0] = ["stillhere", *arguments], cwd
    runpy.run_module("stillhere", run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
