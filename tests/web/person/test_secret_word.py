"""A word under force, over HTTP: set on a page, said by text, heard by those chosen alone."""

from __future__ import annotations

import pytest
from django.test import Client

from stillhere.core import events as ev
from stillhere.engine import render
from stillhere.engine.erasure import erase_once
from stillhere.store.messages import delivery
from stillhere.store.models import Address, Contact, JournalLine, Message, Person, WatchRow
from stillhere.store.models.sealed_columns import contact_key
from stillhere.store.people import force
from stillhere.store.program import shifts
from stillhere.store.watches import apply, queries
from stillhere.store.watches.apply import CallForHelp, Change
from tests.circle import SamsNight, tick_all
from tests.conftest import Clock
from tests.hook import LEO, MAYA, SAM, Hook, deliver, erases, number_of, said_to
from tests.web.conftest import browser, post
from tests.web.pages import contact_path, did, press, text_of

WORD = "Blue kettle"


@pytest.fixture
def hook(clock: Clock) -> Hook:
    return Hook(Client(), clock)


@pytest.fixture
def safe(night: SamsNight, sam: Client) -> SamsNight:
    """Sam has a word that Maya hears, and Leo, of whom Sam is afraid, does not."""
    Message.objects.update(status="sent")
    set_word(sam, WORD, night.contacts["Maya"])
    return night


def set_word(client: Client, word: str, *contacts: Contact) -> int:
    ids = [str(contact.id) for contact in contacts]
    return int(post(client, "/mine/word", do="keep", word=word, contacts=ids).status_code)


def hidden() -> WatchRow:
    return WatchRow.objects.get(person__secret=True)


def maya_in_secret() -> str:
    """The page of Maya in the call for help: its key stands in her message alone."""
    return f"/c/{contact_key(Contact.objects.get(person__secret=True))}"


def seen(client: Client) -> list[str]:
    """What Sam's phone shows."""
    pages = ("/watch", "/watch/part", "/people", "/mine", "/mine/word", "/routine")
    export = client.get("/mine/lamp.json").content.decode()
    return [*(text_of(client.get(page)) for page in pages), export]


@pytest.mark.parametrize(
    "typed", [WORD, "blue kettle", " BLUE  kettle! ", "blue-kettle.", "Blué kettle"]
)
def test_the_word_reaches_those_chosen_and_the_phone_hears_what_it_always_hears(
    safe: SamsNight, hook: Hook, sam: Client, clock: Clock, typed: str
) -> None:
    safe.start()
    safe.does(ev.Marked())
    hook.text(SAM, "still here")
    before = seen(sam)
    hook.text(SAM, typed)
    assert seen(sam) == before
    leaving = delivery.lease("text", clock.now, 50, 20)
    assert {m.to for m in leaving} == {MAYA}, "Sam hears what a check-in by text hears: nothing"
    [told] = {render.render(m, m.to).text for m in leaving}
    assert "do NOT phone or text, do not go alone" in told
    assert hidden().state == "alarm"
    assert safe.row().state == "open"


@pytest.mark.parametrize(
    "text",
    [
        "blue kettle\nSent from my iPhone", "Blue kettle -- Sam", "bluekettle", "blue kettle ok",
        "ok blue kettle", "Blue kettle, please", "blue kettles", "blue-kettle 👍",
    ],
)  # fmt: skip
def test_a_signature_a_space_or_a_polite_word_does_not_hide_it(
    safe: SamsNight, hook: Hook, text: str
) -> None:
    safe.start()
    hook.text(SAM, text)
    assert hidden().state == "alarm"
    assert {number_of(m) for m in Message.objects.filter(word="forced")} == {MAYA}


@pytest.mark.parametrize(
    "text", ["blue", "kettle", "the blue kettle boils", "ok", "blue kettle?no"]
)
def test_what_only_holds_it_is_not_the_word(safe: SamsNight, hook: Hook, text: str) -> None:
    safe.start()
    hook.text(SAM, text)
    assert not Person.objects.filter(secret=True).exists()


def test_from_a_number_that_nobody_has_shown_it_is_no_sign_of_life(
    safe: SamsNight, hook: Hook, clock: Clock
) -> None:
    Address.objects.filter(person=safe.person).update(proved_at=0)
    safe.start()
    clock.advance(100)
    hook.text(SAM, WORD)
    assert (safe.row().seen_at, safe.row().state) == (safe.row().started_at, "asking")
    assert not Person.objects.filter(secret=True).exists(), "anybody may have typed the number"


def test_it_counts_as_the_check_in_that_it_looks_like(
    safe: SamsNight, hook: Hook, clock: Clock
) -> None:
    safe.start()
    clock.advance(100)
    hook.text(SAM, WORD)
    assert safe.row().seen_at == clock.now


