"""How this browser prefers its pages: the language, and how bright. Cookies of a phone, not of a
person."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import check_for_language
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from stillhere.web.access import cookies, person_session

LIGHTS = ("night", "day", "phone", "")  # "phone": as it likes; "": as the hour likes


def light_of(request: HttpRequest) -> str:
    """The chosen light, or "" where the page and the phone decide."""
    chosen = request.COOKIES.get(cookies.LIGHT, "")
    return chosen if chosen in LIGHTS else ""


def _back(request: HttpRequest) -> HttpResponse:
    first = reverse("person:first")
    back = request.POST.get("next", first)
    ours = back.startswith("/") and url_has_allowed_host_and_scheme(back, None)
    return HttpResponseRedirect(back if ours else first)


def _age_s(request: HttpRequest) -> int | None:
    """How long a preference is kept: on somebody else's phone not beyond this evening."""
    return None if person_session.borrowed(request) else cookies.KEPT_S


@csrf_exempt  # changes only what language this browser reads
@require_POST
def language(request: HttpRequest) -> HttpResponse:
    """Read on in another language."""
    response = _back(request)
    lang = request.POST.get("lang", "")
    if lang in dict(settings.LANGUAGES) and check_for_language(lang):
        cookies.keep(response, settings.LANGUAGE_COOKIE_NAME, lang, _age_s(request))
    return response


@csrf_exempt  # changes only how bright this browser's pages are
@require_POST
def light(request: HttpRequest) -> HttpResponse:
    """Night, day, or as the phone likes."""
    response = _back(request)
    wanted = request.POST.get("light", "")
    if wanted in LIGHTS:
        cookies.keep(response, cookies.LIGHT, wanted, _age_s(request))
    return response
