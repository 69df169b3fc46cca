"""What tests of commands share: an installation to type them at."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.installation import Installation


@pytest.fixture
def home(installation: Callable[..., Installation]) -> Installation:
    """An installation that was prepared and does not run."""
    made = installation()
    made.prepare()
    return made