def test_without_a_watch_it_is_answered_like_a_check_in_without_one(
    safe: SamsNight, hook: Hook, clock: Clock
) -> None:
    answers = []
    for words in ("still here", WORD):
        hook.text(SAM, words)
        answers.append(said_to(SAM, clock))
        Message.objects.update(status="sent")
    assert answers[0] == answers[1] != []
    assert hidden().state == "alarm"


def test_later_check_ins_do_not_stand_it_down(safe: SamsNight, hook: Hook, clock: Clock) -> None:
    safe.start()
    hook.text(SAM, WORD)
    for words in ("still here", "ok", "I'm fine", "done"):
        clock.advance(40)
        hook.text(SAM, words)
        tick_all()
    assert hidden().state == "alarm"
    assert not Message.objects.filter(word__in=["stand-down", "answered-once", "ask", "ask-ring"])


@pytest.mark.parametrize("word", ["all good", "im fine thanks", "still here ok"])
def test_a_word_that_reads_as_a_sign_of_life_is_heard_too(
    night: SamsNight, sam: Client, hook: Hook, clock: Clock, word: str
) -> None:
    assert set_word(sam, word, night.contacts["Maya"]) == 200
    night.start()
    clock.advance(30)
    hook.text(SAM, word)
    assert hidden().state == "alarm"
    assert night.row().seen_at == clock.now


def test_said_twice_it_is_one_alarm(safe: SamsNight, hook: Hook) -> None:
    hook.text(SAM, WORD)
    hook.text(SAM, WORD)
    assert WatchRow.objects.filter(person__secret=True).count() == 1
    assert hidden().alarms == 1


def test_the_page_of_whoever_was_not_chosen_says_nothing(
    safe: SamsNight, hook: Hook, clock: Clock
) -> None:
    leo, maya = (browser().get(contact_path(safe, n)) for n in ("Leo", "Maya"))
    assert text_of(leo).replace("Leo", "") == text_of(maya).replace("Maya", "")
    usual, state = text_of(leo), contact_path(safe, "Leo") + "/state"
    version = browser().get(state).json()["v"]
    hook.text(SAM, WORD)
    assert text_of(browser().get(contact_path(safe, "Leo"))) == usual
    assert browser().get(state).json()["v"] == version
    Message.objects.update(status="sent")
    for words in ("1", "going", "I'm with them", "is Sam ok?"):
        hook.text(LEO, words)
    assert hidden().state == "alarm"
    assert not JournalLine.objects.filter(watch=hidden(), contact=safe.contacts["Leo"].id).exists()
    assert all("no open alarm" in said for said in said_to(LEO, clock))


def test_the_page_of_whoever_was_chosen_says_what_not_to_do(safe: SamsNight, hook: Hook) -> None:
    hook.text(SAM, WORD)
    page = browser().get(maya_in_secret())
    shown = text_of(page)
    assert "Sam asks for help in secret" in shown
    assert "Do not phone Sam, and do not text" in shown
    assert "Do not go alone" in shown
    assert "+12025550100" not in page.content.decode(), "no button phones Sam"
    assert "I'm far" not in shown
    assert "You can still phone" not in shown


@pytest.mark.parametrize("words", ["far", "I'm far away, I'll call", "can't come"])
def test_whoever_cannot_come_is_never_told_to_phone(
    safe: SamsNight, hook: Hook, clock: Clock, words: str
) -> None:
    hook.text(SAM, WORD)
    Message.objects.update(status="sent")
    hook.text(MAYA, words)
    assert "Phone" not in " ".join(said_to(MAYA, clock))
    assert hidden().state == "alarm"


def test_a_hand_that_takes_the_chosen_one_off_the_list_takes_nobody_off_the_alarm(
    safe: SamsNight, hook: Hook, sam: Client
) -> None:
    hook.text(SAM, WORD)
    maya = safe.contacts["Maya"]
    assert post(sam, "/people", do="remove", contact=maya.id).status_code == 302
    alarm = queries.shown(hidden()).watch.alarm
    assert alarm is not None
    assert not alarm.gone


def test_the_page_never_shows_whether_there_is_a_word(safe: SamsNight, sam: Client) -> None:
    there = text_of(sam.get("/mine/word"))
    assert post(sam, "/mine/word", do="forget").status_code == 200
    assert text_of(sam.get("/mine/word")) == there
    assert not force.is_the_word(Person.objects.get(secret=False), WORD)


