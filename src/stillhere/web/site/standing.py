"""The installation's row as one request reads it: once, however many parts of its page need it."""

from __future__ import annotations

from django.http import HttpRequest

from stillhere.store.models import Installation
from stillhere.store.watches import queries


def of(request: HttpRequest) -> Installation:
    """The row. Raises what the database raises."""
    found: Installation | None = getattr(request, "_standing", None)
    if found is None:
        found = queries.installation()
        request._standing = found  # type: ignore[attr-defined]
    return found
