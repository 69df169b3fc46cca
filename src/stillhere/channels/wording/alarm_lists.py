"""What somebody is told who is on several open alarms at once: the list, with a number for each.

Owns these sentences and how much fits: one text where it can be, never more than two of those that
hold no accents; the rest is counted. No name is so long that it hides another one, and none reads
like the next line.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from stillhere.channels.wording import answers, plain
from stillhere.channels.wording.answers import AnswerKind
from stillhere.channels.wording.facts import fill
from stillhere.core.messages import NAMED_AT_LEAST, Facts

Sentence = tuple[str, AnswerKind]

ONE_TEXT, SHORT_TEXTS = 160, 134  # characters; two texts where one letter is in no plain alphabet
SHORTEST = 4  # of a name that is cut
_DIGITS = re.compile(r"(?<!\S)[^\w]*[0-9]\S*")  # would read as a number of the list
# The letters of the plain alphabet of texts (GSM 03.38) beside the commonest signs.
_PLAIN = frozenset(
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789 !\"#%&'()*+,-./:;<=>?@$_"
    "\u00a3\u00a5\u00e8\u00e9\u00f9\u00ec\u00f2\u00c7\u00d8\u00f8\u00c5\u00e5\u00c6\u00e6"
    "\u00df\u00c9\u00a4\u00a1\u00c4\u00d6\u00d1\u00dc\u00a7\u00bf\u00e4\u00f6\u00f1\u00fc\u00e0"
)


@dataclass(frozen=True, slots=True)
class _Name:
    """One line of a list. ``after``: what tells it from another of the same name."""

    no: int
    name: str
    after: str = ""

    def cut(self, most: int, *, alone: bool = False) -> str:
        whole = len(self.name) <= most
        name = self.name if whole else self.name[: most - 1].rstrip(" -'.") + "."
        return f"{name} {'' if alone else self.after}".strip()


def _list(facts: Facts) -> Sentence:
    tail = _("They may need an ambulance.") if facts.ambulance else ""
    return _fitting("list", _people(len(facts.listed)), _named(facts), tail, answers.CHOOSE)


def _people(n: int) -> str:
    if n <= 1:
        return _("Somebody may need help NOW:")
    many = ngettext("%(n)d person may need help NOW:", "%(n)d people may need help NOW:", n)
    return many % {"n": n}


def _busy(facts: Facts) -> Sentence:
    n = len(facts.listed) or 1
    head = ngettext(
        "%(n)d more person may need help NOW:", "%(n)d more people may need help NOW:", n
    ) % {"n": n}
    tail = fill(facts, _("You are going to %(who)s."))
    names = [replace(each, no=0) for each in _named(facts)]  # a digit is about the one they go to
    return _fitting("list-busy", head, names, tail, answers.CHOSEN)


def _asked(facts: Facts) -> Sentence:
    """The list as an answer: to LIST, or to what could not be taken for one of it."""
    over = plain.name(facts.over)
    head = _("%(name)s: this alarm is over.") % {"name": over} + " " if over else ""
    if not facts.listed:
        return head + _("No other alarm of yours needs somebody now."), answers.NOTHING
    head += _("Open now:")
    return _fitting("reply-alarms", head, _named(facts), "", answers.CHOOSE_AGAIN)


def spoken(facts: Facts) -> Sentence:
    """In a call: those that this part of it offers, by keys in their order; ``n`` is how many there
    are in all."""
    n = max(facts.n, len(facts.listed))
    text = ngettext("%(n)d person may need help now.", "%(n)d people may need help now.", n) % {
        "n": n
    }
    for key, each in enumerate(_named(facts), 1):
        name = each.cut(plain.NAME_MOST)
        text += " " + _("Press %(key)d to go to %(name)s.") % {"key": key, "name": name}
    if n > len(facts.listed):
        text += " " + _("To hear the others press 0.")
    return text, answers.NOTHING


def _named(facts: Facts) -> list[_Name]:
    """The lines in their turn; of those that are called the same, since when."""
    names = [
        (no, " ".join(_DIGITS.sub("", plain.name(name)).replace(",", " ").split()), at)
        for no, name, at in facts.listed
    ]
    often = Counter(name.casefold() for _no, name, _at in names)
    return [
        _Name(
            no,
            name or _("somebody"),
            plain.hour(at, facts.tz) if at and often[name.casefold()] > 1 else "",
        )
        for no, name, at in names
    ]


def _fitting(word: str, head: str, names: list[_Name], tail: str, answer: AnswerKind) -> Sentence:
    """As many names as there is room for beside the answer, those whose turn it is before others;
    how many more there are. Names are cut before fewer stand there than each text has to name."""
    names = names or [_Name(0, _("somebody"))]
    sure = min(NAMED_AT_LEAST[word], len(names))
    ways = [
        *((shown, plain.NAME_MOST, False) for shown in range(len(names), sure - 1, -1)),
        *((sure, most, False) for most in range(plain.NAME_MOST - 1, SHORTEST - 1, -1)),
        (sure, SHORTEST, True),
    ]
    for shown, most, alone in ways:
        more = len(names) - shown
        rest = ngettext("and %(n)d more: LIST", "and %(n)d more: LIST", more) % {"n": more}
        listed = [
            f"{each.no or ''} {each.cut(most, alone=alone)}".strip()
            for each in sorted(names[:shown], key=lambda each: each.no)
        ]
        text = f"{head} {', '.join([*listed, *([rest] if more else [])])}. {tail}".strip()
        whole = f"{text} {answer.text}"
        if len(whole) <= (ONE_TEXT if set(whole) <= _PLAIN else SHORT_TEXTS):
            break
    return text.replace(".. ", ". "), answer


SENTENCES: Mapping[str, Callable[[Facts], Sentence]] = {
    "list": _list,
    "list-busy": _busy,
    "reply-alarms": _asked,
}
