"""The steps as sound, made by this machine (espeak-ng), for browsers that cannot speak.

Owns running that program, bounded in time and number. Where it is not installed nothing is offered.
"""

from __future__ import annotations

import shutil
import subprocess
import threading
from functools import lru_cache

VOICES = {"en": "en-us", "es": "es-419"}
LONGEST = 300
TIMEOUT_S = 10
_one = threading.Lock()  # at a time: reading aloud must never slow a check-in


def able() -> bool:
    """Whether this machine can speak at all."""
    return _program() is not None


def sound(words: str, lang: str) -> bytes | None:
    """``words`` as a WAV file (22 kHz, mono), or None where it could not be made."""
    if not able():
        return None
    with _one:
        return _made(words[:LONGEST], VOICES.get(lang, VOICES["en"]))


@lru_cache(maxsize=1)
def _program() -> str | None:
    return shutil.which("espeak-ng")


@lru_cache(maxsize=128)
def _made(words: str, voice: str) -> bytes | None:
    command = [_program() or "", "-v", voice, "-s", "140", "--stdin", "--stdout"]
    try:
        made = subprocess.run(
            command, input=words.encode(), capture_output=True, timeout=TIMEOUT_S, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return made.stdout or None
