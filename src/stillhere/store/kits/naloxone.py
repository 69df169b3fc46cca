"""The kinds of naloxone, by form and strength, and what their boxes are called.

Owns the one table of them. A nasal spray of unknown strength is recorded as just that.
"""

from __future__ import annotations

import re

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
_CALLED = {"rivive": "nasal-3", "kloxxado": "nasal-8", "nyxoid": "nyxoid", "prenoxad": "prenoxad"}
_OF_SPRAY = {"4": "nasal-4", "3": "nasal-3", "8": "nasal-8", "1.8": "nyxoid"}
_SPRAY = re.compile(r"\b(?:nas\w+|nose|spray|sprays|intranasal|nariz|aerosol)\b")
_INJECTED = re.compile(
    r"\b(?:inj\w*|iny\w*|vials?|amp\w+|syringes?|jeringas?|frascos?|im|intramuscular)\b|/ ?ml\b"
)
_IN_MG = re.compile(r"\b([0-9]+(?:[.,][0-9]+)?) ?mg\b")


def form(typed: str) -> str:
    """The form that was meant: by its own name, or as it stands on the box or in a list ("NARCAN®
    4mg nasal spray", "naloxone vial 0.4 mg/mL"); nothing where neither says enough."""
    plain = " ".join(re.sub("[®™*]", " ", typed).casefold().split())
    if plain in FORMS:
        return plain
    words = re.findall(r"[^\W\d_]+", plain)
    for word in words:
        if word in _CALLED:
            return _CALLED[word]
    narcan = "narcan" in words
    if not narcan and not any(word.startswith("nalox") for word in words):
        return ""  # also of nalmefene, which is another medicine
    if _INJECTED.search(plain):
        return "injection"
    if narcan or _SPRAY.search(plain):
        mg = _IN_MG.search(plain)
        by_name = "nasal-4" if narcan else "nasal"
        return _OF_SPRAY.get(mg[1].replace(",", "."), "nasal") if mg else by_name
    return ""


def given_as(form: str) -> str:
    """The form by which it is given: every spray for the nose alike."""
    return "nasal" if form == "nyxoid" else form.partition("-")[0]
