"""The forms of a daily check-in: what may be typed in them, and what is wrong with it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, time, tzinfo
from typing import Any

from django import forms
from django.utils.translation import gettext as _

from stillhere.core.schedule import Routine, ScheduleError
from stillhere.web.access.fields import Chosen, ChosenSeveral, Form, Number, Ticked, Words

KINDS = ("routine", "release")
LONGEST_PAUSE_MS = 366 * 24 * 3600 * 1000


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


class WhichForm(Form):
    """Which of them is meant."""

    watch = Number(15)


class PauseForm(Form):
    """A pause until the morning of a day, as UTC ms. A day far in the future is a slip of the
    finger."""

    until = Words()

    def __init__(self, typed: Mapping[str, str], *, zone: tzinfo, now: int) -> None:
        super().__init__(typed)
        self._zone, self._now = zone, now

    def clean_until(self) -> int:
        """When that morning begins there."""
        try:
            day = date.fromisoformat(self.cleaned_data["until"])
            morning = datetime.combine(day, time(), self._zone)
            at = int(morning.astimezone(UTC).timestamp()) * 1000
        except (ValueError, OverflowError):
            raise forms.ValidationError(_("Choose the day on which it goes on.")) from None
        if not self._now < at < self._now + LONGEST_PAUSE_MS:
            raise forms.ValidationError(_("Choose a day between tomorrow and a year from now."))
        return at


def _minutes(typed: str) -> int:
    """ "22:00" as minutes after midnight; anything else is no time of day."""
    try:
        at = time.fromisoformat(typed)
    except ValueError:
        return -1
    return at.hour * 60 + at.minute
