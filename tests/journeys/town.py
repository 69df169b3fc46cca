"""A town for a story: a whole Stillhere of real processes, the cast's phones, and a mail server.

Owns starting and ending them, and the one hand on time: the installation's clock is moved by its
stored offset (together with the engine's beat, so that it is no outage), or runs at a rate of its
own. What the people in the story see, they see over HTTP and SMTP; only the seeding and the
checking look into the database, in a process of their own (``python -m tests.journeys.inside``).
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from email.message import EmailMessage
from email.parser import BytesParser
from email.policy import default
from pathlib import Path
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from tests.installation import Installation, free_port, wait_for

Json = dict[str, Any]
NUMBERS = {
    "Sam": "+12025550101",
    "Maya": "+12025550102",
    "Leo": "+12025550103",
    "Ana": "+12025550104",
    "Ruth": "+12025550105",
}


SETTINGS = {"DJANGO_SETTINGS_MODULE": "stillhere.config.settings"}


class Mailboxes:
    """A real SMTP server's inboxes. Mail to ``dead`` addresses is refused for good."""

    def __init__(self) -> None:
        self.mails: list[EmailMessage] = []
        self.dead: set[str] = set()

    async def handle_RCPT(  # noqa: N802  the server's name for it
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if address in self.dead:
            return "550 5.1.1 no such mailbox"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope
    ) -> str:
        content = envelope.content
        assert isinstance(content, bytes)
        mail = BytesParser(EmailMessage, policy=default).parsebytes(content)
        mail["X-To"] = ",".join(envelope.rcpt_tos)
        self.mails.append(mail)
        return "250 OK"

    def of(self, address: str) -> list[EmailMessage]:
        return [mail for mail in list(self.mails) if address in mail["X-To"]]

    def texts(self, address: str) -> str:
        """Everything in one inbox, oldest first."""
        return "\n".join(f"{m['subject']}\n{m.get_content()}" for m in self.of(address))


class Phones:
    """The cast's phones, through the loopback provider's own pages."""

    def __init__(self, url: str) -> None:
        self.url = url

    def ask(self, path: str, body: Json | None = None) -> str:
        request = urllib.request.Request(
            self.url + path,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=10) as answer:
            text: str = answer.read().decode()
            return text

    def act(self, phone: str, action: str, **more: str) -> None:
        self.ask("/act", {"phone": NUMBERS[phone], "action": action, **more})

    def log(self) -> list[Json]:
        """Every send the provider accepted, in order."""
        return [json.loads(line) for line in self.ask("/log").splitlines()]

    def sent_to(self, phone: str) -> list[Json]:
        return [line for line in self.log() if line["to"] == NUMBERS[phone]]

    def phone(self, name: str) -> Json:
        state = json.loads(self.ask("/state"))
        found: Json = next(p for p in state["phones"] if p["number"] == NUMBERS[name])
        return found


