"""The languages of this source, as their folders say: a test that loops over them names none."""

from __future__ import annotations

from stillhere.content import languages

SPOKEN = languages.find()[0]
LANGUAGES = tuple(SPOKEN)
