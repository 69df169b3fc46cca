"""Fields of forms, and numbers in addresses and hooks, as they are typed or sent.

What is typed is taken in any script and never cut here: the store makes it readable and says what
is too much. A form says what is wrong with it in one kind sentence; it never draws itself, our
templates do.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any

from django import forms
from django.conf import settings
from django.core.exceptions import NON_FIELD_ERRORS

from stillhere.store.problems import Reached
from stillhere.web.access import address_input


def whole(typed: str, digits: int) -> int | None:
    """A whole number of so many digits at most, in ASCII as our own pages send it; else None."""
    plain = typed.isascii() and typed.isdigit() and len(typed) <= digits
    return int(typed) if plain else None


class Words(forms.CharField):
    """What somebody wrote: as it is, or nothing."""

    def __init__(self) -> None:
        super().__init__(required=False, strip=False)
        self.validators = []  # the store takes out what cannot be kept, and keeps the rest


class Whole(forms.CharField):
    """A whole number, or None where nothing was typed. ``wrong`` says what is right."""

    def __init__(self, digits: int, wrong: Callable[[], str]) -> None:
        super().__init__(required=False)
        self.validators = []
        self._digits, self._wrong = digits, wrong

    def clean(self, value: Any) -> int | None:
        """Raises ValidationError for what is no number, or too long a one."""
        typed = str(super().clean(value))
        number = whole(typed, self._digits)
        if typed and number is None:
            raise forms.ValidationError(self._wrong())
        return number


class Chosen(forms.CharField):
    """One of several words; what is none of them counts as not chosen."""

    def __init__(self, words: Callable[[], Collection[str]]) -> None:
        super().__init__(required=False)
        self.validators = []
        self._words = words

    def clean(self, value: Any) -> str:
        """One of the words, or nothing."""
        typed = str(super().clean(value))
        return typed if typed in self._words() else ""


class ChosenSeveral(forms.Field):
    """Some of several words; what is none of them counts as not chosen."""

    widget = forms.SelectMultiple

    def __init__(self, words: Callable[[], Collection[str]]) -> None:
        super().__init__(required=False)
        self._words = words

    def clean(self, value: Any) -> list[str]:
        """Those of the words, in their order."""
        return [word for word in self._words() if word in (value or ())]


class LanguageChoice(Chosen):
    """One of the languages that we write in."""

    def __init__(self) -> None:
        super().__init__(lambda: dict(settings.LANGUAGES))


class Ticked(forms.BooleanField):
    """A box that may be ticked."""

    def __init__(self) -> None:
        super().__init__(required=False)


class Form(forms.Form):
    """A form of ours: hand-drawn, and wrong in sentences."""

    @property
    def wrong(self) -> dict[str, str]:
        """What is wrong, by field; "" is the form as a whole."""
        return {
            "" if name == NON_FIELD_ERRORS else name: str(said[0])
            for name, said in self.errors.items()
        }


class Reachable(Form):
    """Ways to reach somebody; ``ways`` are those that were typed, made regular."""

    phone, email, chat = Words(), Words(), Words()

    def clean(self) -> dict[str, Any]:
        """Each kind through its channel, which says what is wrong with it."""
        read = address_input.read(self.cleaned_data)
        self.ways: list[Reached] = read.ways
        for kind, why in read.wrong.items():
            self.add_error(kind, why)
        return self.cleaned_data
