"""What somebody is told who is on several open alarms at once: the list, with a number for each.

Owns these sentences and how much fits: one text where it can be, never more than two of those that
hold no accents; the rest is counted.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from stillhere.channels.wording import answers, plain
from stillhere.channels.wording.answers import AnswerKind
from stillhere.channels.wording.facts import fill
from stillhere.core.messages import Facts

Sentence = tuple[str, AnswerKind]

ONE_TEXT, SHORT_TEXTS = 160, 134  # characters; two texts where one letter is in no plain alphabet
PRESSED = 7  # alarms a call offers: 8 and 9 mean something else there
# The letters of the plain alphabet of texts (GSM 03.38) beside the commonest signs.
_PLAIN = frozenset(
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789 !\"#%&'()*+,-./:;<=>?@$_"
    "\u00a3\u00a5\u00e8\u00e9\u00f9\u00ec\u00f2\u00c7\u00d8\u00f8\u00c5\u00e5\u00c6\u00e6"
    "\u00df\u00c9\u00a4\u00a1\u00c4\u00d6\u00d1\u00dc\u00a7\u00bf\u00e4\u00f6\u00f1\u00fc\u00e0"
)


def _list(facts: Facts) -> Sentence:
    tail = _("They may need an ambulance.") if facts.ambulance else ""
    return _fitting(_people(len(facts.listed)), _numbered(facts), tail, answers.CHOOSE)


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
    names = [name for _no, name in _named(facts)]
    return _fitting(head, names, fill(facts, _("You are going to %(who)s.")), answers.CHOSEN)


def _asked(facts: Facts) -> Sentence:
    """The list as an answer: to LIST, or to what could not be taken for one of it."""
    over = plain.name(facts.over)
    head = _("%(name)s: this alarm is over.") % {"name": over} + " " if over else ""
    if not facts.listed:
        return head + _("No other alarm of yours needs somebody now."), answers.NOTHING
    return _fitting(head + _("Open now:"), _numbered(facts), "", answers.CHOOSE_AGAIN)


def spoken(facts: Facts) -> Sentence:
    """In a call: the first few, by keys in their order."""
    n = len(facts.listed)
    text = ngettext("%(n)d person may need help now.", "%(n)d people may need help now.", n) % {
        "n": n
    }
    for key, (_no, name) in enumerate(_named(facts)[:PRESSED], 1):
        text += " " + _("Press %(key)d to go to %(name)s.") % {"key": key, "name": name}
    if n > PRESSED:
        text += " " + _("The others are in our text.")
    return text, answers.NOTHING


def _named(facts: Facts) -> list[tuple[int, str]]:
    return [(no, plain.name(name) or _("somebody")) for no, name in facts.listed]


def _numbered(facts: Facts) -> list[str]:
    return [f"{no} {name}" for no, name in _named(facts)]


def _fitting(head: str, names: Sequence[str], tail: str, answer: AnswerKind) -> Sentence:
    """As many names as there is room for beside the answer; how many more there are."""
    names = names or [_("somebody")]
    for shown in range(len(names), 0, -1):
        more = len(names) - shown
        rest = ngettext("and %(n)d more: LIST", "and %(n)d more: LIST", more) % {"n": more}
        listed = [*names[:shown], *([rest] if more else [])]
        text = f"{head} {', '.join(listed)}. {tail}".strip()
        whole = f"{text} {answer.text}"
        if shown == 1 or len(whole) <= (ONE_TEXT if set(whole) <= _PLAIN else SHORT_TEXTS):
            return text, answer
    raise AssertionError("there is always one")


SENTENCES: Mapping[str, Callable[[Facts], Sentence]] = {
    "list": _list,
    "list-busy": _busy,
    "reply-alarms": _asked,
}
