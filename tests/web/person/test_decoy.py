"""Whoever forces Sam uses the pages that Sam's word opened: all looks as it does with a PIN, and
the word calls as before."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.test import Client

from stillhere.core import events as ev
from stillhere.store.models import Contact, Message, Person, WatchRow
from stillhere.store.people import force
from stillhere.store.watches import apply
from stillhere.store.watches.apply import Change
from tests.circle import SamsNight, sams_night
from tests.conftest import Clock
from tests.hook import MAYA, SAM, Hook, number_of
from tests.web.conftest import browser, post
from tests.web.pages import text_of
from tests.web.person.test_secret_word import hook, locked, set_word, typed

__all__ = ["hook", "locked"]
SET, AGAIN, OTHER, NONE = ("/mine", "pin", "4711"), ("/pin", "4711"), ("/pin", "9753"), ("/people",)
CHANGE, REMOVE = ("/mine", "pin", "9753"), ("/mine", "pin", "")
FORGET, WORD = ("/mine/word", "forget"), ("/mine/word", "keep", "green lamp post")
HANDS = {
    "forgets the word": [FORGET, AGAIN],
    "sets a word": [WORD, AGAIN, ("/pin", "green lamp post"), ("/mine", "pin", "9753")],
    "sets the PIN for the word": [("/mine/word", "keep", "4711"), AGAIN],
    "changes the PIN": [CHANGE, OTHER, AGAIN, SET, AGAIN, OTHER],
    "changes the PIN and the word": [CHANGE, ("/mine/word", "keep", "9753"), WORD, FORGET, OTHER],
    "removes the PIN": [REMOVE, NONE, SET, NONE, AGAIN],
    "removes the PIN and sets another": [REMOVE, FORGET, CHANGE, AGAIN, OTHER],
    "removes all": [REMOVE, FORGET, WORD, NONE, ("/mine", "new-link"), ("/mine", "pin", "1234")],
    "takes everything along": [("/mine/lamp.json",), ("/mine", "new-link"), ("/mine",), FORGET],
    "tries many": [CHANGE, SET] * 6,
    "sets a word for the PIN": [
        ("/mine/word", "keep", "8642"), ("/mine", "pin", "8642"), ("/pin", "8642"), CHANGE,
    ],
}  # fmt: skip


def seen(night: SamsNight, hand: list[tuple[str, ...]]) -> list[object]:
    """What the one who was let in by 4711 sees of what they do; what is typed at the PIN is typed
    on a fresh phone, and goes on there where it opens."""
    here = browser(night.key)
    answers: list[object] = [typed(here, "4711")]
    for path, *what in hand:
        if path == "/pin":
            fresh = browser(night.key)
            answers.append(typed(fresh, what[0]))
            here = fresh if typed(fresh, what[0])[0] == 302 else here
            continue
        answer = _press(here, path, what, night) if what else here.get(path)
        text = "" if path.endswith("json") or what == ["new-link"] else text_of(answer)
        text = re.sub(r"(\+1202555|…)01\d\d", "a number", text)
        answers.append((answer.status_code, answer.headers.get("Location", ""), text))
    return answers


def _press(here: Client, path: str, what: list[str], night: SamsNight) -> Any:
    do, *more = what
    if path == "/mine":
        return post(here, path, do=do, **({"pin": more[0]} if more else {}))
    leo = str(night.contacts["Leo"].id)
    fields = {"word": more[0], "contacts": [leo]} if more else {}
    return post(here, path, do=do, **fields)


def with_a_pin() -> SamsNight:
    """Somebody whose PIN is what Sam's word is, and who has no word."""
    night = sams_night(("Leo",), ("Maya",), first=120)
    assert post(browser(night.key), "/mine", do="pin", pin="4711").status_code == 200
    return night


def called(hook: Hook, clock: Clock) -> set[str]:
    """Whom Sam's word reaches, texted after all is over."""
    for watch in WatchRow.objects.filter(person__secret=True, closed_at__isnull=True):
        apply.apply(Change(ev.Resolved(None, ev.Outcome.FINE), watch=watch.id))
    Message.objects.all().delete()
    clock.advance(3600)
    for watch in WatchRow.objects.filter(person__secret=True, closed_at__isnull=True):
        apply.apply(Change(ev.Ended(), watch=watch.id))
    Message.objects.all().delete()
    hook.text(SAM, "4711")
    return {number_of(m) for m in Message.objects.filter(word="forced")}


