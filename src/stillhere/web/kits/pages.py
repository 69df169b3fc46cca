"""Kits: what somebody carries, entered in twenty seconds, and the page behind a kit's sticker.

Owns ``/kits`` (the person's), ``/c/<key>/kits`` (a contact's), ``/r/<key>/kits`` (a volunteer's)
and ``/kit/<key>``, where the sticker leads: the steps first, then what is in it. Whoever has the
sticker's code may say what is in that kit, and learns nothing about whose it is; somebody known on
this phone may take a kit from the stock.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.shortcuts import render
from django.urls import reverse
from django.utils.dateformat import format as date_format
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_POST

from stillhere.content import reading
from stillhere.core.refusals import Refusal
from stillhere.store.db import clock
from stillhere.store.kits import kits, naloxone
from stillhere.store.models import Contact, Kit, Person, Responder, sealed_columns
from stillhere.store.people import records
from stillhere.store.problems import Problem
from stillhere.store.program import shifts
from stillhere.store.watches.circle import month
from stillhere.web.access import contact_device, person_session
from stillhere.web.access.fields import pressed
from stillhere.web.contact import on_scene
from stillhere.web.guide import help_now
from stillhere.web.kits.kit_form import KeptKitForm, KitForm, KitsFirstForm, TakerForm
from stillhere.web.site import errors, links, page_text

Keeper = Person | Contact | Responder


@dataclass(frozen=True, slots=True)
class ShownKit:
    """A kit as its keeper sees it. ``state`` is good, soon, old or used; ``row`` and ``typed`` fill
    the form that corrects it, ``wrong`` is what is wrong there."""

    id: int
    what: str
    place: str
    until: str
    state: str
    row: Kit
    typed: Mapping[str, str] = field(default_factory=dict)
    wrong: str = ""


def shown(kit: Kit, now: int) -> ShownKit:
    """One kit in words."""
    state = "used" if not kits.usable(kit) else "good" if kits.good(kit, now) else "old"
    soon = month(now + kits.WARN_DAYS * kits.DAY_MS)
    if state == "good" and kit.expires and kit.expires <= soon:
        state = "soon"
    what = on_scene.what(kit) if kit.form else _("nobody has looked into it yet")
    return ShownKit(kit.id, what, kits.place_of(kit), until(kit.expires), state, kit)


def until(expires: str) -> str:
    """A month like "2027-05" in words, or nothing."""
    return date_format(kits.last_day(expires), _("F Y")) if expires else ""


@person_session.private
@require_http_methods(["GET", "HEAD", "POST"])
def mine(request: HttpRequest, person: Person) -> HttpResponse:
    """What Sam carries, or keeps in the usual place."""
    return _page(request, person, reverse("person:watch"), nav=True, private=True)


@csrf_exempt  # the key in the address is what opens, and no cookie is asked
@require_http_methods(["GET", "HEAD", "POST"])
def contacts_own(request: HttpRequest, key: str) -> HttpResponse:
    """What somebody on a list carries."""
    contact = records.contact_by_key(key)
    if contact is None:
        return errors.unknown_key(request)
    if not contact_device.theirs(request, contact):
        return links.see_other("contact:page", key, said="prove", part="whose")
    return _page(request, contact, reverse("contact:page", args=[key]))


@csrf_exempt  # the key in the address is what opens, and no cookie is asked
@require_http_methods(["GET", "HEAD", "POST"])
def responders_own(request: HttpRequest, key: str) -> HttpResponse:
    """What a volunteer carries."""
    responder = shifts.by_key(key)
    if responder is None:
        return errors.unknown_key(request)
    return _page(request, responder, reverse("program:responder", args=[key]))


def _page(request: HttpRequest, keeper: Keeper, home: str, **more: bool) -> HttpResponse:
    wrong, status, typed = "", 200, request.POST
    if request.method == "POST":
        try:
            said, wrong = _do(keeper, pressed(request) or "add", typed)
        except Problem as problem:
            said, wrong = "", page_text.put(problem.why)
        if not wrong:
            return HttpResponseRedirect(f"{request.path}?said={said}", status=303)
        status = 422
    now = clock.now_ms()
    theirs = [shown(kit, now) for kit in kits.of(keeper)]
    changed = typed.get("kit") if wrong and typed.get("do") == "change" else None
    if any(str(each.id) == changed for each in theirs):  # said there, and not where one is added
        theirs = [
            replace(each, typed=typed, wrong=wrong) if str(each.id) == changed else each
            for each in theirs
        ]
        typed, wrong = QueryDict(), ""
    given = {
        "home": home,
        "kits": theirs,
        "forms": naloxone.FORMS.items(),
        "typed": typed,
        "wrong": wrong,
        "first": keeper.kits_first if isinstance(keeper, Person) else None,
        "note": page_text.note(request.GET.get("said", "")),
        "advice": reading.parts("kit"),
        "light": "",
        **more,
    }
    return render(request, "kits/kits.html", given, status=status)


def _do(keeper: Keeper, do: str, typed: QueryDict) -> tuple[str, str]:
    """Add one, correct one, say that one was used, is full again, or gone; returns the note to
    show, or what is wrong. Raises Problem."""
    wanted = KeptKitForm.read(typed)["kit"]
    kit = next((each for each in kits.of(keeper) if each.id == wanted), None)
    if do == "add":
        return _add(keeper, KitForm(typed))
    if do == "change":
        return _change(kit, KitForm(typed))
    if do == "first" and isinstance(keeper, Person):
        kits.prefer(keeper, KitsFirstForm.read(typed)["want"])
    elif kit is not None and do == "used":
        kits.used(kit)
    elif kit is not None and do == "gone":
        kits.drop(kit)
    return "kept", ""


def _add(keeper: Keeper, form: KitForm) -> tuple[str, str]:
    if not form.is_valid():
        return "", form.wrong[""]
    whose = {"person": None, "contact": None, "responder": None}
    kind = type(keeper).__name__.lower()
    new = kits.add_once(form.what, **(whose | {kind: keeper}))  # type: ignore[arg-type]
    return ("kept" if new else "kit-there"), ""


def _change(kit: Kit | None, form: KitForm) -> tuple[str, str]:
    if not form.is_valid():
        return "", form.wrong[""]
    if kit is None:
        raise Problem(Refusal.KIT_GONE)
    kits.change(kit, form.what)
    return "kept", ""


@csrf_exempt  # the code on the sticker is what opens, and no cookie is asked
@require_http_methods(["GET", "HEAD", "POST"])
def sticker(request: HttpRequest, key: str) -> HttpResponse:
    """Where a sticker leads. Somebody may be down: the steps come first, for this kind of kit."""
    kit = kits.by_key(key)
    if kit is None:
        refused = errors.unknown_key(request)
        return refused if refused.status_code == 429 else help_now.without_kit(request)
    if request.method != "POST":
        return _sticker(request, key, kit)
    if pressed(request) == "used":
        kits.used(kit)
    else:
        form = KitForm(request.POST)
        if not form.is_valid():
            return _sticker(request, key, kit, form.wrong[""], 422)
        kits.change(kit, replace(form.what, place=None))  # where it lies is its keeper's to say
    return links.see_other("kits:sticker", key, said="kept")


@require_POST
def take(request: HttpRequest, key: str) -> HttpResponse:
    """Somebody known on this phone carries a kit from the stock from now on."""
    kit = kits.by_key(key)
    if kit is None:
        return errors.unknown_key(request)
    keeper = _known(request).get(TakerForm.read(request.POST)["who"])
    if keeper is None:
        return _sticker(request, key, kit, page_text.put(Refusal.KIT_STRANGER), 403)
    try:
        kits.take(kit, keeper)
    except Problem as problem:
        return _sticker(request, key, kit, page_text.put(problem.why), 422)
    if isinstance(keeper, Contact):
        return links.see_other("kits:contact", sealed_columns.contact_key(keeper), said="kept")
    return links.see_other("kits:person", said="kept")


def _known(request: HttpRequest) -> dict[str, Person | Contact]:
    """Who may carry a kit on this phone, as the form names them."""
    found: dict[str, Person | Contact] = {
        f"c{each.id}": each for each in contact_device.known(request)
    }
    person = person_session.person_of(request)
    return {"me": person, **found} if person is not None and not person.trial else found


def _sticker(
    request: HttpRequest, key: str, kit: Kit, wrong: str = "", status: int = 200
) -> HttpResponse:
    known = _known(request)
    given = {
        "key": key,
        "kit": shown(kit, clock.now_ms()),
        "row": kit,
        "free": kit.person_id is kit.contact_id is kit.responder_id is None,
        "theirs": any(each in (kit.person, kit.contact) for each in known.values()),
        "takers": [(name, _for_whom(each)) for name, each in known.items()],
        "forms": naloxone.FORMS.items(),
        "typed": request.POST,
        "wrong": wrong,
        "note": page_text.note(request.GET.get("said", "")),
        "advice": reading.parts("kit"),
        "light": "",
        **help_now.given(kit.form if kits.usable(kit) else "", in_hand=True),
    }
    return render(request, "kits/kit.html", given, status=status)


def _for_whom(keeper: Person | Contact) -> str:
    """On whose list somebody is, or nothing for the person's own."""
    if isinstance(keeper, Person):
        return ""
    return page_text.someone(sealed_columns.person_note(keeper.person, "name"))
