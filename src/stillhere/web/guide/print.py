"""On paper: the card for the wallet, the leaflet, the poster, stickers for kits, the certificate.

Owns which papers there are and how many are made at once: one, in a separate process (``pdf.py``),
which is stopped if it takes too long. The result is kept for the next person who wants it.
"""

from __future__ import annotations

import logging
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

import segno
from django.conf import settings
from django.core import signing
from django.db import Error
from django.http import Http404, HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.utils import translation
from django.utils.dateformat import format as date_format
from django.utils.safestring import mark_safe
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST, require_safe

from stillhere import programs
from stillhere.content import helplines, reading, sentences, steps
from stillhere.store.db import clock
from stillhere.store.kits import kits
from stillhere.store.models import Kit
from stillhere.store.people.clean_text import LONGEST_NAME, readable
from stillhere.web.access import rate_limit
from stillhere.web.access.fields import Form, Words
from stillhere.web.access.slow_work import PDFS, RETRY_S, SHEETS, TooBusyError
from stillhere.web.site import errors, links

log = logging.getLogger("stillhere.web")

PAPERS = ("wallet", "leaflet", "poster")
TAKES_S = 30
PASSED_S = 24 * 3600
# What stands on a card: the shortest way through the steps.
CARD = ("look", "call", "airway", "kit", "breathe", "press", "side", "stay")
# How printed.py ends where no font has a letter, and where it cannot print at all. Its library
# stays out of here.
LACKS, NOT_SET_UP = 3, 4
INSTALL = "sudo apt-get install libpango-1.0-0 libpangoft2-1.0-0 fonts-noto-core"
LETTER = ("US", "CA")  # where printers hold Letter; A4 elsewhere


@dataclass(frozen=True, slots=True)
class PrintedStep:
    """A step as paper says it: what stands before it, what to do, what follows from it."""

    id: str
    draw: str
    before: str
    said: str
    after: str
    quiet: str


@require_safe
def show(request: HttpRequest, name: str) -> HttpResponse:
    """One of the papers, in the reader's language."""
    if name not in PAPERS:
        raise Http404
    lang = sentences.language()
    return _answer(_made(_html(f"guide/paper/{name}.html", lang)), name)


class CertificateForm(Form):
    """The name to print, and the proof that the questions were answered."""

    passed, name = Words(), Words()


@csrf_exempt  # nothing is kept
@require_POST
def certificate(request: HttpRequest) -> HttpResponse:
    """For anyone who has answered the questions. The name is printed and not stored."""
    form = CertificateForm.read(request.POST)
    if not _passed(form["passed"]):
        return links.see_other("guide:lesson")
    if rate_limit.PAPERS.missed(rate_limit.network_of(request)):
        return errors.too_many()
    name = " ".join(readable(form["name"]).split())[:LONGEST_NAME]
    lang, given = sentences.language(), {"name": name, "day": _today(), "by_hand": ""}
    try:
        made = _print(_html("guide/paper/certificate.html", lang, **given), every_letter=True)
    except LookupError:
        given |= {"name": "", "by_hand": "yes"}
        made = _print(_html("guide/paper/certificate.html", lang, **given))
    return _answer(made, "certificate")


def _today() -> str:
    """The day in words, or nothing where we cannot tell."""
    try:
        now_ms = clock.now_ms()
    except Error:
        return ""
    return str(date_format(datetime.fromtimestamp(now_ms / 1000, UTC).date(), _("F j, Y")))


def _passed(typed: str) -> bool:
    try:
        return bool(signing.loads(typed, salt="learnt", max_age=PASSED_S) == "all six")
    except signing.BadSignature:
        return False


def stickers(made: Sequence[Kit]) -> HttpResponse:
    """A sheet with one code per kit."""
    with SHEETS.turn():
        codes = [(kit.id, qr(links.full("kits:sticker", kits.key_of(kit)))) for kit in made]
    lang = sentences.language()
    return _answer(_print(_html("guide/paper/stickers.html", lang, codes=codes)), "stickers")


