"""The forms of the page of people: what may be typed in each, and what is wrong with it."""

from __future__ import annotations

from typing import Any

from django import forms

from stillhere.core.refusals import Refusal
from stillhere.store.people import clean_text, invitations, persons
from stillhere.web.access.fields import (
    Chosen,
    Form,
    LanguageChoice,
    Number,
    Reachable,
    Ticked,
    Whole,
    Words,
)
from stillhere.web.site import page_text

STEPS = tuple(map(str, range(1, invitations.MOST_CONTACTS + 1)))


class AddForm(Reachable):
    """Somebody new. ``by_hand``: Sam sends the invitation, so a name is enough."""

    name, my_name = Words(), Words()
    myself = Ticked()
    rung = Words()
    lang = LanguageChoice()

    def clean(self) -> dict[str, Any]:
        """A way to reach them, or at least a name."""
        typed = super().clean()
        self.by_hand = typed["myself"] or not self.ways
        if not self.errors and self.by_hand and not clean_text.readable(typed["name"]):
            raise forms.ValidationError(page_text.put(Refusal.NO_WAY))
        return typed


class ContactForm(Form):
    """Which of them is meant."""

    contact = Number(15)


class WantForm(Form):
    """Whether people on shift may come too."""

    want = Ticked()


class KeepForm(Form):
    """What Sam decides about one of them."""

    minutes = Whole(5, lambda: page_text.put(Refusal.MINUTES))
    step = Chosen(lambda: STEPS)
    lang = LanguageChoice()
    door, why = Ticked(), Ticked()


class PlanForm(Form):
    """What those who come must know. What a page did not ask stays as it is."""

    name, place, entry, town, dispatch = Words(), Words(), Words(), Words(), Words()
    wish = Words()
    lang = LanguageChoice()
    speak = Ticked()

    @property
    def notes(self) -> dict[str, str]:
        """The parts of the plan that were given."""
        given = {n: self.cleaned_data[n] for n in (*persons.NOTES, "wish") if n in self.data}
        if self.cleaned_data["lang"]:
            given["lang"] = self.cleaned_data["lang"]
        return given
