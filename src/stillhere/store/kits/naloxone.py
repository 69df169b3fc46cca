"""The kinds of naloxone, by form and strength, and what their boxes are called.

Owns the one table of them. A nasal spray of unknown strength is recorded as just that.
"""

from __future__ import annotations

from django.utils.translation import gettext_lazy

FORMS = {
    "nasal-4": gettext_lazy("nose spray 4 mg (Narcan)"),
    "nasal-3": gettext_lazy("nose spray 3 mg (RiVive)"),
    "nasal-8": gettext_lazy("nose spray 8 mg (Kloxxado)"),
    "nyxoid": gettext_lazy("nose spray 1.8 mg (Nyxoid)"),
    "nasal": gettext_lazy("nose spray"),
    "injection": gettext_lazy("bottle and syringe"),
    "prenoxad": gettext_lazy("filled syringe (Prenoxad)"),
    "other": gettext_lazy("another kind"),
}
_CALLED = {"narcan": "nasal-4", "rivive": "nasal-3", "kloxxado": "nasal-8"}


def form(typed: str) -> str:
    """The form that was meant, by its own name or the one on the box, in upper or lower case; or
    nothing."""
    plain = typed.strip().casefold()
    found = _CALLED.get(plain, plain)
    return found if found in FORMS else ""


def given_as(form: str) -> str:
    """The form by which it is given: every spray for the nose alike."""
    return "nasal" if form == "nyxoid" else form.partition("-")[0]
