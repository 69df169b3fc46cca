"""A language is one folder: two that nobody speaks are added, and the nights are lived in them.

Journeys 1, 2, 4 and 6: alone with a browser, alone with a flip phone, an alarm that nobody answers
at first, and the one who comes.
"""

from __future__ import annotations

import html
import re
import unicodedata
from dataclasses import replace
from pathlib import Path

import pytest
from django.test import Client
from django.utils import translation
from django.utils.translation import gettext
from pytest_django.fixtures import Settings

from stillhere.channels.wording import compose
from stillhere.content import helplines, languages, steps
from stillhere.core.messages import Facts
from stillhere.core.replies import Intent, Role, read_minutes, read_text
from stillhere.engine import render
from stillhere.store.db import encryption
from stillhere.store.installation import desk_key
from stillhere.store.messages import delivery
from stillhere.store.models import Contact, Person, WatchRow
from stillhere.store.people import address_book
from stillhere.store.problems import Reached
from stillhere.store.watches import apply
from stillhere.store.watches.apply import CallForHelp, Change, CheckIn
from stillhere.web.guide import print
from tests.channels.accounts import carrier_of
from tests.circle import SamsNight, sams_night, tick_all
from tests.conftest import Clock
from tests.hook import LEO, MALLORY, MAYA, SAM, Hook, alarmed_night
from tests.locale.made_up import SOUNDS, longer
from tests.web.conftest import browser, post
from tests.web.hooks.test_calls import Line
from tests.web.pages import STATES, contact_path, did, in_every_state, make, text_of

pytestmark = pytest.mark.slow

# What is English on purpose, or nobody's language: names, ours and what people typed, and sources.
NAMES = re.compile(
    r"\bLamp\b|\bStillhere\b|\bSam\b|\bLeo\b|\bMaya\b|\bExample County Neighbours\b|\bUTC\b|\bEST\b"
    r"|12 Elm Street|code 4711|\bEnglish\b|\bEspañol\b|[\w.]+@[\w.]+|https?://\S+|\blocalhost\b"
)

NUMBER = re.compile(r"\+?[0-9][0-9 -]{7,}[0-9]")  # to phone


def ours(page: str) -> str:
    """The words of a page but for those that stand there in English on purpose, and say so."""
    page = re.sub(r'<(\w+)[^>]*\blang="(?:en|es)"[^>]*>.*?</\1>', " ", page, flags=re.DOTALL)
    for line in helplines.known():
        page = page.replace(line.name, " ")
    return page


def left_over(lang: str, text: str) -> list[str]:
    """Words that are still in English."""
    plain = NAMES.sub(" ", html.unescape(text))
    words = re.findall(r"[^\W\d_]{2,}", plain)
    if lang == "qpr":
        return [word for word in words if "LATIN" in unicodedata.name(word[0])]
    return [word for word in words if set("aeiouyAEIOUY") & set(word)]


@pytest.mark.parametrize("state", STATES)
def test_no_english_is_left_on_any_page_in_any_state(
    night: SamsNight, state: str, lang: str
) -> None:
    make(state, night)
    for name, pages in in_every_state(night, lang).items():
        if name == "desk":
            continue
        for client, path in pages:
            if path.endswith((".json", "/out")) or path == "/desk":
                continue
            response = client.get(path)
            page = response.content.decode()
            if "<html" in page:
                assert f'<html lang="{lang}" dir="{"rtl" if lang == "qpr" else "ltr"}"' in page
            response.content = ours(page).encode()
            assert left_over(lang, text_of(response)) == [], path


def said(lang: str, words: str, **facts: object) -> str:
    """Our words as they stand in the catalogue of this language."""
    with translation.override(lang):
        text = gettext(words)
    assert text != words, f"{words!r} is not in the catalogue"
    return text % facts if facts else text


