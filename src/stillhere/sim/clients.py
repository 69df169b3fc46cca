"""What people in a story can do: a browser in one hand, the drawn phones in the other.

Owns the two small HTTP clients of the demo. They use the public pages and nothing else: no key that
was not handed out, no look into the database. Knows no clock.
"""

from __future__ import annotations

import http.client
import json
import re
from http.cookies import SimpleCookie
from typing import Any
from urllib.parse import urlencode, urlsplit

PATIENCE_S = 5
_CSRF = re.compile(r'name="csrfmiddlewaretoken" value="([^"]+)"')
_FORM = "application/x-www-form-urlencoded"


class StuckError(RuntimeError):
    """Something in the story did not go as it should. The message is one plain line."""


class VirtualBrowser:
    """One person's browser: keeps cookies, follows redirects, sends forms."""

    def __init__(self, base_url: str) -> None:
        parts = urlsplit(base_url)
        self.address = parts.netloc
        self.page = ""
        self._cookies: dict[str, str] = {}

    def get(self, path: str) -> str:
        """Open a page and return it."""
        return self._ask("GET", path, "", {})

    def press(self, path: str, **fields: str) -> str:
        """Send a form of the page that is open; return what comes back."""
        token = _CSRF.search(self.page)
        typed = fields | ({"csrfmiddlewaretoken": token[1]} if token else {})
        return self._ask("POST", path, urlencode(typed), {"Content-Type": _FORM})

    def _ask(self, method: str, path: str, body: str, headers: dict[str, str]) -> str:
        for _ in range(5):
            status, self.page, target = self._once(method, path, body, headers)
            if not target:
                break
            method, path, body, headers = "GET", urlsplit(target).path, "", {}
        if status not in (200, 410):
            raise StuckError(f"a page answered {status}")
        return self.page

    def _once(
        self, method: str, path: str, body: str, headers: dict[str, str]
    ) -> tuple[int, str, str]:
        connection = http.client.HTTPConnection(self.address, timeout=PATIENCE_S)
        cookies = "; ".join(f"{name}={value}" for name, value in self._cookies.items())
        try:
            connection.request(method, path, body or None, {"Cookie": cookies} | headers)
            answer = connection.getresponse()
            for line in answer.headers.get_all("Set-Cookie", []):
                self._cookies |= {m.key: m.value for m in SimpleCookie(line).values()}
            page = answer.read().decode("utf-8", "replace")
            target = answer.getheader("Location", "") if 300 <= answer.status < 400 else ""
            return answer.status, page, target
        finally:
            connection.close()


class Phones:
    """Hands and eyes on the drawn phones. ``url`` is the provider's."""

    def __init__(self, url: str) -> None:
        self.address = urlsplit(url).netloc

    def do(self, phone: str, action: str, **more: str) -> None:
        """What a hand on a phone would do: ``answer``, ``key``, ``text``, ``dead``..."""
        self._ask("POST", "/act", {"phone": phone, "action": action, **more})

    def see(self, phone: str) -> Any:
        """What a phone shows."""
        phones = self._ask("GET", "/state")["phones"]
        return next(shown for shown in phones if shown["name"] == phone)

    def texts(self, phone: str) -> list[str]:
        """The texts a phone has got, oldest first."""
        return [line["text"] for line in self.see(phone)["entries"] if line["kind"] == "text-in"]

    def rings(self, phone: str) -> bool:
        """Whether a call rings there, not yet answered."""
        call = self.see(phone)["call"]
        return call is not None and not call["answered"]

    def says(self, phone: str) -> str:
        """What the voice in an answered call says."""
        call = self.see(phone)["call"]
        return str(call["says"]) if call is not None and call["answered"] else ""

    def _ask(self, method: str, path: str, body: object = None) -> Any:
        connection = http.client.HTTPConnection(self.address, timeout=PATIENCE_S)
        try:
            connection.request(method, path, json.dumps(body), {"Content-Type": "application/json"})
            answer = connection.getresponse()
            told = json.loads(answer.read())
            if answer.status != 200:
                raise StuckError(f"the phones said: {told.get('error')}")
            return told
        finally:
            connection.close()
