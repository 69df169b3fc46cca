"""Sentences that once said the opposite in one of the languages."""

from __future__ import annotations

from tests.web.conftest import browser
from tests.web.pages import read


def test_what_protects_is_not_said_to_kill() -> None:
    """It halves the risk of dying: Santo, JAMA Psychiatry 2021, RR 0.47."""
    assert "baja más o menos a la mitad" in read(browser(lang="es"), "/after")
    assert "the risk of dying is about half" in read(browser(), "/after")
