"""A drill reaches the whole list as an alarm would, and nobody can take it for one."""

from __future__ import annotations

import itertools
import os
import subprocess
import sys
from datetime import timedelta

import pytest
from click.testing import CliRunner, Result
from django.conf import settings
from django.db.models import Max
from django.test import Client

from stillhere.cli.commands.drill import command
from stillhere.core import events as ev
from stillhere.core.messages import Fate, Inbound, Receipt
from stillhere.engine import render
from stillhere.store.db import encryption
from stillhere.store.inbound import inbox
from stillhere.store.messages import delivery
from stillhere.store.models import Contact, Message, Person
from stillhere.store.people import drills
from stillhere.store.problems import Problem
from stillhere.store.watches.apply import CallForHelp
from tests.circle import SamsNight, sams_night
from tests.conftest import Clock
from tests.hook import LEO, MAYA
from tests.web.conftest import browser, post

pytestmark = pytest.mark.usefixtures("database")
ids = itertools.count()


def quiet() -> SamsNight:
    night = sams_night(("Leo",), ("Maya",))
    Message.objects.update(status="sent")
    return night


def leaves(clock: Clock, channel: str = "text") -> dict[str, str]:
    """What leaves now, by number."""
    found = {}
    for m in delivery.lease(channel, clock.now, 50, 20):
        found[m.to] = render.render(m, m.to).text
        delivery.record([m.result(Receipt(Fate.ACCEPTED, f"one:{m.id}"))], clock.now)
    return found


def says(number: str, words: str, kind: str = "text", message: Message | None = None) -> str:
    channel = "text" if kind == "text" else "call"
    ref = str(message.id) if message is not None else ""
    came = Inbound(channel, f"d{next(ids)}", kind, sender=number, text=words, reply_ref=ref)
    last = Message.objects.aggregate(Max("id", default=0))["id__max"]
    reply = inbox.take(came)
    queued = Message.objects.filter(id__gt=last, key__startswith="r").first()
    answer = queued if kind == "text" else reply
    return answer.word if answer is not None else ""


def leo(night: SamsNight) -> Contact:
    return Contact.objects.get(id=night.contacts["Leo"].id)


def test_everyone_is_reached_rung_by_rung_with_words_that_say_it(clock: Clock) -> None:
    night = quiet()
    assert drills.begin(night.person) == 2
    assert leaves(clock) == {
        LEO: "Only a drill, nobody is in need: would you come to Sam now? Reply 1 yes, 2 no."
    }
    assert set(leaves(clock, "call")) == {LEO}
    clock.advance(45)
    assert set(leaves(clock)) == {MAYA}


@pytest.mark.parametrize(("words", "said"), [("1", "yes"), ("no", "no")])
def test_what_each_answers_and_when_is_kept(words: str, said: str, clock: Clock) -> None:
    night = quiet()
    drills.begin(night.person)
    leaves(clock)
    clock.advance(12)
    assert says(LEO, words) == "reply-drill"
    contact = leo(night)
    assert (contact.drill_said, contact.drill_answered_at - contact.drilled_at) == (said, 12_000)
    assert says(LEO, words) == "reply-over", "said once"
    assert contact.status == "confirmed"


def test_a_key_on_the_call_is_an_answer(clock: Clock) -> None:
    night = quiet()
    drills.begin(night.person)
    leaves(clock, "call")
    call = Message.objects.get(contact=leo(night), word="drill", channel="call")
    assert says(LEO, "1", "key", call) == "reply-drill"
    assert leo(night).drill_said == "yes"


def test_an_answer_an_hour_later_is_about_something_else(clock: Clock) -> None:
    night = quiet()
    drills.begin(night.person)
    clock.advance(3_601)
    assert says(LEO, "1") == "reply-over"
    assert leo(night).drill_said == ""


def test_in_an_alarm_an_answer_is_about_the_alarm(clock: Clock) -> None:
    night = quiet()
    drills.begin(night.person)
    night.start()
    night.does(ev.Marked())
    night.does(CallForHelp())
    assert says(LEO, "1") == "reply-going"
    assert leo(night).drill_said == ""
    assert night.row().state == "claimed"


def test_nobody_is_drilled_twice_an_hour_nor_where_nobody_said_yes(clock: Clock) -> None:
    night = quiet()
    drills.begin(night.person)
    with pytest.raises(Problem, match="drilled"):
        drills.begin(night.person)
    clock.advance(timedelta(hours=2).total_seconds())
    Contact.objects.update(status="invited")
    with pytest.raises(Problem, match="no-drill"):
        drills.begin(night.person)


