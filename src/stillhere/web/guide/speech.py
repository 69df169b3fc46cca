"""The steps as sound, made by this machine (espeak-ng), for browsers that cannot speak.

Owns running that program, bounded in time and number. If it is not installed, nothing is offered.
"""

from __future__ import annotations

import io
import shutil
import subprocess
import wave
from array import array
from functools import lru_cache

from django.conf import settings

from stillhere import programs
from stillhere.web.access.slow_work import SPEECH

LONGEST = 300
TIMEOUT_S = 10


def able() -> bool:
    """Whether this machine can speak at all."""
    return _program() is not None


def sound(words: str, lang: str) -> bytes | None:
    """``words`` as a WAV file (11 kHz, 8 bits, mono: ten kilobytes a second), or None where it
    could not be made. Raises TooBusyError."""
    if not able():
        return None
    with SPEECH.turn():
        return _made(words[:LONGEST], settings.SPOKEN.of(lang).machine_voice)


@lru_cache(maxsize=1)
def _program() -> str | None:
    return shutil.which("espeak-ng")


@lru_cache(maxsize=128)
def _made(words: str, voice: str) -> bytes | None:
    command = [_program() or "", "-v", voice, "-s", "140", "--stdin", "--stdout"]
    try:
        made = subprocess.run(
            command,
            env=programs.environment(),
            input=words.encode(),
            capture_output=True,
            timeout=TIMEOUT_S,
            check=True,
        )
        return _light(made.stdout)
    except (OSError, subprocess.SubprocessError, wave.Error, EOFError):
        return None


def _light(spoken: bytes) -> bytes | None:
    """A quarter of the size, for a slow connection: every two samples become one of 8 bits."""
    with wave.open(io.BytesIO(spoken)) as told:
        rate = told.getframerate()
        samples = array("h", told.readframes(len(spoken)))  # a stream's head promises more
    out = io.BytesIO()
    with wave.open(out, "wb") as light:
        light.setparams((1, 1, rate // 2, 0, "NONE", ""))
        pairs = zip(samples[::2], samples[1::2], strict=False)  # an odd one is left
        light.writeframes(bytes((a + b >> 9) + 128 for a, b in pairs))
    return out.getvalue() if len(samples) else None