@pytest.mark.parametrize(
    ("word", "why"),
    [
        ("abc", "4 to 40 letters"),
        ("", "4 to 40 letters"),
        ("!!! ...", "4 to 40 letters"),
        ("x" * 41, "4 to 40 letters"),
        ("ﷺ" * 60, "4 to 40 letters"),
        ("here", "People say that anyway"),
        ("yes", "4 to 40 letters"),
        ("help me", "People say that anyway"),
        ("stop", "People say that anyway"),
        ("going", "People say that anyway"),
        ("all good mom", ""),
        ("tetera azul", ""),
        ("青い やかん です", ""),
        ("4711", ""),
    ],
)
def test_a_word_that_is_said_anyway_is_refused(
    night: SamsNight, sam: Client, word: str, why: str
) -> None:
    maya = night.contacts["Maya"]
    answer = post(sam, "/mine/word", do="keep", word=word, contacts=[str(maya.id)])
    assert answer.status_code == (422 if why else 200)
    assert why in text_of(answer)
    assert force.is_the_word(Person.objects.get(secret=False), word) == (not why)


def test_somebody_who_said_yes_must_hear_it(night: SamsNight, sam: Client) -> None:
    assert set_word(sam, WORD) == 422
    Contact.objects.filter(id=night.contacts["Leo"].id).update(status="invited")
    assert set_word(sam, WORD, night.contacts["Leo"]) == 422
    assert not Person.objects.get(secret=False).force_word


def test_help_in_the_open_meanwhile_tells_everybody(safe: SamsNight, hook: Hook) -> None:
    safe.start()
    hook.text(SAM, WORD)
    safe.does(CallForHelp())
    assert Message.objects.filter(word="help", contact=safe.contacts["Leo"]).exists()


def test_no_later_text_shows_that_something_is_open(
    safe: SamsNight, hook: Hook, clock: Clock
) -> None:
    safe.start("swallowed")
    safe.does(ev.Ended())
    hook.text(SAM, WORD)
    Message.objects.update(status="sent")
    hook.text(SAM, "still here")
    [said] = said_to(SAM, clock)
    assert "Nobody is watching now" in said
    hook.text(SAM, "go")
    assert WatchRow.objects.get(person__secret=False, closed_at__isnull=True).profile == "swallowed"


# --- typed where the PIN is asked -----------------------------------------------------------------


@pytest.fixture
def locked(night: SamsNight, sam: Client) -> SamsNight:
    """Sam has a PIN, 2468, and a word that is digits too, 4711."""
    set_word(sam, "4711", night.contacts["Maya"])
    assert post(sam, "/mine", do="pin", pin="2468").status_code == 200
    return night


def typed(client: Client, pin: str) -> tuple[int, str, list[str]]:
    """Status, where it leads and which cookies are set."""
    answer = post(client, "/pin", pin=pin, next="/people")
    return answer.status_code, answer.headers.get("Location", ""), sorted(answer.cookies)


def test_typed_for_the_pin_it_opens_the_pages_and_calls(locked: SamsNight) -> None:
    ordinary, forced = typed(browser(locked.key), "2468"), typed(browser(locked.key), "4711")
    assert forced == ordinary
    assert ordinary[:2] == (302, "/people")
    assert hidden().state == "alarm"
    assert {number_of(m) for m in Message.objects.filter(word="forced")} == {MAYA}


def test_it_calls_however_often_a_wrong_pin_was_typed(locked: SamsNight) -> None:
    mallory = browser(locked.key)
    answers = [typed(mallory, "0000") for _ in range(7)]
    assert typed(mallory, "4711") == answers[-1], "it opens nothing either: it can be guessed"
    assert hidden().state == "alarm"


@pytest.mark.parametrize("pin", ["47 11", "4711!", "4711 ok"])
def test_a_word_of_digits_opens_as_a_pin_would_alone(locked: SamsNight, pin: str) -> None:
    assert typed(browser(locked.key), pin)[0] == 422
    assert hidden().state == "alarm"


def test_the_word_and_the_pin_are_two(locked: SamsNight, sam: Client) -> None:
    assert typed(sam, "2468")[0] == 302
    assert post(sam, "/mine", do="pin", pin="4711").status_code == 422
    assert set_word(sam, "2468", locked.contacts["Maya"]) == 422


# --- whoever forces Sam has the phone in hand -----------------------------------------------------


def test_erasing_everything_looks_done_and_the_call_goes_on(
    safe: SamsNight, hook: Hook, sam: Client, clock: Clock
) -> None:
    safe.start()
    hook.text(SAM, WORD)
    answer = post(sam, "/mine", do="erase", sure="1")
    assert answer.status_code == 200
    assert "Everything is erased" in text_of(answer)
    assert browser(safe.key).get("/watch").status_code == 302, "nobody we know"
    assert browser().get(f"/p/{safe.key}").status_code == 404
    assert hidden().state == "alarm"
    assert "12 Elm Street" in place_for_maya()
    assert not Person.objects.filter(secret=False).exists()
    erase_once(clock.now)
    assert hidden().state == "claimed"
    apply.apply(Change(ev.Resolved(None, ev.Outcome.FINE), watch=hidden().id))
    clock.advance(31 * 24 * 3600)
    for _ in range(2):
        erase_once(clock.now)
    assert not Person.objects.exists()


