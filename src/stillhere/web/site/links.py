"""Addresses of ours, by the names that ``urls.py`` gives them.

Owns the two ways in which one leaves a view: as where a form leads on to, and in full, for somebody
to open elsewhere. Refuses to know an address itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from django.conf import settings
from django.http import HttpResponseRedirect
from django.urls import reverse


def full(name: str, *args: object) -> str:
    """The whole address of a page, as people are given it."""
    return f"{settings.STILLHERE.base_url}{reverse(name, args=args)}"


def see_other(
    name: str,
    *args: object,
    said: str = "",
    part: str = "",
    more: Mapping[str, object] = MappingProxyType({}),
    status: int = 303,
) -> HttpResponseRedirect:
    """On to a page, which then says ``said`` (the name of a note) and shows its ``part`` first;
    ``more`` is what else stands in its address."""
    query = {**more, "said": said} if said else dict(more)
    address = reverse(name, args=args, query=query or None, fragment=part or None)
    return HttpResponseRedirect(address, status=status)
