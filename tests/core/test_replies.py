"""What is unclear is never "I'm fine": words and keys, case by case, and then at random."""

# ruff: noqa: RUF001 (people's phones write these characters)

from __future__ import annotations

import re
import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from stillhere.core import vocabulary
from stillhere.core.replies import Intent, Role
from tests.core.words import SLIPS, WORDS, read_text, speaks_of_another

I = Intent  # noqa: E741

# A person on watch writes ...
PERSON = {
    I.HERE: [
        "ok", "OK", "Ok.", "ok!", " ok \n", "ok ok ok", "okay", "Okay!!", "okie", "okkkkk", "0k",
        "o.k.", "K", "kk", "here", "HERE", "Im here", "I'm here", "I’m here", "I´m here",
        "i am here", "I'm still here", "still here", "Still here!", "yes im here",
        "Yes, still here", "right here", "fine", "I'm fine", "im fine thanks", "good",
        "all good", "I'm good", "gooood", "doing good", "im ok", "I'm OK mom", "im ok now",
        "alive", "still alive", "alright", "all right", "im awake", "still breathing", "im up",
        "yeah", "yep", "yeahhhh", "1", "checking in", "imok", "hete", "im hete", "heer",
        "stil here", "I'm hear", "in here", "alrihgt", "alife im here", "👍", "👍🏽", "ok 👍",
        "👌", "✅", "🆗", "ok 🙂", "ok ❤️", "ok <3", "im here lol", "ok x", "ＯＫ", "1️⃣", "𝐨𝐤",
        "-Ok", "*OK*", "OK\n> Still here? Reply 9 for help.",
        "ok :)", "ok ;-)", "ok...", "ok\n-Sam", "ok --Sam", "OK\n~*Sam*~", "here\n--\nSam J",
        "ok\nSent from my iPhone", "bien\nEnviado desde mi Samsung",
        ("OK\n\nOn Mon, 3 Mar 2025 at 22:10, Stillhere wrote:\n> Still here? Not ok? Reply 9 "
        "for help."),
        "Liked “Still here? Reply OK, or 9 for help”", 'Loved "Still here?"',
        "👍 to “Still here? 9 help”", "Le gustó “¿Sigues ahí? 9 si necesitas ayuda”",
        "estoy bien", "Estoy bien.", "toy bien", "bien", "bn", "muy bien gracias", "todo bien",
        "sí", "Si", "aquí", "Aquí estoy", "estoy aqui", "aki estoy", "sigo aquí", "sigo vivo",
        "sigo viva", "vale", "estoy despierta", "todo ok", "ya estoy bien", "estou bien",
        "presente",
    ],
    I.HELP: [
        "help", "HELP", "Help!", "help?", "hlep", "helppp", "help me", "help me ok", "ok help",
        "sos", "SOS", "S.O.S.", "9", "9!", "9?", "99", "9999", "9 9 9", "9️⃣", "ok 9", "911",
        "9-1-1", "9 1 1", "call 911", "please call 911", "911 911 911", "999", "112", "call 112",
        "i need help", "cant breathe", "I can't breathe", "cant... breathe", "i cannot breathe",
        "i cant call 911", "no help me", "no! help me", "No, call 911", "im dying", "not ok",
        "Not OK", "im not ok", "im not okay", "i am not good", "not fine", "dont feel good",
        "I don't feel right", "passing out", "🆘", "🚑", "urgent",
        "call an ambulance", "ok but call an ambulance", "dont leave me help",
        "ok\n- Sam\nhelp me", "not ok-ish", "yelling for help", "ayuda", "Ayúdame",
        "necesito ayuda", "auxilio", "no puedo respirar", "no estoy bien", "No me siento bien",
        "estoy mal", "llama al 911", "llamen una ambulancia", "me muero", "no ayudame",
        "urgente", "9 done", "more 9", "call 999",
    ],
    I.WANTS_TO_DIE: [
        "i want to die", "quiero morir", "wanna kill myself", "me quiero matar",
        "Ya no quiero vivir",
        "ok. i dont want to live anymore", "kms",
    ],
    I.UNCLEAR: [
        "ok?", "OK ?", "okay??", "¿ok?", "here?", "im here?", "im not here", "I am not here",
        "ok no", "no", "nope", "not really", "no im fine", "ok not", "never ok", "what", "what?",
        "where", "there", "im there", "hurt",
        "her", "hero", "hiere", "yes", "YES", "Yes!", "start", "START", "unstop", "UNSTOP",
        "yes yes", "hi", "hello", "thanks", "love you", "im", "still", "goodbye", "good bye",
        "good night", "bye", "adios", "sorry", "ya", "im done", "I'm done with everything",
        "so so", "mal", "asdf", ".", "...", "?", "-", "ok soon", "ok maybe", "almost ok",
        "kinda ok", "ok i guess", "is it ok", "am i ok", "u ok", "you ok", "are you here",
        "everything ok", "estas bien", "¿estás bien?", "todo bien?", "no aqui", "no estoy aqui",
        "add to that I have felt low for days", "pause because I do not feel up to it",
        "nada bien", "👎", "ok 👎", "💀", "ok 💀", "😢", "ok 😢", "ok :(", ":(", "ok\nnot",
        "ok\n- not", "ok\n-dizzy", "ok -- Not", "esto bien", "skill here", "olive", "doing",
        "fin", "find", "nine", "god", "food", "I'm driving and will see your message later",
        "Estoy conduciendo",
        ("(I’m not receiving notifications. If this is urgent, reply “urgent” to send a "
         "notification through with your original message.)"),
        "I'm driving right now and can't read messages. If this is an emergency, call me.",
        ("(No estoy recibiendo notificaciones. Si es urgente, responde “urgente” para enviar una "
         "notificación con tu mensaje original.)"),
        "En este momento no puedo contestar. Si es una emergencia llama al 911.",
        ("I'm driving with Do Not Disturb While Driving turned on. I'll see your message "
        "when I get where I'm going. Reply “urgent” to send a notification. Call 911 in "
        "an emergency."),
        "Automatic reply: I am here until 5. In an emergency call 911.",
        "Estoy conduciendo con No molestar activado. Veré tu mensaje cuando llegue.",
        "Sorry, I can't talk right now.", "Can't talk now. What's up?",
        "I'll call you right back.", "don't call 911", "dont call an ambulance",
        "do not call 911", "i dont need help", "no help needed", "no, I don't need help",
        "who called 911?", "did you call 911", "stop calling 911", "not an emergency",
        "no necesito ayuda", "no llames al 911", "thanks for the help",
        "thank you for your help", "gracias por la ayuda", "my phone is dying",
        "Disliked “Still here?”", "Removed a like from “Still here? OK”",
        "Questioned “Still here?”", "> ok", "oк", "٩", "not here", "ok stop", "yes no", "1 or 2",
        "2", "11", "ok 2", "off", "fire", "im here but scared", "ok " * 900,
        "the water is fine in here they said", "i took it all", "took it all", "finished",
        "im finished", "me lo tomé todo",
    ],
    I.WHO: ["info", "INFO", "información"],
    I.EMPTY: [
        "", " ", "\n\t", "\u200b", "️",
    ],
    I.GO: [
        "go", "GO", "Go!", "gooo", "ok go", "start watch", "watch me", "empieza", "cuidame",
        "otra vez",
    ],
    I.GO_LONG: [
        "go long", "GO LONG", "golong", "Go long please", "go largo",
    ],
    I.MARK: [
        "now", "Now.", "I used", "ive used", "i have used", "just did", "did it", "ahora",
        "ya usé",
    ],
    I.MORE: [
        "more", "MORE", "more time", "ok more", "I need more time please", "10 more minutes",
        "5 more", "add 10 min", "15min more", "más", "mas tiempo", "necesito más tiempo",
        "10 minutos mas", "more 10", "MORE 10", "more 15 min", "mas 10",
    ],
    I.DONE: [
        "done", "DONE", "Done.", "ok done", "all done", "terminé", "ya termine",
    ],
    I.LIST: [
        "list", "LIST", "who's on my list", "who is on my list?", "my list", "lista", "mi lista",
        "¿Quién está en mi lista?",
    ],
    I.ADD: [
        "add", "ADD 303-555-0142", "add Maya +1 (303) 555-0142", "Add 303 911 0142",
        "agregar 5550142", "añadir Maya", "add maya@example.org",
        "add Ana from the Tuesday group and her number 3035550142",
    ],
    I.PAUSE: [
        "pause", "PAUSE", "pause 3 days", "pause until monday", "pausa", "pausar 2 dias",
    ],
    I.DELETE: [
        "delete me", "DELETE ME", "delete my data", "erase everything", "bórrame", "borrar todo",
    ],
    I.OPT_OUT: [
        "stop", "STOP", "Stop.", "stop!", "STOP STOP", "stopall", "stop all", "unsubscribe",
        "cancel", "end", "END", "quit", "revoke", "optout", "opt out", "opt-out", "ARRET", "td",
        "remove", "please stop", "stop texting me", "stop calling me", "don't text me",
        "wrong number", "alto", "parar", "baja", "no me escribas", "STOPPPP",
    ],
}  # fmt: skip

