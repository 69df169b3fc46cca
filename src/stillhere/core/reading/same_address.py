"""When two spellings of an address are one: what is counted and looked up, never what is sent to.

Owns that one form. A no, a budget and "is already on the list" must not depend on capitals, on a
tag in a mail address, or on which of several addresses of one topic somebody types.
"""

from __future__ import annotations

import re
import unicodedata

_ESCAPED = re.compile(rb"%([0-9A-Fa-f]{2})")
_PORT = re.compile(r":\d{1,5}$")
_ALSO_CALLED = {"toot": "mastodon", "webex": "wxteam", "simplepush": "spush"}
_NTFY = "ntfy"  # where the topic alone is an address, at the app's own server


def plain(channel: str, value: str) -> str:
    """The one form of a normalized address of this channel."""
    if channel == "email":
        return _mailbox(value)
    return _chat(value) if channel == "chat" else value


def _mailbox(value: str) -> str:
    local, at, domain = unicodedata.normalize("NFKC", value).casefold().rpartition("@")
    return f"{local[:1]}{local[1:].partition('+')[0]}{at}{domain}"


def _chat(url: str) -> str:
    """Service, host and topic: not how it is encrypted, nor how loud it is, nor who sends."""
    schema, separator, rest = url.partition("://")
    if not separator:
        return url
    service = schema.lower().removesuffix("s")
    service = _ALSO_CALLED.get(service, service)
    parts = [part for part in _unescaped(rest.partition("?")[0]).split("/") if part]
    if service == _NTFY and parts:
        parts[0] = parts[0].rpartition("@")[2]
        if len(parts) == 1:
            parts.insert(0, "ntfy.sh")
    if parts and "." in parts[0]:  # a host; anything else may be a key, whose capitals count
        user, at, host = parts[0].rpartition("@")
        parts[0] = f"{user}{at}{_PORT.sub('', host).lower()}"
    return f"{service}://{'/'.join(parts)}"


def _unescaped(part: str) -> str:
    """What ``%41`` and its like stand for (RFC 3986, 2.1)."""
    plain = _ESCAPED.sub(lambda found: bytes([int(found[1], 16)]), part.encode())
    return plain.decode(errors="replace")
