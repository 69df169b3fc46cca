"""`stillhere up` on keys that wait for their passphrase: nobody is watched, and everybody hears so.

Owns the time until somebody hands the passphrase over, at the terminal or by `stillhere unseal`,
and what is answered meanwhile: 503 to everything, with the reason at /healthz, so that whoever
watches from outside pages a person. Opens no database.
"""

from __future__ import annotations

import contextlib
import gettext
import html
import json
import logging
import socket
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import click

from stillhere.cli import unlock
from stillhere.cli.check import listening
from stillhere.config import key_lock
from stillhere.config.environment import Stillhere
from stillhere.config.key_lock import WrongPassphraseError
from stillhere.content import languages

log = logging.getLogger("stillhere.keys")

REASON = "waiting for the passphrase"
SPEAKS_S = 10.0  # how long we listen to one who has nothing to say
READS_S = 2.0
_ = str  # these are translated when somebody asks, without Django
SAYS = (
    _("Nobody is watching now."),
    _("The person who runs this has to start it first."),
    _("If somebody needs help, call your emergency number."),
)


def page() -> str:
    """What people read meanwhile, in every language of ours, English first."""
    codes = sorted((path.name for path in languages.OURS.iterdir() if path.is_dir()), key=_first)
    said = [
        f'<p lang="{code}">{html.escape(" ".join(map(_catalogue(code).gettext, SAYS)))}</p>'
        for code in codes
    ]
    head = '<meta charset="utf-8"><meta name="viewport" content="width=device-width">'
    return "\n".join(["<!doctype html>", f"<html>{head}<title>Lamp</title>", *said, "</html>", ""])


def _first(code: str) -> tuple[bool, str]:
    return code != languages.HOME, code


def _catalogue(code: str) -> gettext.NullTranslations:
    return gettext.translation("django", languages.OURS, [code], fallback=True)


def open_keys(stillhere: Stillhere) -> None:
    """Return once this process holds the folder key; at once where the keys are not locked."""
    if not key_lock.is_locked(stillhere.keys) or key_lock.HELD.key:
        return
    listening.require(stillhere)
    with _answering(stillhere):
        if sys.stdin.isatty():
            unlock.require(stillhere)
        else:
            click.echo(
                "Nobody is watched yet: the keys wait for their passphrase. Type `stillhere "
                "unseal` on this machine, as this user.",
                err=True,
            )
            _listen(stillhere)
    click.echo("The keys are open.", err=True)


def _listen(stillhere: Stillhere) -> None:
    with unlock.listening(stillhere.data) as door:
        while not key_lock.HELD.key:
            line, _ = door.accept()
            with line, contextlib.suppress(OSError):
                line.settimeout(SPEAKS_S)
                _hear(stillhere, line)


def _hear(stillhere: Stillhere, line: socket.socket) -> None:
    line.sendall(f"{unlock.WAITING}\n".encode())
    typed = unlock.receive(line)
    if not typed:  # another command, which only looked
        return
    try:
        key_lock.HELD.key = key_lock.unwrap(stillhere.keys, typed)
    except WrongPassphraseError:
        log.warning("a passphrase did not open the keys")
        line.sendall(f"{unlock.WRONG}\n".encode())
    else:
        line.sendall(f"{unlock.OPEN}\n".encode())


@contextlib.contextmanager
def _answering(stillhere: Stillhere) -> Iterator[None]:
    """Answer at our port meanwhile. Nothing of it is left when the children start."""
    number = listening.address(stillhere.host)
    family = socket.AF_INET6 if ":" in number else socket.AF_INET
    server = _Server((number, stillhere.port), _Unwatched, bind_and_activate=False)
    server.address_family = family
    server.socket.close()
    server.socket = socket.socket(family)
    server.server_bind()
    server.server_activate()
    answering = threading.Thread(target=server.serve_forever, args=(0.1,), daemon=True)
    answering.start()
    try:
        yield
    finally:
        server.shutdown()
        answering.join()
        server.server_close()


class _Server(HTTPServer):
    request_queue_size = 128

    def server_bind(self) -> None:
        """Without looking its name up: that may take as long as a name server is away."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(self.server_address)
        self.server_name, self.server_port = "localhost", int(self.server_address[1])

    def handle_error(self, request: object, client_address: object) -> None:
        """Whoever hangs up is none of our business."""


class _Unwatched(BaseHTTPRequestHandler):
    """503 to everything. Reads no body, and writes down no address: it may hold a key."""

    timeout = READS_S
    server_version, sys_version = "Stillhere", ""

    def _answer(self) -> None:
        health = self.path.partition("?")[0] == "/healthz"
        said = json.dumps({"ok": False, "reasons": [REASON]}) if health else page()
        body = said.encode()
        self.send_response(503)
        self.send_header(
            "Content-Type", "application/json" if health else "text/html; charset=utf-8"
        )
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Retry-After", "60")
        self.send_header("Cache-Control", "no-store")
        self.send_header("Content-Security-Policy", "default-src 'none'")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    do_GET = do_HEAD = do_POST = _answer  # noqa: N815  the library's names

    def log_message(self, format: str, *args: object) -> None:
        """Nothing."""
