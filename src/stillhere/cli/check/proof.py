"""Proves that this installation could wake somebody tonight: from outside, not from its settings.

Each result says in plain words what was found, and names the proof if it is one. Changes nothing
except one ping to the outside watcher.
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import aiohttp

from stillhere.channels.base import REFUSED, Capability
from stillhere.config.environment import Stillhere
from stillhere.config.wiring import build_channels
from stillhere.store.db import clock
from stillhere.store.installation import proof, upkeep
from stillhere.store.watches import queries

DEADLINE_S = 10
DAY_MS = 24 * 3600 * 1000
RANG_DAYS = 30
LOOK_BACK_MS = 24 * 3600 * 1000
SLEPT_MS = 10 * 60 * 1000  # a gap as long as this is no restart
SLEEPS = ("sleep.target", "suspend.target", "hibernate.target", "hybrid-sleep.target")
MASK = "sudo systemctl mask " + " ".join(SLEEPS)


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at. ``proves`` is its name in ``store/installation/proof.py``, or
    nothing."""

    says: str
    proves: str = ""


def prove(stillhere: Stillhere, root: Path = Path("/")) -> Iterator[Finding]:
    """Try everything. ``root`` is where this machine's files stand."""
    yield _public(stillhere)
    yield _heartbeat(stillhere)
    yield _awake(root)
    yield _rings(stillhere)


def _public(stillhere: Stillhere) -> Finding:
    """Fetch ourselves by our public name, as a phone elsewhere would."""
    if not stillhere.https:
        return Finding(
            "Without https it is reached from this network only: set STILLHERE_BASE_URL to an "
            "https address."
        )
    private = _private(stillhere.hostname)
    if private:
        return Finding(f"{stillhere.hostname} {private}, so phones elsewhere cannot open it.")
    status, said = _get(f"{stillhere.base_url}/healthz")
    if proof.identity() in said:
        return Finding(f"{stillhere.base_url} opens, and it is this installation.", proof.PUBLIC)
    why = "is somebody else" if status else said
    return Finding(f"{stillhere.base_url} was asked who it is, but {why}.")


def _private(hostname: str) -> str:
    """Why a name does not lead to a public machine, or ""."""
    try:
        found = {str(info[4][0]) for info in socket.getaddrinfo(hostname, 443)}
    except OSError:
        return "is a name nobody knows"
    if not all(ipaddress.ip_address(address.partition("%")[0]).is_global for address in found):
        return "leads to this network only"
    return ""


def _get(url: str) -> tuple[int, str]:
    """Status and body, or 0 and what went wrong. Follows no redirects."""

    async def get() -> tuple[int, str]:
        deadline = aiohttp.ClientTimeout(total=DEADLINE_S)
        async with (
            aiohttp.ClientSession(timeout=deadline) as session,
            session.get(url, allow_redirects=False) as answer,
        ):
            body = await answer.content.read(64 * 1024)
            return answer.status, body.decode("utf-8", "replace")

    try:
        return asyncio.run(get())
    except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
        return 0, f"it could not be reached ({type(error).__name__})"


def _heartbeat(stillhere: Stillhere) -> Finding:
    """Ping whoever watches us from outside, once."""
    if not stillhere.heartbeat_url:
        return Finding("Nobody outside would notice if it stopped: set STILLHERE_HEARTBEAT_URL.")
    status, said = _get(stillhere.heartbeat_url)
    if 200 <= status < 300:
        return Finding("The watcher outside hears from us.", proof.HEARTBEAT)
    return Finding(f"The watcher outside did not take our ping: {status or said}.")


def _awake(root: Path) -> Finding:
    """Whether nothing puts this machine to sleep, and it has not slept lately."""
    now = clock.now_ms()
    gaps = [to - at for at, to in queries.outages_since(now - LOOK_BACK_MS)]
    longest = max(gaps, default=0)
    if longest >= SLEPT_MS:
        return Finding(
            f"It was away for {longest // 60_000} minutes within a day. If it slept: {MASK}"
        )
    units = root / "etc/systemd/system"
    if all(_masked(units / name) for name in SLEEPS[:2]):
        return Finding("This machine is not allowed to sleep.", proof.AWAKE)
    if _battery(root):
        return Finding(f"This machine has a battery and may go to sleep: {MASK}")
    if _desktop(root):
        return Finding(f"This machine has a desktop and may go to sleep: {MASK}")
    return Finding("Nothing here sends this machine to sleep.", proof.AWAKE)


def _masked(unit: Path) -> bool:
    return unit.is_symlink() and str(unit.readlink()) == "/dev/null"


def _battery(root: Path) -> bool:
    """Whether this machine itself runs on a battery, as opposed to a mouse attached to it."""
    for supply in (root / "sys/class/power_supply").glob("*"):
        kind, scope = (_text(supply / name) for name in ("type", "scope"))
        if kind == "Battery" and scope != "Device":
            return True
    return False


def _desktop(root: Path) -> bool:
    chosen = root / "etc/systemd/system/default.target"
    usual = root / "lib/systemd/system/default.target"
    for target in (chosen, usual):
        if target.is_symlink():
            return target.readlink().name == "graphical.target" and bool(
                list((root / "usr/share/xsessions").glob("*.desktop"))
                + list((root / "usr/share/wayland-sessions").glob("*.desktop"))
            )
    return False


def _text(path: Path) -> str:
    try:
        return path.read_text().strip()
    except OSError:
        return ""


def _rings(stillhere: Stillhere) -> Finding:
    """A channel that makes a real phone ring, not one drawn on a page; and a call that somebody
    picked up lately, because an account that nobody was called through may be closed, empty or
    mistyped."""
    ringing = [
        channel.name
        for channel in build_channels(stillhere).values()
        if Capability.RINGS in channel.capabilities
    ]
    if not ringing:
        return Finding("No channel makes a phone ring, so nobody wakes up.")
    if stillhere.demo:
        return Finding("The phones are drawn on a page. Nobody real is called.")
    refused = [why for channel, _, why, _ in upkeep.refusing(REFUSED) if channel in ringing]
    if refused:
        return Finding(
            f"Phones were rung before, and now the carrier {refused[0]}: nobody wakes up."
        )
    rang = upkeep.rang(ringing, clock.now_ms() - RANG_DAYS * DAY_MS)
    names = ", ".join(ringing)
    if rang:
        return Finding(f"Phones ring by {names}: {rang} in the last {RANG_DAYS} days.", proof.RINGS)
    return Finding(
        f"No phone was heard ringing by {names} for {RANG_DAYS} days: add yourself to a list, say "
        "yes, and press “Let it ring for a test” on that page."
    )
