"""What goes on as it should while strangers' numbers are guarded: proving one takes no more than an
answer, and nobody who said yes is held back."""

from __future__ import annotations

from dataclasses import replace

import pytest
from pytest_django.fixtures import Settings

from stillhere.core.messages import Fate, Receipt
from stillhere.store.db import budgets
from stillhere.store.db import clock as time
from stillhere.store.installation import desk_key
from stillhere.store.messages import delivery
from stillhere.store.models import Address, Message, Person, sealed_columns
from stillhere.store.people import address_book, invitations
from stillhere.store.people.numbers import address_proof, strangers
from stillhere.store.problems import Problem, Reached
from stillhere.store.watches import apply
from stillhere.store.watches.apply import Change, CheckIn
from tests.circle import tick_all
from tests.web.conftest import browser, post
from tests.web.pages import read
from tests.web.strangers import VICTIM, Town, add, alarm, answers, page_of, town, visitor

pytestmark = pytest.mark.usefixtures("database")

__all__ = ["town"]  # a fixture


def test_the_link_of_an_invitation_proves_the_number_with_the_yes(town: Town) -> None:
    """No code is typed: it came in the link of that very text."""
    client, me = visitor()
    add(client, VICTIM)
    town.live(5)
    phone = browser(stranger=True)
    path = town.link(VICTIM)
    phone.get(path)
    page = path.partition("?")[0]
    phone.post(f"{page}/answer", {"do": "join"})
    maya = me.contacts.get()
    assert {a.proved_at > 0 for a in maya.addresses.all()} == {True}, "text and call are one number"
    phone.post(f"{page}/answer", {"do": "test"})
    town.live(5)
    assert town.words(VICTIM) == ["invite", "test", "test"]


@pytest.mark.parametrize("no", ["not-me", "leave"])
def test_a_no_from_the_link_of_an_invitation_proves_nothing(town: Town, no: str) -> None:
    """The link carries the code; whoever says no has not said that the number is theirs."""
    client, me = visitor()
    add(client, VICTIM)
    town.live(5)
    phone = browser(stranger=True)
    phone.get(path := town.link(VICTIM))
    assert phone.post(f"{path.partition('?')[0]}/answer", {"do": no}).status_code == 200
    assert not Address.objects.filter(contact__person=me, proved_at__gt=0).exists()
    assert not me.contacts.filter(status="invited").exists(), "it is a no to this person"
    alarm(client)
    town.live(600)
    assert town.words(VICTIM) == ["invite"]
    with pytest.raises(Problem):
        invitations.add_contact(me, "x", [Reached("text", VICTIM, rings=False)])


def test_not_me_ends_only_the_number_that_it_came_from(town: Town) -> None:
    client, me = visitor()
    add(client, VICTIM)
    maya = me.contacts.get()
    address_book.add_address(Reached("email", "maya@example.org", False), contact=maya, now=1)
    town.live(5)
    phone = browser(stranger=True)
    phone.get(path := town.link(VICTIM))
    phone.post(f"{path.partition('?')[0]}/answer", {"do": "not-me"})
    assert {a.channel: a.state for a in maya.addresses.all()} == {
        "text": "opted-out",
        "call": "opted-out",
        "email": "ok",
    }
    assert me.contacts.get().status == "invited"


def test_not_me_from_a_link_that_was_handed_on_changes_nothing(town: Town) -> None:
    client, me = visitor()
    add(client, VICTIM)
    path = page_of(me.contacts.get())
    browser(stranger=True).post(f"{path}/answer", {"do": "not-me"})
    assert {a.state for a in me.contacts.get().addresses.all()} == {"ok"}


def test_a_get_proves_nothing(town: Town) -> None:
    """Mail programs and phones look at links before anybody does."""
    client, me = visitor()
    add(client, VICTIM)
    town.live(5)
    browser(stranger=True).get(town.link(VICTIM))
    assert not me.contacts.get().addresses.filter(proved_at__gt=0).exists()


