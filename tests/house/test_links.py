"""Every address that a page or a script of ours names leads somewhere, and stays with us."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from django.urls import Resolver404, resolve

WEB = Path(__file__).resolve().parent.parent.parent / "src/stillhere/web"
PAGES = sorted((WEB / "templates").rglob("*.html"))
LINK = re.compile(r'\b(?:href|action|src)="([^"]*)"')
VALUE = re.compile(r"\{\{.*?\}\}")
# The fast lane stands in front of Django and answers these itself.
FAST = re.compile(r"/k/x")


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.name)
def test_every_link_of_a_page_leads_somewhere(page: Path) -> None:
    for link in LINK.findall(page.read_text()):
        address = VALUE.sub("x", link).partition("#")[0].partition("?")[0]
        if not address.startswith("/") or "{%" in address or FAST.fullmatch(address):
            continue
        try:
            resolve(address)
        except Resolver404:
            pytest.fail(f"{link} leads nowhere")


def test_no_page_asks_another_site_for_anything() -> None:
    texts = [file for file in (WEB / "static").rglob("*.*") if file.suffix not in (".wav", ".png")]
    for page in [*PAGES, *texts]:
        asked = re.findall(
            r"""(?:src=|url\(|@import|fetch\()\s*["']?(?:https?:)?//""", page.read_text()
        )
        assert asked == [], page