# A contact, while an alarm they know of is open, writes ...
CONTACT = {
    I.CLAIM: [
        "1", "1.", "1!", " 1 ", "1 1", "1️⃣", "ok 1", "1 thanks", "going", "GOING", "Going!",
        "im going", "I'm going", "I'm going now", "ok going", "yes going", "goin", "goign",
        "on my way", "On my way!", "omw", "OMW", "omw 10 min", "omw 5min",
        "on my way, 10 minutes", "coming", "I'm coming now", "be there in 5", "be right there",
        "5 min away", "leaving now", "going in 5", "going ❤️", "voy", "Voy!", "ya voy",
        "voy en camino", "boy en camino", "en camino", "voy para allá", "Voy 5 min", "1 going",
        "sorry going now", "acepto", "I accept", "omw 10", "almost there", "pulling up",
        "around the corner", "ya casi llego", "voy 5",
    ],
    I.DECLINE: [
        "2", "2.", "can't", "cant", "I can't", "i cannot", "I can not", "no", "No.", "nope",
        "sorry can't", "Sorry, I can't", "cant go", "i won't", "not going", "I'm not going",
        "sorry i cant help", "no puedo", "No puedo ir", "lo siento no puedo", "no voy",
        "2 sorry",
    ],
    I.FAR: [
        "far", "I'm far", "too far", "I'm far, I'll phone", "i'll call", "ill phone",
        "can't, too far", "2 but I'll call", "lejos", "estoy lejos", "yo llamo", "out of town",
    ],
    I.ARRIVED: [
        "arrived", "I arrived", "arived", "I'm there", "im there now", "with him",
        "I'm with her", "I'm here with him", "made it", "found him", "got in",
        "llegué", "ya llegue", "estoy con él",
        "estoy ahí",
    ],
    I.CANT_GET_IN: [
        "can't get in", "cant get in!", "I'm here but can't get in", "door locked",
        "The door is locked", "door locked, do you have a key?", "locked out", "no key",
        "nobody opens the door", "no puedo entrar", "la puerta está cerrada",
        "estoy aqui pero nadie abre",
    ],
    I.SOON: [
        "3 min", "2 min", "5 minutes", "about 5 min", "5 min", "en 3 minutos",
    ],
    I.AT_DOOR: [
        "at the door", "I'm outside", "knocking", "im downstairs", "en la puerta", "estoy afuera",
    ],
    I.NOT_FOUND: [
        "wrong apartment", "nobody here", "can't find him", "he is not here", "no hay nadie",
        "no lo encuentro",
    ],
    I.OUTCOME: [
        "he is fine", "awake and well", "brought back", "done", "taking him to hospital",
        "taking her to the ER", "the ambulance is here", "narcan worked", "false alarm",
        "he's awake", "todo bien", "lo llevamos al hospital", "ya llegó la ambulancia",
    ],
    I.WHERE: [
        "where?", "where", "address", "what's the address?", "which apartment?", "¿dónde?",
        "dirección",
    ],
    I.WHO: [
        "who?", "who", "who is this?", "¿quién?", "info", "INFO please", "información",
    ],
    I.REPEAT: [
        "3", "repeat", "say again?", "repite", "otra vez",
    ],
    I.STEPS: [
        "5", "steps", "STEPS", "what do I do?", "what do i do", "¿qué hago?", "pasos",
    ],
    I.HELP: [
        "help", "HELP", "help me", "he is not breathing",
        "call 999", "call 9-1-1", "sos", "911", "no respira", "ayuda",
        "she wont wake up",
    ],
    I.OPT_OUT: [
        "stop", "STOP", "unsubscribe", "wrong number", "stop texting me", "numero equivocado",
    ],
    I.DELETE: [
        "delete me", "borrame",
    ],
    I.EMPTY: [
        "", "  ",
    ],
    I.UNCLEAR: [
        "who is this going to", "what", "ok", "OK", "okay", "yes",
        "YES", "yeah", "si", "thanks", "here", "im here", "aqui estoy", "1?", "going?", "2?",
        "omw?", "is anyone going?", "who is going", "whats going on", "What's going on?",
        "im going crazy", "going to bed", "going home now", "not sure", "maybe", "1 2", "1 or 2",
        "going cant", "no im going", "12", "21", "9", "4", "0", "100",
        "in 2 hours", "going tomorrow", "going soon", "there", "unlocked",
        "the door is not locked", "cant get in touch with him",
        "I'm driving and will see your message later", "Estoy conduciendo",
        "I'll call you later", "Sorry, I can't talk right now.", "Can't talk now. What's up?",
        "I'm not there", "is he with you",
        "Liked “Sam may need help NOW. Reply 1 going, 2 can't”", "👍", "👎", "doing", "stops",
        "start", "go", "call me", "voy a ver", "no se", "no going",
        "oh boy", "boy", "I don't need help", "with who",
    ],
}  # fmt: skip