def test_the_link_that_sam_has_proves_nothing(town: Town) -> None:
    """Whoever adds somebody holds the link of their page too, but not the code in the text."""
    client, me = visitor()
    add(client, VICTIM)
    town.live(5)
    page = page_of(me.contacts.get())
    client.get(page)
    client.post(f"{page}/answer", {"do": "join"})
    assert not me.contacts.get().addresses.filter(proved_at__gt=0).exists()


def test_a_reply_proves_a_number_and_the_test_ring_follows(town: Town) -> None:
    client, me = visitor()
    add(client, VICTIM)
    town.live(5)
    town.hook.text(VICTIM, "1")
    town.live(5)
    assert me.contacts.get().addresses.filter(proved_at__gt=0).count() == 2
    assert town.words(VICTIM)[1:] == ["reply-joined", "test", "test"]


def test_a_code_that_is_typed_proves_ones_own_number_and_asks_go_there(town: Town) -> None:
    client, me = visitor()
    answer = post(client, "/people", do="own", phone=VICTIM)
    assert "We sent you a code." in read(client, answer["Location"])
    town.live(5)
    code = address_proof.code_of(me.addresses.get(channel="text").nonce)
    assert code in town.last(VICTIM)
    typed = f"{code[:3]} {code[3:]}"
    assert post(client, "/people", do="code", code=typed).status_code == 302
    assert "is yours" not in read(client, "/watch")
    post(client, "/watch", profile="injected", tz="America/Denver")
    key = str(client.get("/watch").context["shown"].key)
    client.post(f"/k/{key}/mark", {"back": "watch"})
    town.live(90)
    assert "ask" in town.words(VICTIM)
    assert "ask-ring" in town.words(VICTIM)


def test_the_code_or_a_word_by_text_proves_ones_own_number(town: Town) -> None:
    for words in ("OK", "the code itself"):
        client, me = visitor()
        post(client, "/people", do="own", phone=VICTIM)
        town.live(5)
        code = address_proof.code_of(me.addresses.get(channel="text").nonce)
        town.hook.text(VICTIM, code if "code" in words else words)
        assert me.addresses.filter(proved_at__gt=0).count() == 2
        town.live(5)
        assert town.last(VICTIM).startswith("Thank you. Now we know that this number is yours.")
        me.delete()


def test_a_code_is_sent_again_when_it_is_asked_for_and_then_no_more(town: Town) -> None:
    client, _me = visitor()
    post(client, "/people", do="own", phone=VICTIM)
    town.live(5)
    answers = []
    for _ in range(4):
        answers.append(post(client, "/people", do="send-code").status_code)
        town.live(5)
    assert answers == [302, 302, 422, 422]
    assert town.words(VICTIM) == ["prove"] * strangers.CODES
    assert "We cannot send another code" in post(client, "/people", do="send-code").content.decode()


def test_a_number_that_was_proved_stays_so_when_the_form_is_sent_again(town: Town) -> None:
    client, me = visitor()
    post(client, "/people", do="own", phone=VICTIM)
    address_proof.vouch(me)
    post(client, "/people", do="own", phone=VICTIM, email="sam@example.org")
    proved = {a.channel: a.proved_at > 0 for a in me.addresses.all()}
    assert proved == {"text": True, "call": True, "email": False}


def test_an_address_for_mail_is_proved_by_the_link_in_the_mail(town: Town) -> None:
    client, me = visitor()
    post(client, "/people", do="add", name="Maya", email="maya@example.org")
    town.live(5)
    path = town.link("maya@example.org")
    phone = browser(stranger=True)
    phone.get(path)
    phone.post(f"{path.partition('?')[0]}/answer", {"do": "join"})
    assert me.contacts.get().addresses.get().proved_at > 0


def test_the_link_in_our_mail_is_enough_for_this_is_my_phone(town: Town) -> None:
    """Leo said yes by text; the press proves the mail beside the number, and opens the page."""
    client, me = visitor()
    add(client, VICTIM, "Leo", email="leo@example.org")
    town.live(5)
    town.hook.text(VICTIM, "YES")
    leo, phone = me.contacts.get(), browser(stranger=True)
    phone.get(path := town.link("leo@example.org"))
    page = path.partition("?")[0]
    answered = phone.post(f"{page}/answer", {"do": "mine"})
    assert "not-yours" not in answered["Location"]
    assert leo.addresses.get(channel="email").proved_at
    assert phone.get(f"{page}/mine").status_code == 200, "it is known from now on"


