"""What a program that we start may know: where programs lie, and how people write here.

Owns the environment of everything that is not our own process. Ours holds passwords of mail
servers, carriers and databases, and whatever the shell held that started us; another program would
carry them on, and show them to whoever looks at it.
"""

from __future__ import annotations

import os

_NEEDED = frozenset({
    "PATH", "HOME", "USER", "LOGNAME", "LANG", "LANGUAGE", "TZ", "TMPDIR", "LD_LIBRARY_PATH",
})  # fmt: skip
_KINDS = ("LC_", "FONTCONFIG_", "XDG_", "PYTHON", "VIRTUAL_ENV")


def environment(*kinds: str, **more: str) -> dict[str, str]:
    """The environment for another program: what any program needs, names that begin with one of
    these ``kinds`` ("PG"), and ``more``."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if name in _NEEDED or name.startswith((*_KINDS, *kinds))
    }
    return kept | more