def test_after_thirty_days_without_an_answer_it_is_said(clock: Clock) -> None:
    night = quiet()
    assert drills.stale(night.person, clock.now)
    drills.answer(leo(night), comes=False, now=clock.now)
    assert not drills.stale(night.person, clock.now)
    clock.advance(timedelta(days=31).total_seconds())
    assert drills.stale(night.person, clock.now)
    Contact.objects.all().delete()
    assert not drills.stale(night.person, clock.now), "an empty list is said elsewhere"


def test_the_pages_hold_a_drill_and_show_what_came_of_it(clock: Clock) -> None:
    night = quiet()
    sam: Client = browser(night.key)
    assert "Nobody has answered a drill for 30 days." in sam.get("/watch").content.decode()
    where = post(sam, "/people", do="drill")["Location"]
    answer = sam.get(where).content.decode()
    assert "The drill is on its way." in answer
    assert "no answer" in answer
    clock.advance(9)
    says(LEO, "1")
    assert "would come, after 9 s" in sam.get("/people").content.decode()
    assert "for 30 days" not in sam.get("/watch").content.decode()
    assert post(sam, "/people", do="drill").status_code == 422


def test_whoever_joins_by_text_is_rung_once_and_a_key_says_that_it_rang(clock: Clock) -> None:
    night = quiet()
    Contact.objects.filter(id=leo(night).id).update(status="invited")
    assert says(LEO, "1") == "reply-joined"
    [call] = Message.objects.filter(contact=leo(night), word="test", channel="call")
    leaves(clock, "call")
    assert says(LEO, "5", "key", call) == "reply-rang"
    assert leo(night).rang_at == clock.now


# --- by a coordinator -----------------------------------------------------------------------------


def drill(*arguments: str) -> Result:
    return CliRunner().invoke(command, [*arguments, "--wait", "0"])


def test_a_coordinator_holds_one_by_link_or_number(clock: Clock) -> None:
    night = quiet()
    told = drill(f"{settings.STILLHERE.base_url}/p/{night.key}")
    assert told.exit_code == 0, told.output
    assert told.output == (
        "A drill goes to 2 of them, round by round. Waiting 0 s for answers.\n"
        "Leo: no answer yet\nMaya: no answer yet\n"
    )
    again = drill("202 555 0100")  # the same person, by their number
    assert again.exit_code == 1
    assert "A drill was held within the hour." in again.output
    clock.now += 3_700_000
    assert drill("+1 (202) 555-0100").exit_code == 0


@pytest.mark.parametrize("key", ["-" + "x" * 26, "--" + "w" * 25, "-wait" + "x" * 22])
def test_a_key_may_begin_with_a_dash(key: str) -> None:
    night = quiet()
    Person.objects.filter(id=night.person.id).update(key_hash=encryption.key_hash(key))
    assert drill(key).exit_code == 0


@pytest.mark.parametrize(
    "who", ["", "nobody", "https://example.org/p/x", "+12025550199", "x" * 999]
)
def test_a_drill_for_nobody_says_how_to_find_them(who: str) -> None:
    quiet()
    told = drill(who)
    assert told.exit_code == 1
    assert "Ask them for the link" in told.output
    assert not Message.objects.filter(word="drill").exists()


def test_the_answers_are_printed_as_they_come(
    clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    night = quiet()

    def answers(_: float) -> None:
        for name, comes in (("Leo", False), ("Maya", True)):
            contact = Contact.objects.get(id=night.contacts[name].id)
            drills.answer(contact, comes=comes, now=contact.drilled_at + 7_000)

    monkeypatch.setattr("stillhere.cli.actions.drill.time.sleep", answers)
    told = CliRunner().invoke(command, [night.key, "--wait", "60"])
    assert "Leo: could not come, after 7 s\n" in told.output
    assert "Maya: would come, after 7 s\n" in told.output
    assert "no answer" not in told.output


def test_the_command_loads_what_it_needs_by_itself() -> None:
    """In a process of its own nothing has loaded the tables before it."""
    code = "from stillhere.cli import loading; loading.action('drill').hold"
    alone = os.environ | {"DJANGO_SETTINGS_MODULE": "stillhere.config.settings"}
    subprocess.run([sys.executable, "-c", code], check=True, env=alone)
