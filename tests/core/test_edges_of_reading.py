"""Texts at the edge of what is read: lengths, lines, signs, slips, and words that wave off."""

from __future__ import annotations

import pytest

from stillhere.core.replies import Intent, Role
from tests.core.words import read_minutes, read_text


def person(text: str) -> Intent:
    return read_text(text, Role.PERSON, watching=True)


def contact(text: str) -> Intent:
    return read_text(text, Role.CONTACT, watching=True)


@pytest.mark.parametrize(
    ("text", "intent"),
    [
        ("k" + " ok" * 533, Intent.HERE),  # 1,600 signs
        ("kk" + " ok" * 533, Intent.UNCLEAR),
        ("a" * 19_996 + " sos", Intent.HELP),  # 20,000
        ("a" * 19_997 + " sos", Intent.UNCLEAR),
        ("ok\tmore", Intent.MORE),
        ("ok\nmore", Intent.MORE),
        ("ok\nmore\n--\nSam", Intent.MORE),
        ("ok\n--\nreally?", Intent.UNCLEAR),
        ("ok ~", Intent.HERE),
        ("here? ok", Intent.UNCLEAR),
        ("my number is 303 555 0142", Intent.UNCLEAR),
        ("im goood", Intent.HERE),
        ("im aliive", Intent.HERE),
        ("stil here", Intent.HERE),
        ("stll here", Intent.HERE),
        ("gud", Intent.HERE),
        ("gd", Intent.HERE),
        ("fien", Intent.HERE),
        ("alluda", Intent.HELP),
        ("ayudaa", Intent.HELP),
        ("overdoseee", Intent.HELP),
        ("emergency never", Intent.HELP),
        ("sin necesito ayuda", Intent.HELP),
        ("i couldnt help", Intent.UNCLEAR),
        ("i dont need ur ambulance", Intent.UNCLEAR),
        ("120 more", Intent.MORE),
        ("1200 more", Intent.UNCLEAR),
        ("door is locked", Intent.UNCLEAR),
        ("i\tm ok", Intent.HERE),
        ("ok helllo", Intent.HERE),
        ("i m ok", Intent.HERE),
        ("i have used", Intent.MARK),
        ("i do not need an ambulance", Intent.UNCLEAR),
        ("i don t need an ambulance", Intent.UNCLEAR),
        ("sam does not need an ambulance", Intent.UNCLEAR),
        ("i did not call 911", Intent.UNCLEAR),
        ("sam is not breathing", Intent.HELP),
        ("no need for an ambulance", Intent.UNCLEAR),
        ("could not help", Intent.UNCLEAR),
        ("stop thank you", Intent.OPT_OUT),
        ("stop por favor", Intent.OPT_OUT),
        ("ok :-(", Intent.UNCLEAR),
        ("ok :'(", Intent.UNCLEAR),
        ("ok =(", Intent.UNCLEAR),
        ("ok :(", Intent.UNCLEAR),
        ("ok <3", Intent.HERE),
        ("Le gusta “Still here?”", Intent.HERE),
        ("Le encantó “Still here?”", Intent.HERE),
        ("❤ to “Still here?”", Intent.HERE),
        ("Reacted 👍 to “Still here?”", Intent.HERE),
        ("Reaccionó con 👍 a “¿Sigues aquí?”", Intent.HERE),
        ("Reaccionó con 👎 a “¿Sigues aquí?”", Intent.UNCLEAR),
        ("Reaccionó con 😮 a “¿Sigues aquí? Responde OK”", Intent.UNCLEAR),
        ("stop pls", Intent.OPT_OUT),
        ("stop thanks", Intent.OPT_OUT),
        ("stop thx", Intent.OPT_OUT),
        ("alto gracias", Intent.OPT_OUT),
        ("ok add 303 555 0142", Intent.ADD),
        ("okay pause", Intent.PAUSE),
        ("agrega maya 303 555 0142", Intent.ADD),
        ("añade maya 303 555 0142", Intent.ADD),
        ("pause it for 3 days", Intent.PAUSE),
        ("pause it for like 3 days", Intent.UNCLEAR),
        ("add my friend from work 5550142 she is nice", Intent.ADD),
        ("add my friend from work 555014 she is nice", Intent.UNCLEAR),
        ("i am up", Intent.HERE),
        ("i am", Intent.UNCLEAR),
        ("i am done", Intent.UNCLEAR),
        ("i m all done", Intent.UNCLEAR),
        ("i have", Intent.UNCLEAR),
        ("do not feel ok", Intent.HELP),
        ("don t feel right", Intent.HELP),
        ("does not", Intent.UNCLEAR),
        ("does not ok", Intent.UNCLEAR),
        ("did not", Intent.UNCLEAR),
        ("is not breathing", Intent.HELP),
        ("is not ok", Intent.HELP),
        ("will not wake up", Intent.HELP),
        ("can not breathe", Intent.HELP),
        ("no need", Intent.UNCLEAR),
        ("no need help", Intent.UNCLEAR),
        ("no necesito", Intent.UNCLEAR),
        ("no necesito ayuda", Intent.UNCLEAR),
        ("stop calling me", Intent.OPT_OUT),
        ("thank you for", Intent.UNCLEAR),
        ("thank you for help", Intent.UNCLEAR),
        ("thanks for", Intent.UNCLEAR),
        ("thanks for help", Intent.UNCLEAR),
        ("thank you", Intent.UNCLEAR),
        ("thank you ok", Intent.HERE),
        ("gracias por", Intent.UNCLEAR),
        ("gracias por ayuda", Intent.UNCLEAR),
        ("help por favor", Intent.HELP),
        ("por favor", Intent.UNCLEAR),
    ],
)
def test_what_a_person_may_write(text: str, intent: Intent) -> None:
    assert person(text) is intent