QUIET = [  # nobody is on watch, no alarm is open
    ("help", Role.PERSON, I.CARRIER_HELP), ("HELP", Role.CONTACT, I.CARRIER_HELP),
    ("info", Role.PERSON, I.CARRIER_HELP), ("Help?", Role.CONTACT, I.CARRIER_HELP),
    ("ayuda", Role.PERSON, I.CARRIER_HELP), ("help please", Role.PERSON, I.HELP),
    ("help me", Role.PERSON, I.HELP), ("sos", Role.PERSON, I.HELP), ("9", Role.PERSON, I.HELP),
    ("call 911", Role.PERSON, I.HELP), ("where can my son find help", Role.PERSON, I.UNCLEAR),
    ("can you help my son", Role.CONTACT, I.UNCLEAR), ("ok", Role.PERSON, I.HERE),
    ("go", Role.PERSON, I.GO), ("stop", Role.CONTACT, I.OPT_OUT), ("1", Role.CONTACT, I.CLAIM),
    ("no", Role.CONTACT, I.DECLINE),
]  # fmt: skip

CASES = [
    *((text, Role.PERSON, intent) for intent, texts in PERSON.items() for text in texts),
    *((text, Role.CONTACT, intent) for intent, texts in CONTACT.items() for text in texts),
]


