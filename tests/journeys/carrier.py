"""A loopback company that carries texts and calls as Twilio documents, with phones behind it.

For journeys through the real adapters, over real HTTP, both ways: it takes ``Messages`` and
``Calls``, signs what it tells us with the vendor's own library, fetches what to say when a phone is
picked up, and presses the keys that a phone's owner would.
"""

from __future__ import annotations

import http.client
import json
import re
import threading
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, urlencode, urlsplit

from twilio.request_validator import RequestValidator

from tests.installation import Installation, wait_for

OURS = "+12025550100"
ACCOUNT, TOKEN = "AC1", "a token of the account"
Form = dict[str, str]
Here = tuple[Installation, "Company", "Company"]


@dataclass
class Phone:
    """One number. ``keys`` are pressed in turn in the next calls; None: nobody picks up."""

    number: str
    texts: list[str] = field(default_factory=list)
    heard: list[str] = field(default_factory=list)
    keys: list[str] | None = None
    dead: bool = False
    rang: int = 0


class Company:
    """The carrier. ``setting`` is what STILLHERE_CARRIERS says of it."""

    def __init__(self, name: str = "one") -> None:
        self.name = name
        self.phones: dict[str, Phone] = {}
        self.down = False
        self.erased: list[str] = []
        self._base_url = self._reach = ""
        company = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                length = int(self.headers.get("Content-Length", "0"))
                form = dict(parse_qsl(self.rfile.read(length).decode()))
                self._answer(*company.create(urlsplit(self.path).path, form))

            def do_DELETE(self) -> None:
                company.erased.append(self.path.rsplit("/", 1)[-1].removesuffix(".json"))
                self._answer(204, {})

            def do_GET(self) -> None:
                self._answer(200, {"price": "-0.0079", "price_unit": "USD"})

            def _answer(self, status: int, told: object) -> None:
                body = b"" if status == 204 else json.dumps(told).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None: ...

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    @property
    def setting(self) -> str:
        port = self._server.server_port
        token = TOKEN.replace(" ", "%20")
        return f"twilio+http://{ACCOUNT}:{token}@127.0.0.1:{port}?from={OURS}&name={self.name}"

    def connect(self, base_url: str, reach: str) -> None:
        """Our web server: the public address it signs, and where it really is."""
        self._base_url, self._reach = base_url, reach

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def phone(self, number: str) -> Phone:
        return self.phones.setdefault(number, Phone(number))

    # --- what phones do ---------------------------------------------------------------------------

    def text(self, number: str, words: str) -> int:
        """Somebody texts us; the status we answer with."""
        fields = {"MessageSid": f"SM{uuid.uuid4().hex}", "From": number, "To": OURS, "Body": words}
        return self.tell(f"/in/{self.name}/text", fields)[0]

    def ring_us(self, number: str) -> str:
        """Somebody rings us; what is said first, as TwiML."""
        fields = {"CallSid": f"CA{uuid.uuid4().hex}", "From": number, "To": OURS}
        return self.tell(f"/in/{self.name}/call", fields | {"Direction": "inbound"})[1]

    def reads(self, number: str, words: str, seconds: float = 20) -> str:
        """Wait for a text that holds ``words``; the whole of it."""
        texts = self.phone(number).texts
        wait_for(
            lambda: any(words in text for text in texts), lambda: f"{words!r} in {texts}", seconds
        )
        return next(text for text in texts if words in text)

    def hears(self, number: str, words: str, seconds: float = 20) -> None:
        """Wait until the voice has said ``words`` to this phone."""
        heard = self.phone(number).heard
        wait_for(
            lambda: any(words in said for said in heard), lambda: f"{words} in {heard}", seconds
        )

    # --- what a carrier does ----------------------------------------------------------------------

    def create(self, path: str, form: Form) -> tuple[int, object]:
        """A text or a call of ours."""
        if self.down:
            return 503, {"code": 20503, "status": 503}
        phone = self.phone(form["To"])
        sid = ("SM" if path.endswith("Messages.json") else "CA") + uuid.uuid4().hex
        work = self._deliver if sid.startswith("SM") else self._call
        self._later(lambda: work(phone, sid, form))
        return 201, {"sid": sid, "status": "queued"}

    def _deliver(self, phone: Phone, sid: str, form: Form) -> None:
        told = {"MessageSid": sid, "To": form["To"], "From": OURS}
        if phone.dead:
            dead = {"MessageStatus": "undelivered", "ErrorCode": "30005"}
            self.tell(self._path(form["StatusCallback"]), told | dead)
            return
        phone.texts.append(form["Body"])
        self.tell(self._path(form["StatusCallback"]), told | {"MessageStatus": "delivered"})

    def _call(self, phone: Phone, sid: str, form: Form) -> None:
        told = {"CallSid": sid, "To": form["To"], "From": OURS, "Direction": "outbound-api"}
        status = self._path(form["StatusCallback"])
        if phone.dead:
            self.tell(status, told | {"CallStatus": "failed", "ErrorCode": "13224"})
            return
        phone.rang += 1
        self.tell(status, told | {"CallStatus": "ringing"})
        if phone.keys is None:
            self.tell(status, told | {"CallStatus": "no-answer"})
            return
        self.tell(status, told | {"CallStatus": "in-progress"})
        said, where = "", self._path(form["Url"])
        keys = list(phone.keys)
        while where:
            pressed = {"Digits": keys.pop(0)} if keys and said else {}
            said = self.tell(where, told | pressed)[1]
            phone.heard.append(" ".join(re.findall(r"<Say[^>]*>([^<]*)</Say>", said)))
            found = re.findall(r'<Gather[^>]* action="([^"]*)"', said)
            where = self._path(found[0].replace("&amp;", "&")) if found and keys else ""
        self.tell(status, told | {"CallStatus": "completed"})

    def tell(self, path: str, fields: Form) -> tuple[int, str]:
        """One webhook, signed; told again while we say that it was not stored."""
        signature = RequestValidator(TOKEN).compute_signature(f"{self._base_url}{path}", fields)
        headers = {
            "Content-Type": "application/x-www-form-urlencoded",
            "X-Twilio-Signature": signature,
            "Host": "localhost",
        }
        for _ in range(20):
            connection = http.client.HTTPConnection(self._reach, timeout=10)
            try:
                connection.request("POST", path, urlencode(fields).encode(), headers)
                answer = connection.getresponse()
                text = answer.read().decode()
                if answer.status != 503:
                    return answer.status, text
            except (OSError, http.client.HTTPException):
                pass
            finally:
                connection.close()
            time.sleep(0.2)
        return 0, ""

    @staticmethod
    def _path(url: str) -> str:
        parts = urlsplit(url)
        return f"{parts.path}?{parts.query}" if parts.query else parts.path

    @staticmethod
    def _later(work: Callable[[], None]) -> None:
        threading.Thread(target=work, daemon=True).start()
