"""Who calls whom within the project while something runs, and with which types.

Counts nothing itself: tests say what they count. It looks at every thread that begins while it
looks, so a writer that must be seen has to be started under it.
"""

from __future__ import annotations

import inspect
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Any

import stillhere

SOURCE = Path(stillhere.__file__).parent


@dataclass(frozen=True)
class Call:
    """``caller`` is the project's function that led to it, "" at the beginning of a thread; both
    as (file, function). ``types`` are the project's own that were handed over, there or back."""

    caller: tuple[str, str]
    callee: tuple[str, str]
    types: frozenset[type]

    @property
    def crosses(self) -> bool:
        return self.caller[0] != self.callee[0]


@dataclass
class Trace:
    calls: list[Call] = field(default_factory=list)
    _open: dict[FrameType, int] = field(default_factory=dict)

    def _look(self, frame: FrameType, event: str, arg: Any) -> None:
        if event == "call" and (callee := _place(frame)):
            self._open[frame] = len(self.calls)
            self.calls.append(Call(_caller(frame), callee, _types(_arguments(frame))))
        elif event == "return" and frame in self._open:
            no = self._open.pop(frame)
            call = self.calls[no]
            self.calls[no] = Call(call.caller, call.callee, call.types | _types([arg]))


@contextmanager
def traced() -> Iterator[Trace]:
    trace = Trace()
    threading.setprofile(trace._look)
    sys.setprofile(trace._look)
    try:
        yield trace
    finally:
        sys.setprofile(None)
        threading.setprofile(None)  # type: ignore[arg-type]


def _place(frame: FrameType) -> tuple[str, str] | None:
    path = Path(frame.f_code.co_filename)
    if not path.is_relative_to(SOURCE) or frame.f_code.co_name == "<module>":
        return None
    return str(path.relative_to(SOURCE)), frame.f_code.co_qualname


def _caller(frame: FrameType) -> tuple[str, str]:
    back = frame.f_back
    while back is not None:
        if place := _place(back):
            return place
        back = back.f_back
    return "", ""


def _arguments(frame: FrameType) -> list[Any]:
    code = frame.f_code
    count = code.co_argcount + code.co_kwonlyargcount
    count += bool(code.co_flags & inspect.CO_VARARGS) + bool(code.co_flags & inspect.CO_VARKEYWORDS)
    return [frame.f_locals.get(name) for name in code.co_varnames[:count]]


def _types(values: list[Any], depth: int = 3) -> frozenset[type]:
    found: set[type] = set()
    for value in values:
        if type(value).__module__.startswith("stillhere."):
            found.add(type(value))
        elif depth and isinstance(value, list | tuple | set | frozenset):
            found |= _types(list(value), depth - 1)
        elif depth and isinstance(value, Mapping):
            found |= _types([*value.values()], depth - 1)
    return frozenset(found)
