"""An address in a template is the one Django gives, whether it was worked out before or not."""

from __future__ import annotations

import pytest
from django.template import Context, Template
from django.urls import NoReverseMatch

from stillhere.web.site.fixed_addresses import fixed


def shown(text: str, **given: str) -> str:
    return Template(text).render(Context(given))


def test_an_address_is_django_s() -> None:
    for _ in range(2):
        assert shown('{% url "guide:help_now" %}') == "/help-now"
        assert shown("{% url name %}", name="person:watch") == "/watch"
        assert shown('{% url "person:watch" as at %}-{{ at }}') == "-/watch"


def test_one_with_a_key_is_worked_out_each_time_and_never_kept() -> None:
    before = fixed.cache_info().currsize
    assert shown('{% url "contact:page" key %}', key="a") == "/c/a"
    assert shown('{% url "contact:page" key=key %}', key="<b>") == "/c/%3Cb%3E"
    assert fixed.cache_info().currsize == before


def test_one_that_there_is_not_is_a_fault() -> None:
    with pytest.raises(NoReverseMatch):
        shown('{% url "person:nothing" %}')
    assert shown('{% url "person:nothing" as at %}{{ at }}') == ""
