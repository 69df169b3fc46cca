"""Many alarms at once for one volunteer: one list, chosen by number, silence for what is held."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

import pytest
from django.db import OperationalError

from stillhere.channels.wording import compose
from stillhere.core import events as ev
from stillhere.core.messages import DeliveryResult, Facts, Fate, Inbound, Receipt
from stillhere.engine import render
from stillhere.store.inbound import inbox
from stillhere.store.messages import delivery, receipts
from stillhere.store.messages.leased import LeasedMessage
from stillhere.store.models import AlarmList, Contact, Message, WatchRow
from stillhere.store.people import persons
from stillhere.store.program import shifts
from stillhere.store.watches import apply
from stillhere.store.watches.apply import CallForHelp, Change
from tests.circle import tick_all
from tests.conftest import Clock

pytestmark = pytest.mark.usefixtures("database")

ANA, BEN = "+12025550160", "+12025550161"
NAMES = ("Sam", "Kim", "Lou", "Max", "Noa", "Pat", "Rio", "Sky", "Tao", "Uma")


def on_shift(*numbers: str) -> None:
    for no, number in enumerate(numbers):
        shifts.begin(shifts.add(f"Volunteer {'ABCDEF'[no]}", number, "en"), 8)


def alarm(name: str, cause: apply.Asked | None = None) -> int:
    """Somebody who wants volunteers asks for help; the watch."""
    person, _ = persons.new_person("en", "America/New_York")
    persons.set_plan(person, name=name)
    watch = apply.start(person.id, "injected")
    shifts.stand_by(person)
    apply.apply(Change(cause or CallForHelp(), watch=watch))
    return watch


@dataclass
class Phones:
    """The carriers, and everything they were given, by number."""

    clock: Clock
    texts: dict[str, list[str]] = field(default_factory=dict)
    count: Counter[str] = field(default_factory=Counter)
    calls: Counter[str] = field(default_factory=Counter)
    ringing: list[tuple[int, LeasedMessage]] = field(default_factory=list)

    def leave(self, fate: Fate = Fate.ACCEPTED) -> list[LeasedMessage]:
        leased = []
        for channel in ("text", "call"):
            for m in delivery.lease(channel, self.clock.now, 40, 30):
                leased.append(m)
                ref = f"{channel}{m.id}.{m.attempts}"
                delivery.record([m.result(Receipt(fate, ref))], self.clock.now)
                self.count[m.to] += 1
                if channel == "text":
                    self.texts.setdefault(m.to, []).append(render.render(m, m.to).text)
                    if fate is Fate.ACCEPTED:
                        receipts.receipt("text", ref, Fate.DELIVERED, "", self.clock.now, m.id)
                else:
                    self.calls[m.to] += 1
                    self.ringing.append((self.clock.now + 25_000, m))
        return leased

    def live(self, seconds: int) -> None:
        """Nobody picks up."""
        for _ in range(seconds):
            self.clock.advance(1)
            tick_all()
            over = [m for at, m in self.ringing if at <= self.clock.now]
            self.ringing = [(at, m) for at, m in self.ringing if at > self.clock.now]
            for m in over:
                ref = f"call{m.id}.{m.attempts}"
                unheard = Receipt(Fate.BUSY, ref, "no-answer")
                receipts.receipts([DeliveryResult("call", unheard, message=m.id)], self.clock.now)
            self.leave()

    def last(self, number: str) -> str:
        return self.texts[number][-1]


@pytest.fixture
def phones(clock: Clock) -> Phones:
    return Phones(clock)


def says(number: str, text: str) -> None:
    no = Message.objects.count()
    inbox.take(Inbound("text", f"t{number}{no}{text}", "text", number, text))


def state(watch: int) -> str:
    return WatchRow.objects.get(id=watch).state


def test_thirty_alarms_reach_six_volunteers_in_twelve_messages_at_most(phones: Phones) -> None:
    numbers = [f"+1202555016{n}" for n in range(6)]
    on_shift(*numbers)
    watches = [alarm(f"{NAMES[n % 10]} {'ABC'[n // 10]}") for n in range(30)]
    phones.leave()
    phones.live(299)
    print(phones.count)
    assert set(phones.count) == set(numbers)
    assert max(phones.count.values()) <= 12
    for watch in watches:
        row = WatchRow.objects.get(id=watch)
        assert row.state == "alarm"
        assert row.wake_at is not None, "it goes on"
        told = Message.objects.filter(watch=watch, channel="text", status="delivered")
        assert told.values("contact").distinct().count() == 6, "and everybody has heard of it"


def test_six_who_choose_hold_six_and_the_others_go_on(phones: Phones) -> None:
    numbers = [f"+1202555016{n}" for n in range(6)]
    on_shift(*numbers)
    watches = [alarm(f"{NAMES[n % 10]} {'ABC'[n // 10]}") for n in range(30)]
    phones.leave()
    phones.live(20)
    for no, number in enumerate(numbers, 1):
        says(number, str(no))
    phones.live(279)
    assert max(phones.count.values()) <= 12
    assert [state(watch) for watch in watches[:6]] == ["claimed"] * 6
    for watch in watches[6:]:
        row = WatchRow.objects.get(id=watch)
        assert (row.state, row.wake_at is not None) == ("alarm", True)
    assert Message.objects.filter(word="page-exhausted").exists()


def test_the_first_is_told_at_once_and_the_next_within_seconds_as_a_list(phones: Phones) -> None:
    on_shift(ANA)
    alarm("Sam")
    phones.leave()
    assert phones.last(ANA).startswith("Sam asks for help NOW")
    phones.live(1)
    alarm("Kim")
    phones.live(5)
    assert phones.last(ANA) == (
        "2 people may need help NOW: 1 Sam, 2 Kim. Reply the number you go to, or NO."
    )


def test_a_number_goes_to_that_one_and_later_digits_are_about_that_one(phones: Phones) -> None:
    on_shift(ANA)
    sam, kim, lou = alarm("Sam"), alarm("Kim"), alarm("Lou")
    phones.leave()
    phones.live(10)
    says(ANA, "2")
    phones.live(1)
    assert [state(w) for w in (sam, kim, lou)] == ["alarm", "claimed", "alarm"]
    assert phones.last(ANA).startswith("Thank you. The others hear that you are going to Kim.")
    phones.live(170)
    assert "You are going to Kim." in phones.last(ANA)
    says(ANA, "4")
    assert [state(w) for w in (sam, kim, lou)] == ["alarm", "attended", "alarm"]


@pytest.mark.parametrize(
    "typed", ["7", "0", "12", "1 2", "1,3", "1 and 2", "3 y 1", "going", "omw 10"]
)
def test_what_is_no_number_of_the_list_is_asked_back_and_taken_for_none(
    phones: Phones, typed: str
) -> None:
    on_shift(ANA)
    watches = [alarm("Sam"), alarm("Kim"), alarm("Lou")]
    phones.leave()
    phones.live(10)
    says(ANA, typed)
    phones.live(1)
    assert [state(w) for w in watches] == ["alarm"] * 3
    assert phones.last(ANA) == "Open now: 1 Sam, 2 Kim, 3 Lou. Reply one number."


def test_the_number_of_an_alarm_that_is_over_is_never_another_ones(phones: Phones) -> None:
    on_shift(ANA)
    sam, kim, lou = alarm("Sam"), alarm("Kim"), alarm("Lou")
    phones.leave()
    phones.live(10)
    apply.apply(Change(ev.Resolved(None, ev.Outcome.FINE), watch=sam))
    phones.live(2)
    says(ANA, "1")
    phones.live(1)
    assert [state(w) for w in (kim, lou)] == ["alarm"] * 2
    assert phones.last(ANA) == "Sam: this alarm is over. Open now: 2 Kim, 3 Lou. Reply one number."
    says(ANA, "3")
    assert [state(w) for w in (kim, lou)] == ["alarm", "claimed"]


def test_numbers_stay_and_new_alarms_get_new_ones(phones: Phones) -> None:
    on_shift(ANA)
    sam, kim = alarm("Sam"), alarm("Kim")
    phones.leave()
    phones.live(10)
    apply.apply(Change(ev.Resolved(None, ev.Outcome.FINE), watch=sam))
    lou = alarm("Lou")
    phones.live(6)
    assert any("2 Kim, 3 Lou." in text for text in phones.texts[ANA][-2:])
    says(ANA, "2")
    assert [state(w) for w in (kim, lou)] == ["claimed", "alarm"]


def test_when_all_are_over_one_alarm_is_answered_as_ever(phones: Phones) -> None:
    on_shift(ANA)
    for watch in (alarm("Sam"), alarm("Kim")):
        phones.leave()
        phones.live(6)
        apply.apply(Change(ev.Resolved(None, ev.Outcome.FINE), watch=watch))
    phones.live(60)
    lou = alarm("Lou")
    phones.leave()
    assert phones.last(ANA).startswith("Lou asks for help NOW")
    says(ANA, "2")
    assert Message.objects.filter(word="reply-cannot").count() == 1
    says(ANA, "1")
    assert state(lou) == "claimed"


def test_nothing_is_said_of_an_alarm_that_somebody_else_holds(phones: Phones) -> None:
    on_shift(ANA, BEN)
    sam, kim = alarm("Sam"), alarm("Kim")
    phones.leave()
    phones.live(10)
    before = len(phones.texts[BEN])
    says(ANA, "1")
    phones.live(4)
    assert len(phones.texts[BEN]) == before, "nobody tells Ben who goes to Sam"
    phones.live(290)
    later = phones.texts[BEN][before:]
    assert later
    assert not any("1 Sam" in text for text in later[:2])
    assert any("2 Kim" in text for text in later)
    assert state(kim) == "alarm"
    assert sam


def test_no_takes_them_off_all_of_it(phones: Phones) -> None:
    on_shift(ANA)
    watches = [alarm("Sam"), alarm("Kim")]
    phones.leave()
    phones.live(10)
    says(ANA, "no")
    for watch in watches:
        contact = Contact.objects.get(person__watches=watch)
        assert contact.id in apply_out(watch)


def apply_out(watch: int) -> tuple[int, ...]:
    from stillhere.store.watches.rows import alarm_from  # noqa: PLC0415

    return alarm_from(WatchRow.objects.get(id=watch).alarm).out


def test_list_shows_what_is_open(phones: Phones) -> None:
    on_shift(ANA)
    for name in NAMES[:3]:
        alarm(name)
    phones.leave()
    phones.live(10)
    says(ANA, "LIST")
    phones.live(1)
    assert phones.last(ANA) == "Open now: 1 Sam, 2 Kim, 3 Lou. Reply one number."


def test_an_answer_that_crossed_the_first_list_is_asked_back(phones: Phones) -> None:
    on_shift(ANA)
    sam = alarm("Sam")
    phones.leave()
    kim = alarm("Kim")
    phones.live(6)
    says(ANA, "2")  # "I can't", to the text about Sam
    assert (state(sam), state(kim)) == ("alarm", "alarm")


def test_a_list_that_is_refused_leaves_as_its_single_messages(phones: Phones) -> None:
    on_shift(ANA)
    alarm("Sam"), alarm("Kim")
    (m,) = delivery.lease("text", phones.clock.now, 40, 30)
    assert m.word == "list"
    delivery.record([m.result(Receipt(Fate.UNKNOWN, why="our own fault"))], phones.clock.now)
    phones.live(3)
    assert sorted(text[:3] for text in phones.texts[ANA]) == ["Kim", "Sam"]
    assert not AlarmList.objects.filter(texted_at__gt=0, called_at=0).exists()


def test_a_list_that_no_carrier_takes_for_now_is_tried_again_as_one(phones: Phones) -> None:
    on_shift(ANA)
    alarm("Sam"), alarm("Kim")
    phones.leave(Fate.BUSY)
    phones.texts.clear()
    phones.live(80)
    assert phones.texts[ANA][0].startswith("2 people may need help NOW: 1 Sam, 2 Kim.")


def test_alarms_leave_one_by_one_where_no_list_can_be_stored(
    phones: Phones, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They are leased already: left alone they would wait until the lease is over."""
    on_shift(ANA)
    for name in NAMES[:3]:
        alarm(name)

    def locked(*_: object) -> None:
        raise OperationalError("database is locked")

    monkeypatch.setattr(AlarmList, "save", locked)
    phones.live(40)
    told = " ".join(phones.texts[ANA])
    assert all(name in told for name in NAMES[:3])