@pytest.mark.parametrize(("text", "role", "intent"), CASES)
def test_a_text_means_what_it_says(text: str, role: Role, intent: Intent) -> None:
    assert read_text(text, role, watching=True) is intent


@pytest.mark.parametrize(("text", "role", "intent"), QUIET)
def test_the_word_help_is_the_carriers_while_nobody_is_on_watch(
    text: str, role: Role, intent: Intent
) -> None:
    assert read_text(text, role, watching=False) is intent


@pytest.mark.parametrize(
    "word", ["stop", "end", "quit", "cancel", "start", "yes", "unstop", "stopall"]
)
@pytest.mark.parametrize("role", Role)
def test_words_that_carriers_own_are_none_of_our_commands(word: str, role: Role) -> None:
    for written in (word, word.upper(), f" {word.title()}. "):
        assert read_text(written, role, watching=True) in (I.OPT_OUT, I.UNCLEAR)


# --- at random ------------------------------------------------------------------------------------

SURE = [
    "ok",
    "here",
    "im",
    "fine",
    "good",
    "alive",
    "still",
    "yes",
    "thanks",
    "estoy",
    "bien",
    "aqui",
]
DOUBT = """
    not no never ni dont isnt cant wont who what where why maybe bad sick dizzy scared hurt
    alone mal nunca quien tal vez stop call dying gone night bye if when soon later was you he
    she asleep help there
""".split()  # noqa: SIM905


