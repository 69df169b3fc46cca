"""Draw the states of a watch from the code itself, between two markers in ARCHITECTURE.md.

`python -m tools.diagram` rewrites the drawing; a test compares. Nothing here is drawn by hand: each
state and event of `watch.TABLE` is tried on sample watches, and what came of it is what is drawn.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from stillhere.core import events as ev
from stillhere.core import watch
from stillhere.core.circle import Circle, Reach
from stillhere.core.events import Event, Outcome, State
from stillhere.core.profiles import Profile
from stillhere.core.schedule import Routine
from stillhere.core.watch import Watch
from tools.page import PAGE, write_between

BEGIN, END = "<!-- diagram: begin (python -m tools.diagram) -->", "<!-- diagram: end -->"

NOON = 1_769_860_800_000
ACUTE = Profile("acute")
DAILY = Profile(
    "daily",
    steps=(),
    reminders_s=(3600, 900, 0),
    ring_s=300,
    grace_s=1800,
    rung_s=600,
    ambulance_s=None,
)
EVERY_DAY = Routine(days=frozenset(range(7)), at=22 * 60, tz="UTC")
MAYA, LEO, ANA = 1, 2, 3
CIRCLE = Circle(
    tuple(tuple(Reach(who, (who * 10,)) for who in rung) for rung in ((MAYA, LEO), (ANA,)))
)

# Events that can differ by what they carry are tried with each kind of it.
SAMPLES: dict[type, tuple[Event, ...]] = {
    ev.Started: (ev.Started(),),
    ev.Marked: (ev.Marked(),),
    ev.StillHere: (ev.StillHere(NOON * 2), ev.StillHere(0), ev.StillHere(NOON * 2, 5)),
    ev.Shown: (ev.Shown(1), ev.Shown(2)),
    ev.Unclear: (ev.Unclear(),),
    ev.NeedHelp: (ev.NeedHelp(CIRCLE), ev.NeedHelp(Circle())),
    ev.Extended: (ev.Extended(600),),
    ev.Paused: (ev.Paused(NOON + 7 * 86_400_000), ev.Paused(NOON * 2)),
    ev.Ended: (ev.Ended(),),
    ev.TimePassed: (ev.TimePassed(CIRCLE), ev.TimePassed(Circle())),
    ev.ServiceWasDown: (ev.ServiceWasDown(0, NOON * 2),),
    ev.ClockSetBack: (ev.ClockSetBack(3_600_000),),
    ev.Claimed: (ev.Claimed(MAYA, 240), ev.Claimed(MAYA, None), ev.Claimed(99, 60)),
    ev.Declined: (ev.Declined(MAYA), ev.Declined(99)),
    ev.CannotGetIn: (ev.CannotGetIn(MAYA), ev.CannotGetIn(99)),
    ev.Arrived: (ev.Arrived(MAYA), ev.Arrived(99)),
    ev.Resolved: tuple(ev.Resolved(who, how) for who in (MAYA, LEO, None, 99) for how in Outcome),
    ev.Undeliverable: (ev.Undeliverable(MAYA, 10), ev.Undeliverable(None, 1)),
    ev.Unheard: (ev.Unheard(MAYA, 10), ev.Unheard(None, 1)),
    ev.Dropped: (ev.Dropped(),),
    ev.OptedOut: (ev.OptedOut(MAYA), ev.OptedOut(99)),
}
TIME = frozenset({ev.TimePassed, ev.ServiceWasDown})


@dataclass(frozen=True)
class Sample:
    """A watch, at an instant at which something may happen to it."""

    watch: Watch
    now: int


def _walk(sample: Sample, *events: Event, after_s: int = 0) -> Sample:
    """Let these events happen, one after the other, then let time pass."""
    for event in events:
        sample = Sample(watch.step(sample.watch, event, sample.now).watch, sample.now)
    return Sample(sample.watch, sample.now + after_s * 1000)


def _until(sample: Sample, state: State) -> Sample:
    """Nobody does anything until the watch stands in ``state``."""
    while sample.watch.state is not state:
        due = watch.wake_at(sample.watch)
        assert due is not None
        sample = _walk(Sample(sample.watch, max(due, sample.now)), ev.TimePassed(CIRCLE))
    return sample


def samples() -> list[Sample]:
    """Watches in every state, of every kind."""
    tap = ev.StillHere(NOON * 2)
    found: list[Sample] = []
    for fresh in (watch.start(1, ACUTE, NOON), watch.start(2, DAILY, NOON, EVERY_DAY)):
        begun = Sample(fresh, NOON)
        marked = _walk(begun, ev.Marked(), after_s=1)
        asked = _until(marked, State.ASKING)
        nearly = Sample(marked.watch, max(marked.now, (marked.watch.ends_at or 0) - 20_000))
        last = Sample(asked.watch, max(asked.now, asked.watch.ends_at or 0))
        alarm = _until(asked, State.ALARM)
        called = _walk(marked, ev.NeedHelp(CIRCLE))
        once = _walk(called, tap, after_s=31)
        going = _walk(alarm, ev.Claimed(MAYA, 180))
        there = _walk(going, ev.Arrived(MAYA))
        silent = _walk(Sample(there.watch, there.now + 600_000), ev.TimePassed(CIRCLE))
        relieved = _walk(alarm, tap, after_s=61)
        both = _walk(_walk(there, ev.Claimed(LEO, 240)), tap, after_s=31)
        found += [begun, marked, nearly, asked, last, alarm, called, once, going, there, silent]
        found += [relieved, both, _walk(marked, ev.Ended())]
        found += [_walk(there, ev.Resolved(MAYA, how)) for how in (Outcome.DIED, Outcome.FINE)]
    return found


def due(sample: Sample) -> Sample:
    """The same watch when its timer fires."""
    return Sample(sample.watch, max(watch.wake_at(sample.watch) or 0, sample.now))


@dataclass
class Met:
    """What came of an event in a state, over all samples."""

    to: set[State]
    acted: bool = False
    refused: bool = False


def probe() -> dict[tuple[State, type], Met]:
    """Try every event on every sample."""
    table: dict[tuple[State, type], Met] = {}
    for sample in samples():
        for kind, events in SAMPLES.items():
            met = table.setdefault((sample.watch.state, kind), Met(set()))
            for event in events:
                _meet(met, due(sample) if kind in TIME else sample, event)
    return table


def _meet(met: Met, sample: Sample, event: Event) -> None:
    done = watch.step(sample.watch, event, sample.now)
    met.to.add(done.watch.state)
    if done.refused is not None:
        met.refused = True
    elif done.watch != sample.watch or done.effects:
        met.acted = True


def _words(kind: type) -> str:
    """``NeedHelp`` as people say it: need help."""
    return re.sub(r"(?<!^)([A-Z])", r" \1", kind.__name__).lower()


def _arrows(table: dict[tuple[State, type], Met]) -> Iterator[str]:
    for state in State:
        for to in State:
            kinds = [k for (s, k), met in table.items() if s is state and to in met.to]
            if to is not state and kinds:
                yield f"    {state} --> {to}: {', '.join(_words(k) for k in kinds)}"


def _cell(state: State, met: Met) -> str:
    others = [str(to) for to in State if to in met.to and to is not state]
    if others:
        return " or ".join(others)
    return "stays" if met.acted else "refused" if met.refused else "·"


def drawing() -> str:
    """The diagram and the table beneath it, as Markdown."""
    table = probe()
    head = f"| | {' | '.join(State)} |"
    rows = [
        f"| {_words(kind)} | {' | '.join(_cell(s, table[s, kind]) for s in State)} |"
        for kind in ev.EVENTS
    ]
    return "\n".join(
        [
            "```mermaid",
            "stateDiagram-v2",
            "    [*] --> open: started",
            *_arrows(table),
            "    closed --> [*]",
            "```",
            "",
            "Where an event can lead from each state (one that may also leave it where it is says",
            "only where else). *stays*: something happens, the state does not change. *refused*:",
            "nothing happens and the sender hears why. A dot: ignored.",
            "",
            head,
            "|---" * (len(State) + 1) + "|",
            *rows,
        ]
    )


def main() -> None:
    """Redraw the page in place."""
    write_between(drawing(), BEGIN, END)
    print(f"drew {PAGE.name}")


if __name__ == "__main__":
    main()