def test_a_receipt_is_about_all_that_left_within_one(phones: Phones) -> None:
    on_shift(ANA)
    alarm("Sam"), alarm("Kim")
    (m,) = delivery.lease("text", phones.clock.now, 40, 30)
    delivery.record([m.result(Receipt(Fate.ACCEPTED, "ref"))], phones.clock.now)
    texts = Message.objects.filter(channel="text", word="help")
    assert [t.status for t in texts] == ["sent", "sent"]
    receipts.receipt("text", "ref", Fate.DELIVERED, "", phones.clock.now, m.id)
    assert [t.status for t in texts.all()] == ["delivered", "delivered"]


def test_who_must_not_be_phoned_is_never_a_line_of_a_list(phones: Phones) -> None:
    on_shift(ANA)
    alarm("Sam"), alarm("Kim")
    phones.leave()
    phones.live(6)
    lou = alarm("Lou", CallForHelp(wants_to_die=True))
    phones.leave()
    assert phones.last(ANA).startswith("Lou says they want to die.")
    alarm("Max")
    phones.live(6)
    assert any("1 Sam, 2 Kim, 3 Max." in text for text in phones.texts[ANA])
    assert state(lou) == "alarm"


def test_an_answer_is_to_the_one_that_came_last_where_it_is_on_no_list(phones: Phones) -> None:
    on_shift(ANA)
    alarm("Sam"), alarm("Kim")
    phones.leave()
    phones.live(6)
    lou = alarm("Lou", CallForHelp(wants_to_die=True))
    phones.leave()
    says(ANA, "1")
    assert state(lou) == "claimed"


