"""A page as PDF: a process of its own, so that neither its memory nor its time is the server's.

``python -m stillhere.web.printed`` reads HTML from standard input and writes a PDF to its output.
Nothing is ever fetched: what a page needs stands in it.
"""

from __future__ import annotations

import sys

from weasyprint import HTML
from weasyprint.urls import URLFetcher


class Nothing(URLFetcher):  # type: ignore[misc]  # the library has no types
    """Fetches nothing, from nowhere."""

    def fetch(self, url: str, headers: object = None) -> object:
        raise ValueError(f"not fetched: {url[:80]}")


def main() -> None:
    """One document."""
    html = sys.stdin.buffer.read().decode("utf-8")
    made = HTML(string=html, url_fetcher=Nothing()).write_pdf()
    sys.stdout.buffer.write(made)


if __name__ == "__main__":
    main()
