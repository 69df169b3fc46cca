"""The desk's second page: kits in stock, stickers for them, and warnings about the supply.

Opened by the desk's key. Files come in and go out as CSV; nobody's name is in them.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Mapping
from datetime import UTC, datetime

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.utils.feedgenerator import Atom1Feed
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from stillhere.store import clock, kits, supply, upkeep
from stillhere.store import desk as kept
from stillhere.store.circle import month
from stillhere.store.services import Problem
from stillhere.store.supply import Found
from stillhere.web import coming, errors, kit, paper, words

COLUMNS = ("kit", "form", "doses", "expires", "lot", "used", "volunteer")
DAYS = (7, 14, 30, 90)


@csrf_exempt  # the key in the address is what opens, and no cookie is asked
@require_http_methods(["GET", "HEAD", "POST"])
def page(request: HttpRequest, key: str) -> HttpResponse:
    """What there is, and the forms that change it. What is wrong is said, nothing typed is lost."""
    if not kept.opens(key):
        return errors.unknown_key(request)
    wrong, status = "", 200
    if request.method == "POST":
        try:
            said = _WORK.get(request.POST.get("do", ""), _nothing)(request)
            return HttpResponseRedirect(f"/desk/{key}/stock?said={said}", status=303)
        except Problem as problem:
            wrong, status = _put(str(problem)), 422
    now = clock.now_ms()
    given = {
        "key": key,
        "counts": [(coming.FORMS.get(c.form, "?"), kit.until(c.expires), c) for c in kits.counts()],
        "soon": month(now + kits.WARN_DAYS * kits.DAY_MS),
        "forms": coming.FORMS.items(),
        "learnt": upkeep.learnt(),
        "warnings": supply.current(now),
        "days": DAYS,
        "typed": request.POST,
        "wrong": wrong,
        "most": kits.MOST_STICKERS,
        "note": words.note(request.GET.get("said", "")),
        "light": "",
    }
    return render(request, "stock.html", given, status=status)


def _put(why: str) -> str:
    """A problem in the reader's words; one of a row keeps the row's number."""
    row, colon, rest = why.partition(": ")
    if colon and row.startswith("row "):
        return _("Row %(n)s:") % {"n": row[4:]} + " " + words.put(rest)
    return words.put(why)


def _nothing(_request: HttpRequest) -> str:
    return ""


def _add(request: HttpRequest) -> str:
    kits.add(kits.inside(request.POST))
    return "kept"


def _take_in(request: HttpRequest) -> str:
    kits.take_in(_rows(_file(request)))
    return "kept"


def _warn(request: HttpRequest) -> str:
    typed = request.POST
    days = typed.get("days", "")
    whole = int(days) if days.isascii() and days.isdigit() and len(days) < 4 else 0
    area, text, source, day = (typed.get(n, "") for n in ("area", "text", "source", "found_on"))
    found = Found("", area, text, source, day, whole)
    return "kept" if supply.post([found]) else "known"


def _warn_file(request: HttpRequest) -> str:
    name = getattr(request.FILES.get("file"), "name", "") or ""
    supply.post(
        supply.read_file(name, _file(request), request.POST.get("source", ""), clock.now_ms())
    )
    return "kept"


def _take_back(request: HttpRequest) -> str:
    typed = request.POST.get("warning", "")
    if typed.isascii() and typed.isdigit() and len(typed) < 16:
        supply.take_back(int(typed))
    return "removed"


_WORK: Mapping[str, Callable[[HttpRequest], str]] = {
    "kit": _add, "kits": _take_in, "warn": _warn, "warn-file": _warn_file, "back": _take_back,
}  # fmt: skip


def _file(request: HttpRequest) -> bytes:
    file = request.FILES.get("file")
    if file is None or isinstance(file, list):
        raise Problem("choose a file first")
    return bytes(file.read())


def _rows(body: bytes) -> list[dict[str, str]]:
    """A file of kits. Raises Problem."""
    try:
        text = body.decode("utf-8-sig")
        rows = list(csv.DictReader(io.StringIO(text)))
    except UnicodeDecodeError:
        raise Problem("the file is no text in UTF-8") from None
    except csv.Error:
        raise Problem("the file is neither CSV nor JSON that we can read") from None
    plain = [{str(k).strip().lower(): v or "" for k, v in row.items() if k} for row in rows]
    if not plain or not {"form", "doses"} <= plain[0].keys():
        raise Problem("the file needs columns form, doses, expires")
    return plain


@require_safe
def csv_out(request: HttpRequest, key: str) -> HttpResponse:
    """The programme's kits as a file, which comes in again the same way."""
    if not kept.opens(key):
        return errors.unknown_key(request)
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(COLUMNS)
    for each in kits.stock():
        volunteer = "yes" if each.responder_id else ""
        told = (kits.key_of(each), each.form, each.doses, each.expires, each.lot)
        row = (*told, "yes" if each.used_at else "", volunteer)
        writer.writerow([_no_formula(str(value)) for value in row])
    response = HttpResponse(out.getvalue(), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = 'attachment; filename="lamp-kits.csv"'
    return response


def _no_formula(cell: str) -> str:
    """A cell that a spreadsheet would take for a formula becomes text."""
    return f"'{cell}" if cell[:1] in ("=", "+", "-", "@", "\t") else cell


@csrf_exempt  # the key in the address is what opens, and no cookie is asked
@require_POST
def stickers(request: HttpRequest, key: str) -> HttpResponse:
    """A sheet of stickers for kits that are then looked into, one scan each."""
    if not kept.opens(key):
        return errors.unknown_key(request)
    typed = request.POST.get("many", "")
    try:
        made = kits.stickers(int(typed) if typed.isascii() and typed.isdigit() else 0)
    except Problem as problem:
        return errors.trouble(422, _("No paper now"), words.put(str(problem)))
    return paper.stickers(made)


@require_safe
def atom(_request: HttpRequest) -> HttpResponse:
    """The warnings as a feed, for other programmes and for newsreaders."""
    base = settings.STILLHERE.base_url
    feed = Atom1Feed(
        title=_("Warnings: %(program)s") % {"program": settings.STILLHERE.program or base},
        link=f"{base}/before",
        description="",
        feed_url=f"{base}/warnings.atom",
    )
    for each in supply.current(clock.now_ms()):
        at = datetime.fromtimestamp(each.created_at / 1000, UTC)
        feed.add_item(
            title=f"{each.area}, {each.found_on}",
            link=f"{base}/before#warnings",
            description=each.text,
            unique_id=f"{base}/before#w{each.id}",
            pubdate=at,
            updateddate=at,
            categories=[each.area],
            author_name=each.source or base,
        )
    return HttpResponse(feed.writeString("utf-8"), content_type="application/atom+xml")