def test_a_language_is_found_by_its_folder_and_offered_by_its_name(lang: str) -> None:
    page = browser().get("/").content.decode()
    assert f'<button name="lang" value="{lang}" lang="{lang}">{SOUNDS[lang]("English")}' in page
    client = browser()
    assert client.post("/language", {"lang": lang, "next": "/help-now"}).status_code == 302
    assert f'<html lang="{lang}"' in client.get("/help-now").content.decode()


def read_as(client: Client, path: str, lang: str) -> str:
    """A page, and that nothing on it is English."""
    response = client.get(path)
    assert response.status_code == 200, path
    response.content = ours(response.content.decode()).encode()
    told = text_of(response)
    assert left_over(lang, told) == [], path
    return told


class Texts(Hook):
    """Phones that can text, and what has come to them since somebody looked."""

    def __init__(self, clock: Clock, lang: str) -> None:
        super().__init__(Client(), clock)
        self.lang = lang
        self.left: list[tuple[str, str]] = []

    def to(self, number: str) -> str:
        """What came; none of it is English."""
        leased = delivery.lease("text", self.clock.now, 50, 20)
        self.left += [(m.to, render.render(m, m.to).text) for m in leased]
        told = " ".join(text for whose, text in self.left if whose == number)
        self.left = [each for each in self.left if each[0] != number]
        assert left_over(self.lang, told) == [], told
        return told


@pytest.fixture
def texts(clock: Clock, lang: str) -> Texts:
    return Texts(clock, lang)


# --- 1: alone tonight -----------------------------------------------------------------------------


def test_alone_tonight(lang: str, clock: Clock) -> None:
    client = browser(lang=lang)
    assert post(client, "/", tz="America/Denver")["Location"] == "/watch"
    post(client, "/people", do="add", name="Maya", phone="(202) 555-0142")
    maya = Contact.objects.get()
    assert (maya.person.lang, maya.lang) == (lang, lang)
    post(client, "/watch", profile="injected")
    read_as(client, "/watch", lang)
    watch = WatchRow.objects.get()
    press = "/k/" + encryption.key_for("watch", watch.nonce)
    client.post(f"{press}/mark", {"back": "watch"})
    clock.advance(60)
    tick_all()
    assert WatchRow.objects.get().state == "asking"
    assert said(lang, "Still here") in read_as(client, "/watch", lang)
    apply.apply(Change(CheckIn(), watch=watch.id))
    assert WatchRow.objects.get().state == "open"
    client.post(f"{press}/end", {"back": "watch", "sure": "1"})
    over = read_as(client, "/watch", lang)
    assert said(lang, "Asks have stopped. Nobody is watching now.") in over


# --- 2: alone with a flip phone -------------------------------------------------------------------


def test_alone_with_a_flip_phone(lang: str, texts: Texts, clock: Clock) -> None:
    """GO, OK, MORE, LIST and DONE in words of that language, typed as a phone would."""
    word = SOUNDS[lang]
    texts.text(MALLORY, word("Go!"))
    person = Person.objects.get()
    assert person.lang == lang, "the language of the word"
    assert texts.to(MALLORY).startswith(word("It's on."))
    clock.advance(180)
    tick_all()
    clock.advance(5)
    tick_all()
    assert said(lang, "Reply OK.") in texts.to(MALLORY)
    texts.text(MALLORY, word("I'm still here"))
    assert WatchRow.objects.get().state == "open"
    texts.text(MALLORY, word("more time"))
    assert said(lang, "More time. We keep asking.") in texts.to(MALLORY)
    texts.text(MALLORY, word("add") + " Maya (202) 555-0142")
    assert "Maya" in texts.to(MALLORY)
    texts.text(MALLORY, word("who is on my list?"))
    assert "Maya" in texts.to(MALLORY)
    texts.text(MALLORY, word("done"))
    assert WatchRow.objects.get().closed_at is not None
    assert texts.to(MALLORY)


