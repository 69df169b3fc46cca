"""What a night comes to: lost, duplicated, late.

Lost: a check-in that was acknowledged and is not in the store; a silence after which a contact was
handed nothing. Duplicated: a key that the provider was handed again after it had taken it, because
we never saw its answer; one that no fault explains is a fault of ours. Late: when the first ask and
the first alarm after the last "Got it" were handed over, minus when they were due by that answer.
Alarmed in vain: a contact was handed an alarm about somebody who was still pressing.
Held up: late by more than somebody else's fault explains, where a fault is about a few.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.chaos.carrier import Handed
from tests.chaos.people import Sam
from tests.chaos.scene import Scene

ALARMS = frozenset({"alarm", "help", "again"})
ASK = "ask"
SHOW_S, GRACE_S = 5, 60  # as the profile of the crowd has it
BEYOND_S = 120.0  # a full grace after an outage, and as much again
HELD_UP_S = 20.0  # of the wall; later than this is no busy machine any more
IN_FLIGHT_S = 25.0  # a lease taken just before a fault ends this much later at the latest


@dataclass
class Verdict:
    """The figures of one night. Times are seconds of the installation's clock."""

    lost_check_ins: list[int] = field(default_factory=list)
    lost_silences: list[int] = field(default_factory=list)
    set_aside: list[int] = field(default_factory=list)
    held_up: list[int] = field(default_factory=list)
    strange: list[str] = field(default_factory=list)
    duplicated: int = 0
    unexplained: int = 0
    in_vain: int = 0
    green_in_vain_s: float = 0.0
    acked: int = 0
    refused: int = 0
    sends: int = 0
    late_asks_s: list[float] = field(default_factory=list)
    late_alarms_s: list[float] = field(default_factory=list)
    after_s: list[float] = field(default_factory=list)
    waits_s: list[float] = field(default_factory=list)

    @property
    def lost(self) -> int:
        """Everything that must never be."""
        never = self.lost_check_ins, self.lost_silences, self.set_aside, self.held_up
        return sum(map(len, never))

    def figures(self) -> dict[str, float]:
        """The figures by name, in the order in which they are printed."""
        late = self.late_asks_s + self.late_alarms_s
        return {
            "acknowledged": self.acked,
            "refused": self.refused,
            "handed_over": self.sends,
            "lost_check_ins": len(self.lost_check_ins),
            "lost_silences": len(self.lost_silences),
            "set_aside": len(self.set_aside),
            "alarmed_in_vain": self.in_vain,
            "green_in_vain_s": round(self.green_in_vain_s, 1),
            "held_up": len(self.held_up),
            "duplicated": self.duplicated,
            "duplicated_unexplained": self.unexplained,
            "late_p50_s": quantile(late, 50),
            "late_p99_s": quantile(late, 99),
            "late_max_s": quantile(late, 100),
            "late_after_the_fault_max_s": quantile(self.after_s, 100),
            "late_beyond_the_fault": sum(late_s > BEYOND_S for late_s in self.after_s),
            "answer_p99_s": quantile(self.waits_s, 99),
        }


def quantile(values: Sequence[float], percent: int) -> float:
    """The value below which ``percent`` of them lie; 0 for none."""
    if not values:
        return 0.0
    if percent >= 100 or len(values) == 1:
        return round(max(values), 2)
    return round(statistics.quantiles(values, n=100, method="inclusive")[percent - 1], 2)


def unheard(people: Sequence[Sam], handed: Sequence[Handed], words: Mapping[int, str]) -> list[int]:
    """The watches after whose last "Got it" a contact has not been handed an alarm."""
    called: dict[str, float] = {}
    for one in handed:
        if words.get(one.message) in ALARMS:
            called[one.to] = one.at_s  # the latest: they are in order
    return [
        sam.watch
        for sam in people
        if any(called.get(contact, 0.0) <= sam.heard_s for contact in sam.contacts)
    ]


def judge(
    scene: Scene,
    people: Sequence[Sam],
    rows: Mapping[int, Mapping[str, Any]],
    words: Mapping[int, str],
    rate: float,
) -> Verdict:
    """Hold what people were told against the store and the provider's list."""
    handed = scene.place.carrier.handed()
    verdict = Verdict(
        lost_check_ins=[
            sam.watch
            for sam in people
            if sam.watch not in scene.aside
            and (sam.watch not in rows or rows[sam.watch]["seen_at"] < sam.acked_at)
        ],
        lost_silences=unheard(people, handed, words),
        set_aside=[watch for watch, row in rows.items() if row["quarantined_at"]],
        strange=[line for sam in people for line in sam.strange],
        acked=sum(sam.acked for sam in people),
        refused=sum(sam.refused.total() for sam in people),
        sends=len(handed),
        green_in_vain_s=scene.green_in_vain_s,
        waits_s=[wait for sam in people for wait in sam.waits_s],
    )
    _duplicates(verdict, scene, handed)
    first = _first(handed, words)
    for sam in people:
        alarmed_s = first(sam.contacts, 0.0, ALARMS)
        verdict.in_vain += alarmed_s is not None and alarmed_s < sam.tried_s
        known = rows.get(sam.watch)
        if sam.next_ask_at is None or known is None or known["seen_at"] > sam.acked_at:
            continue  # one more was kept than was acknowledged: what is due is not known here
        ask_s = sam.heard_s + (sam.next_ask_at - sam.acked_at) / 1000 / rate
        alarm_s = first(sam.contacts, sam.heard_s, ALARMS)
        others = scene.harmed is not None and sam.watch not in scene.harmed
        if others and (alarm_s or time.monotonic()) - ask_s - GRACE_S / rate > HELD_UP_S:
            verdict.held_up.append(sam.watch)
        _late(verdict.late_asks_s, verdict, scene, first({sam.number}, sam.heard_s, {ASK}),
              ask_s + SHOW_S / rate, rate)  # fmt: skip
        _late(verdict.late_alarms_s, verdict, scene, alarm_s, ask_s + GRACE_S / rate, rate)
    return verdict


def _first(handed: Sequence[Handed], words: Mapping[int, str]) -> Any:
    by_number: dict[str, list[Handed]] = {}
    for one in handed:
        by_number.setdefault(one.to, []).append(one)

    def first(numbers: set[str], after_s: float, wanted: set[str]) -> float | None:
        times = [
            one.at_s
            for number in numbers
            for one in by_number.get(number, ())
            if one.at_s > after_s and words.get(one.message) in wanted
        ]
        return min(times, default=None)

    return first


def _late(
    into: list[float], verdict: Verdict, scene: Scene, at_s: float | None, due_s: float, rate: float
) -> None:
    """Note how late one was, and how long after everything was well again."""
    if at_s is None:
        return
    into.append(max(at_s - due_s, 0.0) * rate)
    wrong = [end for began, end in scene.windows if began < at_s and end > due_s]
    verdict.after_s.append(max(at_s - max([due_s, *wrong]), 0.0) * rate)


def _duplicates(verdict: Verdict, scene: Scene, handed: Sequence[Handed]) -> None:
    taken = {one.key: one.at_s for one in handed}
    repeats = scene.place.carrier.repeats()
    # What the provider forgot and took twice counts like what it knew again.
    verdict.duplicated = len(repeats) + len(handed) - len(taken)
    verdict.unexplained = sum(
        not any(began - IN_FLIGHT_S <= taken.get(key, again) and began <= again
                for began, _ in scene.windows)
        for key, again in repeats
    )  # fmt: skip
