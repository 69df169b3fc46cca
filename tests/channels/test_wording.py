"""What we say: every word in every language, short, neutral, and exactly what is known."""

from __future__ import annotations

import re
from dataclasses import replace
from itertools import product

import pytest
from django.conf import settings

from stillhere.channels.wording import WORDS, compose, plain
from stillhere.channels.wording.spoken import SENTENCES as SPOKEN
from stillhere.core import events as ev
from stillhere.core.events import Word
from stillhere.core.messages import Facts
from stillhere.store.watches import outbox
from tests.channels.alphabet import GSM
from tests.conftest import EVENING_MS

LANGS = [code for code, _name in settings.LANGUAGES]
CHANNELS = ("text", "whatsapp", "call", "email", "chat", "coordinator")
LINK = "https://lamp.example.org/c/abcdefghijklmnopqrstuvwxyz0"

NIGHT = Facts(
    person="Sam",
    contact="Maya",
    who="Leo",
    at=EVENING_MS + 14 * 60_000,
    tz="America/New_York",
    eta_s=180,
    program="Example County Neighbours",
)
EDGES = {
    "plain": NIGHT,
    "nothing known": Facts(),
    "unconfirmed": replace(NIGHT, confirmed=False),
    "unconfirmed and nameless": replace(NIGHT, confirmed=False, person="", who=""),
    "far": replace(NIGHT, eta_s=None),
    "late": replace(NIGHT, eta_s=1800),
    "at the door": replace(NIGHT, eta_s=0),
    "about oneself": replace(NIGHT, who="Maya"),
    "no ambulance": replace(NIGHT, wish="never"),
    "ambulance": replace(NIGHT, wish="call-now"),
    "nameless, no ambulance": replace(NIGHT, person="", wish="never"),
    "a wish nobody knows": replace(NIGHT, wish="maybe"),
    "outage": replace(NIGHT, after_outage=True, round=7),
    "nobody told": replace(NIGHT, untold=True),
    "on three alarms": replace(
        NIGHT, listed=((1, "Sam", 1), (2, "", 1), (13, "Kim", 1), (14, "kim", 2)), ambulance=True
    ),
    "one of them over": replace(NIGHT, listed=((2, "Kim", 1),), over="Sam"),
    "the last over": replace(NIGHT, over="Sam"),
    "a storm": replace(NIGHT, n=30, asks=True),
    "one thing, no time": replace(NIGHT, n=1, at=None, asks=True),
    "fine": replace(NIGHT, outcome=ev.Outcome.FINE),
    "fine, says nobody": replace(NIGHT, outcome=ev.Outcome.FINE, who="", at=None),
    "revived": replace(NIGHT, outcome=ev.Outcome.REVIVED, at=None),
    "false alarm": replace(NIGHT, outcome=ev.Outcome.FALSE_ALARM, person=""),
    "no such zone": replace(NIGHT, tz="../../etc/passwd"),
    "percent": replace(NIGHT, person="100% Sam %(at)s", who="%s"),
}
# Drugs, their names and forms, what they do and what answers them: none of it travels.
FORBIDDEN = re.compile(
    r"drug|overdos|\bod\b|nalox|narcan|opioid|opiate|heroin|fentan|inject|smok|snort|dose|\buse[ds]?\b"
    r"|\busing\b|addict|abuse|substance|needle|\bhigh\b|\bclean\b|enabl|rehab|jail|prison"
    r"|droga|sobredosis|nalox|opi[oá]|hero[ií]na|fentan|inyect|fum[ao]|esnif|dosis|consum|adict|abus"
    r"|sustancia|jeringa|aguja|c[aá]rcel",
    re.IGNORECASE,
)
GO = "Reply 1 going, 2 can't."
ASKED = "You were asked to be on Sam's list and have not answered yet. "
MAY_WE = (
    "may we reach you, day or night, when they don't answer us? "
    "This is Example County Neighbours. Reply 1 yes, 2 no."
)


def everything() -> list[tuple[str, str, str, str]]:
    """(word, language, channel, edge) for all there is."""
    return list(product(sorted(WORDS), LANGS, CHANNELS[:3], EDGES))


def test_every_word_has_its_sentence() -> None:
    assert {word.value for word in Word} <= WORDS
    assert {"invite", *outbox.ASK_WORDS.values(), *outbox.PAGE_WORDS.values()} <= WORDS


@pytest.mark.parametrize(("word", "lang"), list(product(sorted(WORDS), LANGS)))
def test_every_word_can_be_said_whatever_is_known(word: str, lang: str) -> None:
    for edge, facts in EDGES.items():
        for by in CHANNELS:
            said = compose(word, facts, lang, by)
            assert said.text.strip() == said.text != "", edge
            assert said.subject.strip(), edge
            for text in (said.text, said.subject, *said.choices.values()):
                assert "  " not in text, edge
                assert not re.search(r"%\(|None|\{|\s[.,:]|\.\.", text.replace("%(at)s", "")), text
            assert set(said.choices) <= set("0123456789")