def test_sams_number_hears_of_another_way_that_is_proved(town: Town) -> None:
    """Mallory had Sam's open phone, typed a mail address and pressed the link that came there."""
    client, me = visitor()
    post(client, "/people", do="own", phone=VICTIM)
    town.live(5)
    town.hook.text(VICTIM, "OK")
    town.live(5)
    assert "new-way" not in town.words(VICTIM), "it is the first"
    post(client, "/people", do="own", phone=VICTIM, email="mallory@example.org")
    town.live(5)
    assert "new-way" not in town.words(VICTIM), "nothing goes there yet"
    code = address_proof.code_of(me.addresses.get(channel="email").nonce)
    post(client, "/people", do="code", code=code)
    town.live(5)
    assert town.words(VICTIM).count("new-way") == 1
    assert town.last(VICTIM).startswith("Another way to ask you was added.")


def test_a_contact_who_never_answered_is_rung_once_and_the_ladder_goes_on(town: Town) -> None:
    """One text and one call in the alarm, and no news; whoever said yes gets everything."""
    client, me = visitor()
    add(client, VICTIM, "Ana", rung="first")
    add(client, "+12025550102", "Maya", rung="after")
    town.live(5)
    town.hook.text("+12025550102", "1")
    town.live(5)
    alarm(client)
    town.live(400)
    assert sorted(town.words(VICTIM)) == ["help", "help", "invite"]
    assert "have not answered yet" in town.last(VICTIM)
    words = town.words("+12025550102")
    assert {"help", "again", "ambulance"} <= set(words)
    held = Message.objects.filter(contact__person=me, status="dropped")
    assert held.filter(why="this number is not proved yet").exists()


def test_whoever_was_rung_is_told_once_that_it_is_over(town: Town) -> None:
    """Nobody is rung at night and left with it; who was held back hears of nothing."""
    client, _me = visitor()
    add(client, VICTIM, "Ana", rung="first")
    town.live(5)
    for _ in range(3):
        alarm(client)
        town.live(30)
        answers(client, town)
    rung = ["help", "help", "stand-down"]
    assert town.words(VICTIM) == ["invite", *rung, *rung], "the third time neither rings nor ends"


def test_an_end_that_another_alarm_overtook_is_told_with_that_one_s(town: Town) -> None:
    """The text that it was over did not leave before the next alarm, which rang her no more."""
    client, me = visitor()
    add(client, VICTIM, "Ana", rung="first")
    town.live(5)
    alarm(client)
    town.live(30)
    assert town.words(VICTIM) == ["invite", "help", "help"]
    use_up(me, VICTIM)
    watch = client.get("/watch").context["shown"].row.id
    for wait_s in (0, 40):
        town.clock.advance(wait_s)
        apply.apply(Change(CheckIn(), watch=watch))
    [end] = [m for m in delivery.lease("text", town.clock.now, 50, 20) if m.word == "stand-down"]
    delivery.record([end.result(Receipt(Fate.BUSY, why="no answer"))], town.clock.now)
    alarm(client)
    town.live(30)
    answers(client, town)
    assert town.words(VICTIM) == ["invite", "help", "help", "stand-down"]
    alarm(client)
    town.live(30)
    answers(client, town)
    assert town.words(VICTIM)[3:] == ["stand-down"], "and once"


def test_alarms_to_proved_numbers_are_stopped_by_no_budget(town: Town, settings: Settings) -> None:
    settings.STILLHERE = replace(settings.STILLHERE, strangers_a_day=1)
    client, me = visitor()
    add(client, "+12025550102")
    town.live(5)
    town.hook.text("+12025550102", "1")
    for _ in range(strangers.RUNG_A_NUMBER + 2):
        alarm(client)
        town.live(60)
        town.hook.text("+12025550102", "im there")
        shown = client.get("/watch").context["shown"]
        apply.apply(Change(CheckIn(), watch=shown.row.id))
        town.live(30)
    assert town.counted("+12025550102")["call"] > strangers.RUNG_A_NUMBER
    assert not Message.objects.filter(contact__person=me, status="dropped").filter(
        why__contains="today"
    )


