"""How a watch asks: the numbers of a profile, and the bounds that none of them may exceed.

Owns reading and checking profiles. Does not know where the text comes from (the caller reads
``content/profiles.toml``). Rejects every number outside its stated bound: a profile that asks too
late is a safety net with a hole in it. Every bound gives its reason.

All fields ending in ``_s`` are whole seconds. A key names a profile in code and in the database; it
never appears in a message.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, fields, replace
from typing import Any

EARLY_S = 300  # until here after the mark the asks are closest together
TAIL_S = 3600  # from here on they may be ten minutes apart
STEPS_MOST = 6
REMINDERS_MOST = 6


@dataclass(frozen=True, slots=True)
class Bound:
    """The limits of one number. ``name`` can start a sentence, ``why`` is one sentence."""

    name: str
    least: int
    most: int
    why: str


class ProfileError(ValueError):
    """A profile that must not be used. The message can be shown to people; ``bound`` lets a page
    say it in another language."""

    def __init__(self, sentence: str, bound: Bound | None = None) -> None:
        super().__init__(sentence)
        self.bound = bound


@dataclass(frozen=True, slots=True)
class Profile:
    """How one kind of watch asks. With ``reminders_s`` it is a routine, without them acute."""

    key: str
    unmarked_ask_s: int = 180  # a watch without a mark asks after this, and goes on at this pace
    unmarked_end_s: int = 1800  # and ends then
    first_ask_s: int = 60  # after the mark
    # (until this many seconds after the mark, ask every so many seconds)
    steps: tuple[tuple[int, int], ...] = ((300, 90), (1200, 150))
    show_s: int = 5  # an ask not confirmed on the screen by then goes by the next channel
    ring_s: int = 20  # the phone rings if the ask is unanswered
    grace_s: int = 60  # nobody answered by then: the alarm
    rung_s: int = 45  # between the rungs of the ladder
    ambulance_s: int | None = 300  # nobody arrived by then: everyone on the alarm is told to call
    # routine only: seconds before the deadline, largest first; 0 is the deadline itself
    reminders_s: tuple[int, ...] = ()

    @property
    def is_routine(self) -> bool:
        return bool(self.reminders_s)

    @property
    def ends_s(self) -> int:
        """How long after the mark we go on asking. 0 for a routine, which has no mark."""
        return self.steps[-1][0] if self.steps else 0

    def every_s(self, since_mark_s: int) -> int:
        """The interval between asks at this moment. Never raises and never means silence: before
        the mark it is the first interval, after the end the last one, and without steps the
        unmarked one."""
        for until_s, every_s in self.steps:
            if since_mark_s < until_s:
                return every_s
        return self.steps[-1][1] if self.steps else self.unmarked_ask_s


# --- bounds ---------------------------------------------------------------------------------------

_OXYGEN = "Injury from lack of oxygen starts after about four to five minutes"
_LONG = "Staffed lines stay ten minutes at least; a late overdose is described up to 3 hours on."

ACUTE: dict[str, Bound] = {
    "unmarked_ask_s": Bound(
        "The first ask of a watch without a mark", 60, 300, f"{_OXYGEN}: an ask may not come later."
    ),
    "unmarked_end_s": Bound("The length of a watch without a mark", 600, 10800, _LONG),
    "first_ask_s": Bound(
        "The first ask", 30, 300, f"Hands are busy for the first half minute. {_OXYGEN}."
    ),
    "early_every_s": Bound(
        "The time between asks in the first five minutes",
        60,
        180,
        "Staffed lines ask every two to three minutes, and the first minutes are the fastest.",
    ),
    "later_every_s": Bound(
        "The time between asks after five minutes",
        120,
        300,
        f"Closer than two minutes tires people into switching it off. {_OXYGEN}.",
    ),
    "tail_every_s": Bound(
        "The time between asks after the first hour",
        120,
        600,
        "A late overdose is described up to 3 hours on; asks must be few enough to be answered.",
    ),
    "total_s": Bound("The length of the watch", 600, 10800, _LONG),
    "show_s": Bound(
        "The wait for the screen",
        1,
        15,
        "A phone in a tunnel must be tried another way while there is time.",
    ),
    "ring_s": Bound(
        "The wait before the phone rings",
        5,
        60,
        "The ring must come while there is still time to answer it.",
    ),
    "grace_s": Bound(
        "The time to answer",
        30,
        120,
        "Under half a minute people who are fine miss it; staffed lines wait 30 to 60 seconds.",
    ),
    "rung_s": Bound(
        "The time between rungs",
        15,
        60,
        "Everyone on the ladder is to be rung within three minutes.",
    ),
    "ambulance_s": Bound(
        "The call for an ambulance", 60, 300, f"{_OXYGEN}: five minutes are the limit."
    ),
}

ROUTINE: dict[str, Bound] = {
    "show_s": ACUTE["show_s"],
    "ring_s": Bound(
        "The wait before the phone rings",
        20,
        1800,
        "A routine is gentle, and still rings before it alarms.",
    ),
    "grace_s": Bound(
        "The time to answer",
        600,
        14400,
        "Under ten minutes a shower raises an alarm; after four hours the night is over.",
    ),
    "rung_s": Bound(
        "The time between rungs",
        60,
        3600,
        "A routine has time to let one person answer before the next.",
    ),
    "reminders_s": Bound(
        "A reminder",
        0,
        43200,
        "Earlier than twelve hours before the deadline it belongs to another day.",
    ),
}

# The try-out: nobody is in danger, and nobody waits longer than half a minute.
TRIAL = "try"
_SHORT = "A try-out is over in half a minute; it watches nobody."
TRY: dict[str, Bound] = {
    "unmarked_ask_s": Bound("The first ask of a try-out", 5, 30, _SHORT),
    "unmarked_end_s": Bound("The length of a try-out", 60, 600, _SHORT),
    "show_s": ACUTE["show_s"],
    "ring_s": ACUTE["ring_s"],
    "grace_s": Bound("The time to answer in a try-out", 15, 30, _SHORT),
    "rung_s": ACUTE["rung_s"],
    "ambulance_s": ACUTE["ambulance_s"],
}

# What a person may set for themselves, and within what.
OWN = {
    name: ACUTE[name]
    for name in ("first_ask_s", "early_every_s", "later_every_s", "total_s", "grace_s")
}

_NUMBERS = frozenset(field.name for field in fields(Profile)) - {"key"}
_SINGLE = _NUMBERS - {"steps", "reminders_s"}


def validate(profile: Profile) -> None:
    """Raises ProfileError, with a sentence naming the bound, if this profile must not be used."""
    if (profile.ambulance_s is None) != profile.is_routine:
        raise ProfileError(
            "A routine check-in does not send for an ambulance by the clock."
            if profile.is_routine
            else "An acute watch has to say when to call an ambulance."
        )
    bounds = ROUTINE if profile.is_routine else TRY if profile.key == TRIAL else ACUTE
    for name, bound in bounds.items():
        if name in _SINGLE:
            _within(bound, getattr(profile, name))
    if profile.ring_s >= profile.grace_s:
        raise ProfileError("The phone has to ring before the time to answer is over.")
    if profile.show_s >= profile.ring_s:
        raise ProfileError("The next channel has to be tried before the phone rings.")
    if profile.is_routine:
        _validate_routine(profile)
    else:
        _validate_acute(profile)


def own(base: Profile, **numbers: int) -> Profile:
    """A person's own numbers on top of ``base``: any of ``OWN``, each within its bound. What is not
    given stays as in ``base``. Raises ProfileError with a sentence for the person."""
    if base.key == TRIAL:
        raise ProfileError("A try-out has no numbers to set.")
    if base.is_routine:
        raise ProfileError("A routine check-in has no asks to set; it has a time and a day.")
    for name, value in numbers.items():
        if name not in OWN:
            raise ProfileError(f"There is no number called {name} to set.")
        _within(OWN[name], value)
    steps = base.steps
    if numbers.keys() & {"early_every_s", "later_every_s", "total_s"}:
        early_s = numbers.get("early_every_s", base.every_s(0))
        later_s = numbers.get("later_every_s", base.every_s(EARLY_S))
        steps = ((EARLY_S, early_s), (numbers.get("total_s", base.ends_s), later_s))
    mine = replace(
        base,
        key="own",
        steps=steps,
        first_ask_s=numbers.get("first_ask_s", base.first_ask_s),
        grace_s=numbers.get("grace_s", base.grace_s),
    )
    validate(mine)
    return mine


def _within(bound: Bound, value: object) -> None:
    if not isinstance(value, int) or isinstance(value, bool):
        raise ProfileError(f"{bound.name} has to be a whole number of seconds.", bound)
    if not bound.least <= value <= bound.most:
        limits = f"{_said(bound.least)} to {_said(bound.most)}"
        raise ProfileError(f"{bound.name} can be {limits}, not {_said(value)}. {bound.why}", bound)


def _said(seconds: int) -> str:
    """A duration as people say it: 90 seconds, 5 minutes, 3 hours."""
    for size, unit in ((3600, "hours"), (60, "minutes")):
        if seconds >= 2 * size and seconds % size == 0:
            return f"{seconds // size} {unit}"
    return f"{seconds} seconds"


def _validate_acute(profile: Profile) -> None:
    if not 1 <= len(profile.steps) <= STEPS_MOST:
        raise ProfileError(f"An acute watch has one to {STEPS_MOST} steps.")
    begins_s = 0
    for until_s, every_s in profile.steps:
        if until_s <= begins_s:
            raise ProfileError("The steps of a watch have to follow each other in time.")
        _within(ACUTE[_phase(begins_s)], every_s)
        begins_s = until_s
    _within(ACUTE["total_s"], profile.ends_s)


def _phase(begins_s: int) -> str:
    """The bound that applies to a step: that of the moment it begins, or the strictest one it
    spans."""
    if begins_s < EARLY_S:
        return "early_every_s"
    return "later_every_s" if begins_s < TAIL_S else "tail_every_s"


def _validate_routine(profile: Profile) -> None:
    if profile.steps:
        raise ProfileError("A routine check-in has reminders, not steps.")
    if len(profile.reminders_s) > REMINDERS_MOST:
        raise ProfileError(f"A routine check-in has at most {REMINDERS_MOST} reminders.")
    for reminder_s in profile.reminders_s:
        _within(ROUTINE["reminders_s"], reminder_s)
    if list(profile.reminders_s) != sorted(set(profile.reminders_s), reverse=True):
        raise ProfileError("Reminders come in order, the earliest first, each once.")
    if profile.reminders_s[-1] != 0:
        raise ProfileError("The last reminder is at the deadline itself: no alarm without an ask.")


# --- reading --------------------------------------------------------------------------------------

_REVIEW = ("source", "note", "reviewed_by", "reviewed_on")


def load(text: str) -> dict[str, Profile]:
    """Every profile in the text of ``profiles.toml``, by key, each checked. Raises ProfileError."""
    return {key: _profile(key, row) for key, row in _rows(text).items()}


def unsigned(text: str) -> tuple[str, ...]:
    """The keys of the profiles that nobody has signed yet, so that pages and checks can say so."""
    return tuple(key for key, row in _rows(text).items() if not row.get("reviewed_by"))


def _rows(text: str) -> dict[str, dict[str, Any]]:
    try:
        rows = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ProfileError(f"The profiles cannot be read: {error}.") from error
    for key, row in rows.items():
        if not isinstance(row, dict):
            raise ProfileError(f"{key} stands outside any profile.")
    if not rows:
        raise ProfileError("There is no profile at all.")
    return rows


def _profile(key: str, row: dict[str, Any]) -> Profile:
    strange = sorted(row.keys() - _NUMBERS - set(_REVIEW))
    if strange:
        raise ProfileError(f"{key}: unknown {', '.join(strange)}.")
    _reviewed(key, row)
    values = {name: _frozen(value) for name, value in row.items() if name in _NUMBERS}
    if values.get("reminders_s"):  # TOML has no null: what a routine has none of is not written
        values = {"steps": (), "ambulance_s": None, **values}
    profile = Profile(key=key, **values)
    try:
        _shapes(profile)
        validate(profile)
    except ProfileError as error:
        raise ProfileError(f"{key}: {error}", error.bound) from error
    return profile


def _reviewed(key: str, row: dict[str, Any]) -> None:
    """Every row must name the source of its numbers, and who signed it, if anyone did."""
    for name in _REVIEW:
        if not isinstance(row.get(name), str):
            raise ProfileError(f"{key}: {name} is missing.")
    if "https://" not in row["source"] or not row["note"]:
        raise ProfileError(f"{key}: a profile needs a source with an address, and a note.")
    if bool(row["reviewed_by"]) != bool(row["reviewed_on"]):
        raise ProfileError(f"{key}: a signature has a name and a date.")


def _frozen(value: Any) -> Any:
    return tuple(_frozen(part) for part in value) if isinstance(value, list) else value


def _shapes(profile: Profile) -> None:
    """Check what the type checker cannot know about a file: pairs are pairs, lists are lists of
    numbers."""
    steps: object = profile.steps
    reminders_s: object = profile.reminders_s
    if not isinstance(steps, tuple) or not all(_is_pair(step) for step in steps):
        raise ProfileError("steps are pairs of whole seconds.")
    if not isinstance(reminders_s, tuple):
        raise ProfileError("reminders_s is a list of whole seconds.")


def _is_pair(step: object) -> bool:
    return isinstance(step, tuple) and len(step) == 2 and all(type(n) is int for n in step)
