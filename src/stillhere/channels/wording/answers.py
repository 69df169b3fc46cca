"""How somebody answers: the last sentence of a message, and the keys that count.

The same digit means the same in every message: 1 I'm going, 2 I can't, 3 again, 4 I'm there, 5
the next step, 6 I can't get in, and to a page 0 I am looking. ``store/inbound/intents.py`` reads
them. What cannot carry an answer back (mail, chat) never asks for one: its link does.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from stillhere.core.messages import WRITTEN

TEXT, CALL = "text", "call"
PUSH = "push"  # has its answers as buttons, so no sentence names them


@dataclass(frozen=True, slots=True, eq=False)
class AnswerKind:
    """What a message asks for: its sentence in a text, in a call and beside a link, and what each
    key means. Lazy: in the language that is active when they are read."""

    text: str | Promise
    call: str | Promise
    link: str | Promise
    keys: Mapping[str, str | Promise] = field(default_factory=dict)

    def by(self, channel: str) -> str:
        """The sentence for a channel, by its name."""
        asks = {CALL: self.call, PUSH: "", **dict.fromkeys(WRITTEN, self.text)}
        return str(asks.get(channel, self.link))

    def choices(self) -> dict[str, str]:
        """The keys that count and what each means."""
        return {key: str(means) for key, means in self.keys.items()}


NOTHING = AnswerKind("", "", "")
STILL_HERE = AnswerKind(
    _("Reply OK."),
    _("Press any key, or 9 if you need somebody."),
    _("Open the link and answer."),
    {"1": _("Still here"), "9": _("I need help")},
)
PROVE = AnswerKind(
    _("Type it on the page, or reply OK."),
    _("Press 1 if you asked for this call."),
    _("Type it on the page, or open the link."),
    {"1": _("I asked for it")},
)
YES_OR_NO = AnswerKind(
    _("Reply 1 yes, 2 no."),
    _("Press 1 for yes, 2 for no."),
    _("Open the link to answer."),
    {"1": _("Yes"), "2": _("No")},
)
GOING = AnswerKind(
    _("Reply 1 going, 2 can't."),
    _("Press 1 if you are going, 2 if you can't, 3 to hear this again."),
    _("Open the link to answer."),
    {"1": _("I'm going"), "2": _("I can't"), "3": _("Say it again")},
)
THERE = AnswerKind(
    _("Reply 4 I'm there, 1 still going, 2 can't, 6 can't get in."),
    _("Press 4 if you are there, 1 if you are still going, 2 if you can't, 6 if you can't get in."),
    _("Open the link to answer."),
    {
        "4": _("I'm there"),
        "1": _("I'm going"),
        "2": _("I can't"),
        "6": _("I can't get in"),
        "3": _("Say it again"),
    },
)
CHOOSE = AnswerKind(_("Reply the number you go to, or NO."), "", "")  # of several alarms
CHOOSE_AGAIN = AnswerKind(_("Reply one number."), "", "")
CHOSEN = AnswerKind(_("If you can't, reply 2, then LIST."), "", "")
LOOKING = AnswerKind(
    _("Text 0 to say you are looking."),
    _("Press 0 if you are looking, 3 to hear this again."),
    _("To say you are looking: text 0, or open the link."),
    {"0": _("I am looking"), "3": _("Say it again")},
)
STEPS = AnswerKind(
    _("Reply 5 for the next, 3 for this again."),
    "",
    "",
    {"5": _("The next step"), "3": _("Say it again")},
)
CALLED = AnswerKind(  # they are on the phone with an ambulance
    _("Reply 4 if you are there, 5 for each step."),
    _("Press 4 if you are there, 5 for each step."),
    "",
    {"4": _("I'm there"), "5": _("The next step")},
)
STAY = AnswerKind(
    _("Not waking? Reply 5."),
    _("Not waking? Press 5. To hear this again press 3."),
    "",
    {"5": _("The next step"), "3": _("Say it again")},
)
HOW = AnswerKind(  # how it is; the digits stand in no other message
    _("Reply 7 awake and well, 8 brought back, 9 in hospital."),
    "",
    _("Open the link and say it there."),
    {"7": _("Awake and well"), "8": _("Brought back"), "9": _("In hospital")},
)
LATER = AnswerKind(  # what the one who is going does next
    _("Reply 4 when you are there, 6 if you can't get in."),
    _("Text us 4 when you are there, 6 if you can't get in."),
    _("Open the link when you are there."),
    {"4": _("I'm there"), "6": _("I can't get in")},
)