def place_for_maya() -> str:
    """What Maya reads once she goes."""
    return press(browser(), maya_in_secret(), "claim", soon="5")


def test_erasing_by_text_looks_done_too(safe: SamsNight, hook: Hook, clock: Clock) -> None:
    hook.text(SAM, WORD)
    Message.objects.update(status="sent")
    erases(hook, SAM, clock)
    assert said_to(SAM, clock) == []
    assert hidden().state == "alarm"
    hook.text(SAM, "still here")
    assert not Person.objects.filter(secret=False, caller=False).exists(), "nobody's number"


def test_sam_s_phone_does_not_hear_that_somebody_could_not_be_reached(
    safe: SamsNight, hook: Hook, clock: Clock
) -> None:
    hook.text(SAM, WORD)
    deliver(clock)
    hook.receipt(Message.objects.get(word="forced", channel="text"), "undeliverable")
    assert SAM not in {m.to for m in delivery.lease("text", clock.now, 50, 20)}


def test_the_link_on_the_card_shows_nothing_and_stills_nothing(
    safe: SamsNight, hook: Hook, sam: Client
) -> None:
    """Whoever holds Sam's phone can open Maya's link on any browser."""
    link, anyone = contact_path(safe, "Maya"), browser(stranger=True)
    before = text_of(anyone.get(link)), anyone.get(f"{link}/state").json()
    hook.text(SAM, WORD)
    assert (text_of(anyone.get(link)), anyone.get(f"{link}/state").json()) == before
    press(anyone, link, "claim", soon="far")
    alarm = queries.shown(hidden()).watch.alarm
    assert alarm is not None
    assert not alarm.out


@pytest.mark.parametrize(
    "change",
    [
        {"do": "remove"}, {"do": "renew"}, {"do": "keep", "step": "1"},
        {"do": "plan", "place": "99 Wrong Road"},
    ],
    ids=lambda change: change["do"],
)  # fmt: skip
def test_nothing_that_is_changed_on_sam_s_phone_reaches_the_call(
    safe: SamsNight, hook: Hook, sam: Client, clock: Clock, change: dict[str, str]
) -> None:
    hook.text(SAM, WORD)
    post(sam, "/people", contact=safe.contacts["Maya"].id, **change)
    set_word(sam, "other words", safe.contacts["Leo"])
    assert MAYA in {m.to for m in delivery.lease("text", clock.now, 50, 20)}
    assert "12 Elm Street" in place_for_maya()
    assert "in secret" not in text_of(browser().get(contact_path(safe, "Leo")))


def test_what_maya_says_and_does_is_not_seen_on_sam_s_phone(
    safe: SamsNight, hook: Hook, sam: Client, clock: Clock
) -> None:
    post(sam, "/kits", do="add", form="nasal", doses="2", expires="2030-01")
    safe.start()
    hook.text(SAM, WORD)
    before = [*seen(sam), text_of(sam.get("/kits"))]
    hook.text(MAYA, "ya voy")
    did(maya_in_secret(), "dose")
    assert [*seen(sam), text_of(sam.get("/kits"))] == before
    assert hidden().state == "claimed"


def test_a_volunteer_on_shift_hears_nothing_of_it(safe: SamsNight, hook: Hook, sam: Client) -> None:
    vera = shifts.add("Vera", "+12025550150", "en")
    shifts.begin(vera, 4)
    shifts.stand_by(safe.person)
    hook.text(SAM, WORD)
    assert "Sam" not in text_of(browser(stranger=True).get(f"/r/{shifts.key_of(vera)}"))


def test_the_call_reaches_a_number_that_is_not_proved_yet(
    safe: SamsNight, hook: Hook, clock: Clock
) -> None:
    """Maya said yes on her page, and her number has not shown yet that it is hers."""
    Address.objects.filter(contact=safe.contacts["Maya"]).update(proved_at=0)
    safe.start()
    hook.text(SAM, WORD)
    assert MAYA in {m.to for m in delivery.lease("text", clock.now, 50, 20)}


def test_that_the_word_is_kept_is_said_once(safe: SamsNight) -> None:
    told = post(
        browser(safe.key),
        "/mine/word",
        do="keep",
        word="blue kettle",
        contacts=[safe.contacts["Maya"].id],
    )
    assert text_of(told).count("Kept.") == 1
