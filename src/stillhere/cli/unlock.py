"""How a process gets at keys that lie under a passphrase.

Owns the ways: the supervisor's pipe to its own children, the socket of the running `stillhere up`
for every other command of the same user, and a person at a terminal. The passphrase itself never
comes by an argument or the environment, which other users can read, and is never written down.
"""

from __future__ import annotations

import contextlib
import os
import socket
import sys
from collections.abc import Iterator
from pathlib import Path

import click

from stillhere.cli import life
from stillhere.config import key_lock, keys
from stillhere.config.environment import SettingError, Stillhere
from stillhere.config.key_lock import WrongPassphraseError
from stillhere.programs import short_name

SOCKET = "unseal.sock"
WAITING, OPEN, WRONG, KEY = "waiting", "open", "wrong", "key "  # what the socket says
ANSWERS_S = 30.0  # a guess takes half a second, and much longer on a machine without memory
LONGEST = 4096  # bytes
TRIES = 3


def require(stillhere: Stillhere) -> None:
    """Have this process hold the folder key if the keys are locked. Raises `SettingError`."""
    if not key_lock.is_locked(stillhere.keys) or key_lock.HELD.key:
        return
    key_lock.HELD.key = _handed() or _of_the_running(stillhere.data) or _asked(stillhere.keys)


def require_of_backup(folder: Path, data: Path) -> None:
    """The same for the keys of a backup, unpacked in ``folder``: those of ``data``, if they are the
    same, or a person. Raises `SettingError`."""
    if not key_lock.is_locked(folder):
        return
    for key in (key_lock.HELD.key, _of_the_running(data)):
        key_lock.HELD.key = key
        with contextlib.suppress(SettingError):
            keys.read_secret(folder)
            return
    what = "Passphrase of the keys in this backup"
    key_lock.HELD.key = (
        _asked(folder, what)
        if sys.stdin.isatty()
        else key_lock.unwrap(folder, prompt(what))  # nobody waits for it: the next line is it
    )


def _handed() -> bytes:
    """By the supervisor that started us."""
    descriptor = life.inherited(life.KEY)
    if descriptor is None:
        return b""
    try:
        return os.read(descriptor, key_lock.KEY_BYTES)
    finally:
        os.close(descriptor)


def _of_the_running(data: Path) -> bytes:
    """By `stillhere up`, where it runs and is open."""
    with contextlib.suppress(OSError, ValueError), reach(data) as line:
        said = receive(line)
        if said.startswith(KEY):
            return bytes.fromhex(said.removeprefix(KEY))
    return b""


def _asked(folder: Path, what: str = "Passphrase of the keys") -> bytes:
    """By whoever sits at the terminal. Raises `SettingError`."""
    if not sys.stdin.isatty():
        raise SettingError(
            f"The keys in {folder} wait for their passphrase. Where `stillhere up` runs, type "
            "`stillhere unseal`, then this command again; where it does not, start it first."
        )
    for tries_left in reversed(range(TRIES)):
        try:
            return key_lock.unwrap(folder, prompt(what))
        except WrongPassphraseError as error:
            if not tries_left:
                raise
            click.echo(str(error), err=True)
    raise AssertionError


def prompt(what: str, *, new: bool = False) -> str:
    """Ask at the terminal, where nobody sees it, or read one line of standard input."""
    if sys.stdin.isatty():
        typed: str = click.prompt(what, hide_input=True, confirmation_prompt=new, err=True)
        return typed
    return sys.stdin.readline(LONGEST).rstrip("\r\n")


@contextlib.contextmanager
def reach(data: Path) -> Iterator[socket.socket]:
    """A line to the running `stillhere up`. Raises `OSError` where there is none."""
    with socket.socket(socket.AF_UNIX) as line, short_name(data) as folder:
        line.settimeout(ANSWERS_S)
        line.connect(f"{folder}/{SOCKET}")
        yield line


@contextlib.contextmanager
def listening(data: Path) -> Iterator[socket.socket]:
    """The other end, for this user only."""
    (data / SOCKET).unlink(missing_ok=True)
    with socket.socket(socket.AF_UNIX) as door, short_name(data) as folder:
        before = os.umask(0o177)
        try:
            door.bind(f"{folder}/{SOCKET}")
        finally:
            os.umask(before)
        door.listen()
        try:
            yield door
        finally:
            (data / SOCKET).unlink(missing_ok=True)


def receive(line: socket.socket) -> str:
    """One line; as much of it as came where the other end hangs up."""
    heard = b""
    while b"\n" not in heard and len(heard) < LONGEST:
        if not (part := line.recv(LONGEST)):
            break
        heard += part
    return heard.decode("utf-8", "replace").partition("\n")[0]