@pytest.mark.parametrize(
    ("text", "intent"),
    [
        ("goin", Intent.CLAIM),
        ("i will go", Intent.CLAIM),
        ("i ll go", Intent.CLAIM),
        ("will not", Intent.DECLINE),
        ("i can t go", Intent.DECLINE),
        ("could not get in", Intent.CANT_GET_IN),
        ("cannot open", Intent.CANT_GET_IN),
        ("can not", Intent.DECLINE),
        ("can t make it", Intent.DECLINE),
        ("i will call", Intent.FAR),
        ("i ll call", Intent.FAR),
        ("lockeddd", Intent.CANT_GET_IN),
        ("i cant get in touch", Intent.UNCLEAR),
        ("i cant get in contact", Intent.UNCLEAR),
        ("cant get in no contact", Intent.CANT_GET_IN),
        ("add 303 555 0142", Intent.UNCLEAR),
    ],
)
def test_what_a_contact_may_write(text: str, intent: Intent) -> None:
    assert contact(text) is intent


@pytest.mark.parametrize(
    ("text", "minutes"), [("voy en 5", 5), ("be there in five min", None), ("in 7", 7), ("", None)]
)
def test_how_soon_is_a_number_or_nothing(text: str, minutes: int | None) -> None:
    assert read_minutes(text) == minutes


MAIL = "On Mon, 3 Mar 2025 at 22:10, Stillhere wrote:"


@pytest.mark.parametrize(
    ("text", "intent"),
    [
        ("Im", Intent.UNCLEAR),
        ("I'm...", Intent.UNCLEAR),
        ("I am", Intent.UNCLEAR),
        ("i do", Intent.UNCLEAR),
        ("yo", Intent.UNCLEAR),
        ("estoy", Intent.UNCLEAR),
        ("Estoy...", Intent.UNCLEAR),
        ("sigo", Intent.UNCLEAR),
        ("im not", Intent.HELP),
        ("no estoy", Intent.HELP),
        ("yes i am", Intent.HERE),
        ("si estoy", Intent.HERE),
    ],
)
def test_a_sentence_that_broke_off_is_no_answer(text: str, intent: Intent) -> None:
    assert read_text(text, Role.PERSON, watching=True, asked=True) is intent


