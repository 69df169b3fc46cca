"""The one who waits: one link for the invitation, the quiet days, the alarm and afterwards."""

from __future__ import annotations

import json

import pytest

from stillhere.core import events as ev
from stillhere.core.events import State
from stillhere.store.models import Contact, JournalLine, Message, Person
from stillhere.store.people import invitations, persons
from stillhere.store.watches import queries
from stillhere.store.watches.apply import CallForHelp
from tests.circle import SamsNight, answers_both_looks, sams_night, tick_all, ways
from tests.conftest import Clock
from tests.hook import MAYA
from tests.web.conftest import browser
from tests.web.pages import contact_path, everything, read, text_of
from tests.web.refusing import handed_over

SECRETS = ("12 Elm Street", "code 4711")


def press(path: str, do: str, **fields: str) -> str:
    """Press a button on a contact's page and read what comes."""
    anyone = browser()
    response = anyone.post(f"{path}/answer", {"do": do, **fields})
    if response.status_code == 200:
        return text_of(response)
    assert response.status_code == 303
    return read(anyone, response["Location"])


@pytest.fixture
def alarm(night: SamsNight) -> SamsNight:
    """Sam asked for help; Leo was told, Maya not yet."""
    night.start()
    night.does(CallForHelp())
    return night


@pytest.fixture
def leo(night: SamsNight) -> str:
    return contact_path(night, "Leo")


@pytest.fixture
def maya(night: SamsNight) -> str:
    return contact_path(night, "Maya")


# --- quiet days -----------------------------------------------------------------------------------


def test_the_invitation_explains_itself_and_takes_a_yes(night: SamsNight) -> None:
    ana = invitations.add_contact(night.person, "Ana", ways(150))
    night.contacts["Ana"] = ana
    path = contact_path(night, "Ana")
    told = read(browser(), path)
    assert "Sam asks you to be there" in told
    assert "this page does not show what Sam is doing" in told
    assert "You are on the list." in press(path, "join")
    ana.refresh_from_db()
    assert ana.status == "confirmed"
    assert "All is quiet" in read(browser(), path)
    press(path, "join")


def test_a_no_is_a_no_at_any_time(night: SamsNight, leo: str) -> None:
    assert "You are off the list" in press(leo, "leave")
    assert Contact.objects.get(id=night.contacts["Leo"].id).status == "left"
    assert browser().get(leo).status_code == 404
    assert browser().post(f"{leo}/answer", {"do": "leave"}).status_code == 404


def test_no_place_and_no_door_on_a_quiet_day(leo: str) -> None:
    html = browser().get(leo).content.decode()
    assert not any(secret in html for secret in SECRETS)


def test_a_press_without_an_alarm_is_answered_and_changes_nothing(leo: str) -> None:
    before = everything()
    for do in ("claim", "arrived", "locked", "decline", "resolve", "explode", ""):
        press(leo, do, soon="2", outcome="fine")
    assert "There is no alarm now." in press(leo, "arrived")
    assert everything() == before


# --- the alarm ------------------------------------------------------------------------------------


def test_silence_is_told_as_it_is_known(night: SamsNight, leo: str, clock: Clock) -> None:
    night.start()
    night.does(ev.Marked())
    clock.advance(60)
    tick_all()
    clock.advance(60)
    tick_all()
    clock.advance(30)
    told = read(browser(), leo)
    assert "Sam has not answered since 17:00." in told
    began = "The alarm began at 17:02, 30 seconds ago. As far as we know nobody is there yet."
    assert began in told
    assert "We asked on the screen of the phone." in told


def test_who_knows_and_who_is_going_is_shown(alarm: SamsNight, leo: str, maya: str) -> None:
    assert "Leo not told yet: we are trying, nothing has left" in read(browser(), maya)
    Message.objects.filter(contact=alarm.contacts["Leo"], channel="text").update(status="sent")
    assert "Leo was told, no answer yet" in read(browser(), maya)
    assert "Maya (you) not told yet" in read(browser(), maya)
    assert "Thank you. It counts on you" in press(leo, "claim", soon="3")
    assert alarm.row().state == State.CLAIMED
    told = read(browser(), maya)
    assert "Leo is going, 3 minutes (said at 17:00)" in told
    press(maya, "decline")
    assert "Maya cannot come" in read(browser(), leo)