@given(st.lists(st.sampled_from(SURE), max_size=6), st.sampled_from(DOUBT), st.data())
def test_one_word_of_doubt_anywhere_is_never_a_check_in(
    sure: list[str], doubt: str, data: st.DataObject
) -> None:
    at = data.draw(st.integers(0, len(sure)))
    glue = data.draw(st.sampled_from([" ", ", ", "! ", "... ", "\n", " 🙂 ", " - "]))
    text = glue.join([*sure[:at], doubt, *sure[at:]])
    for intent in (read_text(text, Role.PERSON, watching=w) for w in (True, False)):
        assert intent in (I.UNCLEAR, I.HELP, I.OPT_OUT, I.CARRIER_HELP)


@given(st.lists(st.sampled_from(SURE), min_size=1, max_size=6), st.sampled_from("?¿؟‽"))
def test_a_question_is_never_a_check_in(sure: list[str], mark: str) -> None:
    assert read_text(" ".join(sure) + mark, Role.PERSON, watching=True) is I.UNCLEAR


def accepted() -> frozenset[str]:
    """Every word that may stand in a check-in."""
    return frozenset(
        word
        for phrase, intent in WORDS.tables[Role.PERSON].items()
        if intent in (None, I.HERE)
        for word in phrase
    )


ACCEPTED = accepted()
LETTERS = "abcdefghijklmnopqrstuvwxyz"


def one_letter_off(word: str) -> set[str]:
    cuts = [(word[:i], word[i:]) for i in range(len(word) + 1)]
    return {
        *(a + b[1:] for a, b in cuts if b),
        *(a + b[1] + b[0] + b[2:] for a, b in cuts if len(b) > 1),
        *(a + c + b[1:] for a, b in cuts if b for c in LETTERS),
        *(a + c + b for a, b in cuts for c in LETTERS),
    }


MISTYPED = frozenset().union(*map(one_letter_off, WORDS.forgiven)) - WORDS.neighbours


def may_be_said(word: str) -> bool:
    spellings = {word, re.sub(r"(.)\1{2,}", r"\1", word), re.sub(r"(.)\1{2,}", r"\1\1", word)}
    return any(WORDS.slips.get(s, s) in ACCEPTED for s in spellings) or word in MISTYPED


# Without what can start a signature or a quotation: those have cases of their own above.
ANY = st.text(st.characters(exclude_characters='-\u2013\u2014_*~“"«>'), max_size=40)
NEARLY = st.text("okhereimfnalvstyby ,.!19", max_size=14)
PHRASES = st.lists(st.sampled_from(sorted(ACCEPTED) + DOUBT), max_size=5).map(" ".join)
TYPED = st.sampled_from(sorted(ACCEPTED)).flatmap(
    lambda w: st.sampled_from(sorted(one_letter_off(w)))
)


@given(ANY | NEARLY | PHRASES | TYPED)
@example("ok")
@example("heere")
def test_random_text_is_a_check_in_only_if_every_word_of_it_may_be_said_in_one(text: str) -> None:
    if read_text(text, Role.PERSON, watching=True) is I.HERE:
        plain = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", text).casefold())
        plain = re.sub(r"\bi a?m\b", "im", re.sub("['’‘`´ʼ＇′\u0300-\u036f]", "", plain))
        plain = plain.replace("thank you", "thanks").replace("por favor", "please")
        for word in re.findall(r"[^\W_]+", plain):
            assert may_be_said(word), word


