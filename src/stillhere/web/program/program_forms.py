"""The forms of the desk, the stock and shifts: what may be typed, and what is wrong with it."""

from __future__ import annotations

from typing import Any

from django import forms
from django.conf import settings
from django.utils.translation import gettext as _

from stillhere.core.events import Outcome
from stillhere.core.refusals import Refusal
from stillhere.store.kits.supply_warnings import ReportedWarning
from stillhere.web.access.fields import Chosen, Form, LanguageChoice, Number, Words
from stillhere.web.site import page_text

ENDS = frozenset(set(Outcome) - {Outcome.ENDED, Outcome.NOT_FOUND})  # that the desk may say


class WatchForm(Form):
    """Which watch on the desk is meant, and how its alarm ended."""

    watch = Number(15)
    outcome = Chosen(lambda: ENDS)


class VolunteerForm(Form):
    """Somebody new who goes on shift."""

    name, phone = Words(), Words()
    lang = LanguageChoice()

    def clean_phone(self) -> str:
        """A number that can be called, made regular."""
        try:
            return str(settings.PHONE_NUMBER(self.cleaned_data["phone"][:64]))
        except ValueError as error:
            raise forms.ValidationError(_(str(error))) from None


class DismissForm(Form):
    """Which volunteer takes no shifts any more."""

    responder = Number(15)


class ShiftForm(Form):
    """On for how long."""

    hours = Number(3)


class StickersForm(Form):
    """How many stickers."""

    many = Number(9)


class UploadForm(Form):
    """A file; an empty one is the store's to refuse."""

    file = forms.FileField(required=False, allow_empty_file=True)
    source = Words()

    def clean_file(self) -> Any:
        """There is one."""
        file = self.cleaned_data["file"]
        if file is None:
            raise forms.ValidationError(page_text.put(Refusal.FILE_NONE))
        return file


class WarningForm(Form):
    """A warning to post; ``reported`` is what the store takes."""

    area, text, source, found_on = Words(), Words(), Words(), Words()
    days = Number(3)

    def clean_source(self) -> str:
        """Nothing is posted without who says so."""
        source = str(self.cleaned_data["source"])
        if not source.strip():
            raise forms.ValidationError(page_text.put(Refusal.WHO_SAYS))
        return source

    @property
    def reported(self) -> ReportedWarning:
        """The warning as the store takes it."""
        typed = self.cleaned_data
        return ReportedWarning(
            "",
            area=typed["area"],
            text=typed["text"],
            source=typed["source"],
            found_on=typed["found_on"],
            days=typed["days"] or 0,
        )


class TakeBackWarningForm(Form):
    """Which warning is withdrawn."""

    warning = Number(15)
