"""Who calls whom within the project while something runs, and which of its types are handed over.

Counts nothing itself: tests say what they count. It looks at the thread that asks for it and at
those that begin meanwhile, so a writer that must be seen is started under it.
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


@dataclass(eq=False)
class Call:
    """One call of a function of the project. ``by`` is the project's function that led to it,
    through whatever stands between them; None where a thread, or Django, begins. ``types`` are the
    project's own among what was handed over, there and back."""

    file: str
    function: str
    by: Call | None
    types: set[type]

    @property
    def room(self) -> str:
        return self.file.rpartition("/")[0]

    @property
    def changes_file(self) -> bool:
        return self.by is not None and self.by.file != self.file

    @property
    def changes_room(self) -> bool:
        return self.by is not None and self.by.room != self.room

    def within(self, function: str) -> bool:
        """Whether it was made by ``function`` ("file.py:name"), or by what that called."""
        by = self.by
        while by is not None:
            if f"{by.file}:{by.function}" == function:
                return True
            by = by.by
        return False


@dataclass
class Trace:
    calls: list[Call] = field(default_factory=list)
    _open: dict[FrameType, Call] = field(default_factory=dict)

    def look(self, frame: FrameType, event: str, arg: Any) -> None:
        """What the interpreter calls."""
        if event == "call" and (file := _file(frame)):
            call = Call(file, frame.f_code.co_qualname, self._by(frame), _types(_arguments(frame)))
            self._open[frame] = call
            self.calls.append(call)
        elif event == "return" and frame in self._open:
            self._open.pop(frame).types.update(_types([arg]))

    def _by(self, frame: FrameType) -> Call | None:
        back = frame.f_back
        while back is not None and back not in self._open:
            back = back.f_back
        return None if back is None else self._open[back]


@contextmanager
def traced() -> Iterator[Trace]:
    """Look at everything that runs within."""
    trace = Trace()
    threading.setprofile(trace.look)
    sys.setprofile(trace.look)
    try:
        yield trace
    finally:
        sys.setprofile(None)
        threading.setprofile(None)


def _file(frame: FrameType) -> str:
    path = Path(frame.f_code.co_filename)
    ours = path.is_relative_to(SOURCE) and frame.f_code.co_name != "<module>"
    return str(path.relative_to(SOURCE)) if ours else ""


def _arguments(frame: FrameType) -> list[Any]:
    code = frame.f_code
    count = code.co_argcount + code.co_kwonlyargcount
    count += bool(code.co_flags & inspect.CO_VARARGS) + bool(code.co_flags & inspect.CO_VARKEYWORDS)
    return [frame.f_locals.get(name) for name in code.co_varnames[:count]]


def _types(values: list[Any], depth: int = 3) -> set[type]:
    found: set[type] = set()
    for value in values:
        if type(value).__module__.startswith("stillhere."):
            found.add(type(value))
        elif depth and isinstance(value, list | tuple | set | frozenset):
            found |= _types(list(value), depth - 1)
        elif depth and isinstance(value, Mapping):
            found |= _types([*value.values()], depth - 1)
    return found
