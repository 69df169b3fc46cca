"""A template filter for what runs from left to right inside any writing, such as a number."""

from __future__ import annotations

from django import template
from django.utils.html import format_html

register = template.Library()


@register.filter
def left_to_right(value: object) -> str:
    """On its own, so that neither a page from right to left nor a name before it turns it round."""
    return format_html('<bdi dir="ltr">{}</bdi>', value)