@pytest.mark.parametrize(
    ("soon", "says", "state"),
    [
        ("2", "is going, 2 minutes", State.CLAIMED),
        ("5", "is going, 5 minutes", State.CLAIMED),
        ("10", "is going, but needs longer", State.ALARM),
        ("far", "is far away and phones", State.ALARM),
    ],
)
def test_how_soon_is_asked_and_only_the_near_hold_the_ladder(
    alarm: SamsNight, leo: str, maya: str, soon: str, says: str, state: State
) -> None:
    press(leo, "claim", soon=soon)
    assert alarm.row().state == state
    assert says in read(browser(), maya)


@pytest.mark.parametrize("soon", ["far", "2", "10"])
def test_im_going_on_an_unknown_phone_keeps_nobody_from_being_rung(
    alarm: SamsNight, clock: Clock, maya: str, leo: str, soon: str
) -> None:
    """A link can be passed on: whoever has it speaks for the contact, who must still hear."""
    answered = browser(stranger=True).post(f"{maya}/answer", {"do": "claim", "soon": soon})
    assert answered.status_code == 303
    assert "Maya is" in read(browser(), leo), "the others hear of it"
    assert alarm.row().state == State.ALARM
    assert ("call", "help") in handed_over(clock, 120, MAYA)


@pytest.mark.parametrize("soon", ["", "0", "-1", "999999", "x"])
def test_a_time_we_did_not_offer_is_no_claim(alarm: SamsNight, leo: str, soon: str) -> None:
    before = everything()
    press(leo, "claim", soon=soon)
    assert everything() == before


def test_two_claims_at_once_are_both_heard_and_a_double_press_is_one(
    alarm: SamsNight, leo: str, maya: str
) -> None:
    press(leo, "claim", soon="2")
    press(maya, "claim", soon="5")
    Message.objects.all().delete()
    press(leo, "claim", soon="2")
    assert not alarm.queued("going")
    told = read(browser(), maya)
    assert "Leo is going, 2 minutes" in told
    assert "Maya (you) is going, 5 minutes" in told


def test_the_way_in_is_shown_only_to_who_comes_and_said_yes(
    alarm: SamsNight, leo: str, maya: str
) -> None:
    def seen(path: str) -> bool:
        html = browser().get(path).content.decode()
        assert any(s in html for s in SECRETS) == all(s in html for s in SECRETS)
        return SECRETS[0] in html

    assert not seen(leo)
    press(leo, "claim", soon="3")
    assert seen(leo)
    assert not seen(maya)
    press(leo, "locked")
    assert seen(leo)
    press(leo, "decline")
    assert not seen(leo)
    press(maya, "arrived")
    assert seen(maya)
    press(maya, "locked")
    assert seen(maya)  # she stands at the door and needs the code


def test_an_invitation_that_was_passed_on_opens_no_door(alarm: SamsNight, leo: str) -> None:
    Contact.objects.update(status="invited")
    press(leo, "claim", soon="3")
    html = browser().get(leo).content.decode()
    assert not any(secret in html for secret in (*SECRETS, "+12025550100"))
    assert "You have not said yes yet." in read(browser(), leo)
    press(leo, "join")
    assert SECRETS[0] in read(browser(), leo)


def test_a_contact_without_the_door_never_sees_it(alarm: SamsNight, leo: str) -> None:
    Contact.objects.update(door=False)
    press(leo, "claim", soon="3")
    press(leo, "arrived")
    assert SECRETS[0] not in read(browser(), leo)


def test_arrived_brings_the_first_steps_and_the_questions(
    alarm: SamsNight, leo: str, maya: str
) -> None:
    told = press(leo, "arrived")
    assert alarm.row().state == State.ATTENDED
    assert "You are there" in told
    assert "call your emergency number" in told
    assert "Was not breathing well, breathes now" in told
    assert "Leo is there" in read(browser(), maya)
    press(leo, "arrived")


@pytest.mark.parametrize("outcome", ["fine", "revived", "false-alarm"])
def test_how_it_ended_closes_the_alarm_and_is_told(
    alarm: SamsNight, leo: str, maya: str, clock: Clock, outcome: str
) -> None:
    press(maya, "claim", soon="5")
    press(leo, "arrived")
    told = press(leo, "resolve", outcome=outcome)
    assert alarm.row().state == State.OPEN
    assert "The alarm is over. We go on asking Sam for a while." in told
    assert ("nobody leave Sam alone" in told) == (outcome == "revived")
    answers_both_looks(alarm, clock)
    assert alarm.row().state == State.CLOSED
    told = read(browser(), maya)
    assert "Sam asked for help." in told
    assert "Maya said: I'm going, 5 minutes." in told
    assert "Leo was with Sam." in told
    assert "Leo said:" in told


