"""From what a person typed to ways of reaching somebody.

Owns which kinds of address can be typed here. Whether one of them works, only a message shows.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from django.utils.translation import gettext as _

from stillhere.channels.base import AddressError, Capability
from stillhere.store.problems import Reached
from stillhere.web.access.installed_channels import channels

# What a person types once, and the channels it opens.
KINDS: dict[str, tuple[str, ...]] = {
    "phone": ("text", "call"),
    "whatsapp": ("whatsapp",),
    "email": ("email",),
    "chat": ("chat",),
}
LONGEST_TYPED = 2000


def kinds() -> list[str]:
    """The kinds of address that can be typed here: those that some channel of this installation
    accepts."""
    known = channels()
    return [kind for kind, names in KINDS.items() if any(name in known for name in names)]


@dataclass(slots=True)
class Typed:
    """What was typed, as ways to reach somebody, or what is wrong with it, by kind."""

    ways: list[Reached] = field(default_factory=list)
    wrong: dict[str, str] = field(default_factory=dict)


def read(typed: Mapping[str, str]) -> Typed:
    """Normalize every address. ``typed`` holds text by kind; empty values are left out."""
    known, found = channels(), Typed()
    for kind, names in KINDS.items():
        text = typed.get(kind, "").strip()[:LONGEST_TYPED]
        if kind in ("phone", "whatsapp"):
            text = " ".join(text.split())  # pasted over two lines
        for name in names:
            channel = known.get(name)
            if not text or channel is None or kind in found.wrong:
                continue
            try:
                value = channel.normalise(text)
            except AddressError as error:
                found.wrong[kind] = _(str(error))
            else:
                rings = Capability.RINGS in channel.capabilities
                found.ways.append(Reached(name, value, rings))
    return found


def kind_of(channel: str) -> str:
    """The kind of address a channel accepts."""
    return next((kind for kind, names in KINDS.items() if channel in names), channel)
