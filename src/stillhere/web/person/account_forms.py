"""The forms of somebody's own pages: to begin, to come back, the PIN, what a press says."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from itertools import pairwise

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from stillhere.web.access.fields import Chosen, ChosenSeveral, Form, Number, OurPage, Ticked, Words
from stillhere.web.site import page_text, watch_text

PROFILES = ("injected", "snorted", "swallowed")
UNSAFE_PIN = gettext_lazy(  # the same of the word under force
    "Choose another PIN, this one is not safe. Anybody tries one like 1234 or a year first."
)
_PIN = re.compile(r"[0-9]{4,8}")


class TimeZone(Words):
    """A time zone as a browser names it; one that we do not know counts as not said."""

    def clean(self, value: object) -> str:
        """Its name, or nothing."""
        tz = str(super().clean(value))
        return tz if page_text.zone_known(tz) else ""


class BeginForm(Form):
    """The first press: where they are, and whether this phone is theirs."""

    tz = TimeZone()
    borrowed = Ticked()


class StartForm(Form):
    """A watch to start; how they use is taken for the fastest way where nobody said."""

    profile = Chosen(lambda: (*PROFILES, watch_text.LOOKED_IN_ON))
    tz = TimeZone()
    short = Ticked()
    partner = Words()


class PressForm(Form):
    """A press on the page of a watch: where it came from, and whether they are sure."""

    back = Chosen(lambda: ("watch",))
    sure = Ticked()


class OnScreenForm(Form):
    """Which ask is on the screen."""

    ask = Number(9)


class TakeBackForm(Form):
    """Which ask is taken back."""

    watch = Number(15)


class CodeForm(Form):
    """The recovery code, or what was pasted for it."""

    code = Words()
    borrowed = Ticked()


class PinForm(Form):
    """The PIN that is asked for, and where they were going."""

    pin = Words()
    next = OurPage("person:data")


def _is_tried_first(pin: str) -> bool:
    """Whether it is one digit again and again, a run, a pair twice, or a year."""
    steps = {(int(after) - int(before)) % 10 for before, after in pairwise(pin)}
    runs = len(steps) == 1 and steps <= {0, 1, 9}
    return runs or pin == pin[:2] * 2 or re.fullmatch("(19|20)[0-9]{2}", pin) is not None


class NewPinForm(Form):
    """A PIN to set, or nothing to remove it."""

    pin = Words()

    def clean_pin(self) -> str:
        """Digits that a shaking hand can type again."""
        pin = str(self.cleaned_data["pin"]).strip()
        if pin and not _PIN.fullmatch(pin):
            raise forms.ValidationError(_("A PIN has 4 to 8 digits."))
        if pin and _is_tried_first(pin):
            raise forms.ValidationError(UNSAFE_PIN)
        return pin


class SecretWordForm(Form):
    """The word under force, and who hears it: ids of ``people``, of whom one must be chosen."""

    word = Words()
    contacts = ChosenSeveral(tuple)

    def __init__(self, typed: Mapping[str, str], *, people: Collection[int]) -> None:
        super().__init__(typed)
        self.fields["contacts"] = ChosenSeveral(lambda: [str(id) for id in people])

    def clean_contacts(self) -> list[int]:
        """Their ids."""
        return [int(id) for id in self.cleaned_data["contacts"]]


class EraseForm(Form):
    """The second press."""

    sure = Ticked()


class RemoveForm(Form):
    """Which browser is put out."""

    browser = Number(15)