def use_up_the_day(number: str) -> None:
    """What a number may be rung a day."""
    for _ in range(strangers.RUNG_A_NUMBER):
        budgets.take(strangers.limits("help", None, "text", number)[:1], time.now_ms())


def use_up(me: Person, number: str) -> None:
    """That, and what this list is owed."""
    use_up_the_day(number)
    for _ in range(strangers.OWED):
        budgets.take([strangers.owed_ring(me.id, "text", number)], time.now_ms())


def test_nobody_uses_up_the_ring_that_an_alarm_of_sams_owes_maya(
    town: Town, settings: Settings
) -> None:
    """Mallory, as two visitors, has Maya on a list as well, and calls for help first."""
    sam, _ = visitor()
    add(sam, VICTIM, name="Maya")
    town.live(5)
    for _ in range(2):
        mallory, _me = visitor()
        add(mallory, VICTIM, name="X")
        town.live(5)
        alarm(mallory)
        town.live(60)
    settings.STILLHERE = replace(settings.STILLHERE, strangers_a_day=0)  # nor by everybody together
    before = town.counted(VICTIM)["call"]
    alarm(sam)
    town.live(90)
    assert town.counted(VICTIM)["call"] == before + 1


def test_what_is_owed_is_owed_once(town: Town) -> None:
    client, _me = visitor()
    add(client, VICTIM, "Ana", rung="first")
    town.live(5)
    alarm(client)
    town.live(30)
    answers(client, town)
    use_up_the_day(VICTIM)
    alarm(client)
    town.live(30)
    assert town.counted(VICTIM)["call"] == 1


def test_when_the_budget_of_a_number_is_used_up_the_next_is_rung_at_once(town: Town) -> None:
    client, me = visitor()
    add(client, VICTIM, "Ana", rung="first")
    add(client, "+12025550102", "Maya", rung="after")
    town.live(5)
    town.hook.text("+12025550102", "1")
    town.live(5)
    number = sealed_columns.address_value(Address.objects.filter(contact__person=me).earliest("id"))
    use_up(me, number)
    before = town.clock.now
    alarm(client)
    while "help" not in town.words("+12025550102"):
        town.live(5)
        assert town.clock.now - before < 20_000, "45 s would have been waited for nothing"
    assert "help" not in town.words(VICTIM)
    assert Message.objects.filter(why="was rung often enough today").exists()


def test_the_desk_says_in_words_why_somebody_is_not_rung(town: Town) -> None:
    client, _me = visitor()
    add(client, VICTIM, "Ana", rung="first")
    town.live(5)
    said = "Ana has not said yes yet, so we ring them once at most in an alarm."
    assert said in read(client, "/people")
    alarm(client)
    town.live(300)
    ruth = browser()
    told = read(ruth, f"/desk/{desk_key.key()}")
    assert "has not said yes yet, so we ring them once at most" in told


def test_and_that_its_number_was_rung_often_enough_today(town: Town) -> None:
    client, me = visitor()
    add(client, VICTIM, "Ana", rung="first")
    town.live(5)
    number = sealed_columns.address_value(Address.objects.filter(contact__person=me).earliest("id"))
    use_up(me, number)
    alarm(client)
    town.live(10)
    told = read(browser(), f"/desk/{desk_key.key()}")
    assert "has not said yes, and was rung often enough today" in told


def test_engines_ticks_are_not_needed_for_a_code(town: Town) -> None:
    """Sent once by itself; the form sent again before it has left sends no second one."""
    client, _me = visitor()
    post(client, "/people", do="own", phone=VICTIM)
    post(client, "/people", do="own", phone=VICTIM)
    tick_all()
    town.live(5)
    assert town.words(VICTIM) == ["prove"]