def test_no_word_travels_that_says_what_it_is() -> None:
    for word, lang, by, edge in everything():
        said = compose(word, EDGES[edge], lang, by)
        for text in (said.text, said.subject, *said.choices.values()):
            assert not FORBIDDEN.search(text), f"{word} {lang}: {text}"


def test_we_never_say_safe() -> None:
    for word, lang, by, edge in everything():
        said = compose(word, EDGES[edge], lang, by)
        assert not re.search(r"\bsafe\b|\ba salvo\b|\bsegur[oa]\b", said.text, re.IGNORECASE)


def test_spanish_is_not_english() -> None:
    for word in sorted(WORDS):
        for edge, facts in EDGES.items():
            assert compose(word, facts, "es").text != compose(word, facts, "en").text, (word, edge)


@pytest.mark.parametrize("lang", LANGS)
def test_every_text_fits_one_segment(lang: str) -> None:
    longest = replace(NIGHT, person="Maximiliana Guadalupe", who="Bartholomew Augustus")
    for word in sorted(WORDS - SPOKEN.keys()):  # nobody texts what only a call says
        for facts in (
            NIGHT,
            longest,
            replace(longest, wish="never"),
            replace(longest, wish="call-now"),
            replace(longest, unasked=True),
            replace(longest, wants_to_die=True),
            replace(longest, n=200),
            replace(
                longest, listed=tuple((n, f"{'ABC'[n % 3]} Guadalupe", 1) for n in range(1, 31))
            ),
        ):
            text = compose(word, facts, lang).text
            assert set(text) <= GSM, f"not GSM: {set(text) - GSM} in {text}"
            assert len(text) <= 160, f"{len(text)}: {text}"


@pytest.mark.parametrize("lang", LANGS)
def test_the_first_alarm_fits_one_segment_together_with_its_link(lang: str) -> None:
    for word in ("ask", "ask-ring", Word.ALARM, Word.HELP, Word.STAND_DOWN):
        for facts in (
            NIGHT,
            replace(NIGHT, unasked=True),
            replace(NIGHT, wants_to_die=True),
        ):
            text = f"{compose(word, facts, lang).text}\n{LINK}"
            assert len(text) <= 160, f"{len(text)}: {text}"


@pytest.mark.parametrize(
    ("word", "facts", "text"),
    [
        ("ask", NIGHT, "Sam: still here? Reply OK."),
        ("ask", replace(NIGHT, person=""), "Still here? Reply OK."),
        ("ask", replace(NIGHT, partner="Ana"), "Sam and Ana: both still here? Reply OK."),
        ("ask", Facts(partner="Ana"), "You and Ana: both still here? Reply OK."),
        ("ask", EDGES["outage"], "We were away for a while. Sam: still here? Reply OK."),
        (
            Word.ALARM,
            NIGHT,
            "Sam may need help NOW. No answer since 17:14. Reply 1 going, 2 can't.",
        ),
        (
            Word.ALARM,
            EDGES["unconfirmed"],
            "Sam may need help NOW. No answer since 17:14. " + ASKED + GO,
        ),
        (Word.GOING, NIGHT, "Leo is going to Sam: about 3 minutes. It is not over."),
        (Word.GOING, EDGES["at the door"], "Leo is going to Sam. It is not over. " + GO),
        (
            Word.GOING,
            EDGES["far"],
            "Leo is far away and will phone Sam. It is not over. Reply 1 going, 2 can't.",
        ),
        (
            Word.GOING,
            EDGES["late"],
            "Leo is going to Sam: about 30 minutes. It is not over. Reply 1 going, 2 can't.",
        ),
        (
            Word.REOPENED,
            EDGES["about oneself"],
            "We do not know whether you are with Sam. Sam may need help NOW. " + GO,
        ),
        (
            Word.AMBULANCE,
            NIGHT,
            "Nobody has reached Sam since 17:14. Call an ambulance now. Reply 1 going, 2 can't.",
        ),
        (
            Word.AMBULANCE,
            EDGES["no ambulance"],
            "Nobody has reached Sam since 17:14. Sam's wish: no ambulance. "
            + ("It is your decision. " + GO),
        ),
        (
            Word.AMBULANCE,
            EDGES["ambulance"],
            "Nobody has reached Sam since 17:14. Sam's wish: an ambulance. Call now. " + GO,
        ),
        (Word.ANSWERED_ONCE, NIGHT, "Sam's phone was answered at 17:14. Once. It is not over."),
        (
            Word.UNREADABLE,
            NIGHT,
            (
                "Sam's phone sent us something at 17:14 that we can't read."
                " It may be a call for help."
            ),
        ),
        (
            Word.STAND_DOWN,
            NIGHT,
            "Sam's phone was answered at 17:14. Thank you. We go on asking for a while.",
        ),
        (Word.STAND_DOWN, EDGES["fine"], "Leo said at 17:14: Sam is fine. Thank you."),
        (Word.STAND_DOWN, EDGES["fine, says nobody"], "We were told: Sam is fine. Thank you."),
        (
            Word.STAND_DOWN,
            EDGES["revived"],
            "Leo says: Sam needed help and is alive. Thank you.",
        ),
        (
            "invite",
            replace(NIGHT, person=""),
            "Someone who counts on you asks: " + MAY_WE,
        ),
    ],
)  # fmt: skip
def test_exactly_what_is_known(word: str, facts: Facts, text: str) -> None:
    assert compose(word, facts, "en").text == text