@pytest.mark.parametrize(
    ("text", "intent"),
    [
        ("Liked “Still here? 9 for help”", Intent.HERE),
        ("Liked “Still here?” ", Intent.HERE),
        ("Liked “Still here? 9 for help” help me", Intent.HELP),
        ("Liked “Still here?”\nhelp me", Intent.HELP),
        ("Loved “x” call 911 cant breathe", Intent.HELP),
        ("👍 to “Still here?” not ok", Intent.HELP),
        ("Liked “Still here?” “help me”", Intent.HELP),
        ("Disliked “Still here?” help me", Intent.HELP),
        ("Le gustó “¿Sigues ahí?” no puedo respirar", Intent.HELP),
        ("Reaccionó con 👍 a «¿Sigues aquí?» ayúdame", Intent.HELP),
        ("Liked “Still here?” i want to die", Intent.WANTS_TO_DIE),
        ("Liked “Still here?” wait", Intent.UNCLEAR),
        ("Liked “Still here?” ok", Intent.UNCLEAR),
        ("Liked “Still here?” 👍", Intent.UNCLEAR),
        ("Liked “Still here?”?", Intent.UNCLEAR),
        ("Le gustó “¿Sigues ahí?” espera", Intent.UNCLEAR),
        ("Liked “Still here?", Intent.UNCLEAR),
        ('Liked "', Intent.UNCLEAR),
    ],
)
def test_what_stands_after_a_reaction_is_their_own(text: str, intent: Intent) -> None:
    assert person(text) is intent


def test_a_contact_s_words_after_a_reaction_are_heard_too() -> None:
    assert contact("Liked “Sam may need help NOW”") is Intent.UNCLEAR
    assert contact("Liked “Sam may need help NOW” she wont wake up") is Intent.HELP
    assert contact("Liked “Sam may need help NOW” going") is Intent.UNCLEAR


@pytest.mark.parametrize(
    ("text", "intent"),
    [
        (f"ok\n{MAIL}\nStill here? 9 for help", Intent.HERE),
        (f"ok\n{MAIL}\n> Still here? 9 for help\n", Intent.HERE),
        ("ok\nEl lun, 3 mar 2025 a las 22:10, Lamp escribió:\n> 9", Intent.HERE),
        ("ok\n-----Original Message-----\n9 for help", Intent.HERE),
        ("ok\nOn the floor i wrote:\nhelp me cant breathe", Intent.HELP),
        ("ok\nOn 5 pills i wrote:\nhelp me", Intent.HELP),
        ("ok\nEl otro dia escribio:\nno puedo respirar", Intent.HELP),
        ("ok\n-original message help me", Intent.HELP),
        (f"{MAIL} help me", Intent.HELP),
        (f"ok\n{MAIL}\n> Still here?\n\nhelp me cant breathe", Intent.HELP),
        (f"{MAIL}\n> Still here?\nok", Intent.HERE),
    ],
)
def test_only_what_is_clearly_quoted_is_not_their_own(text: str, intent: Intent) -> None:
    assert person(text) is intent


@pytest.mark.parametrize(
    ("text", "intent"),
    [
        ("I'm in!", Intent.CLAIM),
        ("im in", Intent.CLAIM),
        ("ok im in, 5 min", Intent.CLAIM),
        ("count me in", Intent.CLAIM),
        ("im inside", Intent.ARRIVED),
        ("i'm in the house", Intent.ARRIVED),
        ("in her apartment", Intent.ARRIVED),
        ("with her", Intent.ARRIVED),
        ("got in", Intent.ARRIVED),
        ("estoy adentro", Intent.ARRIVED),
        ("im in bed", Intent.UNCLEAR),
        ("with her mom", Intent.UNCLEAR),
        ("im here with his dad", Intent.UNCLEAR),
        ("found her mom", Intent.UNCLEAR),
        ("next to her mom", Intent.UNCLEAR),
        ("talking to her mom", Intent.UNCLEAR),
        ("estoy con el papá", Intent.UNCLEAR),
        ("aqui con el papa", Intent.UNCLEAR),
        ("im", Intent.UNCLEAR),
        ("im with", Intent.UNCLEAR),
        ("ya estoy", Intent.UNCLEAR),
    ],
)
def test_only_who_is_with_them_has_arrived(text: str, intent: Intent) -> None:
    assert contact(text) is intent
