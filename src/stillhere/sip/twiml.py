"""What our own web server wants said and heard, read from its TwiML.

Owns the few verbs that ``channels/carriers/voice.py`` writes; anything else is a mistake of ours
and ends the call. Source: https://www.twilio.com/docs/voice/twiml.
"""

from __future__ import annotations

from dataclasses import dataclass
from xml.etree import ElementTree as ET

MOST = 64 * 1024


@dataclass(frozen=True, slots=True)
class CallPlan:
    """One turn. ``voice`` is the one that says it. ``action`` is where a key, or none within
    ``listen_s`` seconds, is told; without it the call ends after the words. ``number``: it is a
    whole number, up to the pound key. ``tone``: a soft tone first."""

    says: tuple[str, ...] = ()
    voice: str = ""
    tone: bool = False
    listen_s: int = 0
    number: bool = False
    action: str = ""
    reject: bool = False


class TwimlError(ValueError):
    """Not what we write."""


def read(text: str) -> CallPlan:
    """The turn. It comes from our own web server, over this machine alone. Raises TwimlError."""
    if len(text) > MOST or "<!" in text:
        raise TwimlError("too long, or with a definition in it")
    try:
        root = ET.fromstring(text)  # noqa: S314  no definitions: refused above
    except ET.ParseError as error:
        raise TwimlError("not XML") from error
    says: list[str] = []
    found: dict[str, object] = {}
    for verb in root:
        if verb.tag == "Gather":
            found["listen_s"] = int(verb.get("timeout", "5"))
            found["action"] = verb.get("action", "")
            found["number"] = verb.get("numDigits") is None
        for each in verb if verb.tag == "Gather" else (verb,):
            if each.tag == "Say":
                says.append((each.text or "").strip())
                found["voice"] = each.get("language", "")
            elif each.tag == "Play":
                # What people said cannot be played here; the page does.
                found["tone"] = found.get("tone") or (each.text or "").endswith("/tone.wav")
            elif each.tag == "Reject":
                found["reject"] = True
            elif each.tag != "Hangup":
                raise TwimlError(f"a verb we do not speak: {each.tag[:20]}")
    return CallPlan(says=tuple(says), **found)  # type: ignore[arg-type]