def test_not_found_and_a_locked_door_keep_the_alarm_open(
    alarm: SamsNight, leo: str, maya: str
) -> None:
    press(leo, "resolve", outcome="not-found")
    press(maya, "locked")
    assert alarm.row().state == State.ALARM
    assert "Nobody is here" in read(browser(), leo) or "I'm going" in read(browser(), leo)


def test_a_no_by_mistake_is_taken_back_by_the_same_button(alarm: SamsNight, leo: str) -> None:
    press(leo, "claim", soon="2")
    press(leo, "decline")
    press(leo, "claim", soon="2")
    assert alarm.row().state == "claimed"


def test_the_same_press_twice_is_told_once_in_what_happened(alarm: SamsNight, leo: str) -> None:
    for _ in range(2):
        press(leo, "claim", soon="2")
    assert [x.event for x in queries.journal(alarm.watch)].count("Claimed") == 1


def test_having_spoken_with_them_is_offered_only_where_it_is_enough(
    alarm: SamsNight, leo: str
) -> None:
    assert "I spoke with them" not in read(browser(), leo)


def test_only_someone_who_is_there_ends_a_call_for_help(
    alarm: SamsNight, leo: str, maya: str
) -> None:
    press(leo, "arrived")
    assert "Only someone who is with them" in press(maya, "resolve", outcome="fine")
    assert alarm.row().state == State.ATTENDED


@pytest.mark.parametrize("outcome", ["ended", "", "x", "closed"])
def test_an_ending_we_did_not_offer_changes_nothing(
    alarm: SamsNight, leo: str, outcome: str
) -> None:
    before = everything()
    press(leo, "resolve", outcome=outcome)
    assert everything() == before


@pytest.mark.parametrize("outcome", ["hospital", "died"])
def test_grave_news_is_left_to_people(alarm: SamsNight, leo: str, maya: str, outcome: str) -> None:
    press(maya, "claim", soon="5")
    press(leo, "arrived")
    press(leo, "resolve", outcome=outcome)
    for path, says in (
        (leo, "You need not carry it alone"),
        (maya, "Speak with Leo, who was there."),
    ):
        told = read(browser(), path)
        assert says in told
        assert "How to look after yourself, and each other" in told
        assert "quiet" not in told
        assert "died" not in told
        assert "hospital" not in told
        assert ("nobody needs to come" in told) == (outcome == "hospital")
    told = read(browser(alarm.key), "/watch")
    assert "died" not in told
    assert "hospital" not in told


def test_nobody_there_after_five_minutes_means_an_ambulance_now(
    alarm: SamsNight, leo: str, clock: Clock
) -> None:
    leo_now = f"{leo}/part"  # the steps below it speak of an ambulance too
    assert "ambulance" not in read(browser(), leo_now)
    clock.advance(300)
    tick_all()
    assert "Nobody is with Sam yet. Call an ambulance now: your emergency number." in read(
        browser(), leo_now
    )
    press(leo, "arrived")
    assert "Call an ambulance now" not in read(browser(), leo_now)


def test_the_wish_is_heard(alarm: SamsNight, leo: str, clock: Clock) -> None:
    Person.objects.update(wish="call-now")
    assert "Call an ambulance now" in read(browser(), leo)
    Person.objects.update(wish="never")
    assert "ambulance" not in read(browser(), f"{leo}/part")
    clock.advance(300)
    tick_all()
    told = read(browser(), leo)
    assert "Sam wished that no ambulance comes. It is your decision, and you may call." in told


def test_far_away_the_city_comes_first(alarm: SamsNight, maya: str) -> None:
    persons.set_plan(alarm.person, dispatch="303-555-0100: I need dispatch in Denver, Colorado")
    told = read(browser(), maya)
    assert "I need dispatch in Denver, Colorado" in told
    assert "Say first in which city it is." in told


def test_somebody_added_after_it_began_is_told_so(alarm: SamsNight) -> None:
    ana = invitations.add_contact(alarm.person, "Ana", ways(150))
    invitations.join(ana)
    alarm.contacts["Ana"] = ana
    path = contact_path(alarm, "Ana")
    assert "You came to the list after this alarm began" in read(browser(), path)
    assert "You are not part of this alarm" in press(path, "claim", soon="3")


