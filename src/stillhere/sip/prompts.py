"""What the line says, as sound: spoken by ``espeak-ng``, made fit for a telephone by ``sox``.

Owns the sound files of one process and how long each is. The same words are spoken once. Nothing
here is a recording of anybody. Source: the manual pages of both programs.
"""

from __future__ import annotations

import asyncio
import hashlib
import shutil
import tempfile
import wave
from collections import OrderedDict
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from stillhere import programs

MOST_KEPT = 200
MAKES_S = 15.0
WORDS_A_MINUTE = 145  # slow enough for whoever was asleep
RATE_HZ = 8000
TAIL_S = 70  # silence after the words: the end of the file would end the call
TONE = "tone.wav"


@dataclass(frozen=True, slots=True)
class Prompt:
    """A sound file, and for how many seconds of it something is heard."""

    path: Path
    heard_s: float


class PromptError(Exception):
    """The words could not be spoken; says which program is missing or failed."""


class Prompts:
    """Makes and keeps sounds in a folder of its own."""

    def __init__(self) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="lamp-says-"))
        self._kept: OrderedDict[str, Prompt] = OrderedDict()

    def close(self) -> None:
        shutil.rmtree(self._folder, ignore_errors=True)

    async def make(self, sentences: tuple[str, ...], voice: str, *, tone: bool = False) -> Prompt:
        """The sentences in one file, after a soft tone if wanted. Raises PromptError."""
        name = hashlib.sha256(repr((sentences, voice, tone)).encode()).hexdigest()[:20]
        if name in self._kept:
            self._kept.move_to_end(name)
            return self._kept[name]
        out = self._folder / f"{name}.wav"
        parts = [await self._speak("\n".join(sentences), voice, name)] if sentences else []
        if tone:
            soft = self._folder / TONE
            if not soft.exists():
                bell = resources.files("stillhere").joinpath("web/static", TONE)
                soft.write_bytes(bell.read_bytes())
            parts.insert(0, await self._fit(soft, self._folder / "soft.wav"))
        await self._join(parts, out)
        with wave.open(str(out)) as sound:
            heard_s = sound.getnframes() / RATE_HZ - TAIL_S
        self._kept[name] = Prompt(out, heard_s)
        if len(self._kept) > MOST_KEPT:
            _, oldest = self._kept.popitem(last=False)
            oldest.path.unlink(missing_ok=True)
        return self._kept[name]

    async def _speak(self, words: str, voice: str, name: str) -> Path:
        raw, fit = self._folder / f"{name}.raw.wav", self._folder / f"{name}.fit.wav"
        speed = str(WORDS_A_MINUTE)
        await _run("espeak-ng", "-v", voice, "-s", speed, "-w", str(raw), "--stdin", says=words)
        await self._fit(raw, fit)
        raw.unlink(missing_ok=True)
        return fit

    async def _fit(self, sound: Path, out: Path) -> Path:
        await _run("sox", str(sound), "-r", str(RATE_HZ), "-c", "1", "-b", "16", str(out))
        return out

    async def _join(self, parts: list[Path], out: Path) -> None:
        if parts:
            await _run("sox", *map(str, parts), str(out), "pad", "0.4", str(TAIL_S))
        else:
            await _run("sox", "-n", "-r", str(RATE_HZ), "-c", "1", "-b", "16", str(out),
                       "trim", "0", str(TAIL_S))  # fmt: skip
        for part in parts:
            if part.name.endswith(".fit.wav"):
                part.unlink(missing_ok=True)


async def _run(program: str, *arguments: str, says: str = "") -> None:
    try:
        process = await asyncio.create_subprocess_exec(
            program, *arguments,
            env=programs.environment(),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
        )  # fmt: skip
    except OSError as error:
        raise PromptError(f"{program} is not here") from error
    try:
        async with asyncio.timeout(MAKES_S):
            await process.communicate(says.encode("utf-8", "replace"))
    except TimeoutError:
        process.kill()
        await process.wait()
        raise PromptError(f"{program} did not come to an end") from None
    if process.returncode:
        raise PromptError(f"{program} failed with {process.returncode}")
