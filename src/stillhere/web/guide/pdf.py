"""A page as PDF, built in a separate process, so that neither its memory nor its time is the
server's.

``python -m stillhere.web.guide.pdf`` reads HTML from standard input and writes a PDF to its output.
Nothing is ever fetched: everything a page needs is in it. It exits with LACKS if no font has one of
the letters: the document is made all the same, with a box in its place; and with NOT_SET_UP if this
machine lacks the libraries that draw letters.
"""

from __future__ import annotations

import logging
import os
import sys

LACKS = 3
NOT_SET_UP = 4
if __name__ == "__main__":
    os.nice(5)  # a check-in goes first

try:
    from weasyprint import HTML
    from weasyprint.urls import URLFetcher
except OSError:  # Pango is no Python package
    sys.exit(NOT_SET_UP)

LACKING = ".notdef glyph"  # how the library begins to say so


class Nothing(URLFetcher):  # type: ignore[misc]  # the library has no types
    """Fetches nothing, from nowhere."""

    def fetch(self, url: str, headers: object = None) -> object:
        raise ValueError(f"not fetched: {url[:80]}")


class Listener(logging.Handler):
    """Notices a missing letter."""

    lacking = False

    def emit(self, record: logging.LogRecord) -> None:
        self.lacking = self.lacking or record.getMessage().startswith(LACKING)


def main() -> None:
    """One document."""
    listener = Listener()
    logging.getLogger("weasyprint").addHandler(listener)
    html = sys.stdin.buffer.read().decode("utf-8")
    made = HTML(string=html, url_fetcher=Nothing()).write_pdf()
    sys.stdout.buffer.write(made)
    sys.exit(LACKS if listener.lacking else 0)


if __name__ == "__main__":
    main()