def test_what_a_chat_says_speaks_of_no_text_prices() -> None:
    for word in ("reply-welcome", "reply-welcome-shift"):
        assert "prices" in compose(word, NIGHT, "en", "text").text
        for by in ("whatsapp", "telegram"):
            assert "prices" not in compose(word, NIGHT, "en", by).text


def test_the_stand_down_in_spanish() -> None:
    assert compose(Word.STAND_DOWN, NIGHT, "es-MX").text == (
        "Contestaron desde el teléfono de Sam a las 17:14. Gracias. Seguimos preguntando un rato."
    )


@pytest.mark.parametrize("outcome", [*sorted(ev.UNTOLD), ev.Outcome.ENDED])
def test_what_people_tell_has_no_words(outcome: str) -> None:
    with pytest.raises(ValueError, match="no automatic words"):
        compose(Word.STAND_DOWN, replace(NIGHT, outcome=outcome), "en")


def test_where_somebody_was_taken_is_not_said() -> None:
    told = compose(Word.STAND_DOWN, replace(NIGHT, outcome=ev.Outcome.HOSPITAL, who="Leo"), "en")
    assert told.text == ("Leo said at 17:14: help has taken over. Nobody needs to come. Thank you.")


def test_a_call_says_the_name_first_the_need_second_and_the_keys_last() -> None:
    for word in (Word.ALARM, Word.HELP, Word.AGAIN):
        text = compose(word, EDGES["unconfirmed"], "en", "call").text
        places = [text.index(part) for part in ("Sam", "help NOW", "not answered yet", "Press 1")]
        assert places == sorted(places)
        assert text.startswith("Sam")


def test_only_what_can_carry_an_answer_asks_for_one() -> None:
    for word in sorted(WORDS - SPOKEN.keys()):
        for by in ("email", "chat", "coordinator"):
            text = compose(word, NIGHT, "en", by).text
            assert "Press " not in text
            to_a_phone = word.startswith("reply-")
            assert to_a_phone or "Reply " not in text
    assert compose(Word.ALARM, NIGHT, "en", "email").text.endswith("Open the link to answer.")


def test_the_keys_that_count_are_the_ones_that_are_named() -> None:
    for word, by in product(sorted(WORDS - SPOKEN.keys()), ("text", "call")):
        said = compose(word, NIGHT, "en", by)
        named = set(re.findall(r"(?<!\d)[1-9](?= [a-zI])", said.text.split(". ")[-1]))
        assert named <= set(said.choices), said


def test_a_language_we_do_not_speak_is_english() -> None:
    for lang in ("", "xx", "../../etc", "zh-Hant", "EN_us"):
        assert compose("ask", NIGHT, lang).text == "Sam: still here? Reply OK."


def test_a_word_nobody_knows_is_no_message() -> None:
    with pytest.raises(KeyError):
        compose("hello", NIGHT, "en")


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("Sam", "Sam"),
        ("  Sam \t O'Neil\u2019s ", "Sam O'Neil's"),
        ("Sam\r\nBcc: x@example.org", "Sam Bcc x example org"),
        ("<b>Sam</b>", "b Sam b"),
        ("[Sam](https://evil.example)", "Sam (https evil example)"),
        ("evil.example", "evil example"),
        ("J.R. Smith", "J.R. Smith"),
        ("a.co", "a co"),
        ("\u202eSam\u202c\u200f", "Sam"),
        ("Sa\u200bm\x00\x1b[31m", "Sam 31m"),
        ("سام", "سام"),
        ("José Núñez", "José Núñez"),
        ("Mom ❤️", "Mom ❤️"),
        ("x" * 500, "x" * plain.NAME_MOST),
        ("...", ""),
        ("\ud800", ""),
        ("*_~`|", ""),
        ("", ""),
    ],
)
def test_a_name_is_made_harmless(typed: str, said: str) -> None:
    assert plain.name(typed) == said


def test_a_name_of_marks_only_is_somebody() -> None:
    assert compose(Word.ALARM, replace(NIGHT, person="\u202e<>"), "en").text.startswith(
        "Someone who counts on you may need help NOW."
    )


@pytest.mark.parametrize(
    ("tz", "said"),
    [
        ("America/New_York", "17:14"),
        ("Asia/Kathmandu", "03:59"),
        ("UTC", "22:14 UTC"),
        ("", "22:14 UTC"),
        ("Mars/Olympus", "22:14 UTC"),
        ("../../etc/passwd", "22:14 UTC"),
    ],
)
def test_the_hour_is_the_persons_or_says_whose_it_is(tz: str, said: str) -> None:
    assert plain.hour(EVENING_MS + 14 * 60_000, tz) == said
