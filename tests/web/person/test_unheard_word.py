"""A word under force that would reach nobody: said while it is chosen, and seen on no page."""

from __future__ import annotations

import pytest
from django.test import Client

from stillhere.core.messages import Fate, Receipt
from stillhere.engine.audit import audit_once
from stillhere.store.messages import delivery
from stillhere.store.models import Address, Contact, Message, Person
from stillhere.store.models.sealed_columns import contact_key
from tests.circle import SamsNight, live
from tests.conftest import Clock
from tests.hook import MAYA, SAM, Hook
from tests.web.conftest import browser, post
from tests.web.pages import text_of
from tests.web.person.test_secret_word import WORD, hidden, hook, safe, seen, set_word
from tests.web.strangers import Town, town, visitor

__all__ = ["hook", "safe", "town"]


def reached_on_an_open_page(client: Client, person: Person) -> Contact:
    """Leo said yes on the phone that Sam held out, and nobody knows a number of his."""
    post(client, "/people", do="add", name="Leo")
    leo = Contact.objects.get(person=person)
    browser(stranger=True).post(f"/c/{contact_key(leo)}/answer", {"do": "join"})
    leo.refresh_from_db()
    assert leo.status == "confirmed"
    return leo


@pytest.mark.parametrize("beside", [False, True], ids=["alone", "beside Maya"])
def test_a_word_is_not_kept_for_whom_it_would_not_reach(
    night: SamsNight, sam: Client, beside: bool
) -> None:
    leo = night.contacts["Leo"]
    Address.objects.filter(contact=leo).update(proved_at=0)
    chosen = [leo, night.contacts["Maya"]] if beside else [leo]
    assert "Leo (no number that we can reach)" in text_of(sam.get("/mine/word"))
    ids = [str(contact.id) for contact in chosen]
    answer = post(sam, "/mine/word", do="keep", word=WORD, contacts=ids)
    assert answer.status_code == 422
    assert "Nothing was kept." in text_of(answer)
    assert not Person.objects.get(secret=False).force_word
    assert not Contact.objects.filter(hears_force=True).exists()


def test_a_word_that_would_reach_an_open_page_alone_is_not_kept(town: Town) -> None:
    client, person = visitor()
    leo = reached_on_an_open_page(client, person)
    assert set_word(client, WORD, leo) == 422
    person.refresh_from_db()
    assert not person.force_word


def test_that_a_word_loses_who_leaves_is_said_and_shows_no_word(
    safe: SamsNight, hook: Hook, sam: Client
) -> None:
    there = text_of(sam.get("/mine/word"))
    assert "Whoever leaves your list, or is taken off it, does not hear your word any more" in there
    hook.text(MAYA, "STOP")
    assert not Contact.objects.filter(hears_force=True, status="confirmed").exists()
    kept = text_of(sam.get("/mine/word"))
    post(sam, "/mine/word", do="forget")
    assert text_of(sam.get("/mine/word")) == kept


@pytest.mark.parametrize("fault", ["no way is left", "refused", "busy"])
def test_no_page_shows_that_the_call_reaches_nobody(
    safe: SamsNight, hook: Hook, sam: Client, clock: Clock, fault: str
) -> None:
    """Whoever holds Sam's phone would see that something began with what Sam typed."""
    safe.start()
    if fault == "no way is left":
        Address.objects.filter(contact=safe.contacts["Maya"]).delete()
    assert audit_once(clock.now) == []
    anyone = browser()
    before = text_of(anyone.get("/")), anyone.get("/healthz").json()["reasons"]
    hook.text(SAM, "still here")
    hook.text(SAM, WORD)
    why = {"refused": "refuses us 401, 20003", "busy": "status 500"}.get(fault, "")
    for _ in range(70):
        live(clock, 1)
        for channel in ("text", "call"):
            taken = delivery.lease(channel, clock.now, 50, 20)
            delivery.record([m.result(Receipt(Fate.BUSY, "", why)) for m in taken], clock.now)
        paged = delivery.lease("coordinator", clock.now, 50, 20)
        delivery.record([m.result(Receipt(Fate.ACCEPTED)) for m in paged], clock.now)
        assert audit_once(clock.now) == []
    assert hidden().state == "alarm"
    assert Message.objects.filter(word="page-exhausted", watch=hidden()).exists(), "Ruth knows"
    assert (text_of(anyone.get("/")), anyone.get("/healthz").json()["reasons"]) == before
    assert not [page for page in seen(sam) if "not running" in page]