def test_a_call_is_in_the_voice_of_the_language(lang: str, settings: Settings) -> None:
    carrier = carrier_of("twilio", "https://api.example.org")
    settings.STILLHERE = replace(settings.STILLHERE, carriers=(carrier,))
    night = sams_night(("Leo",))
    Person.objects.filter(id=night.person.id).update(lang=lang)
    night.start()
    line = Line(Client(), SAM)
    assert f'language="{lang}-XX"' in line.twiml
    assert left_over(lang, line.says) == []
    assert settings.SPOKEN.of(lang).machine_voice == lang, "the direct line and the steps"


@pytest.mark.parametrize(
    ("english", "role", "intent"),
    [
        ("I'm ok now, thanks", Role.PERSON, Intent.HERE),
        ("I'm not ok", Role.PERSON, Intent.HELP),
        ("please send an ambulance", Role.PERSON, Intent.HELP),
        ("don't call an ambulance", Role.PERSON, Intent.UNCLEAR),
        ("i am not here", Role.PERSON, Intent.UNCLEAR),
        ("ok?", Role.PERSON, Intent.UNCLEAR),
        ("now", Role.PERSON, Intent.MARK),
        ("i'm on my way", Role.CONTACT, Intent.CLAIM),
        ("i can't go", Role.CONTACT, Intent.DECLINE),
        ("the door is locked", Role.CONTACT, Intent.CANT_GET_IN),
        ("stop texting me", Role.CONTACT, Intent.OPT_OUT),
        ("what should i do?", Role.CONTACT, Intent.STEPS),
    ],
)
def test_what_people_write_is_understood(
    lang: str, settings: Settings, english: str, role: Role, intent: Intent
) -> None:
    theirs = SOUNDS[lang](english)
    for words in (theirs, theirs.upper(), f" {theirs}!\n"):
        assert read_text(words, role, settings.UNDERSTOOD, watching=True) is intent, words
    assert read_text(english, role, settings.UNDERSTOOD, watching=True) is intent, "English too"


def test_how_soon_is_understood(lang: str, settings: Settings) -> None:
    word = SOUNDS[lang]
    assert read_minutes(f"{word('on my way')} 10 {word('minutes')}", settings.UNDERSTOOD) == 10
    assert read_minutes(f"{word('there in')} 5", settings.UNDERSTOOD) == 5


# --- 4: nobody answers at first -------------------------------------------------------------------


def test_nobody_answers_at_first(lang: str, texts: Texts, clock: Clock) -> None:
    night = alarmed_night(clock, ("Leo",), ("Maya",))
    everyone(night, lang)
    clock.advance(45)
    tick_all()
    assert night.row().state == "alarm"
    assert "Sam" in texts.to(MAYA), "the next rung is told"
    texts.text(LEO, SOUNDS[lang]("I can't go"))
    texts.to(LEO)
    texts.text(MAYA, SOUNDS[lang]("on my way") + " 3 " + SOUNDS[lang]("min"))
    assert night.row().state == "claimed"
    assert said(lang, "Reply 4 when you are there, 6 if you can't get in.") in texts.to(MAYA)
    told = texts.to(LEO)
    assert "Maya" in told, "the others hear who is going"
    texts.text(MAYA, SOUNDS[lang]("the door is locked"))
    assert night.row().state in ("alarm", "claimed"), "it stays open"
    texts.text(MAYA, SOUNDS[lang]("I'm there"))
    assert night.row().state == "attended"


def everyone(night: SamsNight, lang: str) -> None:
    """Sam and Sam's people read this language."""
    Person.objects.filter(id=night.person.id).update(lang=lang)
    Contact.objects.filter(person=night.person).update(lang=lang)


# --- 6: the one who comes -------------------------------------------------------------------------


