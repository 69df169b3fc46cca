"""The desk's second page: kits in stock, stickers for them, and warnings about the supply.

Opened by the desk's key. Files are imported and exported as CSV; nobody's name is in them.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from django.conf import settings
from django.core import signing
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.utils.feedgenerator import Atom1Feed
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from stillhere.core.refusals import Refusal
from stillhere.store.db import clock
from stillhere.store.installation import upkeep
from stillhere.store.kits import kit_files, kits, lab_files, naloxone, spreadsheet, supply_warnings
from stillhere.store.kits.spreadsheet import UnknownColumns
from stillhere.store.kits.supply_warnings import WarningImport
from stillhere.store.models import SupplyWarning
from stillhere.store.problems import Problem
from stillhere.store.watches.circle import month
from stillhere.web.access import desk_session
from stillhere.web.access.fields import pressed
from stillhere.web.access.slow_work import SHEETS
from stillhere.web.guide import print
from stillhere.web.kits import pages
from stillhere.web.kits.kit_form import KitForm
from stillhere.web.program.list_page import PageTurner
from stillhere.web.program.program_forms import (
    StickersForm,
    TakeBackWarningForm,
    UploadForm,
    WarningForm,
)
from stillhere.web.site import errors, links, page_text

COLUMNS = ("kit", "form", "doses", "expires", "lot", "used", "volunteer")
DAYS = (7, 14, 30, 90)
LISTS = ("kinds", "warnings")
MOST_ENTRIES = 200  # of our feed
MOST_ROWS = 10  # that are named
MOST_COLUMNS = 12
LEFT = {
    "known": gettext_lazy("Known already: %(n)s."),
    "old": gettext_lazy("Left out, older than 60 days: %(n)s."),
    "plain": gettext_lazy("Left out, nothing in it that surprises: %(n)s."),
    "unsaid": gettext_lazy("Left out, no day, place or finding that we can read: %(n)s."),
    "ahead": gettext_lazy("Left out, with a day to come: %(n)s."),
    "full": gettext_lazy("Left out, there is no room and newer ones stay: %(n)s."),
}
NAMED = ("unsaid", "ahead")  # with their rows: somebody can mend them
_IRI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:\S+")


@require_http_methods(["GET", "HEAD", "POST"])
@desk_session.at_the_desk
def page(request: HttpRequest) -> HttpResponse:
    """What there is, and the forms that change it. What is wrong is said, and nothing that was
    typed is lost."""
    wrong, status = "", 200
    turner = PageTurner("program:stock", request.GET, LISTS)
    if request.method == "POST":
        try:
            said, wrong = _WORK.get(pressed(request), _nothing)(request)
        except Problem as problem:
            said, wrong = "", _put(problem)
        if not wrong:
            turned = turner.query.replace("?", "&")
            return HttpResponseRedirect(f"{request.path}?{said}{turned}", status=303)
        status = 422
    now = clock.now_ms()
    counted = turner.page("kinds", kits.counts())
    given = {
        "counts": [
            (naloxone.FORMS.get(c.form, "?"), pages.until(c.expires), c) for c in counted.rows
        ],
        "count_page": counted,
        "soon": month(now + kits.WARN_DAYS * kits.DAY_MS),
        "forms": naloxone.FORMS.items(),
        "learnt": upkeep.learnt(),
        "warnings": turner.page_of_query("warnings", supply_warnings.holding(now)),
        "days": DAYS,
        "typed": request.POST,
        "wrong": wrong,
        "most": kits.MOST_STICKERS,
        "note": page_text.note(request.GET.get("said", "")),
        "report": _warnings_report(request) or _kits_report(request),
        "light": "",
    }
    return render(request, "program/stock.html", given, status=status)


def _told(taken: WarningImport) -> str:
    """The result of importing a file, signed so that it can travel in the address."""
    left = {kind: (len(rows), rows[:MOST_ROWS]) for kind, rows in taken.left.items()}
    return _signed("taken", (taken.new, taken.ended, left))


def _signed(name: str, counted: object) -> str:
    """What an import counted, as a part of the address that is good for this report alone."""
    return f"{name}={signing.dumps(counted, salt=name)}"


def _counted(request: HttpRequest, name: str) -> Any:
    """The same again; None where it does not stand there or is not of ours."""
    try:
        return signing.loads(request.GET.get(name, ""), salt=name)
    except signing.BadSignature:
        return None


def _warnings_report(request: HttpRequest) -> list[str]:
    """What ``_told`` counted in sentences, or nothing."""
    counted = _counted(request, "taken")
    if counted is None:
        return []
    new, ended, left = counted
    says = [_("Taken in: %(n)s.") % {"n": new}]
    for kind, (many, rows) in left.items():
        named = ", ".join(map(str, rows)) + (", …" if many > len(rows) else "")
        count = _("%(n)s (rows %(rows)s)") % {"n": many, "rows": named} if kind in NAMED else many
        says.append(str(LEFT[kind]) % {"n": count})
    if ended:
        says.append(_("Older ones that ended to make room: %(n)s.") % {"n": ended})
    return says


def _kits_report(request: HttpRequest) -> list[str]:
    counted = _counted(request, "kits")
    if counted is None:
        return []
    says = (
        _("Kits added: %(n)s."),
        _("Kits changed: %(n)s."),
        _("Kits as they were: %(n)s."),
        _("Not in stock any more, left alone: %(n)s."),
        _("Left out: %(n)s."),
    )
    *many, left, rows = counted
    told = [line % {"n": n} for line, n in zip(says, [*many, left], strict=True) if n]
    return told + [_row(row, Refusal(why)) for row, why in rows]


def _row(row: int, why: Refusal) -> str:
    return _("Row %(n)s:") % {"n": row} + " " + page_text.put(why)


def _put(problem: Problem) -> str:
    """A problem in the reader's words; one about a row keeps the row's number, one about columns
    says which there are, which are needed, and which of them may be meant."""
    if isinstance(problem, UnknownColumns):
        return " ".join(_columns(problem))
    return _row(problem.row, problem.why) if problem.row else page_text.put(problem.why)


def _columns(problem: UnknownColumns) -> Iterator[str]:
    found = ", ".join(f"“{name}”" for name in problem.found[:MOST_COLUMNS])
    more = ", …" if len(problem.found) > MOST_COLUMNS else ""
    yield _("The file has the columns %(found)s.") % {"found": found + more}
    for known in problem.wanted:
        first, *others = known
        if others:
            yield _("It needs one of these: %(known)s.") % {"known": ", ".join(known)}
        else:
            yield _("It needs the column %(known)s.") % {"known": first}
    for name, ours in problem.nearest.items():
        yield _("Is “%(theirs)s” what we call %(ours)s? Then rename it.") % {
            "theirs": name, "ours": ours,
        }  # fmt: skip


Done = tuple[str, str]  # what the address then says, or what is wrong


def _nothing(_request: HttpRequest) -> Done:
    return "said=", ""


def _add(request: HttpRequest) -> Done:
    form = KitForm(request.POST)
    if not form.is_valid():
        return "", form.wrong[""]
    return ("said=kept" if kits.add_once(form.what) else "said=kit-there"), ""


def _take_in(request: HttpRequest) -> Done:
    form = UploadForm(request.POST, request.FILES)
    if not form.is_valid():
        return "", form.wrong["file"]
    with SHEETS.turn():
        rows = spreadsheet.rows(form.cleaned_data["file"].read())
    taken = kit_files.take_in(rows)
    counted = [taken.added, taken.changed, taken.same, taken.gone, len(taken.left)]
    named = [(row, str(why)) for row, why in taken.left[:MOST_ROWS]]
    return _signed("kits", [*counted, named]), ""


def _warn(request: HttpRequest) -> Done:
    form = WarningForm(request.POST)
    if not form.is_valid():
        return "", form.wrong["source"]
    return ("said=kept" if supply_warnings.post(form.reported) else "said=stands"), ""


def _warn_file(request: HttpRequest) -> Done:
    form = UploadForm(request.POST, request.FILES)
    if not form.is_valid():
        return "", form.wrong["file"]
    file, source = form.cleaned_data["file"], form.cleaned_data["source"]
    return _told(lab_files.take_file(file.name or "", file.read(), source)), ""


def _take_back(request: HttpRequest) -> Done:
    warning = TakeBackWarningForm.read(request.POST)["warning"]
    gone = warning is not None and supply_warnings.take_back(warning)
    return ("said=taken-back" if gone else "said="), ""


_WORK: Mapping[str, Callable[[HttpRequest], Done]] = {
    "kit": _add, "kits": _take_in, "warn": _warn, "warn-file": _warn_file, "back": _take_back,
}  # fmt: skip


@require_safe
@desk_session.at_the_desk
def csv_out(request: HttpRequest) -> HttpResponse:
    """The program's kits as a file, which can be imported again in the same form."""
    rows = [
        (kits.key_of(each), each.form, each.doses, each.expires, each.lot,
         "yes" if each.used_at else "", "yes" if each.responder_id else "")
        for each in kits.stock()
    ]  # fmt: skip
    out = spreadsheet.written(COLUMNS, rows)
    response = HttpResponse(out, content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = 'attachment; filename="lamp-kits.csv"'
    return response


@require_POST
@desk_session.at_the_desk
def stickers(request: HttpRequest) -> HttpResponse:
    """A sheet of stickers for kits whose contents are then entered, one scan each."""
    try:
        made = kits.stickers(StickersForm.read(request.POST)["many"] or 0)
    except Problem as problem:
        return errors.trouble(422, _("No paper now"), page_text.put(problem.why))
    return print.stickers(made)


@require_safe
def atom(_request: HttpRequest) -> HttpResponse:
    """The warnings as a feed, for other programmes and for newsreaders."""
    base = settings.STILLHERE.base_url
    feed = Atom1Feed(
        title=_("Warnings: %(program)s") % {"program": settings.STILLHERE.program or base},
        link=links.full("guide:before"),
        description="",
        feed_url=links.full("program:warnings_feed"),
    )
    for each in supply_warnings.holding(clock.now_ms())[:MOST_ENTRIES]:
        feed.add_item(**_entry(each, base))
    return HttpResponse(
        feed.writeString("utf-8"), content_type="application/atom+xml; charset=utf-8"
    )


def _entry(warning: SupplyWarning, base: str) -> dict[str, Any]:
    """One warning as others read it. It keeps the name its first source gave it, so that it is
    recognized when it comes back by another way."""
    ref, before = str(warning.ref), links.full("guide:before")
    own = f"{before}#w{hashlib.sha256(ref.encode()).hexdigest()[:16]}"
    return {
        "title": f"{warning.area}, {warning.found_on}",
        "link": f"{before}#warnings",
        "description": warning.text,
        "unique_id": ref if _IRI.fullmatch(ref) else own,
        "pubdate": datetime.fromisoformat(warning.found_on).replace(tzinfo=UTC),
        "updateddate": datetime.fromtimestamp(warning.created_at / 1000, UTC),
        "categories": [warning.area],
        "author_name": warning.source or base,
    }