def test_what_one_lease_has_no_room_for_is_in_the_list_too(phones: Phones) -> None:
    on_shift(ANA)
    alarm("Sam"), alarm("Kim"), alarm("Lou")
    (m,) = delivery.lease("text", phones.clock.now, 1, 30)
    assert sorted(no for no, *_ in m.facts.listed) == [1, 2, 3]
    assert delivery.lease("text", phones.clock.now, 1, 30) == []
    delivery.record([m.result(Receipt(Fate.ACCEPTED, "ref"))], phones.clock.now)
    texts = Message.objects.filter(channel="text", word="help")
    assert [t.status for t in texts] == ["sent"] * 3


def test_a_number_that_refuses_the_list_is_told_of_each_by_itself(phones: Phones) -> None:
    on_shift(ANA)
    alarm("Sam"), alarm("Kim")
    (m,) = delivery.lease("text", phones.clock.now, 40, 30)
    delivery.record([m.result(Receipt(Fate.FAILED, why="too long"))], phones.clock.now)
    phones.live(3)
    assert phones.texts[ANA][0].startswith("Kim asks for help NOW")


def test_an_alarm_under_force_says_its_warning_alone(phones: Phones) -> None:
    on_shift(ANA)
    forced = WatchRow.objects.get(id=alarm("Sam"))
    for row in (forced, WatchRow.objects.get(id=alarm("Kim"))):
        assert "help" in row.alarm
    forced.alarm = forced.alarm.replace('"help"', '"force"')
    forced.save(update_fields=["alarm"])
    Message.objects.filter(watch=forced).update(word="forced")
    phones.leave()
    told = " ".join(phones.texts[ANA])
    assert "do NOT phone or text" in told
    assert "people may need help" not in told
    Message.objects.filter(watch=forced).update(word="reopened")
    alarm("Lou")
    phones.live(6)
    assert any("1 Kim, 2 Lou." in text for text in phones.texts[ANA])


@pytest.mark.parametrize("lang", ["en", "es"])
def test_a_list_of_thirty_is_one_text_that_counts_the_rest(lang: str) -> None:
    listed = tuple((n, f"Maximiliana {n}", 0) for n in range(1, 31))
    text = compose("list", Facts(listed=listed, ambulance=True), lang).text
    assert len(text) <= 160
    assert "LIST" in text
    with_accents = tuple((n, f"\u0141ukasz {n}", 0) for n in range(1, 31))
    assert len(compose("list", Facts(listed=with_accents), lang).text) <= 134
