"""The first screen: three sentences, one big button, and help for a stranger without any of it."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from django.test import Client
from pytest_django.fixtures import Settings

from stillhere.store.models import Person
from tests.circle import SamsNight
from tests.web.conftest import browser, post
from tests.web.pages import everything, read


def page(client: Client) -> str:
    return str(client.get("/").content.decode().partition("<main>")[2].partition("</main>")[0])


def test_three_sentences_and_one_big_button() -> None:
    told = page(browser())
    top = told.partition('<div class="top">')[2].partition("</div>")[0]
    assert re.findall(r"<(h1|p)\b", top) == ["h1", "p", "p"]
    assert "we reach the people you chose" in top
    assert "not a medical device and does not replace emergency services" in top
    assert "help may come too late" in top
    assert "Run by Example County Neighbours." in top
    giant = told.partition('class="giant"')[2].partition("</form>")[0]
    assert re.findall(r"<button>([^<]*)</button>", giant) == ["Start"]
    assert told.count('class="giant"') == 1


def test_help_for_a_stranger_comes_right_after_the_button_and_before_anything_to_fill_in() -> None:
    told = page(browser())
    help_now, start = told.index('href="/help-now#look"'), told.index("<button>Start</button>")
    assert start < help_now < told.index('action="/try"') < told.index('name="borrowed"')
    assert 'type="text"' not in told
    visible = re.findall(r"<input(?![^>]*hidden)[^>]*>", told)
    assert len(visible) == 1  # a box to tick, nothing to type
    assert 'href="/p"' in told


def test_the_quieter_things_are_forms_of_our_own() -> None:
    told = page(browser())
    attempt = told.partition('action="/try"')[2].partition("</form>")[0]
    assert "csrfmiddlewaretoken" in attempt
    assert "a friend" in attempt
    box = re.search(r'<input type="checkbox"[^>]*>', told)
    assert box is not None
    assert 'form="start"' in box[0]
    assert '<form method="post" action="/" class="giant" id="start">' in told


@pytest.mark.parametrize(
    ("lang", "says"),
    [
        ("en", ("Someone is down in front of me", "This is not my phone", "I have a code")),
        ("es", ("Alguien no reacciona frente a mí", "Este teléfono no es mío", "Tengo un código")),
    ],
)
def test_in_both_languages(lang: str, says: tuple[str, ...]) -> None:
    told = read(browser(lang=lang), "/")
    assert [each for each in says if each not in told] == []


def test_somebody_we_know_goes_on_to_their_watch(night: SamsNight, sam: Client) -> None:
    before = everything()
    told = page(sam)
    assert "<button>To my watch</button>" in told
    assert "Start</button>" not in told
    assert 'name="borrowed"' not in told  # they said so when they began
    assert 'href="/help-now#look"' in told
    assert everything() == before
    assert post(sam, "/")["Location"] == "/watch"
    assert Person.objects.count() == 1


def test_the_name_of_who_runs_this_is_text_and_nothing_else(settings: Settings) -> None:
    name = "<b onclick=x>Ruth & 'Ana'</b>{% now %}"
    settings.STILLHERE = replace(settings.STILLHERE, program=name)
    told = page(browser())
    assert "<b onclick" not in told
    assert "Run by &lt;b onclick=x&gt;Ruth &amp; &#x27;Ana&#x27;&lt;/b&gt;{% now %}." in told
    settings.STILLHERE = replace(settings.STILLHERE, program="")
    assert "Whoever gave you this address runs it." in page(browser())


def test_why_it_is_practice_is_said_below(settings: Settings) -> None:
    settings.STILLHERE = replace(settings.STILLHERE, demo_url="")
    told = page(browser())
    assert told.index("Why this is practice") > told.index('href="/help-now#look"')
    assert "Nobody outside would notice if it stopped." in told
