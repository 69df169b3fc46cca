"""Someone is down in front of a stranger: the walk-through, without plan, account or database.

Owns ``/help-now``, and ``/steps``, which says where the words are from. Asks nothing and stores
nothing.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_safe

from stillhere.content import helplines, sentences
from stillhere.content import steps as walk
from stillhere.web.guide import speech
from stillhere.web.site.context import without_request

# What the holder of a phone did, as their own page says it.
DEEDS = {
    "found": gettext_lazy("Tried to wake them: no answer"),
    "called": gettext_lazy("Called for an ambulance"),
    "dose": gettext_lazy("Gave a dose of naloxone"),
    "no-dose": gettext_lazy("The last dose was not given after all"),
    "breaths": gettext_lazy("Began to give breaths"),
    "presses": gettext_lazy("Began to press the chest"),
    "breathing": gettext_lazy("They breathe"),
    "crew": gettext_lazy("Help is there"),
}


def given(form: str = "", tz: str = "", *, in_hand: bool = False) -> dict[str, Any]:
    """What the screens need, wherever they are shown. ``form`` is the naloxone known to be there,
    or ``in_hand``; ``tz`` says which emergency number counts, where that is known."""
    country, lang = helplines.country(tz), sentences.language()
    screens, steps = _steps(walk.known()["sha256"], lang, form, in_hand)
    signed, law = walk.signature(), walk.law(country or settings.STILLHERE.country)
    emergency = helplines.emergency_at(tz) if tz else helplines.emergency()
    return {
        # What the screens of a page with a script are made from, unless the page says more.
        "screens_key": repr((lang, form, in_hand, signed, law, emergency, walk.known()["sha256"])),
        "screens": screens,
        "steps": steps,
        "never": walk.never(),
        "signed": signed,
        "law": law,
        "emergency": emergency,
        "says_aloud": speech.able(),
        "deed_names": list(DEEDS.items()),
    }


Steps = tuple[tuple[walk.Screen, str], ...]


@lru_cache(maxsize=64)
def _steps(
    _words: str, _lang: str, form: str, in_hand: bool
) -> tuple[tuple[walk.Screen, ...], Steps]:
    """The screens, and each with its answers for use with a script: the same for everybody, until
    other ``_words`` are shown. Made anew they take a third of a page with the steps."""
    screens = tuple(walk.screens(form, in_hand=in_hand))
    return screens, tuple((screen, _buttons(screen)) for screen in screens)


def _buttons(screen: walk.Screen) -> str:
    return render_to_string("guide/parts/answers.html", {"screen": screen})


@require_safe
def show(request: HttpRequest) -> HttpResponse:
    """The page. It is built without the context processor, which looks at the database."""
    return HttpResponse(
        without_request("guide/help_now.html", {"request": request, "opens": True, **given()})
    )


def without_kit(request: HttpRequest) -> HttpResponse:
    """The same for a sticker that we do not know: somebody may be down all the same."""
    note = _("We do not know this sticker any more. The steps are the same.")
    told = {"request": request, "opens": True, "note": note, **given()}
    return HttpResponse(without_request("guide/help_now.html", told), status=404)


@require_safe
def steps(request: HttpRequest) -> HttpResponse:
    """Every word of it, with where it is from and who signed it: for whoever wants to check."""
    told = {
        "request": request,
        "rows": [_row(screen) for screen in walk.screens()],
        "signed": walk.signature(),
        "choose": walk.known()["choose"],
    }
    return HttpResponse(without_request("guide/steps.html", told))


@require_safe
def sources(request: HttpRequest) -> HttpResponse:
    """Where every medical fact of ours is from."""
    rows = [{"name": name, **row} for name, row in walk.sources().items()]
    return HttpResponse(
        without_request("guide/sources.html", {"request": request, "sources": rows})
    )


def _row(screen: walk.Screen) -> dict[str, Any]:
    row = next(r for r in walk.known()["screen"] if r["id"] == screen.id)
    rows = walk.sources()
    return {
        "screen": screen,
        "note": row.get("note", ""),
        "sources": [rows[name] for name in row["sources"]],
    }


@require_safe
def said(request: HttpRequest, screen: str) -> HttpResponse:
    """A screen read aloud, for a browser that has no voice of its own."""
    words = next((s.says for s in walk.screens() if s.id == screen), "")
    sound = speech.sound(words, sentences.language()) if words else None
    if sound is None:
        raise Http404
    headers = {"Cache-Control": "public, max-age=86400", "Vary": "Cookie, Accept-Language"}
    return HttpResponse(sound, content_type="audio/wav", headers=headers)