def qr(url: str) -> str:
    """A code as a drawing that stands in a page."""
    code = segno.make(url, error="m", micro=False)
    return mark_safe(code.svg_inline(border=2, omitsize=True))  # noqa: S308  segno's own drawing


def able() -> bool:
    """Whether this machine can print at all; it may be too busy to say so now."""
    return _print("<p>Lamp</p>") != b""


def _html(template: str, lang: str, **more: Any) -> str:
    """A paper's page. Everything on it is contained in it."""
    with translation.override(lang):
        here = settings.STILLHERE.country
        given = {
            "lang": lang,
            "sheet": "letter" if here in LETTER else "A4",
            "number": helplines.emergency_in(here),
            "steps": _steps(lang),
            "cards": [(code, _steps(code)) for code in settings.SPOKEN],
            "never": steps.never(),
            "parts": reading.parts("learn"),
            "signed": steps.signature(),
            "program": settings.STILLHERE.program,
            "help_now": links.full("guide:help_now"),
            "drawn": qr(links.full("guide:help_now")),
            "emergency": helplines.emergency(),
        }
        return render_to_string(template, given | more)


def _steps(lang: str) -> list[PrintedStep]:
    """The shortest way through, in a language."""
    notes = steps.reading()["paper"]
    chosen = steps.known()["choose"].get("not_breathing")

    def note(id: str, where: str) -> str:
        rows = [row for row in notes if (row["step"], row["where"]) == (id, where)]
        fits = [row for row in rows if row.get("choice", chosen) == chosen]
        return " ".join(sentences.said_in(row["says"], lang) for row in fits)

    with translation.override(lang):
        by_id = {screen.id: screen for screen in steps.screens()}
    return [
        PrintedStep(id, step.draw, note(id, "before"), step.said, note(id, "after"), step.quiet)
        for id, step in ((id, by_id[id]) for id in CARD)
    ]


@lru_cache(maxsize=16)
def _made(html: str) -> bytes | None:
    return _print(html)


def _print(html: str, *, every_letter: bool = False) -> bytes | None:
    """The PDF; None if it could not be made now; empty if this machine cannot print. Raises
    LookupError if no font has one of its letters and ``every_letter`` is requested."""
    try:
        with PDFS.turn():
            return _printed(html, every_letter=every_letter)
    except TooBusyError:
        return None


def _printed(html: str, *, every_letter: bool) -> bytes | None:
    try:
        command = [sys.executable, "-m", "stillhere.web.guide.pdf"]
        made = subprocess.run(
            command,
            env=programs.environment(),
            input=html.encode(),
            capture_output=True,
            timeout=TAKES_S,
            check=False,
        )
        if made.returncode == NOT_SET_UP:
            log.warning("no paper: this machine lacks Pango")
            return b""
        if made.returncode != LACKS:
            made.check_returncode()
        elif every_letter:
            raise LookupError
        return made.stdout or None
    except subprocess.CalledProcessError as failed:
        log.warning("no paper: %s", failed.stderr.decode("utf-8", "replace").splitlines()[-1:])
    except (OSError, subprocess.SubprocessError) as failed:
        log.warning("no paper: %s", type(failed).__name__)
    return None


def _answer(made: bytes | None, name: str) -> HttpResponse:
    if not made:
        _made.cache_clear()  # it may be set up by and by
    if made == b"":
        says = _("Whoever runs this can set it up. Until then, print the page /learn.")
        return errors.trouble(501, _("Printing is not set up here"), says)
    if made is None:
        says = _("This machine could not print it now. Try again in a minute, or print /learn.")
        response = errors.trouble(503, _("No paper now"), says)
        response["Retry-After"] = str(RETRY_S)
        return response
    response = HttpResponse(made, content_type="application/pdf")
    response["Content-Disposition"] = f'inline; filename="lamp-{name}.pdf"'
    return response
