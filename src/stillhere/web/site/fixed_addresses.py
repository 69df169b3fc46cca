"""The ``url`` tag of templates, with addresses that have nothing in them worked out once.

A page has about twenty of them, and Django looks each up anew. An address that holds a key is still
worked out each time, and none of those is kept.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from django import template
from django.template.context import Context
from django.template.defaulttags import URLNode
from django.template.defaulttags import url as usual
from django.urls import reverse

register = template.Library()
fixed = cache(reverse)  # by the names in our templates, of which there are a few dozen


class AddressNode(URLNode):
    """As Django's, but for an address that is always the same."""

    def render(self, context: Context) -> Any:
        """The address, or nothing where it goes into a variable."""
        if self.args or self.kwargs or self.asvar:
            return super().render(context)
        return fixed(self.view_name.resolve(context))


@register.tag
def url(parser: Any, token: Any) -> AddressNode:
    """The address of a page by its name."""
    found = usual(parser, token)
    return AddressNode(found.view_name, found.args, found.kwargs, found.asvar)
