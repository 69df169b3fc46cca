"""``python -m tests.chaos``: every fault on both databases, a table, and what was lost.

ONLY=kill runs one fault, ON=sqlite one database; PEOPLE and SEED are what they say. Ends with plain
``name=value`` lines, and with 1 when anything was lost or said that must not be.
"""

from __future__ import annotations

import importlib
import os
import pkgutil
import sys
import time

from tests.chaos import faults
from tests.chaos.night import night
from tests.chaos.place import POSTGRESQL, SQLITE
from tests.chaos.scene import Fault, Scene
from tests.chaos.verdict import Verdict

PEOPLE = int(os.environ.get("PEOPLE", "120"))
SEED = int(os.environ.get("SEED", "20261123"))
COLUMNS = {
    "lost_check_ins": "lost", "lost_silences": "unheard", "alarmed_in_vain": "in vain",
    "green_in_vain_s": "green",
    "held_up": "held up",
    "duplicated": "twice",
    "duplicated_unexplained": "unexplained", "acknowledged": "kept", "refused": "refused",
    "handed_over": "sent", "late_p50_s": "late p50", "late_p99_s": "p99", "late_max_s": "max",
    "late_after_the_fault_max_s": "after it", "late_beyond_the_fault": "beyond",
}  # fmt: skip


def every_fault() -> list[Fault]:
    """Every fault of every file in ``faults``."""
    modules = (
        importlib.import_module(f"{faults.__name__}.{found.name}")
        for found in pkgutil.iter_modules(faults.__path__)
    )
    return [fault for module in modules for fault in module.FAULTS]


def row(name: str, cells: list[object]) -> str:
    return f"{name:<28}" + "".join(f"{cell:>11}" for cell in cells)


def tell(name: str, verdict: Verdict, scene: Scene, took_s: float) -> None:
    """One line of the table, and below it what was done."""
    figures = verdict.figures()
    print(row(name, [figures[key] for key in COLUMNS]), flush=True)
    did = ", ".join(f"{what} x{n}" for what, n in sorted(scene.done.items()))
    print(f"    {took_s:.0f} s: {did}", flush=True)
    for line in scene.undone:
        print(f"    {line}", flush=True)
    for line in sorted(set(verdict.strange))[:5]:
        print(f"    an answer that is none: {line}", flush=True)


def main() -> int:
    only, on = os.environ.get("ONLY", ""), os.environ.get("ON", "")
    print(f"seed {SEED}, {PEOPLE} people a night. Late is in seconds of the installation's clock,")
    print(
        "which runs ten times as fast as the wall's (in clock: twice). 'after it' is counted from"
    )
    print("the end of the fault; 'beyond' are those later than two minutes of that clock.\n")
    print(row("", list(COLUMNS.values())), flush=True)
    lines, bad = [], 0
    for fault in every_fault():
        for kind in (SQLITE, POSTGRESQL):
            if kind not in fault.on or only not in ("", fault.name) or on not in ("", kind):
                continue
            began = time.monotonic()
            verdict, scene = night(fault, kind, people=PEOPLE, seed=SEED)
            name = f"{fault.name}_{kind}".replace("-", "_")
            tell(f"{fault.name}, {kind}", verdict, scene, time.monotonic() - began)
            bad += verdict.lost + len(verdict.strange) + verdict.unexplained + len(scene.undone)
            bad += fault.in_vain(scene, verdict.in_vain)
            lines += [f"{name}_{key}={value}" for key, value in verdict.figures().items()]
    print()
    print("\n".join(lines))
    print(f"lost_or_unexplained={bad}")
    return 1 if bad or not lines else 0


if __name__ == "__main__":
    sys.exit(main())
