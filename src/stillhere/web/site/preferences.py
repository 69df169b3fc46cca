"""How this browser prefers its pages: the language, and how bright. Cookies of a phone, not of a
person."""

from __future__ import annotations

from django import forms
from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.translation import check_for_language
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from stillhere.web.access import cookies, person_session
from stillhere.web.access.fields import Form, LanguageChoice, OurPage

LIGHTS = ("night", "day", "phone", "")  # "phone": as it likes; "": as the hour likes


def light_of(request: HttpRequest) -> str:
    """The chosen light, or "" where the page and the phone decide."""
    chosen = request.COOKIES.get(cookies.LIGHT, "")
    return chosen if chosen in LIGHTS else ""


class _Form(Form):
    """Where they were."""

    next = OurPage("person:first")


class LanguageForm(_Form):
    """The language to read."""

    lang = LanguageChoice()


class LightForm(_Form):
    """How bright; no form has another word."""

    light = forms.ChoiceField(choices=[(light, light) for light in LIGHTS], required=False)


def _age_s(request: HttpRequest) -> int | None:
    """How long a preference is kept: on somebody else's phone not beyond this evening."""
    return None if person_session.borrowed(request) else cookies.KEPT_S


@csrf_exempt  # changes only what language this browser reads
@require_POST
def language(request: HttpRequest) -> HttpResponse:
    """Read on in another language."""
    typed = LanguageForm.read(request.POST)
    response, lang = HttpResponseRedirect(typed["next"]), typed["lang"]
    if lang and check_for_language(lang):
        cookies.keep(response, settings.LANGUAGE_COOKIE_NAME, lang, _age_s(request))
    return response


@csrf_exempt  # changes only how bright this browser's pages are
@require_POST
def light(request: HttpRequest) -> HttpResponse:
    """Night, day, or as the phone likes."""
    typed = LightForm.read(request.POST)
    response = HttpResponseRedirect(typed["next"])
    if "light" in typed:
        cookies.keep(response, cookies.LIGHT, typed["light"], _age_s(request))
    return response
