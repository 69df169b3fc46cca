"""What a browser says it is, in two plain words: "Chrome", "Android".

Owns reading the one header. It can lie; only these words are ever kept or shown.
"""

from __future__ import annotations

from django.http import HttpRequest
from django.utils.translation import gettext as _

LONGEST = 400
# The first that is found: many call themselves by several names.
BROWSERS = (
    ("Edg", "Edge"), ("OPR/", "Opera"), ("SamsungBrowser/", "Samsung Internet"),
    ("Firefox/", "Firefox"), ("FxiOS/", "Firefox"), ("CriOS/", "Chrome"), ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
)  # fmt: skip
SYSTEMS = (
    ("KAIOS", "KaiOS"), ("Android", "Android"), ("iPhone", "iPhone"), ("iPad", "iPad"),
    ("CrOS", "Chromebook"), ("Windows", "Windows"), ("Mac OS X", "Mac"), ("Linux", "Linux"),
)  # fmt: skip


def kind_of(request: HttpRequest) -> str:
    """ "Chrome/Android"; either may be empty."""
    said = request.headers.get("User-Agent", "")[:LONGEST]
    browser, system = (
        next((name for mark, name in known if mark in said), "") for known in (BROWSERS, SYSTEMS)
    )
    return f"{browser}/{system}"


def in_words(kind: str) -> str:
    """ "Chrome on Android", as a page says it."""
    browser, _slash, system = kind.partition("/")
    if browser and system:
        return _("%(browser)s on %(system)s") % {"browser": browser, "system": system}
    return browser or system or _("A browser")