class Inside:
    """One process of ``tests.journeys.inside``, started at the first question."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        # The installation may run another release; we look with this one.
        self._environment = {**environment, **SETTINGS, "PYTHONPATH": ""}
        self._process: subprocess.Popen[str] | None = None

    def __call__(self, what: str, **facts: object) -> Any:
        """Run one function of ``tests.journeys.inside`` on the database."""
        if self._process is None:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.journeys.inside"],
                env=self._environment,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps([what, facts]) + "\n")
        self._process.stdin.flush()
        return json.loads(self._process.stdout.readline())

    def close(self) -> None:
        """End the process; the next question starts another."""
        if self._process is not None:
            self._process.communicate(timeout=10)
            self._process = None


class Town:
    """One installation with its phones and mail server, for the length of a test."""

    def __init__(self, folder: Path, settings: Mapping[str, str]) -> None:
        self.mail = Mailboxes()
        self.smtp = Controller(self.mail, hostname="127.0.0.1", port=free_port())
        self.phones_port = free_port()
        self.phones = Phones(f"http://127.0.0.1:{self.phones_port}")
        self.installation = Installation(
            folder,
            {
                "STILLHERE_SMTP_URL": f"smtp://127.0.0.1:{self.smtp.port}",
                "STILLHERE_MAIL_FROM": "Lamp <lamp@example.org>",
                "STILLHERE_COORDINATOR": "ruth@example.org",
                "STILLHERE_DEMO": self.phones.url,
                **settings,
            },
        )
        self.url = self.installation.url
        self._provider: subprocess.Popen[bytes] | None = None
        self.inside = Inside(self.installation.environment)

    def prepare(self) -> None:
        """The data folder and its database, before anything runs."""
        self.installation.prepare()

    def open(self) -> None:
        """Start everything and wait until it is healthy."""
        self.open_the_world()
        self.installation.up()

    def open_the_world(self) -> None:
        """Start what is not ours: the mail server and the phones."""
        self.smtp.start()
        secret = self.installation.folder / "phones.secret"
        secret.write_text(self.inside("phones_secret"))
        hook = f"{self.url.replace('localhost', '127.0.0.1')}/hooks/phones"
        command = [sys.executable, "-m", "stillhere.sim.phones", "--port", str(self.phones_port)]
        command += ["--secret-file", str(secret), "--webhook", hook, "--any-number"]
        self._provider = subprocess.Popen(command, stdout=subprocess.DEVNULL)

    def close(self) -> None:
        self.inside.close()
        self.installation.stop()
        if self._provider is not None:
            self._provider.terminate()
            self._provider.wait(10)
        self.smtp.stop()

    def lose(self) -> None:
        """The machine dies and its disk with it: nothing of the data folder is left."""
        self.inside.close()
        self.installation.stop(signal.SIGKILL)
        shutil.rmtree(self.installation.data)

    def move(self, folder: Path, database_url: str) -> None:
        """Another machine takes over under the same address; nothing runs there yet."""
        old = self.installation
        url = {"STILLHERE_DATABASE_URL": database_url}
        self.installation = Installation(folder, old.environment | url)
        self.installation.port, self.installation.url = old.port, old.url
        self.installation.environment["STILLHERE_DATA"] = str(self.installation.data)
        self.inside = Inside(self.installation.environment)

    def pass_time(self, seconds: float) -> None:
        """Let installation time pass at once, without an outage."""
        self.inside("pass_time", seconds=seconds)

    def pass_to_the_next_ask(self) -> None:
        """Let time pass until the newest watch wakes."""
        now, wake_at = self.inside("pass_time", seconds=0), self.inside("watches")[-1]["wake_at"]
        self.pass_time(max(wake_at - now, 0) / 1000)

    def until_asked(self) -> str:
        """Let time pass until the newest watch is asked, or over; returns its state. A page that
        sent a press twice, on a slow machine, may move the timer once more meanwhile."""

        def asked() -> bool:
            newest, now = self.inside("watches")[-1], self.inside("pass_time", seconds=0)
            if newest["state"] == "open" and newest["wake_at"] > now:
                self.pass_to_the_next_ask()
            return bool(newest["state"] != "open")

        wait_for(asked, lambda: f"an ask, or the end: {self.inside('watches')[-1]}")
        return str(self.inside("watches")[-1]["state"])

    def live_through(self, seconds: int, step_s: int = 5) -> None:
        """Let installation time pass in steps that the engine can follow."""
        until_at = self.inside("pass_time", seconds=0) + seconds * 1000
        while (left_ms := until_at - self.inside("pass_time", seconds=0)) > 0:
            self.pass_time(min(step_s, left_ms / 1000))
            self.settled()

    def settled(self) -> None:
        """Wait until the engine has done everything that is due now."""
        wait_for(lambda: bool(self.inside("settled")), "the engine is up to date")

    def kill(self, name: str) -> None:
        os.kill(self.installation.child(name), signal.SIGKILL)


@contextmanager
def town(folder: Path, settings: Mapping[str, str] | None = None) -> Iterator[Town]:
    """A prepared town, not yet open."""
    place = Town(folder, settings or {})
    place.prepare()
    try:
        yield place
    finally:
        place.close()


def eventually(what: Callable[[], bool], why: str, seconds: float = 30.0) -> None:
    """Wait for other processes to do something."""
    wait_for(what, why, seconds)
