"""How the words of several languages become one vocabulary, and which file is refused."""

from __future__ import annotations

import tomllib

import pytest

from stillhere.core import replies, vocabulary
from stillhere.core.vocabulary import Intent, Role, VocabularyError
from tests.core.words import FILES, WORDS


def read(text: str, other: str, role: Role = Role.PERSON, *, watching: bool = True) -> Intent:
    """What it means where somebody has added another language."""
    words = vocabulary.load({**FILES, "xx": other})
    return replies.read_text(text, role, words, watching=watching)


def test_another_language_is_understood_beside_ours() -> None:
    other = 'polite = "tak"\n[person]\nfiller = "jeg er"\nhere = "her, i live"\n'
    assert read("jeg er her, tak", other) is Intent.UNCLEAR, "polite is no filler"
    assert read("jeg er her", other) is Intent.HERE
    assert read("i'm here", other) is Intent.HERE
    assert read("jeg er ikke her", other) is Intent.UNCLEAR


@pytest.mark.parametrize("lang", FILES)
def test_each_of_ours_means_the_same_alone_and_together(lang: str) -> None:
    alone = vocabulary.load({lang: FILES[lang]})
    for role, table in alone.tables.items():
        assert {phrase: WORDS.tables[role][phrase] for phrase in table} == table


@pytest.mark.parametrize("lang", FILES)
def test_whatever_english_can_say_every_language_can(lang: str) -> None:
    english, theirs = (tomllib.loads(FILES[code]) for code in ("en", lang))
    for section in ("anyone", "person", "contact"):
        wanted = english[section].keys() - {"unclear"}
        assert wanted - theirs[section].keys() == set(), section
    for row in (
        "only",
        "opt-out",
        "help-anywhere",
        "waves-off",
        "linking",
        "help-called",
        "of-another",
        "cant-get-in",
    ):
        assert theirs[row].strip(), row


def test_a_word_with_two_meanings_is_unclear() -> None:
    assert read("ok", '[person]\ndone = "ok"\n') is Intent.UNCLEAR
    assert read("ok", '[person]\nfiller = "ok"\n') is Intent.UNCLEAR
    assert read("no", '[contact]\nclaim = "no"\n', Role.CONTACT) is Intent.UNCLEAR
    assert read("voy", '[contact]\nclaim = "voy"\n', Role.CONTACT) is Intent.CLAIM


def test_a_word_that_may_be_a_cry_for_help_is_one() -> None:
    assert read("bien", '[person]\nhelp = "bien"\n') is Intent.HELP
    assert read("urgent", '[person]\nhere = "urgent"\n') is Intent.HELP
    assert read("bien", 'help-anywhere = "bien"\n') is Intent.HELP


def test_a_word_of_one_language_is_no_slip_of_another() -> None:
    assert read("hear", "") is Intent.HERE
    assert read("hear", '[person]\nmore = "hear"\n') is Intent.MORE


def test_what_is_written_wrongly_is_forgiven_in_the_new_language_too() -> None:
    other = '[person]\nhere = "levende"\n[long]\nwords = "levende"\nnot = "levendes"\n'
    assert read("lvende", other) is Intent.HERE
    assert read("levendes", other) is Intent.UNCLEAR


@pytest.mark.parametrize("emoji", ["👍", "1", "🆗"])
def test_signs_belong_to_no_language(emoji: str) -> None:
    words = vocabulary.load({"xx": ""})
    assert replies.read_text(emoji, Role.PERSON, words, watching=True) is Intent.HERE
    for cry in ("911", "🆘", "9", "112"):
        assert replies.read_text(cry, Role.PERSON, words, watching=True) is Intent.HELP
    assert replies.read_text("ok", Role.PERSON, words, watching=True) is Intent.UNCLEAR
    assert replies.read_text("- Sam", Role.PERSON, words, watching=True) is Intent.UNCLEAR


def test_days_and_minutes_are_counted_in_the_words_of_each() -> None:
    other = '[command]\nweeks = "uge, uger"\nmonths = "maaned"\nwithin = "om"\n'
    other += '[slips]\nmin = "minutter"\n'
    words = vocabulary.load({**FILES, "xx": other})
    assert (words.days_of["uger"], words.days_of["weeks"], words.days_of["maaned"]) == (7, 7, 30)
    assert replies.read_minutes("om 5", words) == 5
    assert replies.read_minutes("10minutter", words) == 10


def test_the_language_is_that_of_a_word_only_one_has() -> None:
    words = vocabulary.load({**FILES, "xx": 'only = "her, go"'})
    assert replies.language_of("her", words) == "xx"
    assert replies.language_of("go", words) == "", "two have it"
    assert replies.language_of("sigo", words) == "es"


def test_a_name_begins_with_a_capital_of_any_language() -> None:
    other = '[not-theirs]\ncapitals = "Ø"\nsent-from = ["sendt fra min "]\n'
    assert read("ok\n-Øyvind", "") is Intent.UNCLEAR
    assert read("ok\n-Øyvind", other) is Intent.HERE
    assert read("ok\nSendt fra min telefon", other) is Intent.HERE


def test_a_machine_s_words_and_a_phone_s_reactions_are_known_in_each() -> None:
    other = """
    [not-theirs]
    automatic = ["jeg korer bil"]
    reaction = ["syntes godt om"]
    liked = ["syntes godt om "]
    quotes = ["den .{1,60} skrev:"]
    """
    assert read("jeg korer bil 911", other) is Intent.UNCLEAR
    assert read("Syntes godt om “Still here?”", other) is Intent.HERE
    assert read("ok\nDen 3. marts skrev:\nStill here? 9", other) is Intent.HERE


@pytest.mark.parametrize(
    ("other", "why"),
    [
        ("[person", "xx: "),
        ("colour = 'x'", "unknown colour"),
        ("[person]\ngoo = 'x'", "unknown goo"),
        ("[person]\nopt-out = 'x'", "unknown opt-out"),
        ("[person]\nhere = ['x']", "here is not what it should be"),
        ("polite = 5", "polite is not"),
        ("person = 5", "[person] is no table"),
        ("slips = 5", "[slips] is no table"),
        ("[slips]\nok = 5", "ok is not"),
        ("[not-theirs]\nautomatic = 'x'", "automatic is not"),
        ("[not-theirs]\nautomatic = ['(']", "a pattern that is none"),
        ("[not-theirs]\ncapitals = ']['", "a pattern that is none"),
    ],
)
def test_a_file_that_cannot_be_used_says_why(other: str, why: str) -> None:
    with pytest.raises(VocabularyError, match=r".") as refused:
        vocabulary.load({**FILES, "xx": other})
    assert why in str(refused.value)