def test_the_one_who_comes(lang: str, night: SamsNight, clock: Clock) -> None:
    everyone(night, lang)
    night.start()
    night.does(CallForHelp())
    leo, client = contact_path(night, "Leo"), browser(lang=lang)
    read_as(client, leo, lang)
    client.post(f"{leo}/answer", {"do": "claim", "soon": "3"})
    assert "12 Elm Street" in read_as(client, leo, lang)
    client.post(f"{leo}/answer", {"do": "arrived"})
    assert night.row().state == "attended"
    told = read_as(client, leo, lang)
    with translation.override(lang):
        screens = steps.screens()
    english = {screen.id: screen for screen in steps.screens()}
    for screen in screens:
        assert screen.says == SOUNDS[lang](english[screen.id].says)
        assert screen.says in told, screen.id
        for answer, other in zip(screen.answers, english[screen.id].answers, strict=True):
            assert (answer.says, answer.to) == (SOUNDS[lang](other.says), other.to)
    assert did(leo, "called") == 200
    read_as(browser(lang=lang), contact_path(night, "Maya"), lang)


def test_the_words_of_an_added_language_are_signed_too(
    settings: Settings, folders: Path, tmp_path: Path
) -> None:
    settings.STILLHERE = replace(settings.STILLHERE, data=tmp_path)
    steps.sign("Dr. Ana Example", "2026-11-30")
    assert steps.signature() is not None
    settings.SPOKEN, faults = languages.find(folders)
    assert faults == ()
    assert steps.signature() is None, "nobody has signed those words yet"
    steps.sign("Dr. Ana Example", "2026-11-30")
    assert steps.signature() is not None


def test_qps_is_about_forty_percent_longer() -> None:
    text = "Nobody is watching now. It can come back for hours: again is one tap."
    assert 1.25 <= len(longer(text)) / len(text) <= 1.55


@pytest.mark.parametrize("path", ["/before", "/after", "/learn", "/lines", "/steps", "/sources"])
def test_no_english_is_left_where_people_read_in_peace(path: str, lang: str) -> None:
    read_as(browser(lang=lang), path, lang)


@pytest.mark.parametrize("name", ["wallet", "leaflet", "poster"])
def test_a_paper_begins_where_its_language_does(name: str, lang: str) -> None:
    paper = print._html(f"guide/paper/{name}.html", lang)
    side = "rtl" if lang == "qpr" else "ltr"
    assert f'<html lang="{lang}" dir="{side}">' in paper
    if name == "wallet":
        assert paper.count(f'<div class="card" lang="{lang}" dir="{side}">') == 2
        assert paper.count('<div class="card" lang="en" dir="ltr">') == 2
    else:
        told = re.sub(
            r"<[^>]+>", " ", re.sub(r"<style>.*?</style>", "", ours(paper), flags=re.DOTALL)
        )
        assert left_over(lang, told) == []


def test_english_on_a_page_from_right_to_left_runs_from_left_to_right(lang: str) -> None:
    for path in ("/steps", "/sources"):
        page = browser(lang=lang).get(path).content.decode()
        assert page.count('lang="en"') == page.count('lang="en" dir="ltr"') + page.count(
            '<button name="lang" value="en" lang="en"'
        )


@pytest.mark.parametrize("by", ["text", "email", "call"])
def test_a_number_in_a_text_from_right_to_left_keeps_its_order(lang: str, by: str) -> None:
    """A call speaks it, and a language from left to right never pays for a mark."""
    told = compose("reply-add-how", Facts(), lang, by).text
    assert "202-555-0102" in told
    marked = "\u2066202-555-0102\u2069" in told
    assert marked == (lang == "qpr" and by != "call")
    assert ("\u2066" in told) == marked


def test_a_number_on_a_page_from_right_to_left_keeps_its_order(
    night: SamsNight, lang: str, clock: Clock
) -> None:
    address_book.set_own_addresses(night.person, [Reached("text", SAM, True)])
    night.start()
    night.does(CallForHelp())
    clock.advance(60)
    for path in (contact_path(night, "Leo"), f"/desk/{desk_key.key()}", "/lines"):
        page = browser(lang=lang).get(path).content.decode()
        apart = re.sub(r'<bdi dir="ltr">.*?</bdi>', "", page)
        assert NUMBER.search(re.sub(r"<[^>]*>", " ", page)), path
        assert not NUMBER.search(re.sub(r"<[^>]*>", " ", apart)), path
