"""How somebody answers: the last sentence of a message, and the keys that count.

The same digit means the same in every message: 1 I'm going, 2 I can't, 3 again, 4 I'm there, 6 I
can't get in. ``store/inbound/handle.py`` reads them. What cannot carry an answer back (mail, chat)
never asks for one: its link does.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum

from django.utils.translation import gettext as _

TEXT, CALL = "text", "call"  # the channels that carry an answer back
PUSH = "push"  # has its answers as buttons, so no sentence names them


@dataclass(frozen=True, slots=True)
class Tail:
    """One way to answer, in the active language."""

    text: str
    call: str
    link: str
    choices: Mapping[str, str] = field(default_factory=dict)

    def by(self, channel: str) -> str:
        """The sentence for a channel, by its name."""
        return {TEXT: self.text, CALL: self.call, PUSH: ""}.get(channel, self.link)


def _still_here() -> Tail:
    return Tail(
        text=_("Reply OK."),
        call=_("Press any key, or 9 if you need somebody."),
        link=_("Open the link and answer."),
        choices={"1": _("Still here"), "9": _("I need help")},
    )


def _yes_or_no() -> Tail:
    return Tail(
        text=_("Reply 1 yes, 2 no."),
        call=_("Press 1 for yes, 2 for no."),
        link=_("Open the link to answer."),
        choices={"1": _("Yes"), "2": _("No")},
    )


def _going() -> Tail:
    return Tail(
        text=_("Reply 1 going, 2 can't."),
        call=_("Press 1 if you are going, 2 if you can't, 3 to hear this again."),
        link=_("Open the link to answer."),
        choices={"1": _("I'm going"), "2": _("I can't"), "3": _("Say it again")},
    )


def _there() -> Tail:
    return Tail(
        text=_("Reply 4 I'm there, 1 still going, 2 can't, 6 can't get in."),
        call=_(
            "Press 4 if you are there, 1 if you are still going, 2 if you can't, "
            "6 if you can't get in."
        ),
        link=_("Open the link to answer."),
        choices={
            "4": _("I'm there"),
            "1": _("I'm going"),
            "2": _("I can't"),
            "6": _("I can't get in"),
            "3": _("Say it again"),
        },
    )


def _later() -> Tail:
    """What the one who is going does next."""
    return Tail(
        text=_("Reply 4 when you are there, 6 if you can't get in."),
        call=_("Text us 4 when you are there, 6 if you can't get in."),
        link=_("Open the link when you are there."),
        choices={"4": _("I'm there"), "6": _("I can't get in")},
    )


def _nothing() -> Tail:
    return Tail("", "", "")


class AnswerKind(Enum):
    """What a message asks for."""

    NOTHING = "nothing"
    STILL_HERE = "still-here"
    YES_OR_NO = "yes-or-no"
    GOING = "going"
    THERE = "there"
    LATER = "later"

    def tail(self) -> Tail:
        """How to answer, in the active language."""
        return _TAILS[self]()


_TAILS: Mapping[AnswerKind, Callable[[], Tail]] = {
    AnswerKind.NOTHING: _nothing,
    AnswerKind.STILL_HERE: _still_here,
    AnswerKind.YES_OR_NO: _yes_or_no,
    AnswerKind.GOING: _going,
    AnswerKind.THERE: _there,
    AnswerKind.LATER: _later,
}
