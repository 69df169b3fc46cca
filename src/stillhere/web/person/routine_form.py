"""The form of a daily check-in: what may be typed in it, and what is wrong with it."""

from __future__ import annotations

from datetime import time
from typing import Any

from django import forms
from django.utils.translation import gettext as _

from stillhere.core.schedule import Routine, ScheduleError
from stillhere.web.access.fields import Chosen, ChosenSeveral, Form, Ticked, Words

KINDS = ("routine", "release")


class DailyForm(Form):
    """A new one; ``routine`` is what was typed."""

    day = ChosenSeveral(lambda: "0123456")
    at, tz = Words(), Words()
    kind = Chosen(lambda: KINDS)
    well, alone = Ticked(), Ticked()

    def clean(self) -> dict[str, Any]:
        """A time that comes round."""
        typed = self.cleaned_data
        days, at = frozenset(map(int, typed["day"])), _minutes(typed["at"])
        try:
            self.routine = Routine(days, at, typed["tz"].strip(), well=typed["well"])
        except ScheduleError as error:
            raise forms.ValidationError(_(str(error))) from None
        return typed


def _minutes(typed: str) -> int:
    """ "22:00" as minutes after midnight; anything else is no time of day."""
    try:
        at = time.fromisoformat(typed)
    except ValueError:
        return -1
    return at.hour * 60 + at.minute