def test_one_tap_of_sam_s_ends_a_silence_and_the_page_says_what_is_known(
    night: SamsNight, leo: str, clock: Clock
) -> None:
    night.start()
    night.does(ev.Marked())
    clock.advance(60)
    tick_all()
    clock.advance(60)
    tick_all()
    Message.objects.update(attempts=1)
    clock.advance(40)
    night.does(ev.StillHere(clock.now))
    told = read(browser(), leo)
    assert "The alarm is over. We go on asking Sam for a while." in told
    assert "Sam did not answer. The alarm began." in told
    assert "17:02 Sam's phone was answered." in told


def test_a_way_that_failed_is_told_once_and_by_its_name(
    alarm: SamsNight, leo: str, maya: str
) -> None:
    her = alarm.contacts["Maya"]
    text, call = her.addresses.order_by("id").values_list("id", flat=True)
    for way in (text, call):
        alarm.does(ev.Undeliverable(her.id, way))
    JournalLine.objects.bulk_create(  # the ladder came round once more
        JournalLine(
            watch_id=line.watch_id,
            at=line.at,
            event=line.event,
            state=line.state,
            contact=line.contact,
            facts=line.facts,
        )
        for line in JournalLine.objects.filter(event="Undeliverable")
    )
    alarm.does(ev.Arrived(alarm.contacts["Leo"].id))
    alarm.does(ev.Resolved(alarm.contacts["Leo"].id, ev.Outcome.FINE))
    for path in (leo, maya):
        told = read(browser(), path)
        assert told.count("A way to reach Maya did not work") == 2
        for way_of in ("text", "call"):
            assert told.count(f"A way to reach Maya did not work: {way_of}.") == 1
    her.addresses.all().delete()  # a name for what is gone is not invented
    assert read(browser(), leo).count("A way to reach Maya did not work.") == 1


def test_an_alarm_before_their_time_is_none_of_theirs(alarm: SamsNight) -> None:
    alarm.does(ev.Resolved(None, ev.Outcome.FINE))
    ana = invitations.add_contact(alarm.person, "Ana", ways(150))
    invitations.join(ana)
    alarm.contacts["Ana"] = ana
    assert "What happened" not in read(browser(), contact_path(alarm, "Ana"))


def test_the_page_changes_when_something_happens(
    alarm: SamsNight, leo: str, maya: str, clock: Clock
) -> None:
    def version() -> str:
        return str(browser().get(f"{maya}/state").json()["v"])

    first = version()
    assert version() == first
    press(leo, "claim", soon="3")
    second = version()
    assert second != first
    clock.advance(60)
    assert version() != second  # the minutes on the page move on
    assert "is going" in text_of(browser().get(f"{maya}/part"))


def test_a_watch_that_was_set_aside_is_said_to_be_wrong(alarm: SamsNight, leo: str) -> None:
    alarm_text = alarm.row().alarm
    broken = json.loads(alarm_text) | {"rung": 99}
    type(alarm.row()).objects.filter(id=alarm.watch).update(alarm=json.dumps(broken))
    assert "Something is wrong with this watch" in press(leo, "claim", soon="3")


def test_the_marks_of_the_evening_are_nobody_else_s(
    night: SamsNight, leo: str, clock: Clock
) -> None:
    night.start()
    night.does(ev.Marked())
    night.does(CallForHelp())
    night.does(ev.Resolved(None, ev.Outcome.FINE))
    told = read(browser(), f"{leo}/part")
    assert "The people who run this said: fine." in told
    assert JournalLine.objects.filter(event="Marked").exists()
    assert "used" not in told
    assert queries.journal(night.watch)[0].event == "Started"


def test_who_is_taken_off_in_the_middle_is_nobody(alarm: SamsNight, leo: str, maya: str) -> None:
    invitations.leave(alarm.contacts["Leo"], Contact.Status.REMOVED)
    assert browser().get(leo).status_code == 404
    assert "Leo" not in read(browser(), maya)


def test_without_a_name_there_is_still_a_sentence() -> None:
    night = sams_night(("Leo",))
    persons.set_plan(night.person, name="")
    night.start()
    night.does(CallForHelp())
    assert "Someone asks for help." in read(browser(), contact_path(night, "Leo"))
