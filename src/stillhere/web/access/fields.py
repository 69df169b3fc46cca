"""Fields of forms, and numbers in addresses and hooks, as they are typed or sent.

What is typed is taken in any script and never cut here: the store makes it readable and says what
is too much. A form says what is wrong with it in one kind sentence; it never draws itself, our
templates do.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any

from django import forms
from django.conf import settings
from django.core.exceptions import NON_FIELD_ERRORS
from django.http import HttpRequest
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme

from stillhere.store.problems import Reached
from stillhere.web.access import addresses


def whole(typed: str, digits: int) -> int | None:
    """A whole number of so many digits at most, in ASCII as our own pages send it; else None."""
    plain = typed.isascii() and typed.isdigit() and len(typed) <= digits
    return int(typed) if plain else None


def pressed(request: HttpRequest) -> str:
    """Which of a form's buttons was pressed, by its value; "" if it was none that says."""
    return str(request.POST.get("do", ""))


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


class Number(forms.CharField):
    """A whole number that our own page sends, such as the id of a row; anything else is None."""

    def __init__(self, digits: int) -> None:
        super().__init__(required=False, strip=False)
        self.validators = []
        self._digits = digits

    def clean(self, value: Any) -> int | None:
        """The number, if it is one."""
        return whole(str(super().clean(value)), self._digits)


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


class OurPage(forms.CharField):
    """A page of ours to go on to, given as a path; anything else is the page of this name."""

    def __init__(self, otherwise: str) -> None:
        super().__init__(required=False, strip=False)
        self.validators = []
        self._otherwise = otherwise

    def clean(self, value: Any) -> str:
        """A path that a browser cannot take for another site."""
        path = str(super().clean(value))
        ours = path.startswith("/") and url_has_allowed_host_and_scheme(path, None)
        return path if ours else reverse(self._otherwise)


class Ticked(forms.BooleanField):
    """A box that may be ticked."""

    def __init__(self) -> None:
        super().__init__(required=False)


class Form(forms.Form):
    """A form of ours: hand-drawn, and wrong in sentences."""

    @classmethod
    def read(cls, typed: Mapping[str, Any]) -> dict[str, Any]:
        """What stands in a form in which nothing can be wrong."""
        form = cls(typed)
        form.full_clean()
        return form.cleaned_data

    @property
    def asked(self) -> dict[str, Any]:
        """What was typed in the fields that the page had: the others were not asked."""
        return {name: value for name, value in self.cleaned_data.items() if name in self.data}

    @property
    def wrong(self) -> dict[str, str]:
        """What is wrong, by field; "" is the form as a whole."""
        return {
            "" if name == NON_FIELD_ERRORS else name: str(said[0])
            for name, said in self.errors.items()
        }


class Reachable(Form):
    """Ways to reach somebody; ``ways`` are those that were typed, made regular."""

    phone, whatsapp, email, chat = Words(), Words(), Words(), Words()

    def clean(self) -> dict[str, Any]:
        """Each kind through its channel, which says what is wrong with it."""
        read = addresses.read(self.cleaned_data)
        self.ways: list[Reached] = read.ways
        for kind, why in read.wrong.items():
            self.add_error(kind, why)
        return self.cleaned_data