@given(st.text(max_size=200), st.sampled_from(Role), st.booleans())
def test_whatever_comes_in_one_intent_comes_out(text: str, role: Role, watching: bool) -> None:
    intent = read_text(text, role, watching=watching)
    assert intent is not I.EMPTY or not any(c.isalnum() for c in text)
    if role is Role.CONTACT:
        assert intent not in (I.HERE, I.MARK, I.GO, I.GO_LONG, I.DONE, I.MORE)
    else:
        assert intent not in (I.CLAIM, I.DECLINE, I.ARRIVED, I.FAR, I.CANT_GET_IN)


def test_a_cry_for_help_is_heard_in_a_very_long_text_and_nothing_else_is() -> None:
    assert read_text("ok " * 3000, Role.PERSON, watching=True) is I.UNCLEAR
    assert read_text("so " * 3000 + " call 911", Role.PERSON, watching=True) is I.HELP


# --- the tables -----------------------------------------------------------------------------------


def test_no_slip_that_is_forgiven_is_a_word_of_its_own() -> None:
    for slip, word in SLIPS.items():
        assert slip not in ACCEPTED, (slip, word)
        assert slip not in DOUBT, (slip, word)
    assert not WORDS.neighbours & set(WORDS.forgiven)
    assert WORDS.slips == SLIPS, "none of them is a word in another language"


# From English and Spanish dictionaries: every word one letter away from a forgiven one.
REAL_WORDS = """
    adive aleve alice alight alike aline aright arrives awaked awakes aware breaching
    breathings clive coding coking comino cooing coping coring cowing doing doming estay esto
    estol estos gong goring homing olive reheat repeal repeats repent seeps sill skill spill
    stall stems step stews stops streps swill till wreathing
""".split()  # noqa: SIM905


@pytest.mark.parametrize("word", REAL_WORDS)
def test_a_real_word_is_never_taken_for_a_typo(word: str) -> None:
    for role in Role:
        assert read_text(word, role, watching=True) is I.UNCLEAR


@pytest.mark.parametrize("table", WORDS.tables.values())
def test_the_tables_are_written_folded(table: vocabulary.Table) -> None:
    for phrase in table:
        for word in phrase:
            assert word == unicodedata.normalize("NFKD", word).casefold(), phrase
            assert word not in SLIPS, phrase


@pytest.mark.parametrize("role", Role)
def test_every_phrase_of_a_table_is_read_as_what_it_stands_for(role: Role) -> None:
    for phrase, intent in WORDS.tables[role].items():
        heard = read_text(" ".join(phrase).replace("#", "7"), role, watching=True)
        alone = (
            Intent.MARK if role is Role.PERSON and phrase in WORDS.mark_alone else Intent.UNCLEAR
        )
        assert heard is (intent or alone), phrase


@pytest.mark.parametrize(
    "said",
    [
        "hes not breathing", "He's not breathing!", "he is blue", "she wont wake up", "no pulse",
        "Sam is not breathing", "help him", "they overdosed", "unresponsive", "no respira",
        "no despierta", "no tiene pulso", "se desmayó", "se muere",
    ],
)  # fmt: skip
def test_a_cry_may_be_about_somebody_else(said: str) -> None:
    assert speaks_of_another(said)


@pytest.mark.parametrize(
    "said",
    [
        "SOS", "help me", "i cant breathe", "I want to die", "im dying", "call 911", "I overdosed",
        "no puedo respirar", "me he pasado", "he tomado demasiado", "me muero", "ayúdame", "GO",
        "someone help me", "alguien ayúdeme",
    ],
)  # fmt: skip
def test_a_cry_of_ones_own_is_not_about_somebody_else(said: str) -> None:
    assert not speaks_of_another(said)
