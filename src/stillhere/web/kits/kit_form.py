"""The forms of a kit: what is in it, where it lies, and who carries it."""

from __future__ import annotations

from typing import Any

from django import forms

from stillhere.store.kits import kits
from stillhere.store.problems import Problem
from stillhere.web.access.fields import Form, Number, Ticked, Words
from stillhere.web.site import page_text


class KitForm(Form):
    """What is in a kit; ``what`` is that, normalized. A file of kits is read by the same rules."""

    form, doses, expires, lot, place = Words(), Words(), Words(), Words(), Words()

    def clean(self) -> dict[str, Any]:
        """A kit that there can be."""
        try:
            self.what = kits.inside(self.asked)
        except Problem as problem:
            raise forms.ValidationError(page_text.put(problem.why)) from None
        return self.cleaned_data


class KeptKitForm(Form):
    """Which of a keeper's kits is meant."""

    kit = Number(15)


class KitsFirstForm(Form):
    """Whether those who carry a kit are reached first."""

    want = Ticked()


class TakerForm(Form):
    """Who carries it from now on, as the page names them."""

    who = Words()