@pytest.mark.parametrize("hand", HANDS.values(), ids=list(HANDS))
def test_all_that_the_forcing_hand_tries_looks_as_with_a_pin(
    locked: SamsNight, hook: Hook, clock: Clock, hand: list[tuple[str, ...]]
) -> None:
    forced, ordinary = seen(locked, hand), seen(with_a_pin(), hand)
    assert forced == ordinary
    assert called(hook, clock) == {MAYA}


def test_it_erases_all_and_the_call_goes_on(locked: SamsNight) -> None:
    here = browser(locked.key)
    typed(here, "4711")
    post(here, "/mine", do="pin", pin="")
    assert "Everything is erased" in text_of(post(here, "/mine", do="erase", sure="1"))
    assert WatchRow.objects.get(person__secret=True).state == "alarm"


def test_sam_s_own_pin_opens_whatever_was_set_meanwhile(locked: SamsNight) -> None:
    here = browser(locked.key)
    typed(here, "4711")
    post(here, "/mine", do="pin", pin="9753")
    sam = browser(locked.key)
    assert typed(sam, "2468")[0] == 302
    assert post(sam, "/mine", do="pin", pin="8642").status_code == 200
    assert typed(browser(locked.key), "9753")[0] == 422, "Sam's own change ends it"
    assert post(sam, "/mine/word", do="forget").status_code == 200
    assert force.which_word(Person.objects.get(secret=False), "4711") is None


def test_a_forgotten_pin_that_runs_out_is_as_one_that_was_removed(
    locked: SamsNight, clock: Clock
) -> None:
    here = browser(locked.key)
    typed(here, "4711")
    post(browser(locked.key), "/pin", do="forgotten")
    clock.advance(24 * 3600 + 1)
    assert here.get("/people").status_code == 200
    post(here, "/mine/word", do="forget")
    post(here, "/mine", do="pin", pin="9753")
    assert typed(browser(locked.key), "4711")[0] == 422
    assert WatchRow.objects.filter(person__secret=True, closed_at__isnull=True).exists()
    assert typed(browser(locked.key), "9753")[0] == 302


def test_a_word_that_is_set_there_calls_those_chosen_there(locked: SamsNight, hook: Hook) -> None:
    here = browser(locked.key)
    typed(here, "4711")
    assert set_word(here, "green lamp post", locked.contacts["Leo"]) == 200
    hook.text(SAM, "green lamp post")
    heard = {m.contact_id for m in Message.objects.filter(word="forced")}
    assert heard == set(Contact.objects.filter(person__secret=True).values_list("id", flat=True))
    assert len(heard) == 2, "Maya by the word, and Leo by the other, in two calls"
    assert WatchRow.objects.filter(person__secret=True).count() == 2


def test_without_a_pin_the_word_cannot_be_told_from_an_ordinary_no(
    night: SamsNight, sam: Client
) -> None:
    set_word(sam, "4711", night.contacts["Maya"])
    word, common = (post(sam, "/mine", do="pin", pin=pin) for pin in ("4711", "1234"))
    assert (word.status_code, text_of(word)) == (common.status_code, text_of(common))
    tries = [post(sam, "/mine", do="pin", pin=str(9531 + n)).status_code for n in range(12)]
    assert tries[8:] == [200, 422, 422, 422], "nor are the others tried one after the other"


@pytest.mark.parametrize("page", ["/mine", "/mine/word"])
def test_what_was_typed_for_the_pin_is_the_pin_for_whoever_typed_it(
    locked: SamsNight, page: str
) -> None:
    """Set once more, as PIN or as word, it is answered as the other one is."""
    answers = []
    for opened in ("4711", "2468"):
        client = browser(locked.key)
        typed(client, opened)
        ids = [str(locked.contacts["Leo"].id)]
        fields = {"do": "pin", "pin": opened} if page == "/mine" else {"do": "keep", "word": opened}
        answer = post(client, page, **fields, contacts=ids)
        answers.append((answer.status_code, text_of(answer)))
    assert answers[0] == answers[1]
    assert force.is_the_word(Person.objects.get(secret=False), "4711")
